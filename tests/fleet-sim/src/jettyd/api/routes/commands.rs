//! Commands: sent at once, carried out when the device has them.

use axum::body::Bytes;
use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::super::auth::{Caller, Scope};
use super::super::errors::{ApiError, answer};
use super::super::seed::Dialects;
use super::super::shapes;
use super::super::state::State;
use super::super::world::Status;
use super::{Answered, device, object};

/// Commands that are listed.
const LISTED: usize = 50;

/// Newest first.
pub(super) async fn list(caller: Caller, Of(state): Of<State>, Path(id): Path<String>) -> Answered {
    caller.require(&[Scope::CommandsWrite, Scope::DevicesRead])?;
    let world = state.lock();
    device(&world, &id)?;
    let commands = world.commands.values().rev().filter(|command| command.device == id);
    let rows = commands.take(LISTED).map(|command| shapes::command(&state.seed, command)).collect();
    Ok(answer(StatusCode::OK, &shapes::list(&state.seed, "commands", rows)))
}

pub(super) async fn send(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answered {
    caller.require(&[Scope::CommandsWrite])?;
    let mut world = state.lock();
    if device(&world, &id)?.status(world.now()) == Status::Provisioning {
        return Err(ApiError::Conflict("device is not provisioned"));
    }
    let (name, parameters) = read(state.seed.dialect, object(&body)?)?;
    let command = world.command(&id, name, parameters);
    if state.seed.empty_answers {
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    Ok(answer(StatusCode::CREATED, &json!({"id": command, "status": "pending"})))
}

/// The name and the parameters, in the dialect that the platform speaks.
fn read(dialect: Dialects, mut body: Map<String, Value>) -> Result<(String, Value), ApiError> {
    let newer = match dialect {
        Dialects::Action => false,
        Dialects::CommandType => true,
        Dialects::Either => body.contains_key("command_type"),
    };
    let (name, parameters) = if newer { ("command_type", "payload") } else { ("action", "params") };
    let Some(Value::String(command)) = body.shift_remove(name) else {
        return Err(ApiError::Invalid(format!("{name} is required")));
    };
    let given = match body.shift_remove(parameters) {
        None => json!({}),
        Some(Value::Object(given)) => Value::Object(given),
        Some(_) => return Err(ApiError::Invalid(format!("{parameters} must be an object"))),
    };
    match body.keys().next() {
        None => Ok((command, given)),
        Some(other) => Err(ApiError::Invalid(format!("unknown field {other}"))),
    }
}
