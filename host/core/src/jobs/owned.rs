//! What a job's owner can do with it: look, list, answer, cancel. For everybody else there is no such job.

use std::time::Duration;

use serde_json::{Map, Value};

use super::access::Access;
use super::engine::Jobs;
use super::job::{Job, Status};
use super::record::{now_ms, result_key};
use super::result;
use super::table::{Entry, Table, Why};
use crate::domain::ToolResult;
use crate::store::StoreError;

/// Jobs on one page of a list.
const PAGE: usize = 100;

/// One page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobsPage {
    /// At most 100.
    pub jobs: Vec<Job>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl Jobs {
    /// One job. None: there is none of this id for who asks.
    pub fn get(&self, access: &Access<'_>, id: &str) -> Option<Job> {
        self.table().find(access, id).map(Entry::job)
    }

    /// What a completed job returned. None: it has none, or it is gone by now.
    pub async fn result(&self, job: &Job) -> Result<Option<ToolResult>, StoreError> {
        if job.status != Status::Completed {
            return Ok(None);
        }
        let stored = self.store.get(&self.space, &result_key(&job.id)).await?;
        Ok(stored.and_then(|stored| result::from_bytes(&stored.value)))
    }

    /// The jobs of who asks, newest first. None: the cursor is none of ours.
    pub fn list(&self, access: &Access<'_>, cursor: Option<&str>) -> Option<JobsPage> {
        let after = match cursor {
            None => None,
            Some(cursor) => {
                let (created, id) = cursor.split_once('-')?;
                Some((created.parse::<u64>().ok()?, id))
            }
        };
        let table = self.table();
        let place = |entry: &&Entry| (entry.record.created_ms, entry.record.id.clone());
        let mut found: Vec<&Entry> = table
            .jobs
            .values()
            .filter(|entry| entry.is_seen(access))
            .filter(|entry| {
                after.is_none_or(|(created, id)| (entry.record.created_ms, &*entry.record.id) < (created, id))
            })
            .collect();
        found.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
        let next = (found.len() > PAGE).then(|| {
            let last = &found[PAGE - 1].record;
            format!("{}-{}", last.created_ms, last.id)
        });
        Some(JobsPage { jobs: found.into_iter().take(PAGE).map(Entry::job).collect(), next })
    }

    /// Gives a job answers to what it asks, by the keys that [`Job::asks`] shows. What it does not ask is left out;
    /// when nothing is open any more it goes on, with the roles that who answers holds now. None: there is none of
    /// this id for who asks.
    pub fn answer(&self, access: &Access<'_>, id: &str, answers: &Map<String, Value>) -> Option<Job> {
        let mut table = self.table();
        // What is not live any more can be stopped, and does not go on.
        table.find(access, id).filter(|entry| access.covers(&entry.record, None))?;
        table.change(id, |entry| {
            if let Some(live) = &mut entry.live
                && live.answer(access.principal, answers)
            {
                entry.record.status = Status::Queued;
            }
        });
        self.changed.notify_one();
        table.jobs.get(id).map(Entry::job)
    }

    /// Stops a job: its guest is ended, and it is `cancelled` soon, unless it ends by itself before that. One that is
    /// over stays as it is. None: there is none of this id for who asks.
    pub fn cancel(&self, access: &Access<'_>, id: &str) -> Option<Job> {
        let mut table = self.table();
        table.find(access, id)?;
        let entry = table.jobs.get_mut(id)?;
        if let Some(live) = &mut entry.live {
            live.stop(Why::Asked);
        }
        Some(entry.job())
    }

    /// How long a client may wait between two looks at a job.
    pub fn poll_interval(&self) -> Duration {
        Duration::from_secs(1)
    }
}

impl Table {
    fn find(&self, access: &Access<'_>, id: &str) -> Option<&Entry> {
        self.jobs.get(id).filter(|entry| entry.is_seen(access))
    }
}

impl Entry {
    fn is_seen(&self, access: &Access<'_>) -> bool {
        let began = self.live.as_ref().map(|live| &live.found);
        self.is_known() && self.record.expires_ms() > now_ms() && access.covers(&self.record, began)
    }
}
