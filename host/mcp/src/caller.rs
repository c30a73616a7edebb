//! Who sent a request, in which era they speak, and within which session.

use axum::http::request::Parts;
use fleetgate_core::principal::Principal;
use rmcp::model::{Extensions, ProtocolVersion};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::keys::{self, Key};

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

/// The key by which a plugin can tell one conversation of one caller from another. It is a keyed hash, so that it
/// leads back to nothing. Legacy clients have sessions, or on stdio one connection; a modern request stands alone.
pub(crate) fn session_key(
    key: &Key,
    binding: &str,
    principal: &Principal,
    context: &RequestContext<RoleServer>,
    connection: &str,
) -> String {
    let header = context
        .extensions
        .get::<Parts>()
        .and_then(|parts| parts.headers.get("mcp-session-id"))
        .map(|id| id.as_bytes().to_vec());
    let session = match (Era::of(context), header) {
        (Era::Legacy, Some(id)) => id,
        (Era::Legacy, None) => connection.as_bytes().to_vec(),
        (Era::Modern, _) => keys::random().into_bytes(),
    };
    keys::hex(&key.tag(&[b"session", binding.as_bytes(), principal.name().as_bytes(), &session]))
}
