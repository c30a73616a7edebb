//! `fleetgate.lock`: what was approved, beside `fleetgate.toml`.
//!
//! For each plugin that is served: the version and digest that went live last, and its manifest. A new version is
//! compared with that manifest, so that what it may do beyond it is held until somebody approves it. The file is
//! written by the host and by `fleetgate approve` and `enable`, one at a time, and replaced as a whole.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alone::{NotAlone, alone_beside};
use crate::artifact::Digest;
use crate::ownership::{self, FileRefused, Rules};
use crate::whole_file;

/// The file's name.
pub const FILE: &str = "fleetgate.lock";
/// The version of its format.
const FORMAT: u32 = 1;
/// The most bytes that it may have.
const MAX_BYTES: u64 = 64 << 20;

const HEAD: &str = "# Written by fleetgate: which version of each plugin was approved, and what it may do.\n\
                    # `fleetgate approve ID` changes it after showing the difference.\n\n";

/// What was approved, by plugin id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// By id.
    pub plugins: BTreeMap<String, Approved>,
}

/// What was approved of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The version that went live last.
    pub version: String,
    /// Of its file.
    #[serde(with = "as_text")]
    pub digest: Digest,
    /// When somebody approved, or the operator's table was first seen. Versions that ask for no more do not
    /// change it.
    pub approved_at: Timestamp,
    /// Who approved.
    pub by: String,
    /// Its manifest.
    pub manifest: Arc<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Format {
    format: u32,
    #[serde(default)]
    plugins: BTreeMap<String, Approved>,
}

/// The lock cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LockFailed {
    /// Somebody else could have written it, or it cannot be read.
    #[error("{refused} ({help})", refused = .0, help = .0.help())]
    Refused(#[from] FileRefused),
    /// It is not what this program wrote.
    #[error(
        "{} cannot be understood: {reason} (restore it; or delete it, and every plugin is taken as approved when it is seen next)",
        .path.display()
    )]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be written.
    #[error("{} cannot be written: {reason}", .path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },
    /// It cannot be known that nobody else writes at the same time.
    #[error(transparent)]
    NotAlone(#[from] NotAlone),
}

impl Lock {
    /// Where the lock of these settings lies.
    pub fn path_beside(settings: &Path) -> PathBuf {
        settings.with_file_name(FILE)
    }

    /// Reads it. A file that is not there is an empty lock.
    pub fn read(path: &Path) -> Result<Self, LockFailed> {
        let rules = Rules { follow_links: true, public: true, sticky_directory: true, max_bytes: MAX_BYTES };
        let bytes = match ownership::read(path, &rules) {
            Ok(bytes) => bytes,
            Err(FileRefused::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(refused) => return Err(refused.into()),
        };
        let malformed = |reason: String| LockFailed::Malformed { path: path.to_owned(), reason };
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let format: Format = toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if format.format != FORMAT {
            return Err(malformed(format!("it has format {}, this program reads {FORMAT}", format.format)));
        }
        Ok(Self { plugins: format.plugins })
    }

    /// Reads the lock, changes it and writes it, while nobody else does. Gives back what stands there afterwards.
    pub fn change(path: &Path, change: impl FnOnce(&mut Self)) -> Result<Self, LockFailed> {
        let _alone = alone_beside(path)?;
        let before = Self::read(path)?;
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            after.write(path).map_err(|reason| LockFailed::Unwritable { path: path.to_owned(), reason })?;
        }
        Ok(after)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let format = Format { format: FORMAT, plugins: self.plugins.clone() };
        let text = toml::to_string_pretty(&format).map_err(io::Error::other)?;
        whole_file::replace(path, format!("{HEAD}{text}").as_bytes(), 0o644)
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Digest;

    pub(super) fn serialize<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(digest)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
