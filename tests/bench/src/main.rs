//! Measures Fleetgate against a stock rmcp server, side by side in one run, and prints the ratios of
//! `docs/performance.md`.
//!
//! - [`figures`]: one file for each figure: what is measured, and how
//! - [`rounds`]: A B A B; [`figure`]: medians and ratios; [`report`]: the table; [`machine`]: where it ran
//! - [`load`]: the HTTP client; [`message`]: what it asks, and whether the answer is right
//! - [`program`]: a server in a process of its own; [`installation`]: a Fleetgate with its plugins
//! - [`devices`]: simulated devices that talk
//! - [`guest`]: the sandbox alone, in this process

mod devices;
mod figure;
mod figures;
mod guest;
mod installation;
mod load;
mod machine;
mod message;
mod program;
mod report;
mod rounds;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use figures::Which;
use machine::Machine;
use rounds::Effort;

// As in the host.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Fleetgate against a stock rmcp server. Run it with `cargo xtask bench`.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these figures
    #[arg(value_enum, ignore_case = true)]
    only: Vec<Which>,
    /// Fewer and shorter rounds, to see that everything runs
    #[arg(long)]
    quick: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every figure could be measured. A figure below its bar is a result, not a failure.
fn run(arguments: &Arguments) -> Result<bool> {
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let machine = Machine::look();
    machine.warn();
    let mut wanted = if arguments.only.is_empty() { Which::ALL.to_vec() } else { arguments.only.clone() };
    wanted.sort_unstable();
    wanted.dedup();

    let mut measured = Vec::new();
    let mut complete = true;
    for which in wanted {
        eprintln!("{which}: {}", which.what());
        match client_runtime()?.block_on(which.measure(effort)) {
            Ok(figures) => measured.extend(figures),
            Err(error) => {
                eprintln!("{which} could not be measured: {error:#}");
                complete = false;
            }
        }
    }
    let machine = machine.and_after();
    let text = if arguments.json {
        report::json(&machine, effort, &measured)?
    } else {
        report::table(&machine, effort, &measured)
    };
    println!("{text}");
    Ok(complete)
}

/// Half of the machine for the clients, so that the server has a share; on two cores that is one worker.
fn client_runtime() -> Result<tokio::runtime::Runtime> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads((workers / 2).max(1))
        .enable_all()
        .build()
        .context("the client cannot start")
}
