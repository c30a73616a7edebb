//! Outside of a component: the harness of the test that runs on this thread. Without one, what the host says while it
//! lists the tools: nobody calls, nothing is granted.

use std::time::Duration;

use serde_json::Value;

use crate::jobs::Job;
use crate::testing::{self, Log, Progress};
use crate::{Fault, ToolResult, http};

pub(crate) fn principal() -> String {
    testing::current().map(|state| state.principal.borrow().clone()).unwrap_or_default()
}

pub(crate) fn roles() -> Vec<String> {
    testing::current().map(|state| state.roles.borrow().clone()).unwrap_or_default()
}

pub(crate) fn session() -> String {
    testing::current().map(|state| state.session.borrow().clone()).unwrap_or_default()
}

pub(crate) fn binding() -> String {
    testing::current().map(|state| state.binding.borrow().clone()).unwrap_or_default()
}

pub(crate) fn client_capabilities() -> Value {
    testing::current()
        .and_then(|state| state.client_capabilities.borrow().clone())
        .unwrap_or_else(|| Value::Object(Default::default()))
}

pub(crate) fn job() -> Option<String> {
    testing::current().and_then(|state| state.job.borrow().clone())
}

pub(crate) fn deadline() -> Duration {
    testing::current().map_or(Duration::from_secs(30), |state| state.time_left())
}

pub(crate) fn cancelled() -> bool {
    testing::current().is_some_and(|state| state.cancelled.get() || state.time_left().is_zero())
}

pub(crate) fn progress(done: f64, total: Option<f64>, message: Option<&str>) {
    if let Some(state) = testing::current() {
        let mut reports = state.progress.borrow_mut();
        if reports.last().is_none_or(|last| last.done < done) {
            reports.push(Progress { done, total, message: message.map(str::to_owned) });
        }
    }
}

pub(crate) fn log(level: &str, message: &str, data: Option<&Value>) {
    if let Some(state) = testing::current() {
        let line = Log { level: level.to_owned(), message: message.to_owned(), data: data.cloned() };
        state.logs.borrow_mut().push(line);
    }
}

fn changed(what: &str) {
    if let Some(state) = testing::current() {
        state.changes.borrow_mut().push(what.to_owned());
    }
}

pub(crate) fn tools_changed() {
    changed("tools");
}

pub(crate) fn prompts_changed() {
    changed("prompts");
}

pub(crate) fn resources_changed() {
    changed("resources");
}

pub(crate) fn resource_updated(uri: &str) {
    changed(uri);
}

pub(crate) fn config(key: &str) -> Option<String> {
    testing::current().and_then(|state| state.config.borrow().get(key).cloned())
}

pub(crate) fn granted(name: &str) -> bool {
    testing::current().is_some_and(|state| state.granted.borrow().contains(name))
}

/// Time passes without waiting.
pub(crate) fn sleep(duration: Duration) -> Result<(), Fault> {
    if let Some(state) = testing::current() {
        let before = state.slept.get();
        state.slept.set(before + duration.min(state.time_left()));
    }
    if cancelled() { Err(Fault::cancelled()) } else { Ok(()) }
}

pub(crate) fn send(request: &http::Outgoing) -> Result<http::Incoming, http::Failure> {
    match testing::current() {
        Some(state) => state.answer(testing::Request::new(request)).into_result(),
        None => Err(http::Failure::Denied),
    }
}

/// Without a harness: what the host says where it keeps no jobs.
fn jobs<T>(of: impl FnOnce(&testing::Jobs) -> Result<T, Fault>) -> Result<T, Fault> {
    match testing::current() {
        Some(state) if state.policy.borrow().is_handler() => {
            Err(Fault::denied("Jobs belong to their caller, and nobody calls a handler of events."))
        }
        Some(state) => of(&state.jobs),
        None => Err(Fault::custom("unavailable", "This host keeps no jobs.")),
    }
}

pub(crate) fn submit_job(tool: &str, arguments: &str, options: Option<&Value>) -> Result<Job, Fault> {
    jobs(|jobs| jobs.submit(tool, arguments, options))
}

pub(crate) fn get_job(id: &str) -> Result<Job, Fault> {
    jobs(|jobs| jobs.get(id))
}

pub(crate) fn job_outcome(id: &str) -> Result<ToolResult, Fault> {
    jobs(|jobs| jobs.outcome(id))
}

pub(crate) fn list_jobs(cursor: Option<&str>) -> Result<(Vec<Job>, Option<String>), Fault> {
    jobs(|jobs| jobs.list(cursor))
}

pub(crate) fn cancel_job(id: &str) -> Result<Job, Fault> {
    jobs(|jobs| jobs.cancel(id))
}
