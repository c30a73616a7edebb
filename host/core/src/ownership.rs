//! Reads files that decide what the host does, and refuses those that somebody else could have written.
//!
//! Plugins, `fleetgate.toml` and secrets pass here. A file is opened once, and what is checked is the open file: no
//! second look at a path that may be another file by then. It belongs to the host's user or to root, only its
//! owner can write it, and nobody else can put another file in its place.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::units::format_size;

/// What is allowed beyond the common rules.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The path may be a symbolic link. The directory that it points to is checked as well.
    pub follow_links: bool,
    /// Everybody may read it. Not so for secrets.
    pub public: bool,
    /// The directory may be one like `/tmp`, where everybody may add files but nobody may replace another's.
    pub sticky_directory: bool,
    /// The most bytes that it may have.
    pub max_bytes: u64,
}

/// A file that the host does not use.
#[derive(Debug, thiserror::Error)]
pub enum FileRefused {
    /// It is not there, or not for us.
    #[error("{} cannot be read: {}", .path.display(), reason(.source))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A symbolic link where none may be.
    #[error("{} is a symbolic link", .path.display())]
    Link {
        /// Which.
        path: PathBuf,
    },
    /// A directory, a pipe, a device.
    #[error("{} is not a regular file", .path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// The file or its directory belongs to somebody else.
    #[error("{} belongs to another user (uid {owner}), not to the host's user (uid {host}) or root", .path.display())]
    Owner {
        /// The file or directory.
        path: PathBuf,
        /// Whose.
        owner: u32,
        /// Who we are.
        host: u32,
    },
    /// The file or its directory can be written by its group or by everybody.
    #[error("{} can be written by others (mode {mode:04o})", .path.display())]
    Writable {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A secret that everybody can read.
    #[error("{} holds a secret and can be read by everybody (mode {mode:04o})", .path.display())]
    Public {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Over the cap.
    #[error("{} has {size} bytes, and at most {} are read", .path.display(), format_size(*.max))]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Bytes.
        size: u64,
        /// Bytes.
        max: u64,
    },
    /// Written while it was read.
    #[error("{} is being written", .path.display())]
    Changing {
        /// Which.
        path: PathBuf,
    },
}

impl FileRefused {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "write the path of a file that is there".into()
            }
            Self::Unreadable { .. } => "let the host's user read it".into(),
            Self::Link { .. } => "put the file itself there".into(),
            Self::NotAFile { .. } => "put a regular file there".into(),
            Self::Owner { path, host, .. } => format!("chown {host} {}", path.display()),
            Self::Writable { path, .. } => format!("chmod go-w {}", path.display()),
            Self::Public { path, .. } => format!("chmod o-r {}", path.display()),
            Self::TooLarge { .. } => "is it the right file?".into(),
            Self::Changing { .. } => "it is read again when it stays as it is".into(),
        }
    }

    /// Whether another look a little later may go better.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Changing { .. })
    }
}

/// "No such file or directory" without the number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "the host's user may not read it".into(),
        _ => error.to_string(),
    }
}

/// Reads a whole file under these rules: bytes that were the same from beginning to end.
pub fn read(path: &Path, rules: &Rules) -> Result<Vec<u8>, FileRefused> {
    let (mut file, before) = open(path, rules)?;
    let unreadable = |source| FileRefused::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::with_capacity(before.len() as usize);
    let read = file.by_ref().take(rules.max_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    let stamp = |meta: &Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec());
    if stamp(&before) != stamp(&after) || read as u64 != after.len() {
        return Err(FileRefused::Changing { path: path.to_owned() });
    }
    Ok(bytes)
}

fn open(path: &Path, rules: &Rules) -> Result<(File, Metadata), FileRefused> {
    // A pipe would make the open wait for a writer.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if !rules.follow_links {
        flags |= OFlags::NOFOLLOW;
    }
    let unreadable = |source: io::Error| {
        if source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            FileRefused::Link { path: path.to_owned() }
        } else {
            FileRefused::Unreadable { path: path.to_owned(), source }
        }
    };
    let file =
        OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(FileRefused::NotAFile { path: path.to_owned() });
    }
    check_owner(path, &meta)?;
    check_not_writable(path, &meta)?;
    if !rules.public && meta.mode() & 0o004 != 0 {
        return Err(FileRefused::Public { path: path.to_owned(), mode: meta.mode() & 0o7777 });
    }
    if meta.len() > rules.max_bytes {
        return Err(FileRefused::TooLarge { path: path.to_owned(), size: meta.len(), max: rules.max_bytes });
    }
    check_directory(directory(path), rules.sticky_directory)?;
    if rules.follow_links {
        let target = path.canonicalize().map_err(unreadable)?;
        check_directory(directory(&target), rules.sticky_directory)?;
    }
    Ok((file, meta))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Refuses a directory in which somebody else could put or replace files. `sticky`: one like `/tmp` will do, where
/// nobody may replace another's.
pub fn check_directory(path: &Path, sticky: bool) -> Result<(), FileRefused> {
    let meta = std::fs::metadata(path)
        .map_err(|source| FileRefused::Unreadable { path: path.to_owned(), source })?;
    check_owner(path, &meta)?;
    if sticky && meta.mode() & 0o1000 != 0 {
        return Ok(());
    }
    check_not_writable(path, &meta)
}

fn check_owner(path: &Path, meta: &Metadata) -> Result<(), FileRefused> {
    let host = rustix::process::geteuid().as_raw();
    if meta.uid() == host || meta.uid() == 0 {
        return Ok(());
    }
    Err(FileRefused::Owner { path: path.to_owned(), owner: meta.uid(), host })
}

fn check_not_writable(path: &Path, meta: &Metadata) -> Result<(), FileRefused> {
    if meta.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(FileRefused::Writable { path: path.to_owned(), mode: meta.mode() & 0o7777 })
}
