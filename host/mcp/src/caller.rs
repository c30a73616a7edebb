//! Who sent a request, in which era they speak, and within which session.

use std::sync::Arc;

use axum::http::request::Parts;
use fleetgate_core::principal::Principal;
use rmcp::model::{ClientJsonRpcMessage, Extensions, GetExtensions, JsonRpcMessage, ProtocolVersion};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::keys;
use crate::serving::Serving;
use crate::view::View;

/// The two kinds of MCP clients; the specification's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-11-25 and before: `initialize`, sessions.
    Legacy,
    /// 2026-07-28 and later: every request stands alone.
    Modern,
}

impl Era {
    /// By the version of this request, or of the handshake before it.
    pub(crate) fn of(context: &RequestContext<RoleServer>) -> Self {
        match context.protocol_version() {
            Some(version) if !version.has_initialize() => Self::Modern,
            _ => Self::Legacy,
        }
    }

    /// By the header of an HTTP request.
    pub(crate) fn of_header(version: Option<&str>) -> Self {
        match version {
            Some(version) if version >= ProtocolVersion::NO_INITIALIZE.as_str() => Self::Modern,
            _ => Self::Legacy,
        }
    }
}

/// The principal of an HTTP request, put into its extensions by [`crate::front`] after the credential was checked.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Principal);

/// Where a service takes its principal from.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// HTTP: each request brings its own.
    OfRequest,
    /// stdio: the one who started the process.
    Always(Principal),
}

impl Who {
    /// The principal of a request. Without one nothing is answered.
    pub(crate) fn of(&self, extensions: &Extensions) -> Result<Principal, ErrorData> {
        match self {
            Self::Always(principal) => Ok(principal.clone()),
            Self::OfRequest => of_request(extensions)
                .cloned()
                .ok_or_else(|| ErrorData::internal_error("the caller of this request is not known", None)),
        }
    }
}

/// The principal that an HTTP request brought along.
pub(crate) fn of_request(extensions: &Extensions) -> Option<&Principal> {
    Some(&extensions.get::<Parts>()?.extensions.get::<Caller>()?.0)
}

/// The session that an HTTP request of a legacy client belongs to, put into its extensions by [`crate::front`] after
/// its owner was checked.
#[derive(Debug, Clone)]
pub(crate) struct Within(pub(crate) Arc<str>);

/// Put beside [`Caller`] where a client takes nothing but one answer as JSON: whatever else is said for its request
/// would not be heard on the request's stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deaf;

impl Deaf {
    /// Whether this request's client is that.
    pub(crate) fn is(extensions: &Extensions) -> bool {
        extensions.get::<Parts>().is_some_and(|parts| parts.extensions.get::<Self>().is_some())
    }
}

/// Gives a message the request that it came with, as rmcp does with those that go through it.
pub(crate) fn attach(message: &mut ClientJsonRpcMessage, parts: &Parts) {
    match message {
        JsonRpcMessage::Request(request) => request.request.extensions_mut().insert(parts.clone()),
        JsonRpcMessage::Notification(notification) => {
            notification.notification.extensions_mut().insert(parts.clone())
        }
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => None,
    };
}

/// The longest value of a header that stands for a conversation.
const MAX_CONVERSATION: usize = 256;

/// The key by which a plugin can tell one conversation of one caller from another. It is a keyed hash, so that it
/// leads back to nothing, and of the binding and the caller, so that nobody can have another's by naming it.
///
/// What tells conversations apart is the request header that the plugin's manifest names; without it, a legacy
/// client's session, or on stdio its one connection; a modern request stands alone.
pub(crate) fn session_key(
    serving: &Serving,
    view: &dyn View,
    binding: &str,
    principal: &Principal,
    context: &RequestContext<RoleServer>,
    connection: &str,
) -> Result<String, ErrorData> {
    let parts = context.extensions.get::<Parts>();
    let named = match (parts, view.session_header(binding)) {
        (Some(parts), Some(name)) => conversation(parts, &name)?.map(|value| (name, value)),
        _ => None,
    };
    let within = parts.and_then(|parts| parts.extensions.get::<Within>());
    let (kind, name, value) = match (&named, Era::of(context), within) {
        (Some((name, value)), ..) => ("header", &**name, value.to_vec()),
        (None, Era::Legacy, Some(Within(id))) => ("session", "", id.as_bytes().to_vec()),
        (None, Era::Legacy, None) if !connection.is_empty() => ("session", "", connection.into()),
        (None, ..) => ("alone", "", keys::random().into_bytes()),
    };
    let parts =
        [kind.as_bytes(), binding.as_bytes(), principal.name().as_bytes(), name.as_bytes(), value.as_slice()];
    Ok(keys::hex(&serving.sessions.tag(&parts)))
}

/// The value of the header that stands for a conversation. Several values, or one that is no such thing, are an
/// error: a plugin that took them for no conversation would forget, and nobody would know why.
fn conversation<'a>(parts: &'a Parts, name: &str) -> Result<Option<&'a [u8]>, ErrorData> {
    let mut values = parts.headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let value = first.as_bytes().trim_ascii();
    if value.is_empty() && values.next().is_none() {
        return Ok(None);
    }
    let spelled = value.len() <= MAX_CONVERSATION && value.iter().all(u8::is_ascii_graphic);
    if value.is_empty() || !spelled || values.next().is_some() {
        let message = format!(
            "the header {name} must have one value, of at most {MAX_CONVERSATION} visible ASCII characters"
        );
        return Err(ErrorData::invalid_request(message, None));
    }
    Ok(Some(value))
}
