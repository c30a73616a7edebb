//! The server's lists: jobs, failed jobs, contexts, health.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

use super::client::Api;
use super::ownership::Ownership;
use super::{reading, refusal};
use crate::listing::{Asked, FailedJob, FailedJobs, JobEntry, JobList, Pagination};

/// The largest page that the server gives.
const LARGEST: u32 = 100;
/// Pages that are looked through for the caller's own jobs.
const PAGES: u32 = 20;

fn answered(api: &Api, request: http::Request) -> Result<Value, Fault> {
    let response = api.send(request)?;
    if response.is_ok() { response.json() } else { Err(refusal::of(&response)) }
}

fn page(api: &Api, asked: &Asked) -> Result<(Vec<JobEntry>, Pagination), Fault> {
    let request = api
        .get(["v2", "jobs"])
        .query("page", asked.page)
        .query("per_page", asked.per_page)
        .query_opt("status", asked.status.map(|status| status.as_str()));
    let answer = answered(api, request)?;
    let jobs: Vec<_> = reading::list(&answer, "jobs")?.iter().filter_map(reading::entry).collect();
    let said = answer.get("pagination").cloned().unwrap_or_default();
    let count = |key: &str| reading::count(&said, key);
    let total = count("total").unwrap_or_else(|| u32::try_from(jobs.len()).unwrap_or(u32::MAX));
    let per_page = count("per_page").filter(|size| *size > 0).unwrap_or(asked.per_page);
    let pagination = Pagination {
        page: count("page").unwrap_or(asked.page),
        per_page,
        total,
        pages: count("pages").unwrap_or_else(|| total.div_ceil(per_page)),
    };
    Ok((jobs, pagination))
}

/// The server's own page; for who sees only some jobs, a page of these.
pub(super) fn jobs(api: &Api, asked: &Asked, ownership: &Ownership) -> Result<JobList, Fault> {
    let Some(own) = ownership.ids()? else {
        let (jobs, pagination) = page(api, asked)?;
        return Ok(JobList { jobs, pagination, warnings: Vec::new() });
    };
    let mut found: BTreeMap<String, ()> = BTreeMap::new();
    let mut jobs = Vec::new();
    let mut more = false;
    for number in 1..=PAGES {
        if found.len() == own.len() {
            break;
        }
        let whole = Asked { page: number, per_page: LARGEST, status: asked.status };
        let (listed, pagination) = page(api, &whole)?;
        // A job that moves on meanwhile is on two pages.
        jobs.extend(
            listed
                .into_iter()
                .filter(|job| own.contains(&job.job_id) && found.insert(job.job_id.clone(), ()).is_none()),
        );
        if number >= pagination.pages {
            break;
        }
        more = number == PAGES;
    }
    let mut list = asked.of(jobs);
    if more {
        let seen = PAGES * LARGEST;
        list.warnings
            .push(format!("The server has more jobs than the {seen} that were looked through for yours."));
    }
    Ok(list)
}

/// `GET /v2/jobs/failed`: everybody's, or the caller's own.
pub fn failed() -> Result<FailedJobs, Fault> {
    let api = Api::connect()?;
    let own = Ownership::of_caller()?.ids()?;
    let answer = answered(&api, api.get(["v2", "jobs", "failed"]))?;
    let jobs: Vec<_> = reading::list(&answer, "jobs")?
        .iter()
        .filter_map(failure)
        .filter(|job| own.as_ref().is_none_or(|own| own.contains(&job.job_id)))
        .collect();
    Ok(FailedJobs { total: jobs.len(), jobs })
}

fn failure(entry: &Value) -> Option<FailedJob> {
    let text = |key: &str| reading::text(entry, key);
    Some(FailedJob {
        job_id: text("job_id")?,
        host: text("host"),
        platform: text("platform"),
        port: reading::count(entry, "port").and_then(|port| u16::try_from(port).ok()),
        failed_at: text("failed_at"),
        error: text("error"),
        error_code: text("error_code"),
        error_retryable: entry.get("error_retryable").and_then(Value::as_bool),
        func: text("func"),
    })
}

/// `GET /v2/contexts`.
pub fn contexts() -> Result<Value, Fault> {
    let api = Api::connect()?;
    let answer = answered(&api, api.get(["v2", "contexts"]))?;
    Ok(json!({ "contexts": reading::list(&answer, "contexts")? }))
}

/// `GET /healthcheck`. A server that is not well may say so with a status of its own, and is understood all the same.
pub fn health() -> Result<Value, Fault> {
    let api = Api::connect()?;
    let response = api.send(api.get(["healthcheck"]))?;
    let body = response.json::<Value>().ok().filter(|body| reading::text(body, "status").is_some());
    match body {
        Some(Value::Object(mut health)) if response.is_ok() || health.contains_key("components") => {
            health.shift_remove("app");
            Ok(Value::Object(health))
        }
        _ if response.is_ok() => Err(Fault::upstream("NAAS answered to /healthcheck without a `status`.")),
        _ => Err(refusal::of(&response)),
    }
}
