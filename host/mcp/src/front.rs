//! Everything between an HTTP request and rmcp, in this order:
//!
//! `host and origin → who calls → which endpoint → one message → whose session → may they → rmcp → the answer's form`
//!
//! Each step is one function that lets the request through or answers it. An answer to a JSON-RPC request is a
//! JSON-RPC error with its id, whatever went wrong.

mod accept;
mod answer;
mod authenticate;
mod body;
mod error;
mod forbidden;
mod host_origin;
mod removed;

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

use crate::caller::{Caller, Era, Within};
use crate::endpoint::{Endpoint, Endpoints};
use crate::sessions::Room;
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
        self.pass(scope, peer, parts, body).await.unwrap_or_else(Refusal::into_response)
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
        let endpoint = self.endpoints.get(&scope).ok_or_else(|| not_found(&scope))?;
        let accepts = accept::widen(&mut parts);
        if parts.method != Method::POST {
            own_session(&endpoint, &parts, &principal)?;
            parts.extensions.insert(Caller(principal));
            let response = endpoint.handle(Request::from_parts(parts, Full::default())).await;
            return Ok(response.map(Body::new));
        }

        let bytes = body::read(&parts, body, self.max_body).await?;
        let message = Message::parse(&bytes)?;
        let id = message.id();
        body::bounded(&bytes).map_err(|refusal| refusal.to(id.as_deref()))?;
        if message.method() == Some("subscriptions/listen") && !accepts.events {
            let text = "a subscription is answered with a stream: accept text/event-stream";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, text).to(id.as_deref()));
        }
        let room = self
            .admit(&endpoint, &parts, &principal, &message)
            .await
            .map_err(|refusal| refusal.to(id.as_deref()))?;
        let patience =
            answer::Patience::of(Era::of_header(header(&parts, "mcp-protocol-version")), accepts, &id);
        parts.extensions.insert(Caller(principal));
        if let Some(id) = session(&parts) {
            let within = Within(id.into());
            parts.extensions.insert(within);
        }
        let handling = endpoint.handle(Request::from_parts(parts, Full::new(bytes.clone())));
        let answering = async move {
            let answer = handling.await;
            drop(room);
            answer
        };
        Ok(answer::shaped(answering, accepts, patience, id).await)
    }

    /// What depends on the message. Who opens a session gets the room for it.
    async fn admit(
        &self,
        endpoint: &Endpoint,
        parts: &Parts,
        principal: &Principal,
        message: &Message<'_>,
    ) -> Result<Option<Room>, Refusal> {
        removed::check(parts, message)?;
        own_session(endpoint, parts, principal)?;
        forbidden::check(&endpoint.serving, &*self.authenticate, principal, message).await?;
        if message.method() != Some("initialize") {
            return Ok(None);
        }
        let full = || {
            let text = "all of your sessions here are in use: end one first";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
        };
        endpoint.sessions.make_room(principal.name()).await.map(Some).ok_or_else(full)
    }
}

/// A legacy client's session is its own: to others it does not exist.
fn own_session(endpoint: &Endpoint, parts: &Parts, principal: &Principal) -> Result<(), Refusal> {
    match session(parts) {
        Some(id) if !endpoint.sessions.belongs(id, principal.name()) => {
            Err(Refusal::new(StatusCode::NOT_FOUND, "there is no such session: begin with initialize"))
        }
        _ => Ok(()),
    }
}

/// The session that a request names. Modern requests have none, and a header that says otherwise means nothing
/// (specification, `basic/transports/streamable-http`, "Earlier … Revisions").
fn session(parts: &Parts) -> Option<&str> {
    let id = header(parts, "mcp-session-id")?;
    (Era::of_header(header(parts, "mcp-protocol-version")) == Era::Legacy).then_some(id)
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
