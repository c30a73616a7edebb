//! Copies of the files that went live last, in the state directory.
//!
//! While a widening or broken version lies in the drop directory, the old one serves on. Its file was overwritten,
//! so after a restart it comes from here. A copy counts only if its digest is the one in `fleetgate.lock`.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::artifact::{self, Artifact, Digest};
use crate::ownership::{self, Rules};
use crate::whole_file;

/// The copies of one state directory.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    directory: PathBuf,
}

impl Kept {
    pub(super) fn new(state: &Path) -> Self {
        Self { directory: state.join("approved") }
    }

    fn path_of(&self, id: &str, digest: &Digest) -> PathBuf {
        self.directory.join(format!("{id}@{}.wasm", digest.hex()))
    }

    /// Whether there is a copy. It may still prove to be another file when it is read.
    pub(super) fn has(&self, id: &str, digest: &Digest) -> bool {
        self.path_of(id, digest).exists()
    }

    /// The copy of the file with this digest.
    pub(super) fn get(&self, id: &str, digest: &Digest) -> Option<Artifact> {
        let path = self.path_of(id, digest);
        let rules = Rules {
            follow_links: false,
            public: true,
            sticky_directory: false,
            max_bytes: artifact::MAX_BYTES,
        };
        let bytes = ownership::read(&path, &rules).ok()?;
        let artifact = Artifact::from_bytes(self.directory.join(format!("{id}.wasm")), bytes).ok()?;
        (artifact.digest == *digest).then_some(artifact)
    }

    /// Keeps a copy, and deletes those of other versions of the plugin.
    pub(super) fn put(&self, artifact: &Artifact) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let path = self.path_of(&artifact.id, &artifact.digest);
        whole_file::replace(&path, &artifact.bytes, 0o600)?;
        let of_this = format!("{}@", artifact.id);
        for entry in fs::read_dir(&self.directory)? {
            let other = entry?.path();
            let name = other.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(&of_this) && other != path {
                fs::remove_file(other)?;
            }
        }
        Ok(())
    }
}
