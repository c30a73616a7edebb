//! How a job's record comes into the store, and into sight once it is there.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::engine::Jobs;
use super::job::Job;
use super::record::{record_key, result_key};
use super::table::Entry;
use crate::store::{Batch, StoreError};

impl Jobs {
    /// Takes a job that made room for another out of the store. What stays there because the store refuses is not
    /// shown, and expires.
    pub(super) async fn forget(&self, forgotten: &Option<Arc<str>>) {
        let Some(id) = forgotten else { return };
        let batch = Batch::new().delete(record_key(id)).delete(result_key(id));
        if let Err(error) = self.store.write(&self.space, batch).await {
            tracing::error!(%error, job = %id, "a job that made room for another is still recorded");
        }
    }

    pub(super) async fn record(
        &self,
        id: &Arc<str>,
        arguments: Map<String, Value>,
        hash: String,
    ) -> Result<Job, StoreError> {
        let recorded = self.record_as(id, arguments, hash).await?;
        Ok(recorded.expect("nothing ends it before it has begun"))
    }

    /// Brings a job into the store, and then into sight. None: it ended meanwhile.
    pub(super) async fn record_as(
        &self,
        id: &Arc<str>,
        arguments: Map<String, Value>,
        hash: String,
    ) -> Result<Option<Job>, StoreError> {
        self.table().change(id, |entry| {
            entry.record.arguments = arguments;
            entry.record.arguments_hash = hash;
        });
        let Some(version) = self.save(id).await? else { return Ok(None) };
        let changed = {
            let mut table = self.table();
            let Some(entry) = table.jobs.get_mut(id) else { return Ok(None) };
            if let Some(live) = &mut entry.live {
                live.recorded = true;
                live.waiting = None;
                live.observer.detach();
            }
            entry.version != version
        };
        if changed {
            // It had its turn while it was recorded as waiting.
            self.save_if_known(id).await;
        }
        self.changed.notify_one();
        Ok(self.table().jobs.get(id).map(Entry::job))
    }

    /// Brings a job's record into the store as it is now, and says which version that was. None: it is gone.
    pub(super) async fn save(&self, id: &str) -> Result<Option<u64>, StoreError> {
        let Some(saving) = self.table().jobs.get(id).map(|entry| entry.saving.clone()) else {
            return Ok(None);
        };
        let _saving = saving.lock().await;
        let (batch, version) = {
            let table = self.table();
            let Some(entry) = table.jobs.get(id) else { return Ok(None) };
            let record = &entry.record;
            (Batch::new().put(record_key(id), record.to_bytes(), Some(record.expires())), entry.version)
        };
        self.store.write(&self.space, batch).await?;
        Ok(Some(version))
    }

    /// The same for a change that nobody was promised.
    pub(super) async fn save_if_known(&self, id: &str) {
        if !self.table().jobs.get(id).is_some_and(Entry::is_known) {
            return;
        }
        if let Err(error) = self.save(id).await {
            tracing::error!(%error, job = %id, "the state of a job cannot be recorded");
        }
        self.changed.notify_one();
    }
}
