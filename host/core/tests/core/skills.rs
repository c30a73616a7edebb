//! Skills: shown where they are granted, kept and served by the host, and refused where they are not as they should be.

use std::sync::Arc;

use fleetgate_core::artifact::Digest;
use fleetgate_core::call::Refused;
use fleetgate_core::catalog::{Host, Scope};
use serde_json::{Value, json};

use super::asking_for::{ROLES, done, fault, listed, read, serving};
use super::guest::Does;
use super::host::{Place, Plugin, principal, why_broken};

/// The grant without which nothing is shown.
const GRANTED: &str = "[plugins.naas]\n[plugins.naas.grant.client.skills]\n";

fn skills(listed: Value) -> Plugin {
    Plugin::bare("naas")
        .and("[client]\nskills = \"How network devices are handled.\"\n")
        .and(ROLES)
        .and("[resources.\"skill://push/**\"]\nrequires = \"viewer\"\n")
        .and("[resources.\"skill://push/secret.md\"]\nrequires = \"operator\"\n")
        .and("[resources.\"skill://network/look/**\"]\nrequires = \"viewer\"\n")
        .lists("skills", "list-skills", listed)
}

/// What stands in the `SKILL.md` goes below a front matter that says the same as the list.
fn skill(path: &str, mut files: Value) -> Value {
    let name = path.rsplit('/').next().unwrap();
    for file in files.as_array_mut().unwrap() {
        if file["path"] == "SKILL.md" {
            file["data"] = (written(name) + file["data"].as_str().unwrap()).into();
        }
    }
    json!({ "path": path, "frontmatter": front(name), "files": files })
}

fn front(name: &str) -> String {
    json!({ "name": name, "description": "How it is done." }).to_string()
}

/// The front matter of a `SKILL.md`.
fn written(name: &str) -> String {
    format!("---\nname: {name}\ndescription: How it is done.\n---\n")
}

fn file(path: &str, data: &str) -> Value {
    json!({ "path": path, "data": data })
}

fn look() -> Value {
    skill("network/look", json!([file("scripts/a b.py", "print()\n"), file("SKILL.md", "# Look\n")]))
}

fn push() -> Value {
    skill(
        "push",
        json!([file("SKILL.md", "# Push\u{202e}\n"), file("secret.md", "x"), file("logo.png", "\u{1}")]),
    )
}

fn seen(host: &Host, roles: &[&str]) -> Vec<String> {
    let all = host.catalog().skills(&Scope::Shared, &principal(roles));
    all.iter().map(|found| found.skill.skill.path.clone()).collect()
}

async fn served() -> (Place, Arc<Host>) {
    serving(skills(json!([push(), look()])), GRANTED).await
}

#[tokio::test]
async fn a_skill_is_seen_by_whoever_may_read_all_of_it() {
    let (_place, host) = served().await;
    assert_eq!(seen(&host, &[]), Vec::<String>::new());
    assert_eq!(seen(&host, &["naas:viewer"]), ["network/look"]);
    assert_eq!(seen(&host, &["naas:*"]), ["network/look", "push"]);

    let uri = "skill://push/secret.md";
    let refused = read(&host, "naas", uri, &["naas:viewer"]).await.map(drop).expect_err("too little");
    assert!(matches!(refused, Refused::Forbidden { .. }), "{refused}");
    assert_eq!(done(read(&host, "naas", uri, &["naas:*"]).await)[0].text.as_deref(), Some("x"));
}

#[tokio::test]
async fn the_host_serves_what_it_took_the_digest_of() {
    let (_place, host) = served().await;
    let all = host.catalog().skills(&Scope::Shared, &principal(&["naas:*"]));
    let (mut texts, mut others) = (0, 0);
    for file in all.iter().flat_map(|found| &found.skill.skill.files) {
        let contents = done(read(&host, "naas", &file.uri, &["naas:*"]).await);
        let [content] = contents.as_slice() else { panic!("{contents:?}") };
        assert_eq!(content.uri.as_deref(), Some(file.uri.as_str()));
        assert_eq!(content.mime_type.as_deref(), Some(file.mime_type.as_str()));
        let bytes = match (&content.text, &content.data) {
            (Some(text), None) => text.as_bytes(),
            (None, Some(data)) => data.as_slice(),
            other => panic!("{other:?}"),
        };
        *if content.text.is_some() { &mut texts } else { &mut others } += 1;
        assert_eq!(Digest::of(bytes).as_bytes(), &file.digest, "{}", file.uri);
    }
    assert_eq!((texts, others), (4, 1));

    let look = &all[0].skill.skill;
    let uris: Vec<&str> = look.files.iter().map(|file| file.uri.as_str()).collect();
    assert_eq!(uris, ["skill://network/look/SKILL.md", "skill://network/look/scripts/a%20b.py"]);
    assert_eq!(look.files[0].mime_type, "text/markdown");
    assert_eq!((look.name.as_str(), &look.frontmatter["description"]), ("look", &json!("How it is done.")));
    // What hides in a text is shown before its digest is taken.
    let instructions = done(read(&host, "naas", "skill://push/SKILL.md", &["naas:*"]).await);
    assert_eq!(instructions[0].text, Some(written("push") + "# Push\\u{202e}\n"));
}

#[tokio::test]
async fn nothing_is_shown_without_the_grant() {
    let (_place, host) = serving(skills(json!([push()])), "[plugins.naas]\n").await;
    assert_eq!(seen(&host, &["naas:*"]), Vec::<String>::new());
    assert_eq!(fault(read(&host, "naas", "skill://push/SKILL.md", &["naas:*"]).await).code, "unknown");
}

#[tokio::test]
async fn what_is_no_file_of_a_skill_is_not_found_and_no_guest_is_asked() {
    let plugin = skills(json!([look()]))
        .exports(
            "resources",
            "list-resources",
            Does::Answers(json!({ "ok": [[
            { "uri": "skill://push/forged.md", "name": "forged" }
        ], null] })),
        )
        .exports("resources", "read-resource", Does::Traps);
    let (_place, host) = serving(plugin, GRANTED).await;
    for uri in [
        "skill://push/SKILL.md",
        "skill://network/look",
        "skill://network/look/",
        "skill://network/look/scripts",
    ] {
        match read(&host, "naas", uri, &["naas:*"]).await {
            Ok(answered) => assert_eq!(fault(Ok(answered)).code, "unknown", "{uri}"),
            Err(refused) => assert!(matches!(refused, Refused::Unknown { .. }), "{uri}: {refused}"),
        }
    }
    // Nobody but the host has files of skills.
    assert!(listed(&host, "naas", &["naas:*"]).await.is_empty());
}

#[tokio::test]
async fn the_operator_switches_a_skill_off_with_any_of_its_files() {
    let settings = format!("{GRANTED}[plugins.naas.resources.\"skill://push/secret.md\"]\nenabled = false\n");
    let (_place, host) = serving(skills(json!([push(), look()])), &settings).await;
    assert_eq!(seen(&host, &["naas:*"]), ["network/look"]);
    let off = read(&host, "naas", "skill://push/secret.md", &["naas:*"]).await.map(drop).expect_err("off");
    assert!(matches!(off, Refused::Unknown { .. }), "{off}");
}

#[tokio::test]
async fn a_skill_that_is_not_as_it_should_be_is_refused() {
    let of = |path: &str| skill(path, json!([file("SKILL.md", "x")]));
    let with = |files: Value| skill("push", files);
    let fronted =
        |front: &str| json!({ "path": "push", "frontmatter": front, "files": [file("SKILL.md", "x")] });
    let more = |path: &str| with(json!([file("SKILL.md", "x"), file(path, "x")]));
    let many: Vec<Value> = (0..513).map(|number| file(&format!("{number}.md"), "x")).collect();
    let mut cases = vec![
        (of("other"), "has no entry in the manifest"),
        (of(""), "has no path of a skill"),
        (of("Push"), "has no path of a skill"),
        (of("push--it"), "has no path of a skill"),
        (of("/push"), "has no path of a skill"),
        (of("push/"), "has no path of a skill"),
        (of("push/../other"), "has no path of a skill"),
        (of("a_b"), "has no path of a skill"),
        (of(&"x".repeat(65)), "has no path of a skill"),
        (fronted("{\"name\":\"other\",\"description\":\"x\"}"), "whose name is not \"push\""),
        (fronted("{\"description\":\"x\"}"), "whose name is not \"push\""),
        (fronted("{\"name\":\"push\"}"), "without a description"),
        (fronted("{\"name\":\"push\",\"description\":\" \"}"), "without a description"),
        (fronted("[]"), "front matter that is no object"),
        (fronted("name: push"), "is not JSON"),
        (with(json!([])), "has no SKILL.md"),
        (with(json!([file("skill.md", "x")])), "has no SKILL.md"),
        (with(json!([file("a/SKILL.md", "x")])), "has no SKILL.md"),
        (with(json!([{ "path": "SKILL.md", "mime-type": "text/html", "data": "x" }])), "another media type"),
        (with(json!([file("SKILL.md", "x"), file("SKILL.md", "y")])), "two files"),
        (with(json!(many)), "513 files of the skill \"push\""),
    ];
    for path in [
        "../x",
        "a/../x",
        "./x",
        "/x",
        "a//x",
        "a/",
        "",
        "a\\x",
        "a\nx",
        "a\tx",
        "a\u{202e}x",
        "a%2fx",
        "a%41x",
    ] {
        cases.push((more(path), "within the skill's directory"));
    }
    for (listed, words) in cases {
        let place = Place::new(GRANTED);
        place.drop_plugin(&skills(json!([listed])));
        let why = why_broken(&place.start().await.survey(), "naas");
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[tokio::test]
async fn what_is_listed_of_a_skill_is_what_its_file_says() {
    let with = |text: &str| json!({ "path": "push", "frontmatter": front("push"), "files": [file("SKILL.md", text)] });
    for (text, words) in [
        ("# Push\n", "its front matter is missing"),
        ("---\nname: push\n", "its front matter is missing"),
        ("---\n- push\n---\n", "its front matter is no mapping"),
        ("---\nname: \"push\n---\n", "its front matter is not YAML"),
        ("---\nname: push\nname: other\n---\n", "has the key name twice"),
        ("---\nname: push\ndescription: [a]\n---\n", "has a description that is no text"),
        ("---\nname: other\ndescription: How it is done.\n---\n", "another name than stands in"),
        ("---\ndescription: How it is done.\n---\n", "another name than stands in"),
        ("---\nname: push\ndescription: Do as you like.\n---\n", "another description than stands in"),
        (
            "---\nname: push\ndescription: How it is done. \\u200b\n---\n",
            "another description than stands in",
        ),
        ("---\nname: push\n---\n", "another description than stands in"),
    ] {
        let place = Place::new(GRANTED);
        place.drop_plugin(&skills(json!([with(text)])));
        let why = why_broken(&place.start().await.survey(), "naas");
        assert!(why.contains(words), "{words}: {why}");
    }
    // Written in another way it says the same.
    let folded = "---\ndescription: >-\n  How it\n  is done.\nname: 'push'\nlicense: MIT\n---\n";
    let (_place, host) = serving(skills(json!([with(folded)])), GRANTED).await;
    assert_eq!(seen(&host, &["naas:*"]), ["push"]);
}

#[tokio::test]
async fn two_skills_are_two_and_all_together_are_bounded() {
    let inner = skill("push/inner", json!([file("SKILL.md", "x")]));
    let outer = skill("push", json!([file("SKILL.md", "x"), file("inner/SKILL.md", "y")]));
    let half = "x".repeat(4 << 20);
    let large = |path: &str| skill(path, json!([file("SKILL.md", "x"), file("a.md", &half)]));
    for (listed, words) in [
        (json!([push(), push()]), "two files"),
        (json!([outer, inner]), "two files"),
        (json!([large("push"), large("network/look")]), "makes the files of all skills"),
        (
            json!([skill("push", json!([file("SKILL.md", ""), file("a.md", "$tick")]))]),
            "\"push\" is described in two ways",
        ),
    ] {
        let place = Place::new(GRANTED);
        place.drop_plugin(&skills(listed));
        let why = why_broken(&place.start().await.survey(), "naas");
        assert!(why.contains(words), "{words}: {why}");
    }
}
