//! The templates that were packed into the plugin when it was built, by platform; see `build.rs`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ParseError;
use super::index::CommandPattern;

mod files {
    include!(concat!(env!("OUT_DIR"), "/packed.rs"));
}

/// More than the largest platform has, inflated: 0.2 MiB.
const MAX_DOCUMENT: usize = 4 << 20;

/// Who made the packed templates and under which licence, with its text; nothing where none are packed.
#[must_use]
pub fn notices() -> &'static str {
    files::NOTICES
}

/// The same text in a section of the component, for those who have the file alone.
#[cfg(all(target_arch = "wasm32", ntc_templates))]
#[used]
#[unsafe(link_section = "fleetgate:notices")]
static NOTICES_SECTION: [u8; files::NOTICES.len()] = {
    let mut bytes = [0; files::NOTICES.len()];
    bytes.copy_from_slice(files::NOTICES.as_bytes());
    bytes
};

/// The templates of one platform.
pub(super) struct Library {
    platform: &'static str,
    document: String,
    index: Vec<(CommandPattern, Vec<String>)>,
}

thread_local! {
    /// The platform of the last command, which is mostly that of the next one.
    static LAST: RefCell<Option<Rc<Library>>> = const { RefCell::new(None) };
}

/// The templates of `platform`; nothing where there are none for it.
pub(super) fn library(platform: &str) -> Result<Option<Rc<Library>>, ParseError> {
    let last = LAST.with_borrow(|last| last.clone().filter(|library| library.platform == platform));
    if last.is_some() {
        return Ok(last);
    }
    let library = read(platform)?.map(Rc::new);
    LAST.set(library.clone());
    Ok(library)
}

fn read(platform: &str) -> Result<Option<Library>, ParseError> {
    if files::PLATFORMS.is_empty() {
        return Err(ParseError::NotPacked);
    }
    let Some((platform, bytes)) = files::PLATFORMS.iter().find(|(name, _)| *name == platform) else {
        return Ok(None);
    };
    let broken = || ParseError::Packed((*platform).to_owned());
    let document =
        miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, MAX_DOCUMENT).map_err(|_| broken())?;
    let document = String::from_utf8(document).map_err(|_| broken())?;

    #[derive(Deserialize)]
    struct Row {
        command: String,
        templates: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Index {
        index: Vec<Row>,
    }
    let Index { index } = serde_json::from_str(&document).map_err(|_| broken())?;
    let index = index.into_iter().map(|row| (CommandPattern::new(&row.command), row.templates)).collect();
    Ok(Some(Library { platform, document, index }))
}

impl Library {
    /// The names of the templates for a command. Rows that cannot be decided are passed over.
    pub(super) fn find(&self, command: &str) -> Option<&[String]> {
        let is_for = |(pattern, _): &&(CommandPattern, Vec<String>)| pattern.matches(command) == Ok(true);
        self.index.iter().find(is_for).map(|(_, templates)| templates.as_slice())
    }

    /// The text of a template.
    pub(super) fn template(&self, name: &str) -> Result<String, ParseError> {
        #[derive(Deserialize)]
        struct Templates<'d> {
            #[serde(borrow)]
            templates: HashMap<Cow<'d, str>, &'d RawValue>,
        }
        let broken = || ParseError::Packed(self.platform.to_owned());
        let document: Templates<'_> = serde_json::from_str(&self.document).map_err(|_| broken())?;
        let text = document.templates.get(name).ok_or_else(broken)?;
        serde_json::from_str(text.get()).map_err(|_| broken())
    }
}

/// The platforms that have packed templates.
#[cfg(all(test, ntc_templates))]
pub(super) fn platforms() -> impl Iterator<Item = &'static str> {
    files::PLATFORMS.iter().map(|(platform, _)| *platform)
}
