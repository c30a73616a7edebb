//! Waiting for a job of the host.

use std::time::Duration;

use fleetgate_sdk::jobs;
use fleetgate_sdk::prelude::*;

use super::kept;
use crate::job::too_long;
use crate::settings;

/// The first pause. A device often answers within less than the interval for servers.
const FIRST: Duration = Duration::from_millis(50);

/// Looks again and again until the job has ended, and gives what it returned. A client that gives up ends the job: it
/// would be driving the device for nobody. One that takes longer than the time for it goes on.
pub(super) fn wait(id: &str) -> Result<ToolResult, Fault> {
    let (interval, most) = (settings::poll_interval()?, settings::job_timeout()?);
    let had = call::deadline();
    let mut pause = FIRST.min(interval);
    let mut looks = 0_u32;
    loop {
        let job = jobs::get(id)?;
        looks += 1;
        let elapsed = had.saturating_sub(call::deadline());
        let step = job.message.as_deref().map_or_else(String::new, |message| format!(", {message}"));
        let message = format!("Job {id}: {}{step} ({} s)", kept::status(&job), elapsed.as_secs());
        call::progress(f64::from(looks), None, Some(&message));
        match job.status.as_str() {
            "completed" => return jobs::outcome(id),
            "failed" | "cancelled" => return kept::job(&job)?.to_tool_result(),
            _ => {}
        }
        let left = most.saturating_sub(elapsed);
        if left.is_zero() {
            return Err(too_long(id, most));
        }
        if let Err(cancelled) = call::sleep(pause.min(left)) {
            if let Err(fault) = jobs::cancel(id) {
                log::warning(format!("Job {id} goes on although nobody waits for it: {fault}"));
            }
            return Err(cancelled.detail("job_id", id));
        }
        pause = (pause * 2).min(interval);
    }
}
