//! Work that outlives a call: a tool of this plugin, run in the background by the host.
//!
//! What a plugin sees here is its own binding's and the calling principal's alone. Jobs survive a restart of the host:
//! what ran then has failed, with a fault that says so. A tool can also be marked `task = "optional"`, and then knows
//! nothing of any of this.
//!
//! ```
//! # use fleetgate_sdk::prelude::*;
//! # use std::time::Duration;
//! use fleetgate_sdk::jobs::{self, Job};
//!
//! # #[derive(Deserialize, JsonSchema)] struct Push { host: String }
//! /// Starts to push a configuration, and says by which id to ask for it.
//! #[tool(requires = "operator", destructive)]
//! fn start_push(args: Push) -> Result<Job, Fault> {
//!     jobs::submit("push", &json!({ "host": args.host }))?.keep_for(Duration::from_secs(3600)).send()
//! }
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Fault, JsonSchema, ToolResult, host};

/// One piece of work, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Unguessable.
    pub id: String,
    /// The tool that runs.
    pub tool: String,
    /// `queued`, `working`, `input-required`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// For people: the last progress message, or why it failed.
    pub message: Option<String>,
    /// Unix time in milliseconds.
    pub created_ms: u64,
    /// Unix time in milliseconds.
    pub updated_ms: u64,
    /// `ttlMs` (how long it is kept, counted from its creation), `progress`, `total`, `attributes` (what the plugin
    /// submitted with it).
    pub extra: Option<Map<String, Value>>,
}

impl Job {
    /// Whether it has ended, in whatever way.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "cancelled")
    }
}

/// A job that is about to be submitted.
#[derive(Debug, Clone)]
#[must_use = "nothing runs until it is sent: `.send()?`"]
pub struct Submission {
    tool: String,
    arguments: String,
    options: Map<String, Value>,
}

/// Prepares to run a tool of this plugin in the background, as this call's principal, who must hold the role that the
/// tool requires.
///
/// # Errors
/// `internal` when the arguments cannot be JSON.
pub fn submit(tool: impl Into<String>, arguments: &impl Serialize) -> Result<Submission, Fault> {
    let arguments = serde_json::to_string(arguments).map_err(|error| {
        Fault::internal(format!("The job's arguments cannot be written as JSON: {error}"))
    })?;
    Ok(Submission { tool: tool.into(), arguments, options: Map::new() })
}

impl Submission {
    /// How long the job is kept, counted from its creation.
    pub fn keep_for(mut self, duration: Duration) -> Self {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.options.insert("ttlMs".to_owned(), milliseconds.into());
        self
    }

    /// What the plugin wants to know of the job again, in `extra.attributes`: an object of at most 2 KiB as JSON. It is
    /// stored, so no secrets.
    pub fn attributes(mut self, attributes: Value) -> Self {
        self.options.insert("attributes".to_owned(), attributes);
        self
    }

    /// Hands it to the host. Returns once it is kept where a restart cannot lose it.
    ///
    /// # Errors
    /// `unavailable` where the host keeps no jobs or has too many, `denied`, `invalid-arguments`.
    pub fn send(self) -> Result<Job, Fault> {
        let options = (!self.options.is_empty()).then(|| Value::Object(self.options));
        host::submit_job(&self.tool, &self.arguments, options.as_ref())
    }
}

/// One job.
///
/// # Errors
/// `unknown` when there is none of this id, or it is somebody else's.
pub fn get(id: &str) -> Result<Job, Fault> {
    host::get_job(id)
}

/// What a completed job returned.
///
/// # Errors
/// The job's own fault when it failed or was cancelled; `unavailable` (retryable) while it runs; `unknown`.
pub fn outcome(id: &str) -> Result<ToolResult, Fault> {
    host::job_outcome(id)
}

/// The jobs, newest first, at most 100, and the cursor of the next page.
///
/// # Errors
/// `invalid-arguments` when the cursor is none of these.
pub fn list(cursor: Option<&str>) -> Result<(Vec<Job>, Option<String>), Fault> {
    host::list_jobs(cursor)
}

/// Asks a job to stop. Stopping one that has ended changes nothing.
///
/// # Errors
/// `unknown`.
pub fn cancel(id: &str) -> Result<Job, Fault> {
    host::cancel_job(id)
}
