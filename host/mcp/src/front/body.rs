//! One JSON-RPC message from a bounded body. Only what the front has to know is read; the rest is rmcp's.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Id;
use super::error::Refusal;
use crate::incoming::{self, Wrong};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// The body, if it is JSON by its header and not too large. A page of another site cannot send that header without
/// being asked first (it is not one of the simple ones), so it is a check and no formality.
pub(super) async fn read(parts: &mut Parts, body: Body, most: usize) -> Result<Bytes, Refusal> {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let text = "a message must be sent as Content-Type: application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    // rmcp looks for these very letters.
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let Ok(collected) = tokio::time::timeout(PATIENCE, Limited::new(body, most).collect()).await else {
        return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"));
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a message may have at most {most} bytes"),
        )),
        Err(error) => {
            Err(Refusal::new(StatusCode::BAD_REQUEST, format!("the body did not arrive whole: {error}")))
        }
    }
}

/// A message, as far as it was read.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// The tool that a `tools/call` names.
#[derive(Debug, Deserialize)]
pub(super) struct Called<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads one message.
    pub(super) fn parse(bytes: &'a Bytes) -> Result<Self, Refusal> {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        let wrong = match first {
            Some(b'{') => match serde_json::from_slice(bytes) {
                Ok(message) => return Ok(message),
                Err(error) => Wrong::of(&error).to(incoming::id_of(bytes)),
            },
            _ => match serde_json::from_slice::<IgnoredAny>(bytes) {
                Ok(_) => Wrong::invalid("a message is a JSON object"),
                Err(error) => Wrong::of(&error),
            },
        };
        Err(wrong.into())
    }

    /// The id of a request, as it came. None: a notification, or no id that JSON-RPC knows.
    pub(super) fn id(&self) -> Id {
        let id = self.id?.get();
        let known =
            id.starts_with('"') || id.starts_with('-') || id.starts_with(|c: char| c.is_ascii_digit());
        (known && self.method.is_some()).then(|| Bytes::copy_from_slice(id.as_bytes()))
    }

    /// The method, if it is a request or a notification.
    pub(super) fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// Its parameters, as far as they are of this shape.
    pub(super) fn params<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.params?.get()).ok()
    }

    /// The tool that this calls.
    pub(super) fn call(&self) -> Option<Called<'a>> {
        let params = self.params.filter(|_| self.method() == Some("tools/call"))?;
        serde_json::from_str(params.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_and_the_id_are_read() {
        let bytes = Bytes::from_static(
            br#" {"jsonrpc":"2.0","id":"a\"b","method":"tools/call","params":{"name":"x\u0079","arguments":{"k":1}}}"#,
        );
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.id().unwrap(), &br#""a\"b""#[..]);
        let call = message.call().unwrap();
        assert_eq!((call.name.as_ref(), call.arguments.unwrap().get()), ("xy", r#"{"k":1}"#));
    }

    #[test]
    fn a_message_that_repeats_a_key_is_refused() {
        // Two readers could take it two ways.
        for text in [
            &br#"{"id":1,"method":"tools/list","method":"tools/call"}"#[..],
            br#"{"id":1,"id":2,"method":"tools/list"}"#,
        ] {
            assert!(Message::parse(&Bytes::from_static(text)).is_err());
        }
        let twice = Bytes::from_static(br#"{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#);
        assert!(Message::parse(&twice).unwrap().call().is_none());
    }

    #[test]
    fn an_id_that_json_rpc_does_not_know_is_none() {
        for id in ["null", "true", "[1]", "{}"] {
            let bytes = Bytes::from(format!(r#"{{"id":{id},"method":"x"}}"#));
            assert_eq!(Message::parse(&bytes).unwrap().id(), None, "{id}");
        }
    }
}
