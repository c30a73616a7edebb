//! A job of the host, read as one of NAAS.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use fleetgate_sdk::jobs::{self, Job};
use fleetgate_sdk::prelude::*;

use super::TOOLS;
use crate::job::{DeviceJob, JobResult};

/// What is kept beside a job: what its lists show. No credential, and no command.
pub(super) fn attributes(job: &DeviceJob) -> Value {
    let mut attributes = json!({ "host": job.host, "platform": job.platform, "port": job.port });
    if let Some(tags) = &job.tags {
        attributes["tags"] = json!(tags);
    }
    attributes
}

/// One of these.
pub(super) fn attribute<'a>(job: &'a Job, key: &str) -> Option<&'a Value> {
    job.extra.as_ref()?.get("attributes")?.get(key)
}

pub(super) fn tags(job: &Job) -> Option<BTreeMap<String, String>> {
    serde_json::from_value(attribute(job, "tags")?.clone()).ok()
}

/// One job of a device.
pub(super) fn find(id: &str) -> Result<Job, Fault> {
    let unknown = || Fault::unknown(format!("There is no job {id} of yours.")).field("/job_id");
    match jobs::get(id) {
        Ok(job) if TOOLS.contains(&job.tool.as_str()) => Ok(job),
        Ok(_) => Err(unknown()),
        Err(fault) if fault.is("unknown") => Err(unknown()),
        Err(fault) => Err(fault),
    }
}

/// All jobs of devices, newest first.
pub(super) fn all() -> Result<Vec<Job>, Fault> {
    // What the host keeps of one caller is bounded; this is only against a list that does not end.
    const PAGES: usize = 100;
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let (jobs, next) = jobs::list(cursor.as_deref())?;
        all.extend(jobs.into_iter().filter(|job| TOOLS.contains(&job.tool.as_str())));
        match next {
            Some(_) => cursor = next,
            None => break,
        }
    }
    Ok(all)
}

/// The host's word for where a job is, as NAAS says it.
pub(super) fn status(job: &Job) -> &'static str {
    match job.status.as_str() {
        "queued" => "queued",
        "completed" => "finished",
        "failed" => "failed",
        "cancelled" => "canceled",
        _ => "started",
    }
}

/// The job as get_job_result gives it.
pub(super) fn job(job: &Job) -> Result<JobResult, Fault> {
    let mut result = JobResult::at(&job.id, status(job));
    result.tags = tags(job);
    match job.status.as_str() {
        "completed" => of_result(&jobs::outcome(&job.id)?),
        "failed" => {
            let fault = match jobs::outcome(&job.id) {
                Err(fault) => fault,
                Ok(_) => Fault::internal("The job failed without a reason."),
            };
            result.error = Some(fault.message);
            result.error_code = Some("UNKNOWN".to_owned());
            result.error_retryable = Some(fault.retryable);
            Ok(result)
        }
        _ => Ok(result),
    }
}

/// What a send tool returned in its job.
fn of_result(result: &ToolResult) -> Result<JobResult, Fault> {
    let structured = result.structured.clone().unwrap_or_default();
    serde_json::from_value(structured).map_err(|error| {
        Fault::internal(format!("The result that is kept of this job cannot be read: {error}"))
    })
}

/// RFC 3339.
pub(super) fn moment(unix_ms: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}
