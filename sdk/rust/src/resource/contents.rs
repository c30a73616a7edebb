//! What a resource may return.

use serde::Serialize;

use crate::{Content, Fault, Outcome};

/// A value that a resource can return: text, bytes, [`Json`], [`Content`], a list of those, or an [`Outcome`].
///
/// URI and media type are those of the resource where the value does not say otherwise. An empty list means that there
/// is nothing at the URI.
#[diagnostic::on_unimplemented(
    message = "a resource cannot return `Result<{Self}, Fault>`",
    note = "return text, `Vec<u8>`, `Json(value)`, `Content`, `Vec<Content>` or `Outcome`"
)]
pub trait IntoContents {
    /// The contents as they go to the host.
    ///
    /// # Errors
    /// `internal` when they cannot be written as JSON.
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault>;
}

/// A value that is written as JSON: `Ok(Json(jobs))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

fn done(content: Content) -> Result<Outcome<Vec<Content>>, Fault> {
    Ok(Outcome::Done(vec![content]))
}

impl IntoContents for String {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        done(Content::text(self))
    }
}

impl IntoContents for &str {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        done(Content::text(self))
    }
}

impl IntoContents for Vec<u8> {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        done(Content { data: Some(self), text: None, ..Content::text("") })
    }
}

impl<T: Serialize> IntoContents for Json<T> {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        let json = serde_json::to_string(&self.0)
            .map_err(|error| Fault::internal(format!("The resource cannot be written as JSON: {error}")))?;
        done(Content::text(json).mime_type("application/json"))
    }
}

impl IntoContents for Content {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        done(self)
    }
}

impl IntoContents for Vec<Content> {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        Ok(Outcome::Done(self))
    }
}

impl<T: IntoContents> IntoContents for Outcome<T> {
    fn into_contents(self) -> Result<Outcome<Vec<Content>>, Fault> {
        match self {
            Self::Done(contents) => contents.into_contents(),
            Self::Ask(question) => Ok(Outcome::Ask(question)),
        }
    }
}
