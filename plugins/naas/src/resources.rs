//! The resources, in both modes.

use fleetgate_sdk::prelude::*;

use crate::listing::{Asked, FailedJobs, JobList};
use crate::mode::Mode;
use crate::{api, hosted};

/// How the NAAS server is: `status` (`healthy`, `degraded`, `no_workers`), version, uptime, and its queue and workers.
/// Without a server (`mode` is `direct`): that of this plugin.
#[resource(
    uri = "naas://health",
    requires = "any",
    name = "health",
    title = "Health",
    mime_type = "application/json"
)]
pub fn health() -> Result<Json<Value>, Fault> {
    match Mode::granted()? {
        Mode::Api => api::queue::health(),
        Mode::Direct => hosted::health(),
    }
    .map(Json)
}

/// The routing contexts with their workers and the depth of their queues.
#[resource(
    uri = "naas://contexts",
    requires = "viewer",
    name = "contexts",
    title = "Routing contexts",
    mime_type = "application/json"
)]
pub fn contexts() -> Result<Json<Value>, Fault> {
    match Mode::granted()? {
        Mode::Api => api::queue::contexts(),
        Mode::Direct => hosted::contexts(),
    }
    .map(Json)
}

/// The first page of the jobs that the caller may see, as list_jobs gives it.
#[resource(
    uri = "naas://jobs",
    requires = "viewer",
    name = "jobs",
    title = "Jobs",
    mime_type = "application/json"
)]
pub fn jobs() -> Result<Json<JobList>, Fault> {
    match Mode::granted()? {
        Mode::Api => api::list_jobs(&Asked::first()),
        Mode::Direct => hosted::list_jobs(&Asked::first()),
    }
    .map(Json)
}

/// The jobs that did not come to their end (a worker crashed or ran out of time), with device and error. A job that a
/// device refused has finished, and is not among them.
#[resource(
    uri = "naas://jobs/failed",
    requires = "operator",
    name = "failed_jobs",
    title = "Failed jobs",
    mime_type = "application/json"
)]
pub fn failed_jobs() -> Result<Json<FailedJobs>, Fault> {
    match Mode::granted()? {
        Mode::Api => api::queue::failed(),
        Mode::Direct => hosted::failed(),
    }
    .map(Json)
}
