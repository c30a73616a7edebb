//! Skills (SEP-2640): where their files lie, what they are, and their digests, which the host computes over what it
//! will serve.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::super::media_type;
use super::MAX_SKILL_BYTES;
use super::failed::{List, ProbeFailed, SkillRefused, short};
use super::front_matter::{self, FrontMatter, FrontMatterRefused};
use super::templates::MAX_MEDIA_TYPE;
use crate::artifact::Digest;
use crate::domain::{ListedFile, ListedSkill, Skill, SkillFile};
use crate::manifest::Manifest;
use crate::text::{clean, clean_json, hostile};
use crate::uri::{ResourceUri, Steps};

/// The file that every skill has.
const SKILL_FILE: &str = "SKILL.md";
/// Its media type.
const MARKDOWN: &str = "text/markdown";
/// Bytes of a skill's path, and of a file's.
const MAX_PATH: usize = 256;

pub(super) fn check(
    skills: Vec<ListedSkill>,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Skill>, ProbeFailed> {
    let mut probed = BTreeMap::new();
    // A file of one skill may lie where another skill is.
    let mut uris = HashSet::new();
    let mut bytes = 0;
    for listed in skills {
        let item = List::Skills.item(&listed.path);
        let refused = |why| ProbeFailed::Skill { skill: item.name.clone(), why };
        bytes += listed.files.iter().map(|file| file.data.len()).sum::<usize>();
        if bytes > MAX_SKILL_BYTES {
            return Err(refused(SkillRefused::TooLarge(bytes)));
        }
        let skill = skill(listed).map_err(refused)?;
        if let Some(twice) = skill.files.iter().find(|file| !uris.insert(file.uri.clone())) {
            return Err(refused(SkillRefused::FileTwice(twice.uri.clone())));
        }
        if !skill.files.iter().all(|file| is_covered(manifest, file)) {
            return Err(ProbeFailed::NoEntry(item));
        }
        if probed.insert(skill.path.clone(), skill).is_some() {
            return Err(ProbeFailed::Twice(item));
        }
    }
    Ok(probed)
}

fn is_covered(manifest: &Manifest, file: &SkillFile) -> bool {
    let Ok(uri) = ResourceUri::parse(&file.uri) else { return false };
    let mut steps = Steps::default();
    manifest.resources.keys().any(|pattern| pattern.matches(&uri, &mut steps))
}

fn skill(listed: ListedSkill) -> Result<Skill, SkillRefused> {
    let ListedSkill { path, mut frontmatter, files } = listed;
    if path.len() > MAX_PATH || !path.split('/').all(is_segment) {
        return Err(SkillRefused::Path);
    }
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let as_written = frontmatter.clone();
    clean_json(&mut frontmatter);
    let said = |key: &str| frontmatter.get(key).and_then(Value::as_str).unwrap_or_default();
    if !frontmatter.is_object() {
        return Err(SkillRefused::Frontmatter);
    }
    if said("name") != name {
        return Err(SkillRefused::Name(name));
    }
    if said("description").trim().is_empty() {
        return Err(SkillRefused::Description);
    }
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    let mut written = Ok(FrontMatter::default());
    for file in files {
        let shown = short(&file.path);
        if file.path == SKILL_FILE {
            written = front_matter::read(&file.data).map_err(|refused| match refused {
                FrontMatterRefused::Yaml(why) => FrontMatterRefused::Yaml(short(&why)),
                other => other,
            });
        }
        kept.push(keep(&path, file)?);
        if !seen.insert(shown.clone()) {
            return Err(SkillRefused::FileTwice(shown));
        }
    }
    if !seen.contains(SKILL_FILE) {
        return Err(SkillRefused::NoSkillFile);
    }
    let written = written?;
    for (key, in_file) in [("name", written.name), ("description", written.description)] {
        if in_file.as_deref() != as_written.get(key).and_then(Value::as_str) {
            return Err(SkillRefused::Differs(key));
        }
    }
    kept.sort_by(|one, other| one.uri.cmp(&other.uri));
    Ok(Skill { path, name, frontmatter: Arc::new(frontmatter), files: kept })
}

/// Agent Skills: 1 to 64 characters of `[a-z0-9-]`, not twice `-` in a row.
fn is_segment(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.contains("--")
}

fn keep(skill: &str, file: ListedFile) -> Result<SkillFile, SkillRefused> {
    let refused = || SkillRefused::File(short(&file.path));
    let plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && !segment.contains(|c: char| c == '\\' || c == '\t' || c == '\n' || hostile(c))
    };
    if file.path.len() > MAX_PATH || !file.path.split('/').all(plain) {
        return Err(refused());
    }
    let encoded: Vec<String> = file.path.split('/').map(encode).collect();
    let uri = format!("skill://{skill}/{}", encoded.join("/"));
    // What is compared, listed and read must be one spelling.
    if ResourceUri::parse(&uri).map_err(|_| refused())?.as_str() != uri {
        return Err(refused());
    }
    let mime_type = match file.mime_type.filter(|kind| kind.len() <= MAX_MEDIA_TYPE) {
        Some(kind) => clean(&kind).into_owned(),
        None => media_type::by_ending(&file.path, &file.data).to_owned(),
    };
    if file.path == SKILL_FILE && mime_type != MARKDOWN {
        return Err(SkillRefused::MediaType);
    }
    let data = harmless(file.data, &mime_type);
    let digest = *Digest::of(&data).as_bytes();
    Ok(SkillFile { uri, mime_type, data: data.into(), digest })
}

/// Text is cleaned before its digest is taken, since a model reads it; other data stays as it is.
fn harmless(data: Vec<u8>, mime_type: &str) -> Vec<u8> {
    if !media_type::is_text(mime_type) {
        return data;
    }
    match String::from_utf8(data) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            clean(text).into_owned().into_bytes()
        }
        Err(no_text) => no_text.into_bytes(),
    }
}

/// RFC 3986, section 3.3: `pchar`, without `;`.
fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
