//! The audit log: JSON lines in `<state>/audit/audit.jsonl`, one record each.
//!
//! ```json
//! {"at":"2026-03-01T10:11:12.123Z","kind":"intent","call":"…","principal":"local","binding":"nerveshub",
//!  "tool":"reboot_device","plugin":"sha256:…","arguments":{"identifier":"pump-7"},"arguments_hash":"hmac-sha256:…"}
//! {"at":"2026-03-01T10:11:12.456Z","kind":"outcome", … ,"outcome":"ok","used":["…"],"duration":333.1}
//! ```
//!
//! Durability. An intent is written and synced (`fdatasync`) before [`Audit::intent`] returns; intents that arrive
//! while the disk is busy share the next sync. An outcome is written right after the records before it and synced
//! with the next intent, or within a second. So after a crash of the machine at most the last second's outcomes
//! are missing, never an intent, and a call whose outcome is missing shows as such.
//!
//! - [`log`]: what callers hold; [`writer`]: the one thread that writes
//! - [`segment`]: the file, its rotation, and what happens when the disk is full
//! - [`key`]: the key of the arguments' hash
//! - [`line`](mod@line): one record as text; [`reader`]: all records in order
//! - [`find`](mod@find): questions about them; [`tail`]: the newest ones, as they come
//!
//! [`Audit::intent`]: fleetgate_core::audit::Audit::intent

mod find;
mod key;
mod line;
mod log;
mod reader;
mod segment;
mod tail;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

use fleetgate_core::key_file::KeyFailed;

pub use find::{CallRecord, Filter, Found, find, why};
pub use line::{Entry, Line};
pub use log::{AuditLog, AuditOptions};
pub use reader::Damaged;
pub use segment::Rotation;
pub use tail::Tail;

/// The directory of the log's files.
pub fn directory(state: &Path) -> PathBuf {
    state.join("audit")
}

/// The audit log cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `create`, `open`, `read`, `write`, `start the writer of`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may write it, so what it says proves nothing.
    #[error(
        "{} {problem}: give it to the host's user and take it from the others (chown, chmod {mode:o})", path.display()
    )]
    NotPrivate {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with its owner or mode.
        problem: &'static str,
        /// The mode that it should have.
        mode: u32,
    },
    /// The key of the hashes cannot be used. With a new one, hashes of earlier calls no longer match those of later
    /// ones.
    #[error(transparent)]
    Key(#[from] KeyFailed),
}

impl AuditError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
