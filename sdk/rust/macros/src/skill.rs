//! `#[skill]`: a directory of instructions, read while the plugin is compiled.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, Value};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Fields, ItemStruct, LitStr, Result};

use crate::keys::{self, requires, text, value};
use crate::{file, item, yaml};

const KEYS: [&str; 2] = ["requires", "path"];
/// Limits of the interface.
const MOST_FILES: usize = 512;
const MOST_BYTES: usize = 8 << 20;
/// The longest description that clients take (Agent Skills).
const DESCRIPTION: usize = 1024;
/// Deeper directories are a mistake.
const DEPTH: usize = 8;

struct Options {
    directory: LitStr,
    path: Option<String>,
    requires: Value,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let directory: LitStr = input.parse().map_err(|error| {
            let wanted =
                "expected the skill's directory: #[skill(\"skills/push-config\", requires = \"role\")]";
            Error::new(error.span(), wanted)
        })?;
        crate::value::comma(input)?;
        let (mut needed, mut path) = (None, None);
        keys::read(input, "skill", &KEYS, |key, name, input| {
            match name {
                "requires" => needed = Some(requires(value(key, input)?)?),
                _ => {
                    path =
                        Some(text(value(key, input)?, "where the skill lies, like \"network/push-config\"")?)
                }
            }
            Ok(())
        })?;
        let requires = needed.ok_or_else(|| keys::nobody("skill", "read this skill"))?;
        Ok(Self { directory, path, requires })
    }
}

/// A skill's directory that was read.
pub(crate) struct Skill {
    /// `network/push-config`
    pub(crate) path: String,
    /// Of its `SKILL.md`.
    pub(crate) frontmatter: Value,
    /// Relative and absolute path of each file, sorted.
    pub(crate) files: Vec<(String, String)>,
}

/// Expands `#[skill("directory", options)] struct Name;`.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let of: ItemStruct = syn::parse2(item).map_err(|error| {
        Error::new(error.span(), "#[skill] stands before a struct without fields: struct Name;")
    })?;
    if !matches!(of.fields, Fields::Unit) || !of.generics.params.is_empty() {
        return Err(Error::new_spanned(&of, "#[skill] stands before a struct without fields: struct Name;"));
    }
    let options: Options = syn::parse2(options)?;
    let wrong = |message: String| Error::new(options.directory.span(), message);
    let directory = file::inside(&options.directory.value()).map_err(wrong)?;
    let skill = read(&directory, options.path.as_deref()).map_err(wrong)?;

    let ident = &of.ident;
    let entry = Map::from_iter([("requires".to_owned(), options.requires)]);
    let manifest = item::manifest_entry("resource", &format!("skill://{}/**", skill.path), entry);
    let (path, frontmatter) = (&skill.path, skill.frontmatter.to_string());
    let files = skill.files.iter().map(|(relative, absolute)| {
        quote!(::fleetgate_sdk::skill::File { path: #relative, data: ::core::include_bytes!(#absolute) })
    });
    Ok(quote! {
        #of

        impl ::fleetgate_sdk::Skill for #ident {
            const PATH: &'static str = #path;
            const FRONTMATTER: &'static str = #frontmatter;
            const FILES: &'static [::fleetgate_sdk::skill::File] = &[#(#files),*];
            const MANIFEST: &'static str = #manifest;
        }
    })
}

/// Reads a skill. Errors are sentences.
pub(crate) fn read(directory: &Path, path: Option<&str>) -> std::result::Result<Skill, String> {
    let mut files = Vec::new();
    let mut bytes = 0;
    walk(directory, "", 0, &mut files, &mut bytes)?;
    files.sort();
    let shown = directory.display();
    let instructions = files.iter().find(|(relative, _)| relative == "SKILL.md");
    let (_, instructions) = instructions.ok_or_else(|| format!("{shown} has no SKILL.md"))?;
    let written = fs::read_to_string(instructions)
        .map_err(|error| format!("{instructions} cannot be read: {error}"))?;
    let frontmatter = frontmatter(&written).map_err(|wrong| format!("{instructions}: {wrong}"))?;

    let name = frontmatter.get("name").and_then(Value::as_str).unwrap_or_default();
    let path = match path {
        Some(path) => path.to_owned(),
        None => directory.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned(),
    };
    if !path.split('/').all(is_name) {
        return Err(format!(
            "{path:?} is no place for a skill: its segments have 1 to 64 characters, lower-case letters, digits and \
             single hyphens"
        ));
    }
    if path.rsplit('/').next() != Some(name) {
        return Err(format!(
            "{instructions}: the skill is called {name:?} and lies in {path:?}; both must end with the same word"
        ));
    }
    Ok(Skill { path, frontmatter, files })
}

/// The YAML between the first two lines of three hyphens.
fn frontmatter(written: &str) -> std::result::Result<Value, String> {
    let lines = written.strip_prefix("---\n").or_else(|| written.strip_prefix("---\r\n"));
    let missing = "it does not begin with front matter: a line ---, name and description, a line ---";
    let lines = lines.ok_or(missing)?;
    let mut end = 0;
    let written = lines.split_inclusive('\n').find_map(|line| {
        let before = &lines[..end];
        end += line.len();
        (line.trim_end() == "---").then_some(before)
    });
    let written = written.ok_or(missing)?;
    let frontmatter: Value =
        yaml::parse(written).map_err(|error| format!("its front matter cannot be read: {error}"))?;
    let text = |key: &str| frontmatter.get(key).and_then(Value::as_str).unwrap_or_default();
    if !frontmatter.is_object() || text("name").is_empty() || text("description").trim().is_empty() {
        return Err("its front matter needs a `name` and a `description`, as text".to_owned());
    }
    if text("description").chars().count() > DESCRIPTION {
        return Err(format!("its description has more than {DESCRIPTION} characters"));
    }
    Ok(frontmatter)
}

/// 1 to 64 of `[a-z0-9-]`, with a hyphen neither at an end nor twice in a row.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// Every file below a directory but those whose names begin with a dot.
fn walk(
    directory: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, String)>,
    bytes: &mut usize,
) -> std::result::Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", directory.display());
    if depth > DEPTH {
        return Err(format!("{} lies too deep", directory.display()));
    }
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let name = file::text(Path::new(&entry.file_name()))?;
        if name.starts_with('.') {
            continue;
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte)) {
            return Err(format!(
                "{} would have to be encoded in a URI; name it with letters, digits, `.`, `_`, `~` and `-`",
                path.display()
            ));
        }
        let kind = entry.file_type().map_err(unreadable)?;
        let relative = format!("{prefix}{name}");
        if kind.is_dir() {
            walk(&path, &format!("{relative}/"), depth + 1, files, bytes)?;
        } else if kind.is_file() {
            *bytes += usize::try_from(entry.metadata().map_err(unreadable)?.len()).unwrap_or(usize::MAX);
            files.push((relative, file::text(&path)?));
        } else {
            return Err(format!("{} is no plain file", path.display()));
        }
        if files.len() > MOST_FILES || *bytes > MOST_BYTES {
            return Err(format!(
                "a skill has at most {MOST_FILES} files and {} MiB; {} has more",
                MOST_BYTES >> 20,
                directory.display()
            ));
        }
    }
    Ok(())
}
