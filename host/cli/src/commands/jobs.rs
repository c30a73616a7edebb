//! `fleetgate jobs`: what runs in the background, and what nobody got an end of.
//!
//! A running host has its store to itself, so this reads the lists that each host writes beside it. They are a second
//! old at most; a host that was killed leaves its last one.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use fleetgate_core::jobs::{DeadJob, Mirrored, MirroredJob, read_mirror};

use super::why::arguments;
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output;
use crate::running::JOBS;

/// Shows what runs in the background.
#[derive(Debug, Subcommand)]
pub enum Jobs {
    List(List),
    Dead(Dead),
}

impl Jobs {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(),
            Self::Dead(dead) => dead.run(),
        }
    }
}

/// Lists the jobs that are kept, newest first.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object for each job.
    #[arg(long)]
    json: bool,
}

/// Lists the jobs without a proper end, newest first: the host stopped while they ran, they crashed, or their result
/// could not be kept. What they were to change may have happened.
#[derive(Debug, Args)]
pub struct Dead {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object for each job.
    #[arg(long)]
    json: bool,
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let mut jobs: Vec<MirroredJob> = all(&self.config)?.into_iter().flat_map(|said| said.jobs).collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.created_ms));
        if self.json {
            jobs.iter().for_each(output::json_line);
            return Ok(());
        }
        if jobs.is_empty() {
            eprintln!("no job is kept");
            return Ok(());
        }
        let rows = jobs.iter().map(|job| {
            [
                output::moment(job.created_ms),
                job.principal.to_string(),
                job.binding.to_string(),
                job.tool.to_string(),
                job.status.name().to_owned(),
                output::moment(job.expires_ms),
                job.reference.as_deref().unwrap_or_default().to_owned(),
                job.id.to_string(),
            ]
        });
        output::table(["began", "who", "binding", "tool", "status", "kept until", "call", "job"], rows);
        Ok(())
    }
}

impl Dead {
    fn run(self) -> Result<(), Failure> {
        let mut dead: Vec<DeadJob> = all(&self.config)?.into_iter().flat_map(|said| said.dead).collect();
        dead.sort_by_key(|job| std::cmp::Reverse(job.ended_ms));
        if self.json {
            dead.iter().for_each(output::json_line);
            return Ok(());
        }
        if dead.is_empty() {
            eprintln!("every job came to its end");
            return Ok(());
        }
        let rows = dead.iter().map(|job| {
            [
                output::moment(job.ended_ms),
                job.principal.to_string(),
                job.binding.to_string(),
                job.tool.to_string(),
                arguments(&job.arguments),
                format!("{}: {}", job.code, job.message),
                job.reference.as_deref().unwrap_or_default().to_owned(),
            ]
        });
        output::table(["at", "who", "binding", "tool", "arguments", "why", "call"], rows);
        Ok(())
    }
}

/// What each host of this state directory says.
fn all(config: &ConfigFile) -> Result<Vec<Mirrored>, Failure> {
    let directory = fleetgate_store::directory(&config.settings()?.serve.state);
    files(&directory)?.iter().map(|path| read_mirror(path).map_err(Failure::failed)).collect()
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::failed(format!("{} cannot be read: {error}", directory.display()));
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.to_str().is_some_and(|name| name.ends_with(&format!(".{JOBS}"))) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
