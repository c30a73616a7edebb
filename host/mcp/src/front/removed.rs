//! Methods that 2026-07-28 no longer has (specification, `changelog`). They are refused by their name: a server without
//! a method does not look at its parameters, which a modern request need not have.

use axum::http::StatusCode;
use axum::http::request::Parts;
use rmcp::model::ErrorCode;

use super::body::Message;
use super::error::Refusal;
use super::header;
use crate::caller::Era;

const REMOVED: [&str; 5] =
    ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// Lets everything through but a modern request for a method of before.
pub(super) fn check(parts: &Parts, message: &Message<'_>) -> Result<(), Refusal> {
    let Some(method) = message.method().filter(|method| REMOVED.contains(method)) else { return Ok(()) };
    match Era::of_header(header(parts, "mcp-protocol-version")) {
        Era::Legacy => Ok(()),
        Era::Modern => {
            let text = format!("{method} is no method of this protocol version");
            Err(Refusal::new(StatusCode::NOT_FOUND, text).code(ErrorCode::METHOD_NOT_FOUND.0))
        }
    }
}
