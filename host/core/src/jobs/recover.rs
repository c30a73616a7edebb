//! The start after a stop. Nothing is continued: what had not ended is failed now, with what is known of it.

use std::collections::VecDeque;

use super::dead::{DEAD, DeadJob, MOST};
use super::job::Status;
use super::record::{RECORDS, Record, now_ms, record_key, space};
use super::table::{Entry, Table};
use crate::domain::Fault;
use crate::store::{Batch, Entry as Stored, Page, Store, StoreError};

/// Records that are changed in one step.
const AT_ONCE: usize = 100;

/// What is kept, with everything over.
pub(super) async fn recover(store: &dyn Store) -> Result<Table, StoreError> {
    let mut table = Table::default();
    let mut interrupted = Vec::new();
    for stored in all(store, RECORDS).await? {
        match Record::from_bytes(&stored.value) {
            Ok(record) if record.status.is_over() => {
                table.jobs.insert(record.id.clone(), Entry::new(record, None));
            }
            Ok(record) => interrupted.push(record),
            Err(error) => tracing::warn!(key = %stored.key, %error, "a job that cannot be read is left out"),
        }
    }
    for stored in all(store, DEAD).await? {
        match serde_json::from_slice::<DeadJob>(&stored.value) {
            Ok(dead) => table.dead.push_back(dead),
            Err(error) => {
                tracing::warn!(key = %stored.key, %error, "a dead job that cannot be read is left out")
            }
        }
    }
    if !interrupted.is_empty() {
        tracing::warn!(
            jobs = interrupted.len(),
            "jobs had not ended when the host stopped, and are failed now; `fleetgate jobs dead` lists them"
        );
    }
    for some in interrupted.chunks(AT_ONCE) {
        let mut batch = Batch::new();
        for record in some {
            let mut record = record.clone();
            let dead = interrupt(&mut record);
            batch = batch.put(record_key(&record.id), record.to_bytes(), Some(record.expires()));
            batch = dead.put(batch);
            table.dead.push_back(dead);
            table.jobs.insert(record.id.clone(), Entry::new(record, None));
        }
        store.write(&space(), batch).await?;
    }
    let surplus = trim(&mut table.dead);
    if !surplus.is_empty() {
        store
            .write(
                &space(),
                surplus.iter().take(AT_ONCE).fold(Batch::new(), |batch, dead| batch.delete(dead.key())),
            )
            .await?;
    }
    Ok(table)
}

/// The oldest, beyond what is kept.
pub(super) fn trim(dead: &mut VecDeque<DeadJob>) -> Vec<DeadJob> {
    let now = now_ms();
    let expired = dead.iter().take_while(|dead| dead.expires_ms() <= now).count();
    let surplus = dead.len().saturating_sub(MOST).max(expired);
    dead.drain(..surplus).collect()
}

/// Fails a job that the host left behind.
pub(super) fn interrupt(record: &mut Record) -> DeadJob {
    let fault = interrupted(record);
    record.status = Status::Failed;
    record.updated_ms = now_ms();
    record.message = Some(fault.message.clone());
    let dead = DeadJob::of(record, &fault);
    record.fault = Some(fault);
    dead
}

/// What its owner is told. A model that reads "retryable" reboots a device twice.
pub(super) fn interrupted(record: &Record) -> Fault {
    let fault = |message: &str| Fault::new("interrupted", message);
    match (record.status, record.harmless) {
        (Status::Queued, _) => {
            fault("the host was stopped before this job had its turn: nothing was done").retryable()
        }
        (_, true) => fault("the host was stopped while this job ran; it may be run again").retryable(),
        (_, false) => fault(
            "the host was stopped while this job ran. It is not known whether it took effect: look before repeating it",
        ),
    }
}

async fn all(store: &dyn Store, prefix: &str) -> Result<Vec<Stored>, StoreError> {
    let mut entries = Vec::new();
    let mut page = Page::of(prefix);
    loop {
        let mut listed = store.list(&space(), page.clone()).await?;
        page.after = listed.entries.last().map(|entry| entry.key.clone());
        entries.append(&mut listed.entries);
        if !listed.more {
            return Ok(entries);
        }
    }
}
