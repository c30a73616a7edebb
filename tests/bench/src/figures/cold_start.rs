//! P7: what a client that starts its server waits for: from starting the program until its list of tools is read. The
//! plugin's machine code is in the cache.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::figure::{Better, Figure, Samples};
use crate::installation::Installation;
use crate::rounds::{Effort, alternate};
use crate::{message, program};

/// How long a list may take, and the program's end after it. Only to end what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(effort: Effort) -> Result<Vec<Figure>> {
    let installation = Installation::of(&["hello"])?;
    // The first round, which does not count, fills the cache.
    let rounds = alternate(effort.starts, 2, 1, async |side| {
        let command = match side {
            0 => installation.command("stdio").map(|mut command| {
                command.args(["--plugin", "hello"]);
                command
            }),
            _ => program::path("fleetgate-bench-native").map(|path| {
                let mut command = Command::new(path);
                command.arg("stdio");
                command
            }),
        };
        let took = async { start(command?).await }.await;
        took.map(|took| vec![took]).map_err(|error| format!("{error:#}"))
    })
    .await?;
    Ok(vec![Figure {
        id: "P7",
        what: "stdio, from start to the list of tools, cache warm",
        unit: "ms",
        better: Better::Less,
        ours: Samples { name: "fleetgate", values: rounds.of(0, 0) },
        theirs: Samples { name: "rmcp", values: rounds.of(1, 0) },
        bar: Some(2.5),
        stretch: Some(1.5),
        invalid_rounds: rounds.invalid,
    }])
}

/// Milliseconds until the list was read.
async fn start(mut command: Command) -> Result<f64> {
    let request = format!("{}\n", message::list(1));
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the program cannot be started")?;
    let mut stdin = child.stdin.take().context("stdin is a pipe")?;
    let mut stdout = BufReader::new(child.stdout.take().context("stdout is a pipe")?);
    let mut line = String::new();
    let exchange = async {
        stdin.write_all(request.as_bytes()).await?;
        stdout.read_line(&mut line).await
    };
    tokio::time::timeout(PATIENCE, exchange).await.context("no list of tools within a minute")??;
    let took = start.elapsed().as_secs_f64() * 1e3;
    anyhow::ensure!(message::lists(line.as_bytes(), 1, "greet"), "not the list of tools: {line}");
    // The end of its input is the end of a server on stdio.
    drop(stdin);
    tokio::time::timeout(PATIENCE, child.wait())
        .await
        .context("the program did not end with its input")??;
    Ok(took)
}
