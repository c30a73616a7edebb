//! The official MCP conformance suite against the real host, with every fixture a sandboxed plugin
//! (`tests/conformance/plugin`).
//!
//! The suite runs in several ways: what each revision of the specification requires, everything that it has for each
//! protocol version, and the scenarios of the extensions one by one. Several run at once, each lane with a host of
//! its own, so that no scenario hears what another one sets off. What counts is read from the results that the suite
//! writes and not from its exit status alone: there a warning is a failure, and a run that looked at fewer scenarios
//! than it should is one too.

mod checks;
mod host;
mod plan;
mod suite;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use clap::Args;
use xshell::Shell;

use self::checks::{Report, Total};
use self::host::Host;
use self::plan::Run;
use self::suite::Suite;
use crate::{machine, plugins, root, target};

/// Runs at once. Scenarios mostly wait.
const LANES: usize = 4;

/// What to run.
#[derive(Args, Default)]
pub struct Options {
    /// One run alone: requirements-2026-07-28, all-2025-11-25, tasks-lifecycle, …
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// One scenario alone, of the run that is named or else by itself
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Leave a host with the plugin running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// Runs the suite; an error unless everything passed.
pub fn run(shell: &Shell, options: &Options) -> Result<()> {
    let runs = plan::chosen(options.run.as_deref(), options.scenario.as_deref())?;
    let folder = root().join("tests/conformance");
    machine::node_packages(shell, &folder)?;
    plugins::build(shell)?;
    let scratch = target().join("conformance");
    shell.remove_path(&scratch)?;
    let suite = Suite { node: machine::node(shell, &folder)?, folder, results: scratch.join("results") };
    let hosts = Hosts { program: machine::host(shell)?, plugin: plugins::for_tests("conformance"), scratch };

    let reports = in_lanes(&runs, &suite, &hosts)?;
    let verdict = tell(&reports);
    if options.keep {
        let mut host = hosts.start("kept")?;
        println!("\nthe host serves {} until Ctrl-C; results are in {}", host.url, suite.results.display());
        host.wait()?;
    }
    verdict
}

/// Where hosts come from.
struct Hosts {
    program: PathBuf,
    plugin: PathBuf,
    scratch: PathBuf,
}

impl Hosts {
    fn start(&self, name: &str) -> Result<Host> {
        Host::start(&self.program, &self.plugin, &self.scratch.join(name))
    }
}

/// Every run's report, in the order of the plan. Each is told as soon as it is there.
fn in_lanes(runs: &[Run], suite: &Suite, hosts: &Hosts) -> Result<Vec<Report>> {
    let queue = Mutex::new(runs.iter().enumerate());
    let reports = Mutex::new(Vec::new());
    let lane = |number: usize| -> Result<()> {
        let mut host = None;
        loop {
            let Some((place, run)) = queue.lock().expect("no lane panics").next() else { return Ok(()) };
            if host.is_none() {
                host = Some(hosts.start(&format!("host-{number}"))?);
            }
            let url = &host.as_ref().expect("just started").url;
            let report = suite.run(run, url).with_context(|| format!("run {}", run.name))?;
            println!("{report}");
            reports.lock().expect("no lane panics").push((place, report));
        }
    };
    std::thread::scope(|scope| {
        let lane = &lane;
        let lanes: Vec<_> =
            (0..LANES.min(runs.len())).map(|number| scope.spawn(move || lane(number))).collect();
        lanes.into_iter().try_for_each(|lane| lane.join().expect("no lane panics"))
    })?;
    let mut reports = reports.into_inner().expect("no lane panics");
    reports.sort_by_key(|(place, _)| *place);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

/// What the suite itself left out, and all counts.
fn tell(reports: &[Report]) -> Result<()> {
    let skipped: BTreeSet<_> = reports.iter().flat_map(Report::skipped).collect();
    if !skipped.is_empty() {
        println!("\nskipped by the suite itself:");
        skipped.iter().for_each(|(check, reason)| println!("    {check}: {reason}"));
    }
    let total: Total = reports.iter().map(Report::total).sum();
    println!("\nconformance: {} runs, {total}", reports.len());
    match reports.iter().filter(|report| !report.passed()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} runs of the conformance suite failed", reports.len()),
    }
}
