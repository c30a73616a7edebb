//! One JSON-RPC message from a bounded body. Only what the front has to know is read; the rest is rmcp's.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rmcp::model::ErrorCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::Id;
use super::error::Refusal;

/// The most values in one message. A value of two bytes takes dozens once it is parsed, so the length alone bounds
/// little.
const MOST_VALUES: usize = 250_000;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// The body, if it is JSON by its header and not too large. A page of another site cannot send that header without
/// being asked first (it is not one of the simple ones), so it is a check and no formality.
pub(super) async fn read(parts: &Parts, body: Body, most: usize) -> Result<Bytes, Refusal> {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let text = "a message must be sent as Content-Type: application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
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

/// Refuses a message with more values than anyone sends. Nothing was made of its values yet: [`Message::parse`] keeps
/// them as text.
pub(super) fn bounded(bytes: &[u8]) -> Result<(), Refusal> {
    if values(bytes) <= MOST_VALUES {
        return Ok(());
    }
    let text = format!("a message may have at most {MOST_VALUES} values");
    Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text))
}

/// How many values there are in this JSON, or a few more: before each stands a comma, or it opens with a bracket.
fn values(json: &[u8]) -> usize {
    let mut count = 0;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' | b'[' | b'{' => count += 1,
            // Text may have as many commas as it likes.
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    count
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
                Err(error) => error,
            },
            _ => match serde_json::from_slice::<IgnoredAny>(bytes) {
                Ok(_) if first == Some(&b'[') => {
                    return Err(invalid(
                        "this server takes one message at a time: send the batch's messages singly",
                    ));
                }
                Ok(_) => return Err(invalid("a message is a JSON object")),
                Err(error) => error,
            },
        };
        Err(match wrong.classify() {
            Category::Data => invalid(&format!("not a JSON-RPC message: {wrong}")),
            _ => Refusal::new(StatusCode::BAD_REQUEST, format!("not JSON: {wrong}"))
                .code(ErrorCode::PARSE_ERROR.0),
        })
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

fn invalid(message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, message).code(ErrorCode::INVALID_REQUEST.0)
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
    fn values_are_counted_and_text_is_not() {
        for (json, count) in [
            ("1", 0),
            ("[1,2,3]", 3),
            (r#"{"a":[{},{"b":1}]}"#, 5),
            (r#"[",[{\",{",1]"#, 2),
            (r#"["\\",2]"#, 2),
        ] {
            assert_eq!(values(json.as_bytes()), count, "{json}");
        }
    }

    #[test]
    fn an_id_that_json_rpc_does_not_know_is_none() {
        for id in ["null", "true", "[1]", "{}"] {
            let bytes = Bytes::from(format!(r#"{{"id":{id},"method":"x"}}"#));
            assert_eq!(Message::parse(&bytes).unwrap().id(), None, "{id}");
        }
    }
}
