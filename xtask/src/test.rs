//! Everything that CI runs, in the order in which it fails fastest.

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

use crate::{conformance, demo, licences, machine, plugins, root};

/// What to leave out.
#[derive(Args)]
pub struct Options {
    /// Skip what needs Node (other people's MCP clients, a second MQTT broker, and the conformance suite)
    #[arg(long)]
    without_node: bool,
}

/// Formats, licences, lints, builds, tests, the conformance suite, and the demo once.
pub fn run(shell: &Shell, options: &Options) -> Result<()> {
    step("formatting");
    cmd!(shell, "cargo fmt --all --check").run()?;
    step("licences of dependencies");
    licences::check(shell)?;
    machine::wasm_target(shell)?;
    step("lints");
    cmd!(shell, "cargo clippy --quiet --locked --workspace --all-targets -- --deny warnings").run()?;
    step("plugins");
    plugins::build(shell)?;
    if options.without_node {
        shell.set_var("FLEETGATE_WITHOUT_NODE", "1");
    } else {
        step("packages of MCP clients");
        machine::node_packages(shell, &root().join("tests/clients"))?;
        step("packages of a second MQTT broker");
        machine::node_packages(shell, &root().join("tests/brokers"))?;
    }
    step("an OpenSSH server");
    machine::openssh(shell)?;
    step("a Mosquitto broker");
    machine::mosquitto(shell)?;
    step("tests");
    cmd!(shell, "cargo test --quiet --locked --workspace --no-fail-fast").run()?;
    if !options.without_node {
        step("conformance");
        conformance::run(shell, &conformance::Options::default())?;
    }
    step("demo");
    demo::run(shell, &demo::Options::once())?;
    println!("\nall green");
    Ok(())
}

fn step(name: &str) {
    println!("\n== {name}");
}
