//! Submitting a job: who, what, where, how often, and whether it has been asked before.

use axum::body::Bytes;
use axum::extract::State as Of;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::auth::{Caller, Role};
use super::super::clock::iso;
use super::super::errors::{ApiError, answer, signed};
use super::super::guards::Rate;
use super::super::model::{Func, Job, Request};
use super::super::payload;
use super::super::state::State;
use super::super::world::World;
use super::read::job_id;

pub(super) async fn command(
    caller: Caller,
    Of(state): Of<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    submit(Func::Command, &caller, &state, &headers, &body)
}

pub(super) async fn structured(
    caller: Caller,
    Of(state): Of<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    submit(Func::Structured, &caller, &state, &headers, &body)
}

pub(super) async fn config(
    caller: Caller,
    Of(state): Of<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    submit(Func::Config, &caller, &state, &headers, &body)
}

/// Which of a job's submits this was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Submit {
    First,
    /// The idempotency key was used before.
    Replay,
    /// One like it is in flight.
    Duplicate,
}

fn submit(
    func: Func,
    caller: &Caller,
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, ApiError> {
    caller.require(Role::Operator)?;
    let body = payload::object(headers, body)?;
    let request = payload::request(func, caller, &body)?;
    let asked_id = headers.get("x-request-id").map(header_id).transpose()?;

    let mut world = state.lock();
    allowed(&world, caller, &request)?;
    let rate = rate(&mut world, state, caller, &request);
    let done = match rate {
        Some(rate) if rate.exceeded => {
            Err(ApiError::RateLimited((rate.reset - world.now().as_second()).max(1)))
        }
        _ => accept(&mut world, state, headers, asked_id, request),
    };
    let timeout = state.seed.job_timeout.as_secs();
    let mut response = match done {
        Err(error) => error.into_response(),
        Ok((id, how)) => match world.jobs.get(&id) {
            Some(job) => accepted(&world, job, how, timeout),
            None => ApiError::NoSuchJob(id).into_response(),
        },
    };
    if let Some(rate) = rate {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit", HeaderValue::from(rate.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(rate.remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from(rate.reset));
    }
    Ok(response)
}

fn header_id(value: &HeaderValue) -> Result<String, ApiError> {
    job_id(value.to_str().unwrap_or_default(), "X-Request-ID")
}

/// The context exists and is the caller's, and neither user nor device is locked out.
fn allowed(world: &World, caller: &Caller, request: &Request) -> Result<(), ApiError> {
    if !world.contexts.iter().any(|context| context.name == request.context) {
        return Err(ApiError::UnknownContext);
    }
    caller.allows(&request.context)?;
    let locked = world.lockouts.hold(&request.username, &request.host, world.now());
    if locked { Err(ApiError::LockedOut) } else { Ok(()) }
}

fn rate(world: &mut World, state: &State, caller: &Caller, request: &Request) -> Option<Rate> {
    let (caller, now) = (caller.limited()?, world.now());
    let limits = (state.seed.caller_rate, state.seed.device_rate);
    Some(world.rates.count(caller, &request.host, limits, now))
}

/// The id of the job that this submit made, or is about.
fn accept(
    world: &mut World,
    state: &State,
    headers: &HeaderMap,
    asked_id: Option<String>,
    request: Request,
) -> Result<(String, Submit), ApiError> {
    let key = headers.get("x-idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    if let Some(job) = key.as_deref().and_then(|key| world.replayed(key)) {
        return Ok((job.id.clone(), Submit::Replay));
    }
    if asked_id.as_deref().is_some_and(|id| world.jobs.contains_key(id)) {
        return Err(ApiError::RequestIdUsed);
    }
    if let Some(job) = world.duplicate(&request) {
        return Ok((job.id.clone(), Submit::Duplicate));
    }
    let workers = world.contexts.iter().find(|context| context.name == request.context);
    if workers.is_none_or(|context| context.workers == 0) {
        return Err(ApiError::NoWorkers);
    }
    if world.queued(&request.context).count() >= state.seed.queue_limit {
        return Err(ApiError::QueueFull);
    }
    let id = world.enqueue(asked_id, request);
    if let Some(key) = key {
        world.remember(key, id.clone());
    }
    Ok((id, Submit::First))
}

fn accepted(world: &World, job: &Job, how: Submit, timeout: u64) -> Response {
    let position = world.queued(&job.request.context).position(|queued| queued.id == job.id).unwrap_or(0);
    let body = signed(json!({
        "job_id": job.id,
        "message": "Job enqueued",
        "queue_position": position,
        "enqueued_at": iso(job.enqueued_at),
        "timeout": timeout,
        "idempotent": how == Submit::Replay,
        "deduplicated": how == Submit::Duplicate,
    }));
    let mut response = answer(StatusCode::ACCEPTED, &body);
    if let Ok(id) = HeaderValue::from_str(&job.id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
