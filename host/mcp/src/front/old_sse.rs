//! The transport of 2024-11-05, on the same URLs: a GET opens a stream for everything that the server says, and its
//! first event names the address to which the client posts its messages (specification of 2024-11-05,
//! `basic/transports`, "HTTP with SSE").
//!
//! Clients of later versions never begin with a GET, so nothing is asked twice. Everything before this (Host and
//! Origin, who calls, which endpoint) holds for both requests, and the address alone opens nothing: whoever posts
//! must be who opened the stream. What a caller may not do is an error on the stream.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use fleetgate_core::catalog::Scope;
use fleetgate_core::principal::Principal;
use futures_util::{StreamExt, stream};

use super::accept::Accepts;
use super::error::Refusal;
use super::{all_in_use, events, header, too_large};
use crate::caller::{Era, Within, attach};
use crate::endpoint::Endpoint;
use crate::incoming::{self, Batch};
use crate::sessions::Session;

/// Where the address has the session's id.
const PARAMETER: &str = "sessionId";

/// Whether this is a client's first request. One that says a version or a session knows a later transport, one that
/// would take anything is no client.
pub(super) fn begins(parts: &Parts, accepts: Accepts) -> bool {
    let later = ["mcp-session-id", "mcp-protocol-version"];
    parts.method == Method::GET
        && accepts.events_by_name
        && !later.iter().any(|name| parts.headers.contains_key(*name))
        && !parts.headers.contains_key("last-event-id")
}

/// Opens a session, which ends with this stream.
pub(super) async fn open(endpoint: &Endpoint, principal: &Principal) -> Result<Response, Refusal> {
    let room = endpoint.sessions.make_room(principal.name()).await.ok_or_else(all_in_use)?;
    let (session, transport, said) = endpoint.sessions.open_old(principal.name());
    drop(room);
    let address = match &endpoint.serving.scope {
        Scope::Shared => format!("/mcp?{PARAMETER}={}", session.id()),
        Scope::Binding(name) => format!("/mcp/{name}?{PARAMETER}={}", session.id()),
    };
    endpoint.serve_old(session.clone(), transport);
    let address = Event::default().event("endpoint").data(address);
    let said = said.map(move |said| events::event(&said, session.negotiated()).event("message"));
    Ok(events::response(stream::once(async { address }).chain(said)))
}

/// The session that a message is for. One that names a session as later transports do means that one.
pub(super) fn session(
    endpoint: &Endpoint,
    parts: &Parts,
    principal: &Principal,
) -> Result<Option<Arc<Session>>, Refusal> {
    if parts.headers.contains_key("mcp-session-id")
        || Era::of_header(header(parts, "mcp-protocol-version")) == Era::Modern
    {
        return Ok(None);
    }
    let named = parts
        .uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('=')));
    named.map(|id| endpoint.sessions.own_old(id, principal.name())).transpose().map_err(Refusal::from)
}

/// Takes one message, or several. Their answers come on the stream.
pub(super) async fn take(
    endpoint: &Endpoint,
    session: &Session,
    parts: &mut Parts,
    bytes: &Bytes,
) -> Result<Response, Refusal> {
    incoming::bounded(bytes).map_err(too_large)?;
    let mut batch = if incoming::is_batch(bytes) {
        incoming::batch(bytes, session.negotiated())?
    } else {
        let message = incoming::message(bytes)?.map(incoming::of_session).transpose()?;
        Batch { messages: Vec::from_iter(message), wrong: Vec::new() }
    };
    session.can_take(batch.ids())?;
    parts.extensions.insert(Within(session.id().clone()));
    batch.messages.iter_mut().for_each(|message| attach(message, parts));
    endpoint.sessions.take_old(session, batch.messages, batch.wrong).await?;
    Ok((StatusCode::ACCEPTED, [(CONTENT_TYPE, "text/plain")], "Accepted").into_response())
}
