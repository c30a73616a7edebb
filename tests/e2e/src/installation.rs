//! One installation of the host: a folder with its configuration, secrets and plugins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::{plugin, program};

/// A folder with `fleetgate.toml`, `plugins/` and secrets, gone when dropped.
pub struct Installation {
    folder: TempDir,
}

impl Default for Installation {
    fn default() -> Self {
        Self::new()
    }
}

impl Installation {
    /// An empty one.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("fleetgate-").tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("plugins")).expect("a folder for plugins");
        let this = Self { folder };
        this.config("[serve]\n");
        this
    }

    /// One plugin over a backend at `url`, with a bearer token and the given local roles.
    pub fn of(id: &str, url: &str, token: &str, roles: &[&str]) -> Self {
        let this = Self::new();
        this.install(id);
        this.secret("token", token);
        this.config(&format!(
            r#"
[serve]
local_roles = {roles:?}

[secrets]
token = {{ file = "token" }}

[plugins.{id}.grant.http.api]
url = "{url}"
credential = {{ bearer = "token" }}
"#
        ));
        this
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `fleetgate.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path().join("fleetgate.toml")
    }

    /// Writes `fleetgate.toml` anew, in one step.
    pub fn config(&self, text: &str) {
        self.replace(&self.config_path(), text.as_bytes(), 0o644);
    }

    /// `fleetgate.toml` as it is now.
    pub fn config_text(&self) -> String {
        fs::read_to_string(self.config_path()).expect("the configuration")
    }

    /// Where a plugin's file lies.
    pub fn plugin_path(&self, id: &str) -> PathBuf {
        self.path().join("plugins").join(format!("{id}.wasm"))
    }

    /// Drops a packed plugin of this workspace into the folder.
    pub fn install(&self, id: &str) {
        let bytes = fs::read(plugin(id)).expect("a packed plugin");
        self.install_bytes(id, &bytes);
    }

    /// Drops these bytes into the folder, in one step.
    pub fn install_bytes(&self, id: &str, bytes: &[u8]) {
        self.replace(&self.plugin_path(id), bytes, 0o644);
    }

    /// Writes a secret's file, readable by its owner alone.
    pub fn secret(&self, name: &str, value: &str) {
        self.replace(&self.path().join(name), value.as_bytes(), 0o600);
    }

    /// Writes `fleetgate.lock` anew, in one step.
    pub fn lock(&self, text: &str) {
        self.replace(&self.path().join("fleetgate.lock"), text.as_bytes(), 0o644);
    }

    /// Runs `fleetgate COMMAND … --config THIS` to its end.
    pub fn fleetgate(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("fleetgate starts")
    }

    /// The same, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("fleetgate"));
        command.args(arguments).arg("--config").arg(self.config_path());
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        command
    }

    fn replace(&self, path: &Path, bytes: &[u8], mode: u32) {
        let file = tempfile::NamedTempFile::new_in(self.path()).expect("a temporary file");
        fs::write(file.path(), bytes).expect("room on the disk");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("our own file");
        file.persist(path).expect("a file in our own folder");
    }
}
