//! Skills.

use std::fs;
use std::path::PathBuf;

use quote::quote;

use super::constant;
use crate::skill::{self, read};

/// A directory of this test alone.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let unique = format!("fleetgate-skill-{}-{:?}", std::process::id(), std::thread::current().id());
        let directory = Self(std::env::temp_dir().join(unique).join(name));
        for (path, text) in files {
            let path = directory.0.join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        }
        directory
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().expect("a directory"));
    }
}

const GOOD: &str = "---\nname: push-config\ndescription: Pushes.\n---\n# Push\n";

#[track_caller]
fn refused(files: &[(&str, &str)], reason: &str) {
    let directory = Directory::new("push-config", files);
    let said = read(&directory.0, None).err().unwrap_or_else(|| panic!("{files:?} is refused"));
    assert!(said.contains(reason), "{said}");
}

#[test]
fn a_skill_is_all_files_but_hidden_ones_in_order() {
    let files = [("b.md", "b"), ("SKILL.md", GOOD), (".git", "no"), ("a/z.py", "z"), ("a/.x/y", "no")];
    let directory = Directory::new("push-config", &files);
    let skill = read(&directory.0, None).expect("it is a skill");
    let paths: Vec<_> = skill.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["SKILL.md", "a/z.py", "b.md"]);
    assert_eq!(skill.path, "push-config");
    assert_eq!(skill.frontmatter["description"], "Pushes.");
    assert_eq!(read(&directory.0, Some("net/push-config")).expect("it is a skill").path, "net/push-config");
}

#[test]
fn a_skill_without_its_instructions_or_front_matter_is_refused() {
    refused(&[("README.md", GOOD)], "has no SKILL.md");
    refused(&[("SKILL.md", "# Push\n")], "does not begin with front matter");
    refused(&[("SKILL.md", "---\nname: push-config\n")], "does not begin with front matter");
    refused(&[("SKILL.md", "---\nname: push-config\n---\n")], "needs a `name` and a `description`");
    refused(&[("SKILL.md", "---\ndescription: x\n---\n")], "needs a `name` and a `description`");
    refused(&[("SKILL.md", "---\nname: 1\ndescription: x\n---\n")], "needs a `name` and a `description`");
    refused(&[("SKILL.md", "---\n- a\n---\n")], "needs a `name` and a `description`");
    refused(&[("SKILL.md", "---\n---\n")], "needs a `name` and a `description`");
    refused(&[("SKILL.md", "---\na: [\n---\n")], "cannot be read");
    refused(&[("SKILL.md", "---\na: 1\na: 2\n---\n")], "cannot be read");
    refused(&[("SKILL.md", "---\n1: a\n---\n")], "a key that is not text");
    refused(&[("SKILL.md", "---\na: .nan\n---\n")], "JSON does not have");
    let long = format!("---\nname: push-config\ndescription: {}\n---\n", "x".repeat(1025));
    refused(&[("SKILL.md", &long)], "more than 1024 characters");
}

#[test]
fn front_matter_may_have_windows_line_ends() {
    let directory = Directory::new("push-config", &[("SKILL.md", &GOOD.replace('\n', "\r\n"))]);
    assert_eq!(read(&directory.0, None).expect("it is a skill").frontmatter["name"], "push-config");
}

#[test]
fn a_skill_bears_the_name_of_its_directory() {
    refused(&[("SKILL.md", &GOOD.replace("push-config", "push"))], "must end with the same word");
    for name in ["Push", "push--config", "-push", "push-", "push_config", &"a".repeat(65)] {
        let directory = Directory::new(name, &[("SKILL.md", &GOOD.replace("push-config", name))]);
        let said = read(&directory.0, None).err().unwrap_or_else(|| panic!("{name} is refused"));
        assert!(said.contains("no place for a skill"), "{said}");
    }
    let directory = Directory::new("push-config", &[("SKILL.md", GOOD)]);
    for path in ["", "a//push-config", "../push-config", "/push-config"] {
        assert!(read(&directory.0, Some(path)).is_err(), "{path}");
    }
}

#[test]
fn files_that_cannot_stand_in_a_uri_and_links_are_refused() {
    refused(&[("SKILL.md", GOOD), ("two words.md", "x")], "would have to be encoded");
    let directory = Directory::new("push-config", &[("SKILL.md", GOOD)]);
    std::os::unix::fs::symlink("/etc/passwd", directory.0.join("link")).expect("it can be made");
    let said = read(&directory.0, None).err().expect("a link is refused");
    assert!(said.contains("no plain file"), "{said}");
}

#[test]
fn a_skill_has_at_most_512_files() {
    let names: Vec<String> = (0..512).map(|n| format!("f{n}")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    files.push(("SKILL.md", GOOD));
    refused(&files, "at most 512 files");
}

#[test]
fn the_attribute_stands_before_a_struct_without_fields() {
    let options = quote!("src/tests/files/push-config", requires = "operator");
    let expanded = skill::expand(
        options.clone(),
        quote!(
            struct Push;
        ),
    )
    .expect("it expands");
    assert_eq!(constant(expanded.clone(), "PATH"), "push-config");
    assert_eq!(
        constant(expanded, "MANIFEST"),
        "{\"resource\":\"skill://push-config/**\",\"requires\":\"operator\"}\n"
    );
    for item in [
        quote!(
            struct Push {
                a: u8,
            }
        ),
        quote!(
            fn push() {}
        ),
        quote!(
            struct Push<T>;
        ),
    ] {
        let said = skill::expand(options.clone(), item).expect_err("it is refused").to_string();
        assert!(said.contains("a struct without fields"), "{said}");
    }
    for (options, reason) in [
        (quote!(requires = "any"), "expected the skill's directory"),
        (quote!("src/tests/files/push-config"), "say who may read this skill"),
        (quote!("../skills", requires = "any"), "not a path below"),
        (quote!("missing", requires = "any"), "cannot be read"),
    ] {
        let said = skill::expand(
            options,
            quote!(
                struct Push;
            ),
        )
        .expect_err(reason)
        .to_string();
        assert!(said.contains(reason), "{said}");
    }
}
