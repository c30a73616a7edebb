//! Waiting for the end of a job.

use fleetgate_sdk::prelude::*;

use super::client::{Api, Looks};
use super::deduplicated;
use super::ownership::Note;
use super::submit::Submitted;
use super::{reading, refusal};
use crate::job::{DeviceJob, JobResult, too_long};
use crate::settings;

/// Looks in a row that may fail before it is given up.
const FAILURES: u32 = 5;

/// Looks at once, and then each interval, until the job has ended or the time for it is over. A job that takes longer
/// goes on: its id is in the fault, and get_job_result takes it from who made it.
pub(super) fn wait(api: &Api, job: &DeviceJob, submitted: &Submitted) -> Result<JobResult, Fault> {
    let id = &submitted.job_id;
    let (interval, most) = (settings::poll_interval()?, settings::job_timeout()?);
    let had = call::deadline();
    let mut note = Note::of(submitted)?;
    let anothers = note.is_anothers();
    let mut looks = Looks::at(api, Some(job));
    if anothers {
        deduplicated::admit(&mut looks, job, id)?;
    }
    // Nothing of this caller's goes on when it stops waiting for somebody else's job.
    let about = |fault| if anothers { fault } else { about(fault, id) };
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
                    return match submitted.deduplicated {
                        true => deduplicated::compared(result, job, anothers),
                        false => Ok(result),
                    };
                }
            }
            Err(fault) if fault.retryable && failures + 1 < FAILURES => {
                failures += 1;
                pause = pause.max(fault.retry_after.unwrap_or_default());
            }
            Err(fault) => return Err(about(fault)),
        }
        let left = most.saturating_sub(had.saturating_sub(call::deadline()));
        if left.is_zero() {
            return Err(if anothers { deduplicated::too_long(most) } else { too_long(id, most) });
        }
        call::sleep(pause.min(left)).map_err(about)?;
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
