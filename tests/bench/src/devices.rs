//! A thousand simulated devices at a real broker, in a process of their own: what they cost is not the host's, and not
//! the client's.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::program;

/// How long the devices may take to connect, and a load beyond its own time. Only to end what hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Devices that talk when they are told to; ended when dropped.
pub struct Devices {
    /// Who they are, and how to reach their broker.
    pub said: Said,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

/// The first line of `fleet-sim jettyd-fleet`.
#[derive(Debug, Deserialize)]
pub struct Said {
    /// Of the broker.
    pub url: String,
    /// The second level of every topic.
    pub tenant: String,
    /// Who may listen to all of them.
    pub login: Login,
    /// Their ids.
    pub devices: Vec<String>,
}

/// A user of the broker.
#[derive(Debug, Deserialize)]
pub struct Login {
    pub username: String,
    pub password: String,
}

/// What came of a load.
#[derive(Debug, Deserialize)]
pub struct Loaded {
    /// Messages that the broker has acknowledged.
    pub acknowledged: u64,
    /// Messages that it has not.
    pub lost: u64,
}

impl Devices {
    /// So many devices, connected.
    pub async fn start(devices: usize) -> Result<Self> {
        let mut command = Command::new(program::path("fleet-sim")?);
        command.args(["jettyd-fleet", "--without-known", "--every", "0", "--loads"]);
        command.args(["--plain", &devices.to_string()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the devices cannot be started")?;
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        let input = child.stdin.take().context("stdin is a pipe")?;
        let mut lines = BufReader::new(stdout).lines();
        let Ok(Some(first)) = tokio::time::timeout(PATIENCE, lines.next_line()).await? else {
            bail!("the devices did not connect; what they said stands above");
        };
        let said = serde_json::from_str(&first).with_context(|| format!("not a JSON line: {first}"))?;
        Ok(Self { said, input, lines, _child: child })
    }

    /// Each device publishes so many messages, one a second.
    pub async fn talk(&mut self, messages: u32) -> Result<Loaded> {
        self.input.write_all(format!("{messages} 1\n").as_bytes()).await?;
        let patience = PATIENCE + Duration::from_secs(u64::from(messages));
        let Some(line) = tokio::time::timeout(patience, self.lines.next_line()).await?? else {
            bail!("the devices ended");
        };
        serde_json::from_str(&line).with_context(|| format!("not a JSON line: {line}"))
    }
}
