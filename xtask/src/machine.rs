//! What the commands need of the machine, installed where they may and named where they may not.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{root, target};

/// The target that guests are built for.
pub fn wasm_target(shell: &Shell) -> Result<()> {
    let libraries = cmd!(shell, "rustc --print target-libdir --target wasm32-wasip2").quiet().read()?;
    if std::path::Path::new(&libraries).exists() {
        return Ok(());
    }
    println!("adding the target wasm32-wasip2");
    cmd!(shell, "rustup target add wasm32-wasip2")
        .run()
        .context("the Rust target wasm32-wasip2 is missing: run `rustup target add wasm32-wasip2`")
}

/// The host, built. The whole workspace is built at once, because building single packages changes which features
/// their dependencies have, and wasmtime would be built again.
pub fn host(shell: &Shell) -> Result<PathBuf> {
    cmd!(shell, "cargo build --quiet --locked --workspace --bins").run()?;
    Ok(target().join("debug/fleetgate"))
}

/// Node 22 and the npm packages under `tests/clients`, for the tests with other people's MCP clients.
pub fn node_packages(shell: &Shell) -> Result<()> {
    let folder = root().join("tests/clients");
    let missing = cmd!(shell, "npm --version").quiet().ignore_stdout().ignore_stderr().run().is_err();
    if missing && !apt_install(shell, &["npm"]) {
        bail!("npm is missing: install it (Debian: `apt-get install npm`), then run this again");
    }
    let _there = shell.push_dir(folder);
    cmd!(shell, "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error")
        .quiet()
        .ignore_stdout()
        .run()?;
    Ok(())
}

/// Installs Debian packages where this user may; false where not.
fn apt_install(shell: &Shell, packages: &[&str]) -> bool {
    let root = cmd!(shell, "id -u").quiet().read().is_ok_and(|id| id == "0");
    if !root || cmd!(shell, "apt-get --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        return false;
    }
    cmd!(shell, "apt-get update -qq").run().is_ok()
        && cmd!(shell, "apt-get install -y -qq --no-install-recommends {packages...}").run().is_ok()
}
