//! The lists of NAAS, made of the host's jobs: those of the caller.

use fleetgate_sdk::jobs::{self, Job};
use fleetgate_sdk::prelude::*;

use super::kept;
use crate::listing::{Asked, FailedJob, FailedJobs, JobEntry, JobList};

/// The order in which NAAS lists jobs when nothing else is asked for. Canceled ones are not listed.
const ORDER: [&str; 4] = ["finished", "failed", "started", "queued"];
/// The most that NAAS lists of failed jobs.
const MOST_FAILED: usize = 500;

/// One page of jobs.
pub fn list_jobs(asked: &Asked) -> Result<JobList, Fault> {
    let all = kept::all()?;
    let listed = ORDER.iter().filter(|state| asked.status.is_none_or(|status| status.as_str() == **state));
    let jobs = listed.flat_map(|state| all.iter().filter(move |job| kept::status(job) == *state)).map(entry);
    Ok(asked.of(jobs.collect()))
}

fn entry(job: &Job) -> JobEntry {
    JobEntry {
        job_id: job.id.clone(),
        status: kept::status(job).to_owned(),
        created_at: Some(kept::moment(job.created_ms)),
        ended_at: job.has_ended().then(|| kept::moment(job.updated_ms)),
        tags: kept::tags(job),
    }
}

/// The jobs that did not come to an end.
pub fn failed() -> Result<FailedJobs, Fault> {
    let all = kept::all()?;
    let failed = all.iter().filter(|job| job.status == "failed").take(MOST_FAILED);
    let jobs: Vec<_> = failed.map(failure).collect();
    Ok(FailedJobs { total: jobs.len(), jobs })
}

fn failure(job: &Job) -> FailedJob {
    let text = |key: &str| kept::attribute(job, key).and_then(Value::as_str).map(str::to_owned);
    let fault = jobs::outcome(&job.id).err();
    FailedJob {
        job_id: job.id.clone(),
        host: text("host"),
        platform: text("platform"),
        port: kept::attribute(job, "port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()),
        failed_at: Some(kept::moment(job.updated_ms)),
        error: job.message.clone(),
        error_code: Some("UNKNOWN".to_owned()),
        error_retryable: fault.map(|fault| fault.retryable),
        func: Some(job.tool.clone()),
    }
}

/// There is no routing here: one context, with the caller's own queue. `workers` is null, since the host has none that
/// could be counted.
pub fn contexts() -> Result<Value, Fault> {
    let queued = count(&kept::all()?, "queued");
    Ok(json!({ "contexts": [{ "name": "default", "workers": null, "queue_depth": queued }] }))
}

/// The plugin runs, so it is well; of the devices nothing is known before they are asked. The numbers are the caller's.
pub fn health() -> Result<Value, Fault> {
    // Where the host keeps no jobs there are none.
    let jobs = match kept::all() {
        Ok(jobs) => jobs,
        Err(fault) if fault.is("unavailable") => Vec::new(),
        Err(fault) => return Err(fault),
    };
    Ok(json!({
        "status": "healthy",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": null,
        "mode": "direct",
        "components": {
            "queue": { "status": "healthy", "depth": count(&jobs, "queued") },
            "workers": { "status": "healthy", "count": null, "active_jobs": count(&jobs, "started") },
            "failed_jobs": count(&jobs, "failed"),
        },
    }))
}

fn count(jobs: &[Job], status: &str) -> usize {
    jobs.iter().filter(|job| kept::status(job) == status).count()
}
