//! The one thread that writes. Whoever waits for the disk waits together with everybody who came meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use fleetgate_core::store::{Batch, Key, Space, StoreError};
use redb::ReadableDatabase;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::embedded::Shared;
use super::rows::{self, Rows, SWEPT};

/// Writes that share one commit, and the bytes of theirs after which no more join.
const MOST: usize = 256;
const MOST_BYTES: usize = 32 << 20;
/// How often what has expired is deleted where nobody writes. Who writes takes some of it along.
const SWEEP: Duration = Duration::from_secs(30);

pub(super) type Written = Result<Vec<u64>, StoreError>;

/// What the writer is asked to do.
pub(super) enum Asked {
    /// A write.
    Write(Request),
    /// What was asked for before, and then no more.
    Stop,
}

/// One write, and who waits for it.
pub(super) struct Request {
    pub(super) space: Space,
    pub(super) batch: Batch,
    /// By which it is known when it is asked for again.
    pub(super) name: Option<Key>,
    pub(super) answer: oneshot::Sender<Written>,
    /// Its place among those that wait.
    pub(super) place: OwnedSemaphorePermit,
}

/// Runs until it is told to stop; then the file is closed.
pub(super) fn run(shared: &Arc<Shared>, asked: &Receiver<Asked>) {
    let mut swept = Instant::now();
    let mut stopping = false;
    while !stopping {
        match asked.recv_timeout(SWEEP.saturating_sub(swept.elapsed())) {
            Ok(Asked::Write(first)) => write(shared, together(first, asked, &mut stopping)),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Asked::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
        if swept.elapsed() >= SWEEP {
            let all = guarded(shared, || sweep(shared)).unwrap_or_else(|error| {
                tracing::warn!(%error, "what has expired cannot be deleted now");
                true
            });
            // The rest follows behind the writes that wait.
            if all {
                swept = Instant::now();
            }
        }
    }
    shared.close();
}

/// What waits by now.
fn together(first: Request, asked: &Receiver<Asked>, stopping: &mut bool) -> Vec<Request> {
    let mut bytes = first.batch.bytes();
    let mut group = vec![first];
    while group.len() < MOST && bytes < MOST_BYTES {
        match asked.try_recv() {
            Ok(Asked::Write(next)) => {
                bytes += next.batch.bytes();
                group.push(next);
            }
            Ok(Asked::Stop) => {
                *stopping = true;
                break;
            }
            Err(_) => break,
        }
    }
    group
}

fn write(shared: &Arc<Shared>, group: Vec<Request>) {
    let written = match whole(shared, &group) {
        Ok(written) => written,
        // What may have been done is not done again.
        Err(error @ StoreError::Unavailable { .. }) => group.iter().map(|_| Err(error.clone())).collect(),
        Err(error) if group.len() == 1 => vec![Err(error)],
        // One of them may have been too much: the others are not to suffer for it.
        Err(_) => group.iter().map(|request| alone(shared, request)).collect(),
    };
    for (request, written) in group.into_iter().zip(written) {
        let Request { answer, place, .. } = request;
        drop(place);
        // Whoever asked may have gone.
        let _ = answer.send(written);
    }
}

fn alone(shared: &Arc<Shared>, request: &Request) -> Written {
    let mut written = whole(shared, std::slice::from_ref(request))?;
    written.pop().unwrap_or_else(|| Ok(Vec::new()))
}

/// A commit that was handed to the disk, by its number.
struct Handed {
    number: u64,
    written: Vec<Written>,
}

/// Everything or nothing of this becomes durable. A commit that fails may have taken effect all the same (its last sync
/// failed, say): the file, opened anew, knows. Where it cannot be asked, that is the answer.
fn whole(shared: &Arc<Shared>, group: &[Request]) -> Result<Vec<Written>, StoreError> {
    let mut handed = None;
    let failed = match guarded(shared, || commit(shared, group, &mut handed)) {
        Ok(written) => return Ok(written),
        Err(failed) => failed,
    };
    let Some(Handed { number, written }) = handed else { return Err(failed) };
    match guarded(shared, || rows::commits(&shared.database()?.begin_read()?)) {
        Ok(last) if last >= number => Ok(written),
        Ok(_) => Err(failed),
        Err(_) => Err(shared.unknown(&failed)),
    }
}

/// A batch whose condition does not hold is none of it.
fn commit(
    shared: &Arc<Shared>,
    group: &[Request],
    handed: &mut Option<Handed>,
) -> Result<Vec<Written>, redb::Error> {
    let database = shared.database()?;
    let transaction = database.begin_write()?;
    let mut written = Vec::with_capacity(group.len());
    let mut number = None;
    {
        let mut rows = Rows::open(&transaction)?;
        for request in group {
            written.push(rows.apply_once(&request.space, &request.batch, request.name.as_ref())?);
        }
        rows.sweep(SWEPT)?;
        if rows.has_swept() || written.iter().any(Result::is_ok) {
            number = Some(rows.number()?);
        }
    }
    let Some(number) = number else {
        transaction.abort()?;
        return Ok(written);
    };
    let handed = handed.insert(Handed { number, written });
    // Immediate durability is redb's default: synced when this returns.
    transaction.commit()?;
    Ok(std::mem::take(&mut handed.written))
}

/// Whether nothing is left.
fn sweep(shared: &Arc<Shared>) -> Result<bool, redb::Error> {
    let database = shared.database()?;
    if !rows::has_expired(&database.begin_read()?)? {
        return Ok(true);
    }
    let transaction = database.begin_write()?;
    let swept = Rows::open(&transaction)?.sweep(SWEPT)?;
    transaction.commit()?;
    Ok(swept < SWEPT)
}

/// After an error nothing of this handle can be trusted (redb answers everything with "previous I/O error"): it is
/// closed, and the next who needs the file opens it anew, as after a crash.
fn guarded<T>(shared: &Arc<Shared>, work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            shared.close();
            Err(shared.failed(&error))
        }
        Err(_) => {
            shared.close();
            Err(shared.broken("the storage engine failed"))
        }
    }
}
