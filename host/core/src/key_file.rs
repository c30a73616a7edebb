//! A key that outlives the process: 32 random bytes in a file of the state directory, made once, readable by nobody
//! but the host's user. Of two hosts that start at once on one state directory, both get the same.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How long a key is, in bytes.
pub const KEY_LENGTH: usize = 32;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFailed {
    /// The file belongs to somebody else.
    #[error("{} belongs to user {owner}, but this is user {me}: remove it, or set another [serve] state", .path.display())]
    NotMine {
        /// Which.
        path: PathBuf,
        /// Whose, as a user id.
        owner: u32,
        /// Who asks, as a user id.
        me: u32,
    },
    /// Others can read or write it.
    #[error("{} is open to others (mode {mode:04o}): run `chmod 600 {}`", .path.display(), .path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    #[error("{} is not a key of this program ({length} bytes instead of {KEY_LENGTH}): delete it, and a new one is made", .path.display())]
    BadKey {
        /// Which.
        path: PathBuf,
        /// How many bytes it has.
        length: u64,
    },
    /// The operating system refused.
    #[error("{}: {reason}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What it said.
        reason: io::Error,
    },
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> KeyFailed + '_ {
    |reason| KeyFailed::Io { path: path.to_owned(), reason }
}

/// Reads a key; makes it first where there is none. The directory must exist.
///
/// # Errors
/// The file is not this user's alone, or is no key; or the operating system refuses.
pub fn key_file(path: &Path) -> Result<[u8; KEY_LENGTH], KeyFailed> {
    let file = match open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(path)?;
            open(path)
        }
        opened => opened,
    };
    read(path, file.map_err(io_at(path))?)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn read(path: &Path, mut file: File) -> Result<[u8; KEY_LENGTH], KeyFailed> {
    let meta = file.metadata().map_err(io_at(path))?;
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return Err(KeyFailed::NotMine { path: path.to_owned(), owner: meta.uid(), me });
    }
    let mode = meta.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFailed::NotPrivate { path: path.to_owned(), mode });
    }
    if meta.len() != KEY_LENGTH as u64 {
        return Err(KeyFailed::BadKey { path: path.to_owned(), length: meta.len() });
    }
    let mut key = [0; KEY_LENGTH];
    file.read_exact(&mut key).map_err(io_at(path))?;
    Ok(key)
}

fn make(path: &Path) -> Result<(), KeyFailed> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key).map_err(|error| io_at(path)(io::Error::other(error)))?;
    let mut draft = tempfile::Builder::new()
        .prefix("key-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)
        .map_err(io_at(directory))?;
    draft.write_all(&key).and_then(|()| draft.as_file().sync_all()).map_err(io_at(path))?;
    match draft.persist_noclobber(path) {
        Ok(_) => {}
        // Another host was first, and its key is as good.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(io_at(path)(error.error)),
    }
    // What is made with the key may last longer than the next power cut.
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(io_at(directory))
}
