//! The one thread that writes. Records are written in the order in which they were handed over; whoever waits for
//! the disk waits together with everybody who came meanwhile (group commit).

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use fleetgate_core::audit::AuditFailed;

use super::segment::Segment;

/// The longest time that an outcome stays unsynced.
const SYNC_WITHIN: Duration = Duration::from_secs(1);
/// Records that share one sync.
const MOST_IN_A_BATCH: usize = 1024;

/// What the writer is asked to do.
pub(super) enum Job {
    /// Append a line. With somebody waiting: sync it too, and say how it went.
    Append { line: Vec<u8>, waiting: Option<SyncSender<Result<(), AuditFailed>>> },
    /// Sync everything so far, and say how it went.
    Flush(SyncSender<Result<(), AuditFailed>>),
}

/// Runs until every sender is gone; then everything is written and synced.
pub(super) fn run(mut segment: Segment, jobs: &Receiver<Job>) {
    let mut unsynced_since: Option<Instant> = None;
    loop {
        let first = match unsynced_since {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => jobs.recv_timeout(SYNC_WITHIN.saturating_sub(since.elapsed())),
        };
        match first {
            Ok(first) => {
                let batch = std::iter::once(first).chain(jobs.try_iter().take(MOST_IN_A_BATCH - 1));
                match write_batch(&mut segment, batch) {
                    Wrote::Synced => unsynced_since = None,
                    Wrote::Unsynced => unsynced_since = unsynced_since.or_else(|| Some(Instant::now())),
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                report(segment.sync_behind());
                unsynced_since = None;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    report(segment.sync());
}

enum Wrote {
    Synced,
    Unsynced,
}

fn write_batch(segment: &mut Segment, batch: impl Iterator<Item = Job>) -> Wrote {
    segment.refresh();
    let mut waiting = Vec::new();
    for job in batch {
        match job {
            Job::Append { line, waiting: None } => {
                if let Err(error) = segment.append(&line) {
                    // The call has happened. Its record goes to the log as a last resort.
                    let record = String::from_utf8_lossy(&line);
                    tracing::error!(%error, record = record.trim_end(), "an outcome could not be recorded");
                }
            }
            Job::Append { line, waiting: Some(who) } => match segment.append(&line) {
                Ok(()) => waiting.push(who),
                Err(error) => answer(&who, Err(failed(&error))),
            },
            Job::Flush(who) => waiting.push(who),
        }
    }
    if waiting.is_empty() {
        return Wrote::Unsynced;
    }
    let synced = segment.sync().map_err(|error| failed(&error));
    for who in waiting {
        answer(&who, synced.clone());
    }
    Wrote::Synced
}

fn report(synced: std::io::Result<()>) {
    if let Err(error) = synced {
        tracing::error!(%error, "the last outcomes may not be on the disk");
    }
}

fn failed(error: &std::io::Error) -> AuditFailed {
    AuditFailed { reason: error.to_string() }
}

/// Whoever asked may have gone.
fn answer(who: &SyncSender<Result<(), AuditFailed>>, result: Result<(), AuditFailed>) {
    let _ = who.send(result);
}
