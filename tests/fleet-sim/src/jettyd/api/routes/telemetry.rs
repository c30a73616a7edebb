//! Telemetry of a device.

use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::super::auth::{Caller, Scope};
use super::super::errors::{ApiError, answer};
use super::super::history::{self, Question};
use super::super::shapes;
use super::super::state::State;
use super::{Answered, Asked, device};

/// Rows when nobody says how many.
const USUAL: usize = 100;

pub(super) async fn list(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
    asked: Asked,
) -> Answered {
    caller.require(&[Scope::TelemetryRead])?;
    let world = state.lock();
    let device = device(&world, &id)?;
    let question = Question {
        metric: asked.get("metric").cloned(),
        from: asked.get("from").map(|text| time("from", text)).transpose()?,
        to: asked.get("to").map(|text| time("to", text)).transpose()?,
        limit: asked.get("limit").map_or(Ok(USUAL), |text| limit(text))?,
        resolution: asked.get("resolution").map(|text| resolution(text)).transpose()?,
    };
    let rows = history::rows(&state.seed, device, &question, world.now());
    let rows = rows.iter().map(|(at, readings)| shapes::row(&state.seed, *at, readings)).collect();
    Ok(answer(StatusCode::OK, &shapes::list(&state.seed, "telemetry", rows)))
}

fn time(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    text.parse().map_err(|_| ApiError::Invalid(format!("{name} must be an ISO 8601 time")))
}

fn limit(text: &str) -> Result<usize, ApiError> {
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| ApiError::Invalid("limit must be a positive number".into()))
}

fn resolution(text: &str) -> Result<SignedDuration, ApiError> {
    let length = match text {
        "1m" => SignedDuration::from_mins(1),
        "5m" => SignedDuration::from_mins(5),
        "15m" => SignedDuration::from_mins(15),
        "1h" => SignedDuration::from_hours(1),
        "1d" => SignedDuration::from_hours(24),
        _ => return Err(ApiError::Invalid("resolution must be 1m, 5m, 15m, 1h or 1d".into())),
    };
    Ok(length)
}
