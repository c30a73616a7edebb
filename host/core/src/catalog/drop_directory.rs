//! The directory into which plugins are dropped: what lies there, and whether it has changed.
//!
//! Looking is cheap: a file whose stamp is the same is not read again. A file that was written a moment ago is
//! looked at twice, since its writer may not be done.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::manifest::grammar;
use crate::ownership::{self, FileRefused};

/// A file that was written longer ago is taken to be whole. If it is not, reading it refuses it: a truncated
/// component has no manifest, or a last section that is not whole.
const SETTLED_AFTER: Duration = Duration::from_millis(60);

/// What tells that a file is another one, or has another content, owner or mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn new(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Of the file that a path leads to, through symbolic links. None: there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|meta| Self::new(&meta))
    }

    /// Whether the content was written within this time. A clock that went back does not make a file fresh.
    pub(super) fn is_fresher_than(&self, limit: Duration) -> bool {
        let (Ok(seconds), Ok(nanos)) = (u64::try_from(self.modified.0), u32::try_from(self.modified.1))
        else {
            return false;
        };
        let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::new(seconds, nanos));
        age.is_ok_and(|age| age < limit)
    }
}

/// One `.wasm` file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    /// It changed between two looks: whoever writes it is not done.
    pub(super) changing: bool,
}

/// What lies in the directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// By id.
    pub(super) entries: BTreeMap<String, Entry>,
    /// `.wasm` files whose name is not an id.
    pub(super) misnamed: Vec<PathBuf>,
}

/// Looks into the directory. One that is not there is empty; one that others can write is refused as a whole. Waits
/// a moment and looks again if something was just written.
pub(super) fn list(directory: &Path) -> Result<Listing, FileRefused> {
    let first = list_once(directory)?;
    if !first.entries.values().any(|entry| entry.stamp.is_fresher_than(SETTLED_AFTER)) {
        return Ok(first);
    }
    std::thread::sleep(SETTLED_AFTER);
    let mut second = list_once(directory)?;
    for (id, entry) in &mut second.entries {
        entry.changing = first.entries.get(id).is_none_or(|before| before.stamp != entry.stamp);
    }
    Ok(second)
}

fn list_once(directory: &Path) -> Result<Listing, FileRefused> {
    let unreadable = |source| FileRefused::Unreadable { path: directory.to_owned(), source };
    let mut listing = Listing::default();
    let read = match fs::read_dir(directory) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(listing),
        Err(error) => return Err(unreadable(error)),
    };
    ownership::check_directory(directory, false)?;
    for entry in read {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // Editors and copying programs write hidden files first.
        let Some(id) = name.strip_suffix(".wasm").filter(|_| !name.starts_with('.')) else { continue };
        if !grammar::is_id(id) {
            listing.misnamed.push(path);
            continue;
        }
        // Gone since the directory was read: removed.
        let Some(stamp) = fs::symlink_metadata(&path).ok().map(|meta| Stamp::new(&meta)) else { continue };
        listing.entries.insert(id.to_owned(), Entry { path, stamp, changing: false });
    }
    listing.misnamed.sort();
    Ok(listing)
}
