//! Submitting a job.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::client::Api;
use super::{reading, refusal};
use crate::job::{DeviceJob, Kind};
use crate::uuid;

/// A job that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submitted {
    /// The server's id.
    pub(super) job_id: String,
    /// It is not a new one: an identical job was under way, and this is that one's id.
    pub(super) deduplicated: bool,
}

impl Kind {
    /// The server's path, below `/v2`.
    fn path(self) -> &'static str {
        match self {
            Self::Command => "send-command",
            Self::Structured => "send-command-structured",
            Self::Config => "send-config",
        }
    }

    /// Under which path a job is looked at. The server knows one kind of job under all of them.
    pub(super) fn look(self) -> &'static str {
        match self {
            Self::Command | Self::Structured => "send-command",
            Self::Config => "send-config",
        }
    }
}

/// The server takes a job. Repeated only while it was not reached, and then with the same idempotency key: a job that
/// did arrive is not made twice.
pub(super) fn submit(api: &Api, job: &DeviceJob) -> Result<Submitted, Fault> {
    let request = api
        .post(["v2", job.kind.path()])
        .header("x-idempotency-key", uuid::random()?)
        .json(&Value::Object(body(job)?));
    let response = api.send(request).map_err(|fault| uncertain(fault, job))?;
    if !response.is_ok() {
        return Err(refusal::of(&response));
    }
    let answer: Value = response.json()?;
    let job_id = reading::text(&answer, "job_id")
        .or_else(|| response.header("x-request-id").map(str::to_owned))
        .ok_or_else(|| Fault::upstream("NAAS took the job and did not say by which id."))?;
    Ok(Submitted { job_id, deduplicated: reading::flag(&answer, "deduplicated") })
}

/// Only what was given: the server refuses keys that it does not know, and has defaults of its own.
fn body(job: &DeviceJob) -> Result<Map<String, Value>, Fault> {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    put("host", json!(job.host));
    put("platform", json!(job.platform));
    put("commands", json!(job.commands));
    for (key, value) in [("username", &job.username), ("password", &job.password), ("enable", &job.enable)] {
        if let Some(value) = value {
            put(key, json!(value));
        }
    }
    if job.port != 22 {
        put("port", json!(job.port));
    }
    if let Some(tags) = job.tags.as_ref().filter(|tags| !tags.is_empty()) {
        put("tags", json!(tags));
    }
    for (key, set) in [("commit", job.commit), ("save_config", job.save_config)] {
        if set {
            put(key, json!(true));
        }
    }
    if let Some(context) = config::get("context") {
        put("context", json!(context));
    }
    for key in ["read_timeout", "conn_timeout"] {
        if let Some(limit) = config::duration(key)? {
            // NAAS takes no less than a second.
            put(key, json!(limit.max(Duration::from_secs(1)).as_secs_f64()));
        }
    }
    if job.kind == Kind::Command
        && let Some(expected) = config::get("expect_string")
    {
        put("expect_string", json!(expected));
    }
    Ok(body)
}

/// Without an answer it is not known whether the job runs, which matters before it is sent again.
fn uncertain(fault: Fault, job: &DeviceJob) -> Fault {
    if !fault.is("timeout") {
        return fault;
    }
    let message = format!(
        "{} The job may have been taken all the same: look with list_jobs before sending it again.",
        fault.message
    );
    let fault = fault.message(message);
    if job.kind == Kind::Config { fault.not_retryable() } else { fault }
}
