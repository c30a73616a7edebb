//! A host that serves the conformance plugin, in a folder of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::running::{Running, text};

/// A running host.
pub struct Host {
    running: Running,
    /// The endpoint of the plugin alone, where its names are bare.
    pub url: String,
}

impl Host {
    /// Makes the folder, and starts the host in it on a free port. What it logs goes to `host.log`.
    pub fn start(program: &Path, plugin: &Path, folder: &Path) -> Result<Self> {
        let plugins = folder.join("plugins");
        std::fs::create_dir_all(&plugins)?;
        std::fs::copy(plugin, plugins.join(plugin.file_name().context("a plugin has a name")?))?;
        let config = folder.join("fleetgate.toml");
        std::fs::copy(root().join("tests/conformance/fleetgate.toml"), &config)?;
        let log = std::fs::File::create(folder.join("host.log"))?;
        let running = Running::start(
            Command::new(program)
                .args(["serve", "--json", "--listen", "127.0.0.1:0", "--config"])
                .arg(&config)
                .stderr(log),
        )
        .with_context(|| format!("see {}", folder.join("host.log").display()))?;
        let binding = text(&running.said["bindings"]["conformance"]["url"])
            .with_context(|| format!("the host does not serve the plugin: {}", running.said))?;
        // By name: the suite looks at how a server on localhost treats other names.
        Ok(Self { url: binding.replace("127.0.0.1", "localhost"), running })
    }

    /// Waits until it ends.
    pub fn wait(&mut self) -> Result<()> {
        self.running.child.wait()?;
        Ok(())
    }
}
