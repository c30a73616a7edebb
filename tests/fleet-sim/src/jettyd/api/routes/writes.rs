//! What changes a device's settings: the whole configuration, or what is desired of it.

use axum::body::Bytes;
use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::super::auth::{Caller, Scope};
use super::super::errors::{ApiError, answer};
use super::super::shapes;
use super::super::state::State;
use super::{Answered, device, object};

/// Bytes of a configuration.
const LIMIT: usize = 4_096;

/// Replaces everything, once the device has it; until then it is 202.
pub(super) async fn config(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answered {
    caller.require(&[Scope::DevicesWrite])?;
    let mut world = state.lock();
    device(&world, &id)?;
    let config = script(object(&body)?, body.len())?;
    world.configure(&id, &config);
    if state.seed.empty_answers {
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let pending = world.configuring(&id);
    let status = if pending { "pending" } else { "applied" };
    Ok(answer(StatusCode::ACCEPTED, &json!({"device_id": id, "status": status})))
}

/// What the platform looks at itself. The npm package leaves `version` out, so the platform must add it.
fn script(mut config: Map<String, Value>, bytes: usize) -> Result<Value, ApiError> {
    let invalid = |error: &str| Err(ApiError::Invalid(error.to_owned()));
    if bytes > LIMIT {
        return invalid("config exceeds 4 KB");
    }
    let count = |name: &str| match config.get(name) {
        None => Ok(0),
        Some(Value::Array(rows)) => Ok(rows.len()),
        Some(_) => Err(ApiError::Invalid(format!("{name} must be an array"))),
    };
    let (rules, heartbeats) = (count("rules")?, count("heartbeats")?);
    if !config.contains_key("rules") && !config.contains_key("heartbeats") {
        return invalid("rules or heartbeats are required");
    }
    if rules > 16 {
        return invalid("at most 16 rules");
    }
    if heartbeats > 8 {
        return invalid("at most 8 heartbeats");
    }
    let known = ["version", "rules", "heartbeats"];
    if let Some(other) = config.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(ApiError::Invalid(format!("unknown field {other}")));
    }
    match config.entry("version").or_insert(json!(1)) {
        Value::Number(version) if version.as_u64() == Some(1) => Ok(Value::Object(config)),
        _ => invalid("version must be 1"),
    }
}

/// Adds to what is desired; the device does what it knows when it is there.
pub(super) async fn desired(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answered {
    caller.require(&[Scope::DevicesWrite])?;
    let mut body = object(&body)?;
    let Some(Value::Object(desired)) = body.shift_remove("desired") else {
        return Err(ApiError::Invalid("desired is required".into()));
    };
    if !body.is_empty() {
        return Err(ApiError::Invalid("only desired can be changed".into()));
    }
    let mut world = state.lock();
    device(&world, &id)?;
    for (key, value) in desired {
        if let Some(device) = world.devices.get_mut(&id) {
            // Null takes a wish back.
            match value {
                Value::Null => drop(device.desired.shift_remove(&key)),
                value => drop(device.desired.insert(key, value)),
            }
        }
    }
    drop(world);
    if state.seed.empty_answers {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let world = state.lock();
    let device = device(&world, &id)?;
    let shadow = shapes::shadow(&state.seed, device, world.now());
    Ok(answer(StatusCode::OK, &shadow.unwrap_or_else(|| json!({"desired": device.desired}))))
}
