//! How many jobs there may be, and of which old ones make room.
//!
//! Each bound of `[jobs]` holds for everybody together, or for one principal; of each, one binding takes at most a
//! quarter, so that no plugin stops the jobs of the others. What a plugin keeps for itself (it submitted the job) gives
//! way to its newer ones; a client was promised its task until its time is over.

use std::sync::Arc;

use super::job::Status;
use super::table::Table;
use crate::domain::Fault;
use crate::settings::JobSettings;

/// Who wants one more job.
pub(super) struct Wanted<'a> {
    pub(super) principal: &'a str,
    pub(super) binding: &'a str,
    /// It would wait for its turn.
    pub(super) waits: bool,
}

/// What counts against one bound.
#[derive(Default)]
struct Count {
    all: usize,
    /// Of the binding.
    here: usize,
}

impl Count {
    fn add(&mut self, counts: bool, here: bool) {
        self.all += usize::from(counts);
        self.here += usize::from(counts && here);
    }

    fn is_full(&self, most: usize) -> bool {
        self.all >= most || self.here >= share(most)
    }
}

/// One binding's part of a bound.
fn share(most: usize) -> usize {
    (most / 4).max(1)
}

impl Table {
    /// Whether one more job may begin. Gives back the job that made room for it and is forgotten now.
    pub(super) fn admit(
        &mut self,
        settings: &JobSettings,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Arc<str>>, Fault> {
        let full = |message: String| Err(Fault::new("unavailable", message).retryable());
        if self.stopping {
            return full("this host is stopping and takes no jobs".into());
        }
        let [mut unfinished, mut own, mut kept, mut queued] = [(); 4].map(|()| Count::default());
        for entry in self.jobs.values() {
            let mine = *entry.record.principal == *wanted.principal;
            let here = *entry.record.binding == *wanted.binding;
            unfinished.add(mine && entry.live.is_some(), here);
            own.add(mine, here);
            kept.add(true, here);
            queued.add(entry.record.status == Status::Queued, here);
        }
        if unfinished.is_full(settings.per_principal) {
            return full(format!(
                "you have {} jobs that have not ended ({} of {}): wait for one, or cancel it",
                unfinished.all, unfinished.here, wanted.binding
            ));
        }
        if wanted.waits && queued.is_full(settings.queue) {
            return full("too many jobs wait for their turn".into());
        }
        let own_full = own.is_full(settings.kept_per_principal);
        if !own_full && !kept.is_full(settings.kept) {
            return Ok(None);
        }
        if let Some(oldest) = self.gives_way(wanted) {
            self.jobs.remove(&oldest);
            return Ok(Some(oldest));
        }
        full(if own_full {
            format!("{} of your jobs are still kept: a new one has room when the oldest goes", own.all)
        } else {
            "as many jobs are kept here as may be: a new one has room when the oldest goes".into()
        })
    }

    /// The oldest job that ended, of those that the same plugin submitted for the same principal.
    fn gives_way(&self, wanted: &Wanted<'_>) -> Option<Arc<str>> {
        let records = self.jobs.values().filter(|entry| entry.live.is_none()).map(|entry| &entry.record);
        let theirs = records.filter(|record| {
            record.submitted && *record.principal == *wanted.principal && *record.binding == *wanted.binding
        });
        theirs.min_by_key(|record| record.created_ms).map(|record| record.id.clone())
    }
}
