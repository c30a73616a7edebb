//! Objects as the API shows them: sections 2 and 3 of the contract.

use serde_json::{Value, json};

use super::clock::iso;
use super::model::{End, Failure, Job};

/// What `send_*` and every look at a job return.
pub(crate) fn result(job: &Job) -> Value {
    let (results, failure) = match &job.end {
        Some(End::Results(results)) => (Some(results), None),
        Some(End::Refused(failure) | End::Crashed(failure)) => (None, Some(failure)),
        None => (None, None),
    };
    json!({
        "job_id": job.id,
        "status": job.status.name(),
        "results": results,
        "error": failure.map(|failure| &failure.text),
        "error_code": failure.map(|failure| failure.code),
        "error_retryable": failure.map(|failure| failure.retryable),
        "detected_platform": job.detected_platform,
        "tags": job.request.tags,
    })
}

/// A row of the list.
pub(crate) fn row(job: &Job) -> Value {
    json!({
        "job_id": job.id,
        "status": job.status.name(),
        "created_at": iso(job.enqueued_at),
        "ended_at": job.ended_at.map(iso),
        "tags": job.request.tags,
    })
}

/// A row of the list of failed jobs.
pub(crate) fn failed(job: &Job, failure: &Failure) -> Value {
    json!({
        "job_id": job.id,
        "host": job.request.host,
        "platform": job.request.platform,
        "port": job.request.port,
        "failed_at": job.ended_at.map(iso),
        "error": failure.text,
        "error_code": failure.code,
        "error_retryable": failure.retryable,
        "func": job.request.func.path(),
    })
}
