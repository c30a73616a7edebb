//! Makes a plugin's file of a component and a `plugin.toml`.
//!
//! The same input gives the same bytes. The component's own sections stay as they are, but for the SDK's
//! [`ENTRIES_SECTION`]s, which are not needed any more, and an older manifest.

use std::borrow::Cow;
use std::sync::Arc;

use wasm_encoder::{CustomSection, Encode, Section as _};
use wasmparser::{Validator, WasmFeatures};

use super::declared;
use super::sections::{self, COMPONENT, CORE_MODULE};
use super::{Broken, MAX_BYTES};
use crate::capability::Capabilities;
use crate::diagnostic::{Diagnostics, Document};
use crate::manifest::{self, SECTION};

/// The custom section, within the component's core modules, in which the SDK leaves one line of JSON for each tool,
/// resource and prompt.
pub const ENTRIES_SECTION: &str = "fleetgate:entries";

/// Compilers nest two or three deep.
const MAX_DEPTH: usize = 32;

/// A component and a `plugin.toml` that make no plugin.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The first file is no component.
    #[error("the file {0}")]
    Component(Broken),
    /// The component is invalid, or this program's work on it was wrong.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// The manifest is wrong.
    #[error("{0}")]
    Manifest(Diagnostics),
    /// `plugin.toml` contradicts the code.
    #[error("{0}")]
    Disagree(Diagnostics),
    /// The plugin's code declares one thing twice.
    #[error("the plugin's code declares the {kind} \"{name}\" twice, with different attributes")]
    Twice {
        /// `tool`, `resource` or `prompt`.
        kind: &'static str,
        /// Which.
        name: String,
    },
    /// The section of another SDK.
    #[error("the component's section {ENTRIES_SECTION} has a line that cannot be read: {line}: {reason}")]
    Line {
        /// The line.
        line: String,
        /// Why.
        reason: String,
    },
    /// What the code says cannot be written as TOML beside what `plugin.toml` says.
    #[error("plugin.toml and what the plugin's code says do not fit together")]
    Merge,
}

impl PackError {
    /// What to do. Empty where each problem says it itself.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Component(problem) => problem.help(),
            Self::Invalid(_) => "build the plugin again",
            Self::Manifest(_) | Self::Disagree(_) => "",
            Self::Twice { kind: "resource", .. } => "resources of one pattern require the same roles",
            Self::Twice { .. } => "give one of the two functions another name",
            Self::Line { .. } => "build the plugin with the fleetgate-sdk of this version",
            Self::Merge => {
                "write entries as tables: [tools.<name>], [resources.\"<uri pattern>\"], [prompts.<name>]"
            }
        }
    }

    /// The problems with their places, where there are some.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match self {
            Self::Manifest(problems) | Self::Disagree(problems) => Some(problems),
            _ => None,
        }
    }
}

/// Packs a component with its manifest: `plugin.toml` and what the code says of what it has.
pub fn pack(
    component: &[u8],
    plugin_toml: &Arc<Document>,
    capabilities: &Capabilities,
) -> Result<Vec<u8>, PackError> {
    if component.len() as u64 > MAX_BYTES {
        return Err(PackError::Component(Broken::TooLarge { size: component.len() as u64 }));
    }
    let mut lines = Vec::new();
    sections::of_component(component).map_err(PackError::Component)?;
    let mut packed = rewrite(component, 0, &mut lines).map_err(PackError::Component)?;
    let declared = declared::entries(&lines)?;

    // First what the author wrote by hand, so that its lines are named; then the whole.
    let in_code = |section: &'static str, name: &str| {
        declared.get(&(section, name.to_owned())).is_some_and(|entry| entry.contains_key("requires"))
    };
    manifest::parse_source(plugin_toml, capabilities, &in_code).map_err(PackError::Manifest)?;
    let text = declared::merge(plugin_toml, &declared)?;
    let path = format!("{} and the plugin's code", plugin_toml.path.display());
    let merged = Arc::new(Document::new(path, text));
    manifest::parse(&merged, capabilities).map_err(PackError::Manifest)?;

    let section = CustomSection { name: Cow::Borrowed(SECTION), data: Cow::Borrowed(merged.text.as_bytes()) };
    section.append_to(&mut packed);
    if packed.len() as u64 > MAX_BYTES {
        return Err(PackError::Component(Broken::TooLarge { size: packed.len() as u64 }));
    }
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(&packed)
        .map_err(|error| PackError::Invalid(error.to_string()))?;
    Ok(packed)
}

/// Copies a module or component without the sections that packing replaces; what the SDK left goes to `lines`.
fn rewrite(bytes: &[u8], depth: usize, lines: &mut Vec<u8>) -> Result<Vec<u8>, Broken> {
    if depth > MAX_DEPTH {
        return Err(Broken::TooDeep);
    }
    let (is_component, all) = sections::of_either(bytes)?;
    let mut copy = Vec::with_capacity(bytes.len());
    copy.extend_from_slice(sections::header(bytes));
    for section in all {
        let section = section?;
        match section.custom()? {
            Some((ENTRIES_SECTION, data)) => {
                lines.extend_from_slice(data);
                continue;
            }
            Some((SECTION, _)) if depth == 0 => continue,
            _ => {}
        }
        if is_component && matches!(section.id, CORE_MODULE | COMPONENT) {
            let inner = rewrite(section.content, depth + 1, lines)?;
            if inner != section.content {
                copy.push(section.id);
                inner.as_slice().encode(&mut copy);
                continue;
            }
        }
        copy.extend_from_slice(&bytes[section.whole]);
    }
    Ok(copy)
}
