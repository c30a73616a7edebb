//! What a model reads.

use serde_json::{Map, Value};

/// One block of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// `text`, `image`, `audio`, `link` (a resource by reference) or `resource` (a resource itself).
    pub kind: String,
    /// The text of `text` and of a textual `resource`; the name of a `link`.
    pub text: Option<String>,
    /// The bytes of `image`, `audio` and of a binary `resource`, not encoded.
    pub data: Option<Vec<u8>>,
    /// Media type; there whenever `data` is.
    pub mime_type: Option<String>,
    /// URI of `link` and `resource`, in the plugin's own scheme.
    pub uri: Option<String>,
    /// Passed on as the block's `_meta`.
    pub meta: Option<Map<String, Value>>,
    /// `annotations` (audience, priority, lastModified), `title`, `description`.
    pub extra: Option<Map<String, Value>>,
}

impl Content {
    fn of(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            text: None,
            data: None,
            mime_type: None,
            uri: None,
            meta: None,
            extra: None,
        }
    }

    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::of("text") }
    }

    /// An image (`image/png`).
    pub fn image(data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        Self { data: Some(data.into()), mime_type: Some(mime_type.into()), ..Self::of("image") }
    }

    /// Sound (`audio/wav`).
    pub fn audio(data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        Self { data: Some(data.into()), mime_type: Some(mime_type.into()), ..Self::of("audio") }
    }

    /// A resource by reference.
    pub fn link(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self { uri: Some(uri.into()), text: Some(name.into()), ..Self::of("link") }
    }

    /// A resource itself, as text.
    pub fn resource_text(
        uri: impl Into<String>,
        text: impl Into<String>,
        mime_type: impl Into<String>,
    ) -> Self {
        Self {
            uri: Some(uri.into()),
            text: Some(text.into()),
            mime_type: Some(mime_type.into()),
            ..Self::of("resource")
        }
    }

    /// A resource itself, as bytes.
    pub fn resource_bytes(
        uri: impl Into<String>,
        data: impl Into<Vec<u8>>,
        mime_type: impl Into<String>,
    ) -> Self {
        Self {
            uri: Some(uri.into()),
            data: Some(data.into()),
            mime_type: Some(mime_type.into()),
            ..Self::of("resource")
        }
    }

    /// For whom it is meant: `user`, `assistant`, or both.
    #[must_use]
    pub fn audience<S: Into<String>>(self, audience: impl IntoIterator<Item = S>) -> Self {
        let audience: Vec<String> = audience.into_iter().map(Into::into).collect();
        self.annotation("audience", audience)
    }

    /// How much it matters, from 0 to 1.
    #[must_use]
    pub fn priority(self, priority: f64) -> Self {
        self.annotation("priority", priority)
    }

    /// When it changed last, in ISO 8601 (`2026-11-21T09:00:00Z`).
    #[must_use]
    pub fn last_modified(self, moment: impl Into<String>) -> Self {
        self.annotation("lastModified", moment.into())
    }

    fn annotation(mut self, key: &str, value: impl Into<Value>) -> Self {
        let extra = self.extra.get_or_insert_default();
        let annotations = extra.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(annotations) = annotations {
            annotations.insert(key.to_owned(), value.into());
        }
        self
    }

    /// A name for people, of a link.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        self.extra("title", title.into())
    }

    /// What it is, of a link.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        self.extra("description", description.into())
    }

    /// The media type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// One key of the block's `_meta`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// One key of what else is said about the block: `annotations`, `title`, `description`.
    #[must_use]
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.get_or_insert_default().insert(key.into(), value.into());
        self
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}
