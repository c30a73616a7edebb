//! A result built by hand.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Content, Fault};

/// What a tool returns when a struct or text is not enough: images, links, several blocks.
///
/// A tool that returns a struct publishes an output schema; one that returns this does not.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// let result = ToolResult::text("The last picture:").image(b"\x89PNG...".to_vec(), "image/png");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "a result does nothing until it is returned"]
pub struct ToolResult {
    /// What the model reads, in order. If it is empty and `structured` is there, the host adds that as text.
    pub content: Vec<Content>,
    /// The same as data. An object.
    pub structured: Option<Value>,
    /// The tool ran and says that it failed, in `content`. For failures with a code return a [`Fault`].
    pub is_error: bool,
    /// Passed on as the result's `_meta`.
    pub meta: Option<Map<String, Value>>,
    /// Whatever later versions of the interface say about a result.
    pub extra: Option<Map<String, Value>>,
}

impl ToolResult {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new().and_text(text)
    }

    /// Data.
    ///
    /// # Errors
    /// `internal` when the value cannot be JSON, or is not an object.
    pub fn structured(value: &impl Serialize) -> Result<Self, Fault> {
        let value = serde_json::to_value(value)
            .map_err(|error| Fault::internal(format!("The result cannot be written as JSON: {error}")))?;
        if !value.is_object() {
            return Err(Fault::internal("The structured result is not an object; put it into a struct."));
        }
        Ok(Self { structured: Some(value), ..Self::new() })
    }

    /// Text that says that the tool failed.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// One more block of text.
    pub fn and_text(self, text: impl Into<String>) -> Self {
        self.content(Content::text(text))
    }

    /// One more image.
    pub fn image(self, data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        self.content(Content::image(data, mime_type))
    }

    /// One more piece of sound.
    pub fn audio(self, data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        self.content(Content::audio(data, mime_type))
    }

    /// One more link to a resource.
    pub fn link(self, uri: impl Into<String>, name: impl Into<String>) -> Self {
        self.content(Content::link(uri, name))
    }

    /// One more block.
    pub fn content(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// One key of the result's `_meta`.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// All blocks of text, joined with line feeds. For tests.
    #[must_use]
    pub fn all_text(&self) -> String {
        self.content.iter().filter_map(|block| block.text.as_deref()).collect::<Vec<_>>().join("\n")
    }
}

impl From<Content> for ToolResult {
    fn from(content: Content) -> Self {
        Self::new().content(content)
    }
}
