//! A Fleetgate with its plugins in a folder of its own, as an operator would have it: nothing is switched off.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::program::{self, Program};

/// A folder with `fleetgate.toml` and `plugins/`, gone when dropped.
pub struct Installation {
    folder: TempDir,
}

impl Installation {
    /// Serves these plugins with the default limits.
    pub fn of(plugins: &[&str]) -> Result<Self> {
        Self::with(plugins, "")
    }

    /// Serves these plugins, with more lines of configuration.
    pub fn with(plugins: &[&str], more: &str) -> Result<Self> {
        Self::for_callers(&[], plugins, more)
    }

    /// The same for callers with these roles.
    pub fn for_callers(roles: &[&str], plugins: &[&str], more: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("fleetgate-bench-").tempdir()?;
        let drop_directory = folder.path().join("plugins");
        fs::create_dir(&drop_directory)?;
        let mut config = format!("[serve]\nplugins = \"plugins\"\nlocal_roles = {roles:?}\n");
        for id in plugins {
            fs::copy(program::plugin(id)?, drop_directory.join(format!("{id}.wasm")))
                .with_context(|| format!("{id} cannot be copied"))?;
            config.push_str(&format!("\n[plugins.{id}]\n"));
        }
        config.push_str(more);
        let this = Self { folder };
        fs::write(this.config(), config)?;
        Ok(this)
    }

    /// A secret's file, readable by its owner alone.
    pub fn secret(&self, name: &str, value: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        fs::write(&path, value)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("fleetgate.toml")
    }

    /// `fleetgate COMMAND --config THIS`.
    pub fn command(&self, command: &str) -> Result<Command> {
        let mut fleetgate = Command::new(program::path("fleetgate")?);
        fleetgate.arg(command).arg("--config").arg(self.config());
        fleetgate.env_remove("FLEETGATE_LOG").env_remove("RUST_LOG");
        Ok(fleetgate)
    }

    /// Serves it over HTTP.
    pub async fn serve(&self) -> Result<Program> {
        let mut command = self.command("serve")?;
        command.args(["--listen", "127.0.0.1:0", "--json"]);
        Program::start(command).await
    }
}
