//! Lenient reading of what NAAS answers: versions differ, and a field that is missing or of another type costs that
//! field. `app` and `version`, which the server adds to every answer, are left out.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

use crate::job::JobResult;
use crate::listing::JobEntry;

/// A text that is there and not empty.
pub(super) fn text(object: &Value, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A flag; absent is false.
pub(super) fn flag(object: &Value, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// A count; absent is none.
pub(super) fn count(object: &Value, key: &str) -> Option<u32> {
    object.get(key)?.as_u64().map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

fn tags(object: &Value) -> Option<BTreeMap<String, String>> {
    let tags = object.get("tags")?.as_object()?;
    Some(tags.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
}

/// `GET /v2/send-command/{id}`.
pub(super) fn job(response: &http::Response, id: &str) -> Result<JobResult, Fault> {
    let answer: Value = response.json()?;
    let Some(status) = text(&answer, "status") else {
        return Err(Fault::upstream(format!("NAAS answered without a status for job {id}."))
            .detail("http_status", response.status()));
    };
    let mut job = JobResult::at(text(&answer, "job_id").unwrap_or_else(|| id.to_owned()), status);
    job.results = answer.get("results").filter(|results| !results.is_null()).cloned();
    job.error = match answer.get("error") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    job.error_code = text(&answer, "error_code");
    job.error_retryable = answer.get("error_retryable").and_then(Value::as_bool);
    job.detected_platform = text(&answer, "detected_platform");
    job.tags = tags(&answer);
    if job.status == "failed" && job.error_code.is_none() {
        // What newer servers say themselves: the worker crashed or ran out of time.
        job.error_code = Some("UNKNOWN".to_owned());
        job.error_retryable = Some(false);
    }
    Ok(job)
}

/// One entry of `GET /v2/jobs`.
pub(super) fn entry(entry: &Value) -> Option<JobEntry> {
    Some(JobEntry {
        job_id: text(entry, "job_id")?,
        status: text(entry, "status").unwrap_or_default(),
        created_at: text(entry, "created_at"),
        ended_at: text(entry, "ended_at"),
        tags: tags(entry),
    })
}

/// The list under this key.
pub(super) fn list(answer: &Value, key: &str) -> Result<Vec<Value>, Fault> {
    match answer.get(key) {
        Some(Value::Array(items)) => Ok(items.clone()),
        _ => Err(Fault::upstream(format!("NAAS answered without a list of `{key}`."))),
    }
}
