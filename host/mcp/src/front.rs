//! Everything between an HTTP request and rmcp, in this order:
//!
//! `host and origin → who calls → which endpoint → one message → whose session → may they → rmcp → the answer's form`
//!
//! Several messages at once ([`batch`]) and the transport of 2024-11-05 ([`old_sse`]) leave this way before rmcp's HTTP
//! and go to their session themselves.
//!
//! Each step is one function that lets the request through or answers it. An answer to a JSON-RPC request is a
//! JSON-RPC error with its id, whatever went wrong.

mod accept;
mod answer;
mod authenticate;
mod batch;
mod body;
mod error;
mod events;
mod forbidden;
mod host_origin;
mod old_sse;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use fleetgate_core::catalog::Scope;
use fleetgate_core::principal::Principal;
use http_body_util::Full;

pub use authenticate::{Authenticate, Challenge, LocalCaller, requires_authentication};
pub(crate) use host_origin::Allowed;
pub use host_origin::OptionsError;

use crate::caller::{Caller, Deaf, Era, Within};
use crate::endpoint::{Endpoint, Endpoints};
use crate::incoming::{self, Wrong};
use crate::sessions::{Room, Session};
use crate::strangers::Stranger;
use crate::tasks::{self, Listening};
use accept::Accepts;
use body::Message;
use error::Refusal;

/// What the steps need.
pub(crate) struct Front {
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) allowed: Allowed,
    pub(crate) authenticate: Arc<dyn Authenticate>,
    pub(crate) max_body: usize,
}

impl Front {
    /// The whole way of one request.
    pub(crate) async fn answer(&self, scope: Scope, peer: SocketAddr, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let version = header(&parts, "mcp-protocol-version").map(str::to_owned);
        let answer = self.pass(scope, peer, parts, body).await;
        answer.unwrap_or_else(|refusal| refusal.for_version(version.as_deref()).into_response())
    }

    async fn pass(
        &self,
        scope: Scope,
        peer: SocketAddr,
        mut parts: Parts,
        body: Body,
    ) -> Result<Response, Refusal> {
        self.allowed.check(&parts)?;
        let principal = authenticate::caller(&*self.authenticate, &mut parts, peer)?;
        if let Some(connection) = parts.extensions.remove::<Arc<Stranger>>() {
            connection.known();
        }
        let endpoint = self.endpoints.get(&scope).ok_or_else(|| not_found(&scope))?;
        if Era::of_header(header(&parts, "mcp-protocol-version")) == Era::Modern {
            // It means nothing there, and nobody behind this point is to take it for a session of this caller's.
            parts.headers.remove("mcp-session-id");
        }
        let accepts = accept::widen(&mut parts);
        parts.extensions.insert(Caller(principal.clone()));
        if old_sse::begins(&parts, accepts) {
            return old_sse::open(&endpoint, &principal).await;
        }
        if parts.method != Method::POST {
            own_session(&endpoint, &parts, &principal)?;
            let handling = endpoint.handle(Request::from_parts(parts, Full::default()));
            return Ok(answer::shaped(handling, accepts, answer::Patience::Endless, None).await);
        }

        let bytes = body::read(&mut parts, body, self.max_body).await?;
        if let Some(session) = old_sse::session(&endpoint, &parts, &principal)? {
            return old_sse::take(&endpoint, &session, &mut parts, &bytes).await;
        }
        if incoming::is_batch(&bytes) {
            let session = own_session(&endpoint, &parts, &principal)?;
            return batch::answer(&endpoint, session, parts, accepts, &bytes).await;
        }
        self.single(endpoint, principal, parts, accepts, bytes).await
    }

    /// One message, which goes through rmcp.
    async fn single(
        &self,
        endpoint: Arc<Endpoint>,
        principal: Principal,
        mut parts: Parts,
        accepts: Accepts,
        bytes: Bytes,
    ) -> Result<Response, Refusal> {
        let message = Message::parse(&bytes)?;
        let id = message.id();
        let refused = |refusal: Refusal| refusal.to(id.as_deref());
        incoming::bounded(&bytes).map_err(|wrong| refused(too_large(wrong)))?;
        if message.method() == Some("subscriptions/listen") && !accepts.events {
            let text = "a subscription is answered with a stream: accept text/event-stream";
            return Err(refused(Refusal::new(StatusCode::NOT_ACCEPTABLE, text)));
        }
        if message.method() == Some("subscriptions/listen")
            && message.params::<Listening>().is_some_and(|listening| listening.lacks_tasks())
        {
            return Err(refused(Wrong::from(tasks::undeclared()).into()));
        }
        let (session, room) = self.admit(&endpoint, &parts, &principal, &message).await.map_err(refused)?;
        if let Some(session) = session {
            parts.extensions.insert(Within(session.id().clone()));
        }
        if !accepts.events {
            parts.extensions.insert(Deaf);
        }
        let patience =
            answer::Patience::of(Era::of_header(header(&parts, "mcp-protocol-version")), accepts, &id);
        let handling = endpoint.handle(Request::from_parts(parts, Full::new(bytes.clone())));
        let acknowledges = matches!(message.method(), Some("tasks/update" | "tasks/cancel"));
        let answering = async move {
            let answer = handling.await;
            drop(room);
            if acknowledges { answer::acknowledged(answer).await } else { answer }
        };
        let answer = answer::shaped(answering, accepts, patience, id).await;
        // rmcp's word for JSON that is no message of MCP's; the front has seen to it that it is called JSON.
        if answer.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return Err(no_message(&bytes));
        }
        Ok(answer)
    }

    /// What depends on the message: whose session it is, and whether they may. Who opens a session gets the room for
    /// it.
    async fn admit(
        &self,
        endpoint: &Endpoint,
        parts: &Parts,
        principal: &Principal,
        message: &Message<'_>,
    ) -> Result<(Option<Arc<Session>>, Option<Room>), Refusal> {
        let session = own_session(endpoint, parts, principal)?;
        if let (Some(session), Some(id)) = (&session, message.id()) {
            session.can_take(serde_json::from_slice(&id).ok().as_ref())?;
        }
        forbidden::check(&endpoint.serving, &*self.authenticate, principal, message).await?;
        if message.method() != Some("initialize") {
            return Ok((session, None));
        }
        let room = endpoint.sessions.make_room(principal.name()).await.ok_or_else(all_in_use)?;
        Ok((session, Some(room)))
    }
}

/// The session that a request names. Modern requests have none, and lost a header that says otherwise at the door
/// (specification, `basic/transports/streamable-http`, "Earlier … Revisions"). A legacy client's session is its own:
/// to others it does not exist.
fn own_session(
    endpoint: &Endpoint,
    parts: &Parts,
    principal: &Principal,
) -> Result<Option<Arc<Session>>, Refusal> {
    let Some(id) = parts.headers.get("mcp-session-id") else { return Ok(None) };
    let session = endpoint.sessions.own(id.to_str().unwrap_or_default(), principal.name())?;
    Ok(Some(session))
}

fn all_in_use() -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "all of your sessions here are in use: end one first")
}

fn too_large(wrong: Wrong) -> Refusal {
    Refusal::from(wrong).with(StatusCode::PAYLOAD_TOO_LARGE)
}

fn no_message(bytes: &[u8]) -> Refusal {
    let wrong = incoming::message(bytes).err();
    wrong.unwrap_or_else(|| Wrong::invalid("not a JSON-RPC message").to(incoming::id_of(bytes))).into()
}

fn not_found(scope: &Scope) -> Refusal {
    let name = match scope {
        Scope::Shared => String::new(),
        Scope::Binding(name) => name.escape_default().to_string(),
    };
    Refusal::new(StatusCode::NOT_FOUND, format!("nothing is served at /mcp/{name}"))
}

/// A header that has one value and is text.
fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// The id of a request, as it came.
type Id = Option<Bytes>;
