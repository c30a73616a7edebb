//! What the operator set, see `[config]` in `plugin.toml`.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

/// A pause shorter than this would ask the server for nothing but work.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// What stays of the call's time for saying that the job did not end.
const MARGIN: Duration = Duration::from_secs(5);

/// How long one request to NAAS may take.
///
/// # Errors
/// `internal` when the manifest declares another type.
pub fn request_timeout() -> Result<Duration, Fault> {
    Ok(config::duration("timeout")?.unwrap_or(Duration::from_secs(30)))
}

/// The pause between two looks at a job.
///
/// # Errors
/// `internal` when the manifest declares another type.
pub fn poll_interval() -> Result<Duration, Fault> {
    Ok(config::duration("poll_interval")?.unwrap_or(Duration::from_secs(2)).max(SHORTEST_PAUSE))
}

/// How long to wait for a job: what was set, and no longer than this call has.
///
/// # Errors
/// `internal` when the manifest declares another type.
pub fn job_timeout() -> Result<Duration, Fault> {
    let set = config::duration("job_timeout")?.unwrap_or(Duration::from_secs(300));
    Ok(set.min(call::deadline().saturating_sub(MARGIN)))
}

/// Whether callers see the jobs of others, too.
///
/// # Errors
/// `internal` when the manifest declares another type.
pub fn shared_jobs() -> Result<bool, Fault> {
    Ok(config::boolean("shared_jobs")?.unwrap_or(false))
}
