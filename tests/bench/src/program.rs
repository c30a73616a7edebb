//! A server in a process of its own, ended when dropped.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a server may take until it says where it listens: it may have to compile its plugins.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// A running server.
pub struct Program {
    /// Where it serves.
    pub url: String,
    child: Child,
}

/// The first line of both servers.
#[derive(Deserialize)]
struct Says {
    url: String,
}

impl Program {
    /// Starts it and waits until it says where it listens.
    pub async fn start(mut command: Command) -> Result<Self> {
        let mut log = tempfile::tempfile()?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .kill_on_drop(true)
            .spawn()
            .context("a server cannot be started")?;
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(STARTS_WITHIN, lines.next_line()).await;
        let Ok(Ok(Some(line))) = first else {
            bail!("the server did not say where it listens:\n{}", read(&mut log));
        };
        let says: Says = serde_json::from_str(&line).with_context(|| format!("not a JSON line: {line}"))?;
        // What it says later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { url: says.url, child })
    }

    /// Its resident memory in MiB. None where there is no `/proc`.
    pub fn resident(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
    }

    /// CPU time of all its threads so far, to a hundredth of a second. None where there is no `/proc`.
    pub fn cpu_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // The second field is the name in brackets, which may hold anything; utime and stime are fields 14 and 15.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }
}

fn read(log: &mut File) -> String {
    let mut text = String::new();
    let _ = log.rewind().and_then(|()| log.read_to_string(&mut text));
    text
}

/// A program of this workspace, built in the same profile.
pub fn path(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is missing: run `cargo build --release --workspace --bins`", path.display());
    Ok(path)
}

/// A packed plugin, shipped or for tests.
pub fn plugin(id: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("programs lie in target/<profile>")?;
    let mut places =
        ["plugins", "test-plugins"].map(|folder| target.join(folder).join(format!("{id}.wasm"))).into_iter();
    places
        .find(|path| path.exists())
        .with_context(|| format!("{id}.wasm is missing: run `cargo xtask plugins`"))
}

/// The opponent, serving HTTP.
pub async fn native() -> Result<Program> {
    let mut command = Command::new(path("fleetgate-bench-native")?);
    command.arg("http");
    Program::start(command).await
}
