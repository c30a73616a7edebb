//! Waiting for the end of a job.

use fleetgate_sdk::prelude::*;

use super::client::{Api, Looks};
use super::ownership::Note;
use super::submit::Submitted;
use super::{reading, refusal};
use crate::job::{DeviceJob, JobResult, Kind, too_long};
use crate::settings;

/// Looks in a row that may fail before it is given up.
const FAILURES: u32 = 5;

/// Looks at once, and then each interval, until the job has ended or the time for it is over. A job that takes longer
/// goes on: its id is in the fault, and get_job_result takes it.
pub(super) fn wait(api: &Api, job: &DeviceJob, submitted: &Submitted) -> Result<JobResult, Fault> {
    let id = &submitted.job_id;
    let (interval, most) = (settings::poll_interval()?, settings::job_timeout()?);
    let had = call::deadline();
    let mut note = Note::of(id)?;
    let mut looks = Looks::at(api, Some(job));
    let (mut failures, mut reported) = (0, 0);
    loop {
        note.make();
        let mut pause = interval;
        match look(&mut looks, job, id) {
            Ok(mut result) => {
                failures = 0;
                reported += 1;
                let elapsed = had.saturating_sub(call::deadline());
                let message = format!("Job {id}: {} ({} s)", result.status, elapsed.as_secs());
                call::progress(f64::from(reported), None, Some(&message));
                if result.has_ended() {
                    result.warnings.extend(note.warning());
                    return compared(result, job, submitted);
                }
            }
            Err(fault) if fault.retryable && failures + 1 < FAILURES => {
                failures += 1;
                pause = pause.max(fault.retry_after.unwrap_or_default());
            }
            Err(fault) => return Err(about(fault, id)),
        }
        let left = most.saturating_sub(had.saturating_sub(call::deadline()));
        if left.is_zero() {
            return Err(too_long(id, most));
        }
        call::sleep(pause.min(left)).map_err(|fault| about(fault, id))?;
    }
}

fn look(looks: &mut Looks<'_>, job: &DeviceJob, id: &str) -> Result<JobResult, Fault> {
    let response = looks.look(job.kind.look(), id)?;
    if response.is_ok() {
        return reading::job(&response, id);
    }
    Err(refusal::of_a_job(&response, id))
}

/// The job goes on whatever became of waiting for it, and another one must not be made in its place.
fn about(fault: Fault, id: &str) -> Fault {
    let message = format!("{} The job itself was taken: ask for {id} with get_job_result.", fault.message);
    Fault { retryable: false, retry_after: None, ..fault.message(message).detail("job_id", id) }
}

/// The server compares host, platform, commands and login, and neither the kind of job, nor the port, nor what a
/// configuration is to do. So what comes back may be of another kind than what was asked for.
fn compared(mut result: JobResult, job: &DeviceJob, submitted: &Submitted) -> Result<JobResult, Fault> {
    if !submitted.deduplicated {
        return Ok(result);
    }
    let id = &result.job_id;
    let mut warning = format!(
        "NAAS did not take this job: job {id} for the same device and commands was under way, and this is its result. \
         Its port may have been another."
    );
    let of = result.results.as_ref().map(kind_of);
    match (job.kind, of) {
        (Kind::Config, Some(Kind::Command | Kind::Structured)) => {
            return Err(Fault::custom(
                "conflict",
                format!(
                    "Nothing was configured: NAAS did not take this job, because job {id}, which sent the same lines as \
                     commands, was under way. Send it again once that has ended."
                ),
            )
            .retryable()
            .detail("job_id", id.as_str())
            .detail("deduplicated", true));
        }
        (Kind::Command | Kind::Structured, Some(Kind::Config)) => {
            return Err(Fault::custom(
                "conflict",
                format!(
                    "There is no such output: NAAS did not take this job, because job {id}, which sent the same lines \
                     as configuration, was under way. Send it again once that has ended."
                ),
            )
            .retryable()
            .detail("job_id", id.as_str())
            .detail("deduplicated", true));
        }
        (Kind::Structured, Some(Kind::Command)) => {
            warning.push_str(" It was perhaps one for plain text, so that tables are missing.");
        }
        (Kind::Command, Some(Kind::Structured)) => {
            warning.push_str(" It was one for tables, so that the text is missing.");
        }
        (Kind::Config, _) => warning.push_str(" So may have been `commit` and `save_config`."),
        _ => {}
    }
    result.warnings.push(warning);
    Ok(result)
}

/// What kind of job has such results.
fn kind_of(results: &Value) -> Kind {
    let Some(results) = results.as_object() else { return Kind::Command };
    if results.keys().eq(["config_set_output"]) {
        Kind::Config
    } else if results.values().any(|value| !value.is_string()) {
        Kind::Structured
    } else {
        Kind::Command
    }
}
