//! Jobs without a NAAS server: they are the host's own, in the shape that NAAS gives them.
//!
//! A send tool submits itself as a job of the host and waits for that, so that a client that stops waiting finds the
//! result under the same `job_id`, and cancelling a job ends the session to its device. The host keeps jobs apart by
//! caller: each sees only its own, and there is nothing to check here.
//!
//! Where the host keeps no jobs, or has no room for one more, the device is driven by the call itself: the result is the
//! same, and cannot be asked for again.

mod kept;
mod queue;
mod tables;
mod wait;

use fleetgate_sdk::jobs;
use fleetgate_sdk::prelude::*;

use crate::direct;
use crate::job::{DeviceJob, JobResult, Kind};
use crate::uuid;

pub use queue::{contexts, failed, health, list_jobs};

/// The tools whose jobs these are. Other tools may have jobs of the host, too.
const TOOLS: [&str; 3] = ["send_command", "send_command_structured", "send_config"];

/// A send tool. `given`: its arguments, to be submitted again.
pub fn send(tool: &str, given: &Value, job: &DeviceJob) -> Result<ToolResult, Fault> {
    if call::job().is_some() {
        return drive(job)?.to_tool_result();
    }
    match jobs::submit(tool, given)?.attributes(kept::attributes(job)).send() {
        Ok(submitted) => wait::wait(&submitted.id),
        Err(fault) if fault.is("unavailable") => {
            let mut result = drive(job)?;
            result.warnings.push(format!(
                "The host keeps no job of this ({}), so get_job_result will not find it.",
                fault.message.trim_end_matches('.')
            ));
            result.to_tool_result()
        }
        Err(fault) => Err(fault),
    }
}

/// The device is driven here and now.
fn drive(job: &DeviceJob) -> Result<JobResult, Fault> {
    let mut result = direct::run(job);
    if result.job_id.is_empty() {
        result.job_id = uuid::random()?;
    }
    if job.kind == Kind::Structured {
        tables::parse(&mut result, &job.platform);
    }
    Ok(result)
}

/// The job as it stands.
pub fn get_job_result(id: &str) -> Result<ToolResult, Fault> {
    kept::job(&kept::find(id)?)?.to_data()
}

/// Stops a job, and with it the session to its device.
pub fn cancel_job(id: &str) -> Result<(), Fault> {
    let job = kept::find(id)?;
    if job.has_ended() && job.status != "cancelled" {
        let said = format!("Job {id} already {}.", kept::status(&job));
        return Err(Fault::custom("conflict", said).detail("job_id", id));
    }
    jobs::cancel(id).map(drop)
}
