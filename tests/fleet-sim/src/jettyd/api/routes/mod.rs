//! The routes under `/v1`: section 2 of the contract.

mod commands;
mod devices;
mod telemetry;
mod writes;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::{get, put};
use serde_json::{Map, Value};

use super::errors::ApiError;
use super::state::State;
use super::world::{Device, World};

/// A query as it came: of a repeated name the last one counts.
type Asked = Query<BTreeMap<String, String>>;

/// What a handler gives.
type Answered = Result<Response, ApiError>;

pub(super) fn router(state: State) -> Router {
    let alerts = state.seed.alerts;
    let mut router = Router::new()
        .route("/v1/devices", get(devices::list))
        .route("/v1/devices/{id}", get(devices::one))
        .route("/v1/devices/{id}/shadow", get(devices::shadow).patch(writes::desired))
        .route("/v1/devices/{id}/telemetry", get(telemetry::list))
        .route("/v1/devices/{id}/commands", get(commands::list).post(commands::send))
        .route("/v1/devices/{id}/config", put(writes::config));
    if alerts {
        router = router.route("/v1/alerts", get(devices::alerts));
    }
    router
        .fallback(async || ApiError::NotFound("route"))
        .method_not_allowed_fallback(async || ApiError::WrongMethod)
        .with_state(state)
}

fn device<'a>(world: &'a World, id: &str) -> Result<&'a Device, ApiError> {
    world.devices.get(id).ok_or(ApiError::NotFound("device"))
}

/// The body, which must be an object.
fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::Invalid("body must be an object".into())),
        Err(_) => Err(ApiError::NotJson),
    }
}
