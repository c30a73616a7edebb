//! What callers hold of the log.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use fleetgate_core::audit::{Audit, AuditFailed, Intent, Record};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::key::HashKey;
use super::segment::{Rotation, Segment};
use super::writer::{Job, run};
use super::{AuditError, directory, line};

/// Records that wait for the disk. When there are more, callers wait too: memory is bounded, records are not lost.
const QUEUE: usize = 4096;

/// Where the log and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditOptions {
    /// The current file.
    pub file: PathBuf,
    /// The key of the arguments' hash.
    pub key: PathBuf,
    /// When a file is full.
    pub rotation: Rotation,
}

impl AuditOptions {
    /// As a host with this state directory has it: `audit/audit.jsonl` and `audit.key`.
    pub fn in_state(state: &Path) -> Self {
        Self {
            file: directory(state).join(FILE),
            key: state.join("audit.key"),
            rotation: Rotation::default(),
        }
    }
}

/// The current file's name.
pub(super) const FILE: &str = "audit.jsonl";

/// The audit log of a running host. When it is dropped, everything is on the disk.
pub struct AuditLog {
    key: HashKey,
    jobs: Option<SyncSender<Job>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl AuditLog {
    /// Opens the log of a state directory; makes what is missing.
    pub fn open(state: &Path) -> Result<Arc<Self>, AuditError> {
        Self::with(AuditOptions::in_state(state))
    }

    /// Opens a log elsewhere.
    pub fn with(options: AuditOptions) -> Result<Arc<Self>, AuditError> {
        let segment = Segment::open(&options.file, options.rotation)?;
        let key = HashKey::open(&options.key)?;
        let (jobs, inbox) = sync_channel(QUEUE);
        let writer = thread::Builder::new()
            .name("audit".into())
            .spawn(move || run(segment, &inbox))
            .map_err(AuditError::io("start the writer of", &options.file))?;
        Ok(Arc::new(Self { key, jobs: Some(jobs), writer: Mutex::new(Some(writer)) }))
    }

    /// Returns when every record so far is on the disk. Blocks.
    pub fn flush(&self) -> Result<(), AuditFailed> {
        self.and_wait(Job::Flush)
    }

    fn hand_over(&self, job: Job) -> Result<(), AuditFailed> {
        let jobs = self.jobs.as_ref().ok_or_else(writer_gone)?;
        match jobs.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(job)) => patiently(|| jobs.send(job)).map_err(|_| writer_gone()),
            Err(TrySendError::Disconnected(_)) => Err(writer_gone()),
        }
    }

    fn and_wait(
        &self,
        job: impl FnOnce(SyncSender<Result<(), AuditFailed>>) -> Job,
    ) -> Result<(), AuditFailed> {
        let (done, answer) = sync_channel(1);
        self.hand_over(job(done))?;
        patiently(|| answer.recv().map_err(|_| writer_gone())?)
    }
}

/// Waits for the writer. Calls that came by this worker go on elsewhere meanwhile, and their intents join this one's
/// sync.
fn patiently<T>(wait: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(wait),
        _ => wait(),
    }
}

impl Audit for AuditLog {
    /// Blocks until the record is synced: a few milliseconds at most on a healthy disk.
    fn intent(&self, record: &Intent) -> Result<(), AuditFailed> {
        let line = line::encode(record, "intent");
        self.and_wait(|done| Job::Append { line, waiting: Some(done) })
    }

    /// Returns when the record is queued. That it could not be written stands in the host's log, with the record.
    fn outcome(&self, record: &Record) -> Result<(), AuditFailed> {
        self.hand_over(Job::Append { line: line::encode(record, "outcome"), waiting: None })
    }

    fn hash(&self, arguments: &str) -> String {
        self.key.hash(arguments)
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.jobs = None;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A panic of the writer was printed when it happened.
            let _ = writer.join();
        }
    }
}

fn writer_gone() -> AuditFailed {
    AuditFailed { reason: "its writer has stopped".into() }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_full_queue_does_not_hold_the_calls_that_share_the_worker() {
        let directory = tempfile::tempdir().unwrap();
        let (jobs, inbox) = sync_channel(1);
        let key = HashKey::open(&directory.path().join("audit.key")).unwrap();
        let log = AuditLog { key, jobs: Some(jobs), writer: Mutex::default() };
        let (done, ended) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
            let call = runtime.spawn(async move {
                // Its turn on the only worker comes when this one lets go of it.
                tokio::spawn(async move { while inbox.recv().is_ok() {} });
                for _ in 0..8 {
                    log.hand_over(Job::Append { line: Vec::new(), waiting: None }).unwrap();
                }
            });
            done.send(runtime.block_on(call).is_ok()).unwrap();
        });
        assert!(ended.recv_timeout(Duration::from_secs(60)).expect("it hangs"));
    }
}
