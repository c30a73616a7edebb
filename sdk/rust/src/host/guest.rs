//! In a component: the imports of `fleetgate:plugin`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bindings::imports::fleetgate::plugin::{call, capabilities, config as settings, jobs};
use crate::bindings::{from_fault, from_tool_result};
use crate::jobs::Job;
use crate::{Fault, ToolResult, http};

pub(crate) fn principal() -> String {
    call::principal()
}

pub(crate) fn roles() -> Vec<String> {
    call::roles()
}

pub(crate) fn session() -> String {
    call::session()
}

pub(crate) fn binding() -> String {
    call::binding()
}

pub(crate) fn client_capabilities() -> Value {
    serde_json::from_str(&call::client_capabilities()).unwrap_or_else(|_| Value::Object(Default::default()))
}

pub(crate) fn job() -> Option<String> {
    call::job()
}

pub(crate) fn deadline() -> Duration {
    Duration::from_millis(call::deadline_ms())
}

pub(crate) fn cancelled() -> bool {
    call::cancelled()
}

pub(crate) fn progress(done: f64, total: Option<f64>, message: Option<&str>) {
    call::progress(done, total, message);
}

pub(crate) fn log(level: &str, message: &str, data: Option<&Value>) {
    call::log(level, message, data.map(Value::to_string).as_deref());
}

pub(crate) fn tools_changed() {
    call::tools_changed();
}

pub(crate) fn prompts_changed() {
    call::prompts_changed();
}

pub(crate) fn resources_changed() {
    call::resources_changed();
}

pub(crate) fn resource_updated(uri: &str) {
    call::resource_updated(uri);
}

pub(crate) fn config(key: &str) -> Option<String> {
    settings::get(key)
}

pub(crate) fn granted(name: &str) -> bool {
    capabilities::granted(name)
}

/// The clock is WASI's, and knows nothing of the call: it is asked in short steps, so that a cancel is noticed.
pub(crate) fn sleep(duration: Duration) -> Result<(), Fault> {
    const STEP: Duration = Duration::from_millis(100);
    let begin = Instant::now();
    loop {
        let left = duration.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        if cancelled() {
            return Err(Fault::cancelled());
        }
        std::thread::sleep(left.min(STEP));
    }
}

pub(crate) fn send(request: &http::Outgoing) -> Result<http::Incoming, http::Failure> {
    http::wasi::send(request)
}

fn from_job(job: jobs::Job) -> Job {
    Job {
        id: job.id,
        tool: job.tool,
        status: job.status,
        message: job.message,
        created_ms: job.created_ms,
        updated_ms: job.updated_ms,
        extra: job.extra.and_then(|json| serde_json::from_str(&json).ok()),
    }
}

pub(crate) fn submit_job(tool: &str, arguments: &str, options: Option<&Value>) -> Result<Job, Fault> {
    let options = options.map(Value::to_string);
    jobs::submit(tool, arguments, options.as_deref()).map(from_job).map_err(from_fault)
}

pub(crate) fn get_job(id: &str) -> Result<Job, Fault> {
    jobs::get(id).map(from_job).map_err(from_fault)
}

pub(crate) fn job_outcome(id: &str) -> Result<ToolResult, Fault> {
    jobs::outcome(id).map(from_tool_result).map_err(from_fault)
}

pub(crate) fn list_jobs(cursor: Option<&str>) -> Result<(Vec<Job>, Option<String>), Fault> {
    let (jobs, next) = jobs::list_jobs(cursor).map_err(from_fault)?;
    Ok((jobs.into_iter().map(from_job).collect(), next))
}

pub(crate) fn cancel_job(id: &str) -> Result<Job, Fault> {
    jobs::cancel(id).map(from_job).map_err(from_fault)
}
