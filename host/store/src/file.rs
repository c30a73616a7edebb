//! Which file a host takes, and whether it may be trusted.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, StorageError};
use rustix::fs::OFlags;

use super::embedded::Embedded;

/// Files of one role: as many hosts of it may share a state directory.
const MOST: usize = 16;
/// What redb keeps in memory of a file.
const CACHE: usize = 16 << 20;

/// The directory of the files within a state directory.
pub fn directory(state: &Path) -> PathBuf {
    state.join("store")
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// Another process has it.
    #[error("{} is in use by another process: end that one first (`fuser {}` names it)", .0.display(), .0.display())]
    InUse(PathBuf),
    /// All files of a role are taken.
    #[error(
        "{MOST} hosts of this kind already use {}: end one of them, or give this one a state directory of its own ([serve] state)",
        .0.display()
    )]
    Crowded(PathBuf),
    /// What stands in it is no store, or not any more.
    #[error(
        "{} is damaged or not a store ({reason}): move it away and a new one is made; the jobs that it held are lost then",
        .path.display()
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A later version of this program made it.
    #[error("{} was written by a later version of fleetgate (format {format}): use that one, or move the file away", .path.display())]
    Later {
        /// Which.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// Others could read or write it.
    #[error("{} {problem}: give it to the host's user and take it from the others (chown, chmod {mode:o})", .path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
        /// What is wrong with its owner or mode.
        problem: &'static str,
        /// The mode that it should have.
        mode: u32,
    },
    /// The operating system refused.
    #[error("{} cannot be opened: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Opens the first file of a role that no other process has: `<directory>/<role>.redb`, then `<role>.1.redb` and so
/// on. So a host that starts again finds what it kept, as long as not fewer hosts of its role run than before.
pub fn open_first_free(directory: &Path, role: &str) -> Result<Arc<Embedded>, OpenFailed> {
    for number in 0..MOST {
        let name = if number == 0 { format!("{role}.redb") } else { format!("{role}.{number}.redb") };
        match Embedded::open(&directory.join(name)) {
            Err(OpenFailed::InUse(path)) => {
                tracing::info!(file = %path.display(), "another host has this store; the next one is tried");
            }
            opened => return opened,
        }
    }
    Err(OpenFailed::Crowded(directory.to_owned()))
}

/// Opens a file, and makes it where there is none.
pub(super) fn open(path: &Path) -> Result<Database, OpenFailed> {
    let file = private_file(path)?;
    let failed = |error| refused(path, error);
    let backend = FileBackend::new(file).map_err(failed)?;
    // What is no redb file may be anything, and a parser of anything may fail in any way.
    let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        Database::builder().set_cache_size(CACHE).create_with_backend(backend)
    }));
    match opened {
        Ok(opened) => opened.map_err(failed),
        Err(_) => Err(OpenFailed::Damaged { path: path.to_owned(), reason: "it cannot be parsed".into() }),
    }
}

/// What redb says, as the operator is to hear it.
pub(super) fn refused(path: &Path, error: DatabaseError) -> OpenFailed {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenFailed::InUse(path),
        DatabaseError::Storage(StorageError::Io(source)) if !is_content(&source) => {
            OpenFailed::Io { path, source }
        }
        other => OpenFailed::Damaged { path, reason: other.to_string() },
    }
}

/// redb says with these that it read something else than it expected.
fn is_content(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// Opens a file that is this user's alone, and makes it where there is none, as its directory.
pub(super) fn private_file(path: &Path) -> Result<File, OpenFailed> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenFailed::Io { path, source }
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
    check_private(directory, &fs::metadata(directory).map_err(failed(directory))?, 0o022, 0o700)?;
    let fresh = !path.exists();
    // A pipe would make the open wait, a link would lead elsewhere.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(failed(path))?;
    let meta = file.metadata().map_err(failed(path))?;
    if !meta.is_file() {
        return Err(OpenFailed::Damaged { path: path.to_owned(), reason: "not a regular file".into() });
    }
    check_private(path, &meta, 0o077, 0o600)?;
    if fresh {
        // The name must survive a crash as well as what is written under it.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(directory))?;
    }
    Ok(file)
}

fn check_private(path: &Path, meta: &fs::Metadata, bits: u32, mode: u32) -> Result<(), OpenFailed> {
    let problem = |problem| Err(OpenFailed::NotPrivate { path: path.to_owned(), problem, mode });
    let us = rustix::process::geteuid().as_raw();
    if meta.uid() != us && meta.uid() != 0 {
        return problem("belongs to another user");
    }
    if meta.mode() & bits != 0 {
        return problem("can be read or written by others");
    }
    Ok(())
}
