//! Machine code on disk, so that a plugin is compiled once and mapped ever after.
//!
//! wasmtime trusts a compiled file blindly: whoever can choose its bytes runs code in the host. So a file counts
//! only if this host wrote it. Each entry ends with a keyed hash over its name and its content; the key lies
//! outside the cache, readable by its owner alone. The hash is checked on one open descriptor, and the same
//! descriptor is mapped, so that no other file can take its place in between. What does not check is deleted and
//! compiled again.
//!
//! An entry's name is the digest of the component's code, wasmtime's own hash of everything that decides what
//! machine code looks like, and this program's version: another engine, another CPU or another version looks
//! for another name.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::hash::{Hash, Hasher};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::artifact::Digest;
use crate::key_file::{KEY_LENGTH, KeyFailed, key_file};

/// Bytes of the keyed hash at the end of an entry.
const SEAL: usize = 32;
/// What is hashed first, so that the key could serve another purpose one day without mixing up the two.
const PURPOSE: &[u8] = b"fleetgate compiled component 1\0";
/// The ending of an entry's name.
const ENDING: &str = "cwasm";
/// Entries that nobody used for so long are deleted.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// An entry's time of use is written at most this often.
const USE_NOTED_EVERY: Duration = Duration::from_secs(24 * 3600);
/// The oldest entries are deleted beyond so many bytes, but none that was used within a day or so.
const KEPT_BYTES: u64 = 4 << 30;
/// Temporary files that are older belong to nobody any more: compiling ends within minutes.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// The compiled cache of one engine.
#[derive(Clone)]
pub struct Cache {
    directory: PathBuf,
    key: [u8; KEY_LENGTH],
    /// Hash of the engine's settings, wasmtime's version and ours.
    engine_hash: [u8; 32],
    engine: Engine,
}

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheFailed {
    /// The directory belongs to somebody else.
    #[error("{} belongs to user {owner}, but this is user {me}: machine code is run only from files of one's own; \
             remove it, or set another [serve] state", .path.display())]
    NotMine {
        /// Which.
        path: PathBuf,
        /// Whose, as a user id.
        owner: u32,
        /// Who asks, as a user id.
        me: u32,
    },
    /// Others can look in or write.
    #[error("{} is open to others (mode {mode:04o}): run `chmod {wanted:o} {}`", .path.display(), .path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// The key cannot be used. Without it, plugins are compiled again.
    #[error(transparent)]
    Key(#[from] KeyFailed),
    /// The operating system refused.
    #[error("{}: {reason}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What it said.
        reason: io::Error,
    },
    /// wasmtime does not take what it has just written.
    #[error("the compiled component cannot be loaded: {0:#}")]
    Unloadable(wasmtime::Error),
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> CacheFailed + '_ {
    |reason| CacheFailed::Io { path: path.to_owned(), reason }
}

impl Cache {
    /// The cache in the directory `compiled` of the state directory, with the key in `compiled.key` beside it. Both
    /// are made if they are not there.
    pub fn open(state: &Path, engine: &Engine) -> Result<Self, CacheFailed> {
        let directory = state.join("compiled");
        make_directory(state, 0o022)?;
        make_directory(&directory, 0o077)?;
        let key = key_file(&state.join("compiled.key"))?;
        Ok(Self { directory, key, engine_hash: engine_hash(engine), engine: engine.clone() })
    }

    /// The engine whose machine code this holds.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the child that compiles must agree with, as hexadecimal text.
    pub(super) fn engine_hash(&self) -> String {
        hex(&self.engine_hash)
    }

    /// Where the entry of this code lies, whether it exists or not.
    pub fn path_of(&self, code: &Digest) -> PathBuf {
        self.directory.join(format!("{}.{ENDING}", self.name(code)))
    }

    fn name(&self, code: &Digest) -> String {
        let mut hash = Sha256::new();
        hash.update(self.engine_hash);
        hash.update(code.to_string());
        hex(&hash.finalize())
    }

    /// The machine code of this component code, if this host has compiled it before. Reads and hashes the whole
    /// file: call it where blocking is fine.
    pub fn get(&self, code: &Digest) -> Option<Component> {
        let path = self.path_of(code);
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&path);
        let file = match file {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return self.discard(&path, &error.to_string()),
        };
        let length = match self.check(&file, code) {
            Ok(length) => length,
            Err(why) => return self.discard(&path, &why),
        };
        match self.map(&file, length) {
            Ok(component) => {
                note_use(&file);
                Some(component)
            }
            Err(error) => self.discard(&path, &format!("{error:#}")),
        }
    }

    /// Deletes what cannot be trusted or used. It will be compiled again.
    fn discard(&self, path: &Path, why: &str) -> Option<Component> {
        tracing::warn!(path = %path.display(), why, "a compiled plugin is not what this host wrote: compiled again");
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(path = %path.display(), %error, "it could not be deleted");
        }
        None
    }

    /// Whether the file ends with the keyed hash of its name and of what stands before; the length of that.
    fn check(&self, file: &File, code: &Digest) -> Result<u64, String> {
        let meta = file.metadata().map_err(|error| error.to_string())?;
        if !meta.is_file() {
            return Err("it is not a file".into());
        }
        let length = meta.len().checked_sub(SEAL as u64).ok_or("it is too short")?;
        let mut seal = [0; SEAL];
        file.read_exact_at(&mut seal, length).map_err(|error| error.to_string())?;
        let mac = self.keyed_hash(file, code, length).map_err(|error| error.to_string())?;
        mac.verify_slice(&seal).map_err(|_| "its seal does not fit its content")?;
        Ok(length)
    }

    fn keyed_hash(&self, file: &File, code: &Digest, length: u64) -> io::Result<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(PURPOSE);
        mac.update(self.name(code).as_bytes());
        mac.update(&length.to_le_bytes());
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        while at < length {
            let step = (buffer.len() as u64).min(length - at) as usize;
            file.read_exact_at(&mut buffer[..step], at)?;
            mac.update(&buffer[..step]);
            at += step as u64;
        }
        Ok(mac)
    }

    /// Maps what was checked. The descriptor is opened again by its number, which gives the same file whatever has
    /// happened to its name; where the system has no such path, the bytes are read through the descriptor.
    fn map(&self, file: &File, length: u64) -> wasmtime::Result<Component> {
        let by_number = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
        let path = format!("{by_number}/{}", file.as_raw_fd());
        if same_file(file, Path::new(&path)) {
            // SAFETY: wasmtime asks that the file is what `precompile_component` wrote and that it does not change
            // while it is mapped. The keyed hash that was just checked over this very file shows the first. The
            // second: the file has mode 0400 in a directory of mode 0700, both of the user that runs this host,
            // and this program never writes into an entry once it has its name. Whoever runs as that user can
            // attach a debugger to the host as well.
            return unsafe { Component::deserialize_file(&self.engine, path) };
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, 0)?;
        // SAFETY: as above, and a copy cannot change.
        unsafe { Component::deserialize(&self.engine, &bytes) }
    }

    /// A file to write machine code into. Nobody finds it until it is sealed.
    pub(super) fn draft(&self) -> Result<NamedTempFile, CacheFailed> {
        tempfile::Builder::new()
            .prefix("draft-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(&self.directory)
            .map_err(io_at(&self.directory))
    }

    /// Puts the keyed hash behind the machine code, gives the file its name, and maps it.
    pub(super) fn seal(&self, draft: NamedTempFile, code: &Digest) -> Result<Component, CacheFailed> {
        let path = self.path_of(code);
        let write = || {
            let file = draft.as_file();
            let length = file.metadata()?.len();
            let seal = self.keyed_hash(file, code, length)?.finalize().into_bytes();
            file.write_all_at(&seal, length)?;
            file.set_permissions(Permissions::from_mode(0o400))?;
            Ok(length)
        };
        let length = write().map_err(io_at(&path))?;
        let file = draft.persist(&path).map_err(|error| io_at(&path)(error.error))?;
        self.map(&file, length).map_err(CacheFailed::Unloadable)
    }

    /// Deletes entries that were not used for 30 days, the oldest beyond 4 GiB, and drafts that nobody finished.
    /// Gives back how many. An entry in use stays mapped although its name is gone.
    pub fn prune(&self) -> io::Result<usize> {
        self.prune_at(SystemTime::now(), KEPT_BYTES)
    }

    fn prune_at(&self, now: SystemTime, kept_bytes: u64) -> io::Result<usize> {
        let mut entries = Vec::new();
        let mut deleted = 0;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let Ok(meta) = entry.metadata() else { continue };
            let path = entry.path();
            let age = meta.modified().ok().and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            let is_entry = path.extension().is_some_and(|ending| ending == ENDING);
            if age > if is_entry { KEPT_FOR } else { ABANDONED_AFTER } {
                deleted += usize::from(fs::remove_file(&path).is_ok());
            } else if is_entry {
                entries.push((age, meta.len(), path));
            }
        }
        entries.sort();
        let mut sum = 0;
        for (age, length, path) in entries {
            sum += length;
            if sum > kept_bytes && age > USE_NOTED_EVERY * 2 {
                deleted += usize::from(fs::remove_file(&path).is_ok());
            }
        }
        Ok(deleted)
    }
}

/// Whether a path leads to the file that this descriptor has open.
fn same_file(file: &File, path: &Path) -> bool {
    let identity = |meta: fs::Metadata| (meta.dev(), meta.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(by_descriptor), Ok(by_path)) => identity(by_descriptor) == identity(by_path),
        _ => false,
    }
}

/// The time of an entry's last use is its modification time; writing it each time would cost more than the mapping.
fn note_use(file: &File) {
    let now = SystemTime::now();
    let noted = file.metadata().and_then(|meta| meta.modified());
    if noted.is_ok_and(|noted| now.duration_since(noted).is_ok_and(|age| age > USE_NOTED_EVERY)) {
        // It only decides what is deleted first.
        let _ = file.set_modified(now);
    }
}

/// Makes a directory of mode 0700. One that is there already must be ours and without these permissions.
fn make_directory(path: &Path, refused: u32) -> Result<(), CacheFailed> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_at(path))?;
    check_owner(path, &fs::metadata(path).map_err(io_at(path))?, refused)
}

fn check_owner(path: &Path, meta: &fs::Metadata, refused: u32) -> Result<(), CacheFailed> {
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return Err(CacheFailed::NotMine { path: path.to_owned(), owner: meta.uid(), me });
    }
    let mode = meta.mode() & 0o7777;
    if mode & refused != 0 {
        return Err(CacheFailed::NotPrivate { path: path.to_owned(), mode, wanted: mode & !refused });
    }
    Ok(())
}

/// wasmtime's hash of what decides what machine code looks like, with the version of this program, which decides
/// the format of the file around it.
pub(super) fn engine_hash(engine: &Engine) -> [u8; 32] {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            // Hash implementations only write. The digest is taken below.
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sha);
    env!("CARGO_PKG_VERSION").hash(&mut sha);
    sha.0.finalize().into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
