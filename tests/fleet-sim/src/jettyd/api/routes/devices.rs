//! What is only read: devices, shadows, alerts.

use axum::extract::{Path, State as Of};
use axum::http::StatusCode;

use super::super::auth::{Caller, Scope};
use super::super::errors::{ApiError, answer};
use super::super::shapes;
use super::super::state::State;
use super::{Answered, Asked, device};

pub(super) async fn list(caller: Caller, Of(state): Of<State>) -> Answered {
    caller.require(&[Scope::DevicesRead])?;
    let world = state.lock();
    let rows = world.devices.values().map(|device| shapes::device(device, world.now())).collect();
    Ok(answer(StatusCode::OK, &shapes::list(&state.seed, "devices", rows)))
}

pub(super) async fn one(caller: Caller, Of(state): Of<State>, Path(id): Path<String>) -> Answered {
    caller.require(&[Scope::DevicesRead])?;
    let world = state.lock();
    Ok(answer(StatusCode::OK, &shapes::device(device(&world, &id)?, world.now())))
}

pub(super) async fn shadow(caller: Caller, Of(state): Of<State>, Path(id): Path<String>) -> Answered {
    caller.require(&[Scope::DevicesRead, Scope::TelemetryRead])?;
    let world = state.lock();
    let shadow = shapes::shadow(&state.seed, device(&world, &id)?, world.now());
    Ok(answer(StatusCode::OK, &shadow.ok_or(ApiError::NotFound("shadow"))?))
}

pub(super) async fn alerts(caller: Caller, Of(state): Of<State>, asked: Asked) -> Answered {
    caller.require(&[Scope::RulesRead])?;
    let honoured = |name: &str| asked.get(name).filter(|_| state.seed.honours_alert_filters);
    let fired = match honoured("state").map(String::as_str) {
        None => None,
        Some("fired") => Some(true),
        Some("resolved") => Some(false),
        Some(_) => return Err(ApiError::Invalid("state must be fired or resolved".into())),
    };
    let world = state.lock();
    let rows = world
        .alerts
        .iter()
        .filter(|alert| fired.is_none_or(|fired| fired == alert.fired))
        .filter(|alert| honoured("device_id").is_none_or(|id| *id == alert.device))
        .map(shapes::alert)
        .collect();
    Ok(answer(StatusCode::OK, &shapes::list(&state.seed, "alerts", rows)))
}
