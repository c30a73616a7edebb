//! One process at a time changes `fleetgate.toml` and `fleetgate.lock`.
//!
//! Whoever can open a file can hold a lock on it, for ever. So the lock is on a file of our own that nobody else can
//! open, beside what is changed; and nobody waits for it without end.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

/// The file that is locked. It stays, empty.
const FILE: &str = ".fleetgate.alone";
/// How often the lock is tried, and how long it is waited between: five seconds in all. A change takes milliseconds.
const TRIES: u32 = 250;
const PAUSE: Duration = Duration::from_millis(20);

/// The lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NotAlone {
    /// Another process has it and keeps it.
    #[error(
        "{} is locked by another process: nothing is changed; end that process (`fuser {}` names it), and try again",
        .0.display(), .0.display()
    )]
    Busy(PathBuf),
    /// Somebody else could hold it for ever.
    #[error(
        "{} is not a file that only its owner can open, and its owner this user or root: delete it, and it is made anew",
        .0.display()
    )]
    Foreign(PathBuf),
    /// It cannot be opened or made.
    #[error("{} cannot be locked: {reason} (let the host's user write there)", .path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
}

/// Keeps other processes of this program from changing files in the same directory, for as long as it is held.
#[derive(Debug)]
pub(super) struct Alone(#[expect(dead_code, reason = "the lock ends with the descriptor")] File);

/// Waits a few seconds at most, and blocks meanwhile.
pub(super) fn alone_beside(path: &Path) -> Result<Alone, NotAlone> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let path = directory.join(FILE);
    let unusable = |reason: io::Error| match reason.raw_os_error() {
        Some(code) if code == Errno::LOOP.raw_os_error() => NotAlone::Foreign(path.clone()),
        _ => NotAlone::Unusable { path: path.clone(), reason },
    };
    let of_directory = directory.metadata().map_err(unusable)?;
    let user = rustix::process::geteuid();
    let file = match open(&path, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match open(&path, true) {
            Ok(file) => {
                // What root makes must not shut out the host, whose directory it is.
                if user.is_root() {
                    fchown(&file, Some(of_directory.uid()), Some(of_directory.gid())).map_err(unusable)?;
                }
                file
            }
            // Another was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                open(&path, false).map_err(unusable)?
            }
            Err(error) => return Err(unusable(error)),
        },
        opened => opened.map_err(unusable)?,
    };
    let meta = file.metadata().map_err(unusable)?;
    let ours = [user.as_raw(), 0].contains(&meta.uid()) || user.is_root() && meta.uid() == of_directory.uid();
    if !meta.is_file() || !ours || meta.mode() & 0o077 != 0 {
        return Err(NotAlone::Foreign(path));
    }
    for _ in 0..TRIES {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Alone(file)),
            Err(Errno::WOULDBLOCK | Errno::INTR) => sleep(PAUSE),
            Err(error) => return Err(unusable(error.into())),
        }
    }
    Err(NotAlone::Busy(path))
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    // A pipe would make the open wait, a link would lead elsewhere.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(create).mode(0o600).custom_flags(flags.bits() as i32);
    options.open(path)
}
