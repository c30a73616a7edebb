//! Event streams that this front writes itself: of batches, and of the transport of 2024-11-05. rmcp writes the others.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use rmcp::model::ProtocolVersion;
use rmcp::transport::streamable_http_server::session::ServerSseMessage;

use crate::incoming::written;

/// How often a silent stream gives a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A stream as a response.
pub(super) fn response(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

/// What a session said, as an event for a client of this version.
pub(super) fn event(said: &ServerSseMessage, version: Option<&ProtocolVersion>) -> Event {
    let data = said.message.as_deref().map_or_else(String::new, |message| written(message, version));
    let mut event = Event::default().data(data);
    if let Some(id) = &said.event_id {
        event = event.id(id);
    }
    if let Some(retry) = said.retry {
        event = event.retry(retry);
    }
    event
}
