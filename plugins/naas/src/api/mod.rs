//! The NAAS REST API, version 2, as the tools see it.
//!
//! - [`client`] sends: one place for timeouts, repeats and logins. [`refusal`] says what a status means, [`reading`]
//!   reads what comes back.
//! - [`submit`] and [`wait`] are the two halves of a send tool: the server takes a job, and it is asked until that has
//!   ended.
//! - [`deduplicated`] decides what becomes of a job that was like one under way.
//! - [`ownership`] says whose a job is: the server knows one identity for all callers of this binding.
//! - [`queue`] are the lists, [`keys`] the server's API keys.
//!
//! Three things about the server shape this. A device that refuses is a job that *finished*, with an `error`. A job that
//! is like one under way is not taken: the other one's id comes back (`deduplicated`). And some servers take a job from
//! a Bearer token that they do not let read it: then the login of the device is tried, which is what such a server
//! compares.

mod client;
mod deduplicated;
pub mod keys;
mod ownership;
pub mod queue;
mod reading;
mod refusal;
mod submit;
mod wait;

use fleetgate_sdk::prelude::*;

use crate::job::{DeviceJob, JobResult};
use crate::listing::{Asked, JobList};
use client::{Api, Looks};
use ownership::Ownership;

/// The manifest's request for the API.
pub const CAPABILITY: &str = "http.api";
/// The manifest's request for a second login, for servers that let a Bearer token submit and not read.
const READS: &str = "http.reads";
/// The manifest's request for managing keys.
const ADMIN: &str = "http.admin";

/// A send tool: submits the job and waits for its end.
pub fn send(job: &DeviceJob) -> Result<ToolResult, Fault> {
    let api = Api::connect()?;
    let submitted = submit::submit(&api, job)?;
    wait::wait(&api, job, &submitted)?.to_tool_result()
}

/// The job as it stands.
pub fn get_job_result(id: &str) -> Result<ToolResult, Fault> {
    // The job that only notes whose an id is, see `ownership`.
    if call::job().is_some() {
        return JobResult::at(id, "queued").to_data();
    }
    Ownership::of_caller()?.check(id)?;
    let api = Api::connect()?;
    let response = Looks::at(&api, None).look("send-command", id)?;
    if !response.is_ok() {
        return Err(refusal::of_a_job(&response, id));
    }
    reading::job(&response, id)?.to_data()
}

/// Stops a job, as far as the server does.
pub fn cancel_job(id: &str) -> Result<(), Fault> {
    Ownership::of_caller()?.check(id)?;
    let api = Api::connect()?;
    let response = Looks::at(&api, None).cancel(id)?;
    if response.is_ok() { Ok(()) } else { Err(refusal::of_a_job(&response, id)) }
}

/// One page of jobs.
pub fn list_jobs(asked: &Asked) -> Result<JobList, Fault> {
    queue::jobs(&Api::connect()?, asked, &Ownership::of_caller()?)
}
