//! The `fleetgate` program: it wires the other crates together and talks to the person at the terminal.
//!
//! - [`arguments`]: what can be typed; [`commands`]: one file for each command
//! - [`config_file`]: where `fleetgate.toml` is looked for; [`running`]: a host, started
//! - [`callers`]: who calls over HTTP; [`welcome`]: what `serve` says at its start; [`signals`]: what it is told
//! - [`questions`]: what a plugin asks of the person who calls it from the shell
//! - [`failure`]: how a command ends; [`output`], [`logging`], [`log_lines`], [`progress`]: what people see meanwhile

mod arguments;
mod callers;
mod commands;
mod config_file;
mod failure;
mod log_lines;
mod logging;
mod moment;
mod new_plugin;
mod output;
mod person;
mod progress;
mod questions;
mod running;
mod secret_arguments;
mod signals;
mod welcome;
mod whole_file;

use std::process::ExitCode;

use clap::Parser;
use fleetgate_core::sandbox::compile;

use arguments::Arguments;

// A quarter less time on the way of a call than the system's allocator takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The child that compiles: before anything else is set up, since it is to use as little as possible.
    let mut given = std::env::args_os().skip(1);
    if given.next().is_some_and(|first| first == compile::SUBCOMMAND) {
        compile::child_main(given);
    }
    let arguments = Arguments::parse();
    let lines = logging::start(arguments.log, arguments.command.talks());
    let end = arguments.command.run();
    if let Some(lines) = lines {
        lines.finish();
    }
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
