//! The ratios of docs/performance.md, measured by `tests/bench` in release mode.

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

use crate::{plugins, target};

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Only these figures (P1, P2, …)
    only: Vec<String>,
    /// Fewer and shorter rounds, to see that everything runs
    #[arg(long)]
    quick: bool,
}

/// Builds in release mode, and runs the bench.
pub fn run(shell: &Shell, options: &Options) -> Result<()> {
    plugins::build(shell)?;
    cmd!(shell, "cargo build --quiet --locked --release --workspace --bins").run()?;
    let bench = target().join("release/fleetgate-bench");
    let mut arguments: Vec<_> = options.only.clone();
    if options.quick {
        arguments.push("--quick".into());
    }
    cmd!(shell, "{bench} {arguments...}").quiet().run()?;
    Ok(())
}
