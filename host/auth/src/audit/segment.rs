//! The file that is written to, and its rotation: `audit.jsonl`, and full ones as `audit.000001.jsonl` and so on,
//! the highest number being the newest.
//!
//! Several hosts may share a state directory (`serve`, a `stdio` per client, `call`), so nothing here assumes to be
//! alone: each record is one write to a file opened for appending, a rotated file is noticed before each batch, and
//! rotation itself happens under a lock. A record that landed in a file while another process rotated it is in the
//! rotated file, not lost.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::AuditError;

/// When a file is full, and how many full ones stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A file that would grow beyond this many bytes is rotated first.
    pub at: u64,
    /// How many rotated files stay. None: all of them; what is deleted is the operator's to say.
    pub keep: Option<usize>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { at: 64 << 20, keep: None }
    }
}

/// The current file.
pub(super) struct Segment {
    path: PathBuf,
    rotation: Rotation,
    open: Option<Open>,
}

struct Open {
    file: File,
    device: u64,
    inode: u64,
    size: u64,
    /// The file's last line has no end: a disk was full or a host died while writing. The next record starts on a
    /// line of its own. Cutting the rest off could hit what another host has appended since.
    torn: bool,
}

impl Segment {
    /// Creates directory and file where they are missing, and refuses what others can write.
    pub(super) fn open(path: &Path, rotation: Rotation) -> Result<Self, AuditError> {
        let directory = parent(path);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(AuditError::io("create", directory))?;
        let handle = File::open(directory).map_err(AuditError::io("open", directory))?;
        check_private(&handle, directory, 0o022, 0o700)?;
        let mut segment = Self { path: path.to_owned(), rotation, open: None };
        let opened = segment.current().map_err(AuditError::io("open", path))?;
        if opened.file.metadata().is_ok_and(|data| data.is_file()) {
            check_private(&opened.file, path, 0o022, 0o600)?;
        }
        Ok(segment)
    }

    /// Before each batch: another host may have rotated the file, or somebody moved it away.
    pub(super) fn refresh(&mut self) {
        let Some(open) = &mut self.open else { return };
        match fs::symlink_metadata(&self.path) {
            Ok(data) if (data.dev(), data.ino()) == (open.device, open.inode) => open.size = data.len(),
            _ => self.open = None,
        }
    }

    /// Appends one record. After an error nothing is known to be written.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let full = self.rotation.at;
        let grown = self.current()?.size.saturating_add(line.len() as u64);
        if grown > full && self.current()?.size > 0 {
            self.rotate()?;
        }
        let open = self.current()?;
        let whole;
        let bytes = if open.torn {
            whole = [b"\n", line].concat();
            &whole
        } else {
            line
        };
        match write_whole(&mut open.file, bytes) {
            Ok(()) => {
                open.torn = false;
                open.size += bytes.len() as u64;
                Ok(())
            }
            Err((written, error)) => {
                open.torn |= written > 0;
                open.size += written as u64;
                Err(error)
            }
        }
    }

    /// Brings everything appended to stable storage.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let Some(open) = &self.open else { return Ok(()) };
        match open.file.sync_data() {
            // /dev/full, a pipe: nothing to sync.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            Err(error) => {
                // The kernel reports a failed write-back once and then forgets it; a fresh descriptor starts clean.
                self.open = None;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// The same for outcomes, which nobody waits for: on a thread of its own, so that a slow disk does not hold up what
    /// is to be written next. Where that cannot be, right here.
    pub(super) fn sync_behind(&mut self) -> io::Result<()> {
        let Some(open) = &self.open else { return Ok(()) };
        let behind = open.file.try_clone().and_then(|file| {
            std::thread::Builder::new().name("fleetgate-audit-sync".into()).spawn(move || {
                match file.sync_data() {
                    Err(error) if error.kind() != io::ErrorKind::InvalidInput => {
                        tracing::error!(%error, "the last outcomes may not be on the disk");
                    }
                    _ => {}
                }
            })
        });
        match behind {
            Ok(_) => Ok(()),
            Err(_) => self.sync(),
        }
    }

    fn current(&mut self) -> io::Result<&mut Open> {
        if self.open.is_none() {
            self.open = Some(Open::new(&self.path)?);
        }
        Ok(self.open.as_mut().expect("opened above"))
    }

    /// Moves the full file aside. A rotation that fails leaves the file in use: a large file is better than a lost
    /// record.
    fn rotate(&mut self) -> io::Result<()> {
        self.sync()?;
        if let Err(error) = self.rotate_locked() {
            tracing::warn!(file = %self.path.display(), %error, "the audit log cannot be rotated; it goes on growing");
        }
        Ok(())
    }

    fn rotate_locked(&mut self) -> io::Result<()> {
        let directory = parent(&self.path).to_owned();
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(directory.join("audit.lock"))?;
        lock.lock()?;
        let data = fs::symlink_metadata(&self.path)?;
        // Somebody else was faster: then the file is another one, and small.
        if data.len() > self.rotation.at / 2 {
            let rotated = rotated_files(&self.path)?;
            let next = rotated.last().map_or(1, |(number, _)| number + 1);
            fs::rename(&self.path, rotated_path(&self.path, next))?;
            if let Some(keep) = self.rotation.keep {
                // One more than `rotated` names is there now.
                let surplus = (rotated.len() + 1).saturating_sub(keep);
                for (_, path) in rotated.iter().take(surplus) {
                    fs::remove_file(path)?;
                }
            }
        }
        self.open = None;
        self.current()?;
        sync_directory(&directory)
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        if fresh {
            // The name must survive a crash as well as what is written under it.
            sync_directory(parent(path))?;
        }
        let data = file.metadata()?;
        let size = data.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.read_exact_at(&mut last, size - 1)?;
        }
        Ok(Self { file, device: data.dev(), inode: data.ino(), size, torn: last != [b'\n'] })
    }
}

/// One write where the kernel takes it whole, which it does unless the disk is full or a signal arrives. The error
/// says how much was written before it.
fn write_whole(file: &mut File, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// Refuses what belongs to a stranger or has one of these mode bits. `wanted` is the mode for the message.
pub(super) fn check_private(file: &File, path: &Path, bits: u32, wanted: u32) -> Result<(), AuditError> {
    let data: Metadata = file.metadata().map_err(AuditError::io("open", path))?;
    let not_private = |problem| AuditError::NotPrivate { path: path.to_owned(), problem, mode: wanted };
    let us = rustix::process::geteuid().as_raw();
    if data.uid() != us && data.uid() != 0 {
        return Err(not_private("belongs to another user"));
    }
    if data.permissions().mode() & bits != 0 {
        return Err(not_private(if bits & 0o044 == 0 {
            "can be written by others"
        } else {
            "can be read by others"
        }));
    }
    Ok(())
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some file systems cannot, and need not.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn rotated_path(path: &Path, number: u64) -> PathBuf {
    path.with_extension(format!("{number:06}.jsonl"))
}

/// The rotated files, oldest first.
pub(super) fn rotated_files(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in fs::read_dir(parent(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(".jsonl"))
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            files.push((number, entry.path()));
        }
    }
    files.sort_unstable();
    Ok(files)
}
