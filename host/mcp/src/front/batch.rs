//! Several messages in one request (specification of 2025-03-26, `basic/transports`, "Sending Messages to the Server").
//!
//! They belong to a session that was negotiated at 2025-03-26 or before. All answers come as one array, or on one
//! stream together with what is said for the calls meanwhile. A call that its caller may not make is one of the
//! answers: the core refuses it, and there is no status that would be right for all of them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use rmcp::model::{JsonRpcMessage, ProtocolVersion};

use super::accept::Accepts;
use super::error::Refusal;
use super::{events, header as text, too_large};
use crate::caller::{Within, attach};
use crate::endpoint::Endpoint;
use crate::incoming::{self, written};
use crate::sessions::{Session, SessionError};

/// The answer to a batch.
pub(super) async fn answer(
    endpoint: &Endpoint,
    session: Option<Arc<Session>>,
    mut parts: Parts,
    accepts: Accepts,
    bytes: &Bytes,
) -> Result<Response, Refusal> {
    incoming::bounded(bytes).map_err(too_large)?;
    let negotiated = session.as_ref().and_then(|session| session.negotiated());
    // A client that says a later version here does not mean what it negotiated.
    let said = text(&parts, "mcp-protocol-version").and_then(|said| serde_json::from_value(said.into()).ok());
    let version = said.as_ref().filter(|said| **said > ProtocolVersion::V_2025_03_26).or(negotiated);
    let mut batch = incoming::batch(bytes, version)?;
    let Some(session) = session else { return Err(SessionError::Unknown.into()) };
    if !accepts.json && !accepts.events {
        return Err(not_acceptable());
    }
    session.can_take(batch.ids())?;
    parts.extensions.insert(Within(session.id().clone()));
    batch.messages.iter_mut().for_each(|message| attach(message, &parts));
    let said = endpoint.sessions.batch(&session, batch.messages, batch.wrong, !accepts.events).await?;
    let Some(said) = said else { return Ok(StatusCode::ACCEPTED.into_response()) };
    let version = session.negotiated().cloned();
    if accepts.events {
        return Ok(events::response(said.map(move |said| events::event(&said, version.as_ref()))));
    }
    let answers: Vec<_> = said
        .filter_map(async |said| said.message)
        .filter(|message| {
            std::future::ready(matches!(**message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)))
        })
        .map(|message| written(&message, version.as_ref()))
        .collect()
        .await;
    let array = format!("[{}]", answers.join(","));
    Ok(([(header::CONTENT_TYPE, "application/json")], array).into_response())
}

fn not_acceptable() -> Refusal {
    Refusal::new(StatusCode::NOT_ACCEPTABLE, "a batch is answered as application/json or text/event-stream")
}
