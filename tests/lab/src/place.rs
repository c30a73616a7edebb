//! Where a configuration lies.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use fleetgate_core::settings::{SecretSource, Secrets};
use tempfile::TempDir;

/// The directory of one `fleetgate.toml`, with the files beside it. It is gone with its last clone.
#[derive(Debug, Clone)]
pub struct Place {
    directory: Arc<TempDir>,
    secrets: BTreeMap<String, SecretSource>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: Arc::new(tempfile::tempdir().expect("a directory")), secrets: BTreeMap::new() }
    }

    /// Where a file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts a file there in one step, for its owner alone.
    pub fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        let draft = path.with_extension("new");
        fs::write(&draft, content).expect("a draft");
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).expect("its mode");
        fs::rename(draft, path).expect("its name");
    }

    /// Keeps a secret in the file of its name.
    pub(crate) fn add_secret(&mut self, name: &str, value: &str) {
        self.secrets.insert(name.to_owned(), SecretSource::File(self.path(name)));
        self.write(name, value);
    }

    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(self.directory.path(), self.secrets.clone())
    }
}
