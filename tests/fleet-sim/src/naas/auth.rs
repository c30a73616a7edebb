//! Who is calling, and what that allows: sections 0.3, 0.4, 0.5 and 7 of the contract.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::errors::ApiError;
use super::model::Job;
use super::seed::Behaviour;
use super::state::State;
use super::token::{self, Claims};

/// Each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Viewer,
    Operator,
    Admin,
}

/// Somebody with credentials that count. `X-API-Key` is not looked at.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Bearer(Claims),
    /// The credentials are a device's, not the server's: anybody can be this, and is an admin.
    Basic {
        username: String,
        password: String,
    },
}

impl FromRequestParts<State> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let caller = of(&parts.headers, state).ok_or(ApiError::Unauthorized)?;
        // Revoked keys are looked up in the backend, as is everything after.
        let world = state.lock();
        if !world.backend_up {
            return Err(ApiError::BackendDown);
        }
        match &caller {
            Self::Bearer(claims) if world.revoked.contains(&claims.sub) => Err(ApiError::Unauthorized),
            _ => Ok(caller),
        }
    }
}

fn of(headers: &HeaderMap, state: &State) -> Option<Caller> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        let claims = token::verify(rest.trim(), &state.seed.signing_secret)?;
        return (!claims.expired(state.lock().now())).then_some(Caller::Bearer(claims));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let named = !username.is_empty() && !password.is_empty();
    named.then(|| Caller::Basic { username: username.to_owned(), password: password.to_owned() })
}

impl Caller {
    fn role(&self) -> Role {
        match self {
            Self::Basic { .. } => Role::Admin,
            Self::Bearer(claims) => match claims.role.as_deref() {
                Some("admin") => Role::Admin,
                Some("operator") => Role::Operator,
                _ => Role::Viewer,
            },
        }
    }

    pub(crate) fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role() >= role { Ok(()) } else { Err(ApiError::Forbidden) }
    }

    /// The number a rate is counted under; nobody counts Basic callers and admins.
    pub(crate) fn limited(&self) -> Option<&str> {
        match self {
            Self::Bearer(claims) if self.role() < Role::Admin => Some(&claims.sub),
            _ => None,
        }
    }

    pub(crate) fn allows(&self, context: &str) -> Result<(), ApiError> {
        match self {
            Self::Basic { .. } => Ok(()),
            Self::Bearer(claims) if claims.contexts.iter().any(|name| name == "*" || name == context) => {
                Ok(())
            }
            Self::Bearer(_) => Err(ApiError::Forbidden),
        }
    }

    /// Whether a job is this caller's to read or cancel.
    ///
    /// A Basic caller owns what was submitted with the same user and password. For a bearer the documents look
    /// at role and context; the source rebuilds an owner from credentials that a bearer has not got.
    pub(crate) fn owns(&self, job: Option<&Job>, state: &State) -> Result<(), ApiError> {
        match (self, job) {
            (Self::Bearer(_), Some(job)) if state.seed.behaviour == Behaviour::AsDocumented => {
                self.allows(&job.request.context)
            }
            (Self::Basic { username, password }, Some(job)) => {
                let lock = state.lock().lock_of(username, password);
                if bool::from(lock.ct_eq(&job.lock)) { Ok(()) } else { Err(ApiError::Forbidden) }
            }
            (Self::Bearer(_), _) | (_, None) => Err(ApiError::Forbidden),
        }
    }

    /// Whether this caller makes and revokes API keys.
    pub(crate) fn manages_keys(&self, state: &State) -> Result<(), ApiError> {
        match (self, &state.seed.admin_secret) {
            (Self::Bearer(_), _) if state.seed.behaviour == Behaviour::AsDocumented => {
                self.require(Role::Admin)
            }
            (Self::Basic { password, .. }, Some(secret))
                if password.as_bytes().ct_eq(secret.as_bytes()).into() =>
            {
                Ok(())
            }
            _ => Err(ApiError::Unauthorized),
        }
    }
}
