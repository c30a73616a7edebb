//! The stations of a job that runs, up to its end: its result is durable before anybody sees that it is over.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::dead::{self, DeadJob, is_death};
use super::drive::Over;
use super::engine::Jobs;
use super::job::Status;
use super::record::{Record, fault_bytes, now_ms, record_key, result_key};
use super::recover::{interrupted, trim};
use super::result;
use super::table::{GoOn, Why};
use crate::call::{Answered, Refused};
use crate::domain::{Fault, Question, ToolResult};
use crate::store::{Batch, StoreError};
use crate::units::format_size;

/// What becomes of a job.
#[derive(Default)]
struct Fate {
    /// The bytes to keep.
    result: Option<Vec<u8>>,
    /// What the operator is to know.
    dead: Option<DeadJob>,
    /// Taken from the room for results until the record says what it keeps.
    reserved: u64,
}

/// Results over this size are made ready for the store on a thread of their own.
const SMALL: usize = 64 << 10;

impl Jobs {
    /// A job has its turn.
    pub(super) async fn working(&self, id: &str) {
        let changed = {
            let mut table = self.table();
            let queued = table.jobs.get(id).is_some_and(|entry| entry.record.status != Status::Working);
            queued && table.change(id, |entry| entry.record.status = Status::Working)
        };
        if changed {
            self.save_if_known(id).await;
        }
    }

    /// Gives the end of a first run to the client that still waits for it: then there never was a job. Else the end
    /// comes back.
    pub(super) fn hand_over(
        &self,
        id: &str,
        ended: Result<Answered, Refused>,
    ) -> Option<Result<Answered, Refused>> {
        let waiting = {
            let mut table = self.table();
            let waiting = table.jobs.get_mut(id).and_then(|entry| entry.live.as_mut()?.waiting.take());
            if waiting.is_some() {
                table.jobs.remove(id);
            }
            waiting
        };
        match waiting {
            // Who went away meanwhile needs no answer.
            Some(waiting) => {
                let _ = waiting.send(ended);
                None
            }
            None => Some(ended),
        }
    }

    /// Shows a job's question to its owner. None: the job is gone.
    pub(super) async fn ask(
        &self,
        id: &str,
        question: Question,
        reference: Option<Arc<str>>,
    ) -> Option<oneshot::Receiver<GoOn>> {
        let mut answered = None;
        self.table().change(id, |entry| {
            entry.record.status = Status::InputRequired;
            entry.record.reference = reference;
            answered = entry.live.as_mut().map(|live| live.ask(question));
        });
        self.save_if_known(id).await;
        answered
    }

    /// A job is over. Its result is durable before anybody sees that it is.
    pub(super) async fn end(&self, id: &str, over: Over, reference: Option<Arc<str>>) {
        let Some(saving) = self.table().jobs.get(id).map(|entry| entry.saving.clone()) else { return };
        let _saving = saving.lock().await;
        let (mut record, why, told) = {
            let mut table = self.table();
            let Some(entry) = table.jobs.get_mut(id) else { return };
            let Some(live) = &entry.live else { return };
            if !live.recorded {
                // Nobody has heard of it.
                table.jobs.remove(id);
                return;
            }
            (entry.record.clone(), live.why, live.observer.told())
        };
        record.reference = reference.or(record.reference);
        let Fate { result, mut dead, reserved } = self.fate(&mut record, over, why).await;
        let expired = why == Some(Why::Expired) && record.status == Status::Failed;
        let written = self.write_end(&record, result, dead.as_ref(), expired).await;
        if let Err(error) = written {
            tracing::error!(%error, job = %id, "the end of a job cannot be recorded");
            if record.status == Status::Completed {
                let fault = unkept(&record, &error.to_string());
                dead = Some(fail(&mut record, fault));
                if let Err(error) = self.write_end(&record, None, dead.as_ref(), false).await {
                    tracing::error!(%error, job = %id, "nor that its result is lost");
                }
            }
        }
        let mut table = self.table();
        table.reserved -= reserved;
        if let Some(dead) = dead {
            table.dead.push_back(dead);
        }
        if expired {
            table.jobs.remove(id);
        } else if let Some(entry) = table.jobs.get_mut(id) {
            entry.bytes = record.kept_bytes();
            (entry.record, entry.told, entry.live) = (record, told, None);
            entry.version += 1;
        }
        self.changed.notify_one();
    }

    /// What a job's end means for its record.
    async fn fate(&self, record: &mut Record, over: Over, why: Option<Why>) -> Fate {
        record.updated_ms = now_ms();
        match (over, why) {
            (Over::Completed(result), _) => {
                let bytes = encoded(result).await;
                let (length, most) = (bytes.len() as u64, self.settings.results);
                if !self.table().reserve(length, most) {
                    let reason =
                        format!("it has {length} bytes, and results may take {} in all", format_size(most));
                    let fault = unkept(record, &reason);
                    return Fate { dead: Some(fail(record, fault)), ..Fate::default() };
                }
                record.status = Status::Completed;
                record.result_bytes = length;
                Fate { result: Some(bytes), dead: None, reserved: length }
            }
            (_, Some(Why::Host)) => {
                let fault = interrupted(record);
                Fate { dead: Some(fail(record, fault)), ..Fate::default() }
            }
            (_, Some(Why::Expired)) => {
                let fault = Fault::new("timeout", "it had not ended when it was not kept any longer");
                Fate { dead: Some(fail(record, fault)), ..Fate::default() }
            }
            (Over::Cancelled, _) => {
                record.status = Status::Cancelled;
                record.message = None;
                Fate::default()
            }
            (Over::Failed(mut fault), _) => {
                let mut reserved = fault_bytes(&fault);
                if !self.table().reserve(reserved, self.settings.results) {
                    (fault.details, reserved) = (None, 0);
                }
                let dies = is_death(&fault);
                let dead = fail(record, fault);
                Fate { result: None, dead: dies.then_some(dead), reserved }
            }
        }
    }

    async fn write_end(
        &self,
        record: &Record,
        result: Option<Vec<u8>>,
        dead: Option<&DeadJob>,
        expired: bool,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch = if expired {
            batch.delete(record_key(&record.id))
        } else {
            batch.put(record_key(&record.id), record.to_bytes(), Some(record.expires()))
        };
        if let Some(bytes) = result {
            batch = batch.put(result_key(&record.id), bytes, Some(record.expires()));
        }
        if let Some(dead) = dead {
            batch = dead.put(batch);
            // The new one needs a place.
            let surplus = {
                let mut table = self.table();
                let mut surplus = trim(&mut table.dead);
                if table.dead.len() >= dead::MOST {
                    surplus.extend(table.dead.pop_front());
                }
                surplus
            };
            batch = surplus.iter().take(100).fold(batch, |batch, dead| batch.delete(dead.key()));
        }
        self.store.write(&self.space, batch).await.map(|_| ())
    }
}

async fn encoded(result: ToolResult) -> Vec<u8> {
    let large = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let blocks =
        result.content.iter().map(|block| large(&block.text) + block.data.as_ref().map_or(0, Vec::len));
    let bytes: usize = blocks.sum::<usize>() + result.structured.as_ref().map_or(0, |json| json.get().len());
    if bytes <= SMALL {
        return result::to_bytes(result);
    }
    tokio::task::spawn_blocking(|| result::to_bytes(result)).await.unwrap_or_default()
}

fn fail(record: &mut Record, fault: Fault) -> DeadJob {
    let dead = DeadJob::of(record, &fault);
    record.status = Status::Failed;
    record.message = Some(fault.message.clone());
    record.result_bytes = 0;
    record.fault = Some(fault);
    dead
}

/// A result that is lost although the tool did its work.
fn unkept(record: &Record, reason: &str) -> Fault {
    let message = format!("the tool ran to its end, but its result could not be kept: {reason}");
    let fault = Fault::new("internal", message);
    if record.harmless { fault.retryable() } else { fault }
}
