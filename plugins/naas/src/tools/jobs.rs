//! get_job_result, cancel_job, list_jobs.

use fleetgate_sdk::prelude::*;

use crate::job;
use crate::listing::{Asked, JobList, State};
use crate::mode::Mode;
use crate::{api, hosted};

/// Which job.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneJob {
    /// The `job_id` that a send tool or list_jobs gave.
    #[schemars(length(min = 1, max = 128))]
    pub job_id: String,
}

/// Gives a job as it stands now, without waiting: `status` (`queued`, `started`, `finished`, `failed`, `canceled`) and,
/// once it has finished, its `results` or its `error`. Use it after a send tool said that a job did not complete in
/// time. Changes nothing.
#[tool(
    title = "Get job result",
    requires = "viewer",
    read_only,
    open_world,
    audit = ["/job_id"],
    reach = {
        "http.api" = { methods = ["GET"], paths = ["GET /v2/send-command/*"] },
        "http.reads" = { methods = ["GET"], paths = ["GET /v2/send-command/*"] }
    },
    output_schema = job::schema
)]
pub fn get_job_result(args: OneJob) -> Result<ToolResult, Fault> {
    check(&args.job_id)?;
    match Mode::granted()? {
        Mode::Api => api::get_job_result(&args.job_id),
        Mode::Direct => hosted::get_job_result(&args.job_id),
    }
}

/// Cancels a job that is queued or running. A job that a NAAS server has already started goes on at the device all the
/// same, and may end as `finished` later; without a NAAS server the session to the device is ended. Lines of
/// configuration that were already sent stay applied.
#[tool(
    title = "Cancel job",
    requires = "operator",
    destructive,
    idempotent,
    open_world,
    audit = ["/job_id"],
    reach = {
        "http.api" = { methods = ["DELETE"], paths = ["DELETE /v2/jobs/*"] },
        "http.reads" = { methods = ["DELETE"], paths = ["DELETE /v2/jobs/*"] },
        "http.admin" = { methods = ["POST"], paths = ["DELETE /v2/api-keys/*"] }
    }
)]
pub fn cancel_job(args: OneJob) -> Result<String, Fault> {
    check(&args.job_id)?;
    match Mode::granted()? {
        Mode::Api => api::cancel_job(&args.job_id)?,
        Mode::Direct => hosted::cancel_job(&args.job_id)?,
    }
    Ok(format!("Job {} cancelled.", args.job_id))
}

/// Which jobs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListJobs {
    /// Which page, counted from 1.
    #[serde(default = "first")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub page: u32,
    /// Jobs on a page.
    #[serde(default = "usual")]
    #[schemars(range(min = 1, max = 100))]
    pub per_page: u32,
    /// Only jobs in this state.
    pub status: Option<State>,
}

fn first() -> u32 {
    1
}

fn usual() -> u32 {
    20
}

/// Lists jobs by page: those that the caller submitted, or everybody's for callers who may see them. Without `status`,
/// finished ones come first, then failed, started and queued ones. Changes nothing.
#[tool(
    title = "List jobs",
    requires = "viewer",
    read_only,
    open_world,
    reach = { "http.api" = { methods = ["GET"], paths = ["GET /v2/jobs"] } }
)]
pub fn list_jobs(args: ListJobs) -> Result<JobList, Fault> {
    let asked = Asked::new(args.page, args.per_page, args.status)?;
    match Mode::granted()? {
        Mode::Api => api::list_jobs(&asked),
        Mode::Direct => hosted::list_jobs(&asked),
    }
}

fn check(job_id: &str) -> Result<(), Fault> {
    let fits = (1..=128).contains(&job_id.len())
        && job_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if fits {
        return Ok(());
    }
    Err(Fault::invalid("/job_id", "A job id has letters, digits and hyphens: give it as a tool returned it."))
}
