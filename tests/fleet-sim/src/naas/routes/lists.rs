//! What there is: jobs, failed jobs, contexts, and the server's health.

use axum::extract::{Query, State as Of};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::auth::{Caller, Role};
use super::super::errors::{ApiError, answer, signed};
use super::super::fields::Fields;
use super::super::model::{End, Job, Status};
use super::super::seed::Behaviour;
use super::super::state::State;
use super::super::world::World;
use super::super::{VERSION, known, shapes};

/// The failed jobs that are shown at most.
const FAILED_SHOWN: usize = 500;
/// The order of the unfiltered list. Cancelled jobs are in none of the queue's registries, so they are nowhere.
const LISTED: [Status; 4] = [Status::Finished, Status::Failed, Status::Started, Status::Queued];

pub(super) async fn jobs(
    caller: Caller,
    Of(state): Of<State>,
    Query(query): Query<Map<String, Value>>,
) -> Result<Response, ApiError> {
    caller.require(Role::Viewer)?;
    let mut fields = Fields::of(&query);
    let page = fields.parsed_integer("page", 1, 1, i64::MAX);
    let per_page = fields.parsed_integer("per_page", 20, 1, 100);
    let status = fields.choice("status", &["queued", "started", "finished", "failed"]);
    let tag = fields.optional_text("tag");
    if tag.as_deref().is_some_and(|tag| !tag.contains(':')) {
        fields.refuse("tag", "tag must be key:value");
    }
    fields.check()?;
    let (page, per_page) = (usize::try_from(page).unwrap_or(1), usize::try_from(per_page).unwrap_or(20));

    let world = state.lock();
    let found: Vec<&Job> = LISTED
        .into_iter()
        .filter(|listed| status.as_deref().is_none_or(|status| status == listed.name()))
        .flat_map(|listed| of_status(&world, listed))
        .collect();
    let (total, skipped) = (found.len(), (page - 1).saturating_mul(per_page));
    // The tag is looked at last, so a page may be short, and the total counts the others too.
    let rows: Vec<Value> = found
        .into_iter()
        .skip(skipped)
        .take(per_page)
        .filter(|job| tag.as_deref().is_none_or(|tag| has_tag(job, tag)))
        .map(shapes::row)
        .collect();
    let pages = total.div_ceil(per_page);
    let pagination = json!({"page": page, "per_page": per_page, "total": total, "pages": pages});
    Ok(answer(StatusCode::OK, &signed(json!({"jobs": rows, "pagination": pagination}))))
}

/// Of the default queue only.
fn of_status(world: &World, status: Status) -> Vec<&Job> {
    let mut jobs: Vec<&Job> = world
        .jobs
        .values()
        .filter(|job| job.status == status && job.request.context == known::DEFAULT)
        .collect();
    jobs.sort_by_key(|job| job.ended_at);
    jobs
}

fn has_tag(job: &Job, tag: &str) -> bool {
    let (key, value) = tag.split_once(':').unwrap_or_default();
    job.request.tags.as_ref().and_then(|tags| tags.get(key)).is_some_and(|has| has == value)
}

pub(super) async fn failed(caller: Caller, Of(state): Of<State>) -> Result<Response, ApiError> {
    caller.require(match state.seed.behaviour {
        Behaviour::AsDocumented => Role::Viewer,
        Behaviour::StrictUpstream => Role::Operator,
    })?;
    let world = state.lock();
    let rows: Vec<Value> = of_status(&world, Status::Failed)
        .into_iter()
        .filter_map(|job| match &job.end {
            Some(End::Crashed(failure)) => Some(shapes::failed(job, failure)),
            _ => None,
        })
        .take(FAILED_SHOWN)
        .collect();
    let total = rows.len();
    Ok(answer(StatusCode::OK, &signed(json!({"jobs": rows, "total": total}))))
}

pub(super) async fn contexts(caller: Caller, Of(state): Of<State>) -> Result<Response, ApiError> {
    caller.require(Role::Viewer)?;
    let world = state.lock();
    let mut contexts = world.contexts.clone();
    contexts.sort_by(|left, right| left.name.cmp(&right.name));
    let rows: Vec<Value> = contexts
        .iter()
        .map(|context| {
            let depth = world.queued(&context.name).count();
            json!({"name": context.name, "workers": context.workers, "queue_depth": depth})
        })
        .collect();
    Ok(answer(StatusCode::OK, &signed(json!({"contexts": rows}))))
}

/// Without credentials, and without a version in its path.
pub(super) async fn health(Of(state): Of<State>) -> Response {
    let world = state.lock();
    let workers: usize = world.contexts.iter().map(|context| context.workers).sum();
    let queued = world.jobs.values().filter(|job| job.status == Status::Queued).count();
    let running = world.jobs.values().filter(|job| job.run.is_some()).count();
    let failed = world.jobs.values().filter(|job| job.status == Status::Failed).count();
    let status = match (world.backend_up, workers) {
        (false, _) => "degraded",
        (true, 0) => "no_workers",
        (true, _) => "healthy",
    };
    let part = |healthy: bool| if healthy { "healthy" } else { "unhealthy" };
    let uptime = world.now().duration_since(world.started_at).as_secs();
    let body = json!({
        "status": status,
        "version": VERSION,
        "uptime_seconds": uptime,
        "components": {
            "redis": {"status": part(world.backend_up)},
            "queue": {"status": part(world.backend_up), "depth": queued},
            "workers": {"status": part(workers > 0), "count": workers, "active_jobs": running},
            "failed_jobs": failed,
        },
    });
    answer(StatusCode::OK, &body)
}
