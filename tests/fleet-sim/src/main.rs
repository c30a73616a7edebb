//! `fleet-sim BACKEND`: serves a simulated fleet backend until it is told to stop.
//!
//! Prints one line of JSON when it listens: `{"backend":"nerveshub","url":"http://…","tokens":{"view":"nhu_…",…}}`.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context;
use clap::{Parser, Subcommand};
use fleet_sim::nerveshub::{Hub, Seed};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Simulated fleet backends for tests and the demo.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    backend: Backend,
}

#[derive(Subcommand)]
enum Backend {
    /// The NervesHub REST API, with some 480 devices in three orgs.
    Nerveshub {
        /// Where to listen; port 0 is any free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The number the fleet grows from; one number is one fleet.
        #[arg(long, default_value_t = Seed::default().number)]
        seed: u64,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // Before the line is printed, so that whoever reads it can already stop us in good order.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?;
    match cli.backend {
        Backend::Nerveshub { listen, seed } => {
            let seed = Seed { number: seed, ..Seed::default() };
            let hub =
                Hub::listen(listen, seed).await.with_context(|| format!("cannot listen on {listen}"))?;
            announce(&json!({"backend": "nerveshub", "url": hub.url(), "tokens": hub.tokens()}))?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            hub.stop().await;
        }
    }
    Ok(())
}

fn announce(line: &serde_json::Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to stdout")
}
