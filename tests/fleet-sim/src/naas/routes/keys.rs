//! Making and revoking API keys.

use axum::body::Bytes;
use axum::extract::{Path, State as Of};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::super::auth::Caller;
use super::super::clock::iso;
use super::super::errors::{ApiError, answer, signed};
use super::super::fields::Fields;
use super::super::payload;
use super::super::state::State;
use super::super::token::Claims;

/// Seconds a key lives unless its maker says otherwise: 90 days.
const TTL: i64 = 7_776_000;

pub(super) async fn create(
    caller: Caller,
    Of(state): Of<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    caller.manages_keys(&state)?;
    let body = payload::object(&headers, &body)?;
    let mut fields = Fields::of(&body);
    // Whoever does not say gets the most there is.
    let role = fields.choice("role", &["viewer", "operator", "admin"]).unwrap_or_else(|| "admin".to_owned());
    let contexts = fields.optional_texts("contexts").unwrap_or_else(|| vec!["*".to_owned()]);
    let ttl = fields.integer("ttl", TTL, 0, i64::MAX);
    fields.check()?;

    let mut world = state.lock();
    let now = world.now().as_second();
    let expires = (ttl > 0).then(|| now + ttl.min(state.seed.key_max_ttl));
    let random = Uuid::new_v4().simple().to_string();
    let claims =
        Claims { sub: format!("k-{}", &random[..12]), role: Some(role), contexts, iat: now, exp: expires };
    world.keys.insert(claims.sub.clone());
    let expires_at = expires.and_then(|seconds| Timestamp::from_second(seconds).ok()).map(iso);
    let body = signed(json!({
        "key_id": claims.sub,
        "token": state.sign(&claims),
        "role": claims.role,
        "contexts": claims.contexts,
        "expires_at": expires_at,
    }));
    Ok(answer(StatusCode::CREATED, &body))
}

pub(super) async fn revoke(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.manages_keys(&state)?;
    let mut world = state.lock();
    if !world.keys.contains(&id) {
        return Err(ApiError::NoSuchKey(id));
    }
    world.revoked.insert(id);
    Ok(StatusCode::NO_CONTENT.into_response())
}
