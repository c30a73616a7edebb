//! What tools, prompts, resources and templates have in common: a title, a description, `meta` and `extra`. Bounded,
//! cleaned, and with the binding's label before what a model reads.

use std::fmt;

use serde_json::Value;

use crate::meta::is_reserved;
use crate::text::{clean, clean_json};

/// Bytes of a title.
pub const MAX_TITLE: usize = 256;
/// Bytes of a description.
pub const MAX_DESCRIPTION: usize = 16 << 10;
/// Bytes of `meta`, and of `extra`, as JSON.
pub const MAX_EXTRA: usize = 64 << 10;

/// The parts of one item.
pub(crate) struct Parts<'a> {
    pub(crate) title: &'a mut Option<String>,
    pub(crate) description: &'a mut Option<String>,
    pub(crate) meta: &'a mut Option<Value>,
    pub(crate) extra: &'a mut Option<Value>,
}

/// A part that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRefused {
    /// `the title`, `meta`, …
    pub part: &'static str,
    /// What is wrong with it.
    pub wrong: WrongPart,
}

/// What is wrong with a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongPart {
    /// It is too long.
    Long {
        /// Bytes.
        length: usize,
        /// The limit.
        most: usize,
    },
    /// `meta` and `extra` are objects.
    NotAnObject,
}

impl fmt::Display for WrongPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Long { length, most } => write!(f, "has {length} bytes; at most {most} are allowed"),
            Self::NotAnObject => f.write_str("is not an object"),
        }
    }
}

impl Parts<'_> {
    /// Bounds them, and makes visible what hides or forges. Keys of `_meta` that are not
    /// theirs to set are dropped.
    pub(crate) fn take(self) -> Result<(), PartRefused> {
        bounded("the title", self.title, MAX_TITLE)?;
        bounded("the description", self.description, MAX_DESCRIPTION)?;
        for (part, json) in [("meta", &*self.meta), ("extra", &*self.extra)] {
            let Some(json) = json else { continue };
            let length = json.to_string().len();
            if length > MAX_EXTRA {
                let wrong = WrongPart::Long { length, most: MAX_EXTRA };
                return Err(PartRefused { part, wrong });
            }
            if !json.is_object() {
                return Err(PartRefused { part, wrong: WrongPart::NotAnObject });
            }
        }
        clean_text(self.title);
        clean_text(self.description);
        if let Some(Value::Object(meta)) = self.meta {
            meta.retain(|key, _| !is_reserved(key));
        }
        [self.meta, self.extra].into_iter().flatten().for_each(clean_json);
        Ok(())
    }
}

/// A text that may be absent, and no longer than this.
pub(crate) fn bounded(part: &'static str, text: &Option<String>, most: usize) -> Result<(), PartRefused> {
    match text.as_ref().map_or(0, String::len) {
        length if length > most => Err(PartRefused { part, wrong: WrongPart::Long { length, most } }),
        _ => Ok(()),
    }
}

/// The same text, made harmless.
pub(crate) fn clean_text(text: &mut Option<String>) {
    if let Some(text) = text
        && let std::borrow::Cow::Owned(cleaned) = clean(text)
    {
        *text = cleaned;
    }
}

/// Puts the label first, so that a model sees which fleet it acts on. What has no description gets one.
pub(crate) fn label(label: Option<&str>, title: &mut Option<String>, description: &mut Option<String>) {
    if let Some(label) = label {
        let before = |text: &str| format!("[{label}] {text}").trim_end().to_owned();
        *title = title.take().map(|title| before(&title));
        *description = Some(before(description.as_deref().unwrap_or_default()));
    }
}
