//! Copies of the files that went live last, in the state directory.
//!
//! While a widening or broken version lies in the drop directory, the old one serves on. Its file was overwritten,
//! so after a restart it comes from here. A copy counts only if its digest is the one in `fleetgate.lock`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::artifact::{self, Artifact, Digest};
use crate::ownership::{self, Rules};
use crate::whole_file;

/// The copies of one state directory.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    directory: PathBuf,
    /// By the plugin's id, the version whose copy is to stay. Copies are written in the background, and an earlier
    /// one may be ready after a later one.
    wanted: Arc<Mutex<HashMap<String, Digest>>>,
}

impl Kept {
    pub(super) fn new(state: &Path) -> Self {
        Self { directory: state.join("approved"), wanted: Arc::default() }
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<String, Digest>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path_of(&self, id: &str, digest: &Digest) -> PathBuf {
        self.directory.join(format!("{id}@{}.wasm", digest.hex()))
    }

    /// From now on the copy of this version is the one that stays. Whether there is none yet; one that is there may
    /// still prove to be another file when it is read.
    pub(super) fn wants(&self, id: &str, digest: &Digest) -> bool {
        // Nothing is deleted meanwhile.
        let mut wanted = self.wanted();
        wanted.insert(id.to_owned(), *digest);
        !self.path_of(id, digest).exists()
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

    /// Keeps a copy and deletes those of other versions of the plugin, unless another one is wanted by now.
    pub(super) fn put(&self, artifact: &Artifact) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let path = self.path_of(&artifact.id, &artifact.digest);
        whole_file::replace(&path, &artifact.bytes, 0o600)?;
        let wanted = self.wanted();
        if wanted.get(&artifact.id).is_some_and(|digest| *digest != artifact.digest) {
            return fs::remove_file(path);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u8) -> Artifact {
        let (bytes, digest) = ([number; 8], Digest::of(&[number; 8]));
        Artifact {
            id: "lab".to_owned(),
            path: PathBuf::from("lab.wasm"),
            bytes: Arc::from(bytes),
            digest,
            code_digest: digest,
            manifest_text: Arc::from(""),
        }
    }

    fn names(kept: &Kept) -> Vec<String> {
        let entries = fs::read_dir(&kept.directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn name(version: &Artifact) -> String {
        format!("lab@{}.wasm", version.digest.hex())
    }

    #[test]
    fn a_copy_that_is_ready_after_a_later_one_does_not_take_its_place() {
        let state = tempfile::tempdir().unwrap();
        let kept = Kept::new(state.path());
        let (first, second) = (version(1), version(2));
        assert!(kept.wants("lab", &first.digest) && kept.wants("lab", &second.digest));
        kept.put(&second).unwrap();
        kept.put(&first).unwrap();
        assert_eq!(names(&kept), [name(&second)]);
        // Back to the first one while the second is still being written.
        assert!(kept.wants("lab", &first.digest));
        kept.put(&first).unwrap();
        assert_eq!(names(&kept), [name(&first)]);
        kept.put(&second).unwrap();
        assert_eq!(names(&kept), [name(&first)]);
        assert!(!kept.wants("lab", &first.digest), "it is there");
    }
}
