//! One job: its result, and cancelling it.

use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use uuid::{Uuid, Version};

use super::super::auth::{Caller, Role};
use super::super::errors::{ApiError, answer, signed};
use super::super::model::Status;
use super::super::seed::Behaviour;
use super::super::shapes;
use super::super::state::State;

/// A job's id as the server takes it: a UUID of version 4.
pub(super) fn job_id(text: &str, what: &str) -> Result<String, ApiError> {
    let id = Uuid::parse_str(text).ok().filter(|id| id.get_version() == Some(Version::Random));
    id.map(|id| id.to_string()).ok_or_else(|| ApiError::BadRequest(format!("{what} must be a valid UUID4")))
}

pub(super) async fn result(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(Role::Viewer)?;
    let id = job_id(&id, "job_id")?;
    let job = state.job(&id);
    if job.is_none() && state.seed.behaviour == Behaviour::AsDocumented {
        return Err(ApiError::NoSuchJob(id));
    }
    caller.owns(job.as_ref(), &state)?;
    let job = job.ok_or(ApiError::NoSuchJob(id))?;
    Ok(answer(StatusCode::OK, &signed(shapes::result(&job))))
}

pub(super) async fn cancel(
    caller: Caller,
    Of(state): Of<State>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(Role::Operator)?;
    let id = job_id(&id, "job_id")?;
    let job = state.job(&id).ok_or_else(|| ApiError::NoSuchJob(id.clone()))?;
    caller.owns(Some(&job), &state)?;
    if matches!(job.status, Status::Finished | Status::Failed) {
        return Err(ApiError::Over(id, job.status.name()));
    }
    state.lock().cancel(&id);
    Ok(StatusCode::NO_CONTENT.into_response())
}
