//! Lists of jobs, in the shape of `GET /v2/jobs`.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

/// Jobs on one page of the resource and by default.
pub const USUAL_PAGE: u32 = 20;

/// Where a job may be that is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for a worker.
    Queued,
    /// Runs.
    Started,
    /// Came to its end; the device may have refused it.
    Finished,
    /// Did not come to its end.
    Failed,
}

impl State {
    /// As NAAS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

/// Which jobs are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Counted from 1.
    pub page: u32,
    /// 1 to 100.
    pub per_page: u32,
    /// None: all.
    pub status: Option<State>,
}

impl Asked {
    /// What can be asked.
    pub fn new(page: u32, per_page: u32, status: Option<State>) -> Result<Self, Fault> {
        if page == 0 {
            return Err(Fault::invalid("/page", "Pages are counted from 1."));
        }
        if !(1..=100).contains(&per_page) {
            return Err(Fault::invalid("/per_page", format!("A page has 1 to 100 jobs, not {per_page}.")));
        }
        Ok(Self { page, per_page, status })
    }

    /// What a client gets that asks for nothing.
    #[must_use]
    pub fn first() -> Self {
        Self { page: 1, per_page: USUAL_PAGE, status: None }
    }

    /// This page of all there are.
    #[must_use]
    pub fn of(&self, all: Vec<JobEntry>) -> JobList {
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let skipped = (self.page as usize - 1).saturating_mul(self.per_page as usize);
        let jobs = all.into_iter().skip(skipped).take(self.per_page as usize).collect();
        let pages = total.div_ceil(self.per_page);
        let pagination = Pagination { page: self.page, per_page: self.per_page, total, pages };
        JobList { jobs, pagination, warnings: Vec::new() }
    }
}

/// One page of jobs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobList {
    /// The jobs of this page.
    pub jobs: Vec<JobEntry>,
    /// Where this page stands.
    pub pagination: Pagination,
    /// What should be known about the list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobEntry {
    /// get_job_result and cancel_job take it.
    pub job_id: String,
    /// `queued`, `started`, `finished` or `failed`.
    pub status: String,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339. Null: it has not ended.
    pub ended_at: Option<String>,
    /// The job's tags.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Where a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pagination {
    /// Counted from 1.
    pub page: u32,
    /// Jobs on a page.
    pub per_page: u32,
    /// Jobs on all pages.
    pub total: u32,
    /// How many pages there are.
    pub pages: u32,
}

/// The jobs that did not come to an end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedJobs {
    /// At most 500.
    pub jobs: Vec<FailedJob>,
    /// How many these are.
    pub total: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedJob {
    /// Its id.
    pub job_id: String,
    /// Which device.
    pub host: Option<String>,
    /// Its platform.
    pub platform: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// RFC 3339.
    pub failed_at: Option<String>,
    /// Why.
    pub error: Option<String>,
    /// The same for programs.
    pub error_code: Option<String>,
    /// Whether the same job may succeed later.
    pub error_retryable: Option<bool>,
    /// What ran.
    pub func: Option<String>,
}
