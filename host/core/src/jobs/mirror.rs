//! A file beside the store that says what jobs there are, so that the operator can read it while the host has the
//! store to itself. Written anew as a whole, at most once a second; it is read by `fleetgate jobs` and by nothing else.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::dead::DeadJob;
use super::engine::Jobs;
use super::job::Status;
use super::record::Record;
use crate::ownership::{self, FileRefused, Rules};
use crate::whole_file;

/// The pause between two writes.
const PAUSE: Duration = Duration::from_secs(1);
/// More than the most that a host writes: 100,000 jobs.
const MAX_BYTES: u64 = 256 << 20;

/// What a host says of its jobs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mirrored {
    /// When it was written, in Unix milliseconds.
    pub written_ms: u64,
    /// Every job that is kept, newest first.
    pub jobs: Vec<MirroredJob>,
    /// Those without a proper end, newest first.
    pub dead: Vec<DeadJob>,
}

/// One job, without what it returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MirroredJob {
    /// Its id.
    pub id: Arc<str>,
    /// Whose tool runs.
    pub binding: Arc<str>,
    /// The tool's own name.
    pub tool: Arc<str>,
    /// Whose job it is.
    pub principal: Arc<str>,
    /// Where it is.
    pub status: Status,
    /// Unix time in milliseconds.
    pub created_ms: u64,
    /// Unix time in milliseconds.
    pub updated_ms: u64,
    /// When it goes, in Unix milliseconds.
    pub expires_ms: u64,
    /// Its last run, for `fleetgate why`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Arc<str>>,
}

impl MirroredJob {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            id: record.id.clone(),
            binding: record.binding.clone(),
            tool: record.tool.clone(),
            principal: record.principal.clone(),
            status: record.status,
            created_ms: record.created_ms,
            updated_ms: record.updated_ms,
            expires_ms: record.expires_ms(),
            reference: record.reference.clone(),
        }
    }
}

/// Writes the file after each change, until the jobs are gone.
pub(super) async fn keep(jobs: Weak<Jobs>, path: PathBuf, changed: Arc<Notify>) {
    loop {
        changed.notified().await;
        let Some(now) = jobs.upgrade().map(|jobs| jobs.mirrored()) else { return };
        write_and_log(now, path.clone()).await;
        tokio::time::sleep(PAUSE).await;
    }
}

pub(super) async fn write_and_log(now: Mirrored, path: PathBuf) {
    let written =
        tokio::task::spawn_blocking(move || write(&now, &path).map_err(|error| (path, error))).await;
    if let Ok(Err((path, error))) = written {
        tracing::warn!(file = %path.display(), %error, "what `fleetgate jobs` reads cannot be written");
    }
}

fn write(now: &Mirrored, path: &Path) -> io::Result<()> {
    whole_file::replace(path, &serde_json::to_vec(now)?, 0o600)
}

/// Reads what a host wrote.
pub fn read_mirror(path: &Path) -> Result<Mirrored, MirrorUnreadable> {
    let rules = Rules { follow_links: false, public: false, sticky_directory: false, max_bytes: MAX_BYTES };
    let bytes = ownership::read(path, &rules)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| MirrorUnreadable::Format { path: path.to_owned(), reason: error.to_string() })
}

/// A file of this kind that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MirrorUnreadable {
    /// Not there, or not to be trusted.
    #[error(transparent)]
    File(#[from] FileRefused),
    /// Of another version of this program, perhaps.
    #[error("{} is not a list of jobs: {reason}", .path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
