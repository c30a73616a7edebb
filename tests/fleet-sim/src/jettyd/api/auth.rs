//! Who is calling, and with which scopes: section 1 of the contract.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::errors::ApiError;
use super::state::State;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Devices and their shadows.
    DevicesRead,
    /// Configurations and desired states.
    DevicesWrite,
    /// Telemetry, and the shadow it is in.
    TelemetryRead,
    /// Commands.
    CommandsWrite,
    /// Alerts.
    RulesRead,
    /// Reserved.
    RulesWrite,
}

impl Scope {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::DevicesRead,
        Self::DevicesWrite,
        Self::TelemetryRead,
        Self::CommandsWrite,
        Self::RulesRead,
        Self::RulesWrite,
    ];

    /// As tokens and refusals name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DevicesRead => "devices:read",
            Self::DevicesWrite => "devices:write",
            Self::TelemetryRead => "telemetry:read",
            Self::CommandsWrite => "commands:write",
            Self::RulesRead => "rules:read",
            Self::RulesWrite => "rules:write",
        }
    }
}

/// Somebody with a token that counts.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Vec<Scope>);

impl Caller {
    /// # Errors
    /// 403 with the first of these scopes, if the token has none of them.
    pub(crate) fn require(&self, any: &[Scope]) -> Result<(), ApiError> {
        if self.0.iter().any(|scope| any.contains(scope)) {
            return Ok(());
        }
        Err(ApiError::Scope(any.first().copied().unwrap_or(Scope::RulesWrite)))
    }
}

impl FromRequestParts<State> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let token = bearer(parts).or_else(|| legacy(parts)).ok_or(ApiError::NoToken)?;
        state.scopes(&token).map(Self).ok_or(ApiError::BadToken)
    }
}

fn bearer(parts: &Parts) -> Option<String> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// `?access_token=`, for clients of old.
fn legacy(parts: &Parts) -> Option<String> {
    let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let token = pairs.filter(|(name, _)| *name == "access_token").map(|(_, token)| token).next()?;
    Some(percent_encoding::percent_decode_str(token).decode_utf8_lossy().into_owned())
}
