//! The workspace's own commands: `cargo xtask demo | test | conformance | plugins | bench`.

mod bench;
mod conformance;
mod demo;
mod licences;
mod machine;
mod plugins;
mod running;
mod templates;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xshell::Shell;

/// Build, try and check Fleetgate.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the host and the plugins, start a simulated fleet and the host, and say what to try
    Demo(demo::Options),
    /// Everything that CI runs
    Test(test::Options),
    /// Run the official MCP conformance suite against the host, in every protocol version
    Conformance(conformance::Options),
    /// Build every plugin, pack it with its manifest, and write target/plugins/<id>.wasm
    Plugins,
    /// Time the host beside a plain MCP server, in one run
    Bench(bench::Options),
}

fn main() -> ExitCode {
    // The host refuses plugins and configuration that others can write. Where new files are made so (umask 002 is
    // usual in places), the demo's and the tests' would be.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let done = Shell::new().map_err(anyhow::Error::from).and_then(|shell| {
        shell.change_dir(root());
        match Arguments::parse().command {
            Command::Demo(options) => demo::run(&shell, &options),
            Command::Test(options) => test::run(&shell, &options),
            Command::Conformance(options) => conformance::run(&shell, &options),
            Command::Plugins => plugins::build(&shell).map(drop),
            Command::Bench(options) => bench::run(&shell, &options),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}
