//! Where `fleetgate.toml` is looked for: where `--config` says, else in the user's and then in the system's
//! configuration directory. Never in the working directory: a repository that somebody cloned must not start
//! plugins with that person's secrets.

use std::env;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use fleetgate_core::settings::{self, Settings};

use crate::failure::Failure;

/// What an empty one says.
const NEW: &str =
    "# What plugins are granted. `fleetgate inspect FILE.wasm --grant` prints a table to begin with.\n";
/// Its name everywhere.
const NAME: &str = "fleetgate.toml";
/// The system's directory.
const SYSTEM: &str = "/etc";

/// `--config`, for every command that needs the configuration.
#[derive(Debug, Clone, Args)]
pub struct ConfigFile {
    /// The configuration. Without it: fleetgate/fleetgate.toml in $XDG_CONFIG_HOME (or ~/.config), else in /etc.
    #[arg(long = "config", value_name = "FILE")]
    given: Option<PathBuf>,
}

impl ConfigFile {
    /// The file to use.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        match &self.given {
            Some(path) => Ok(path.clone()),
            None => self.found().ok_or_else(none_found),
        }
    }

    /// The same for a command that takes the place of a program which needed no configuration: where there is none, and
    /// none is named, an empty one is made in the user's directory, beside a folder to drop plugins into.
    pub fn path_or_new(&self) -> Result<PathBuf, Failure> {
        // One that cannot be looked at is not replaced by an empty one.
        let absent = || places().iter().all(|place| matches!(place.try_exists(), Ok(false)));
        match self.path() {
            Err(none) if self.given.is_none() && absent() => made(users().ok_or(none)?),
            path => path,
        }
    }

    /// Read and checked, but for the grants, which need their plugins.
    pub fn settings(&self) -> Result<Settings, Failure> {
        Ok(settings::load(&self.path()?)?)
    }

    fn found(&self) -> Option<PathBuf> {
        places().into_iter().find(|path| path.exists())
    }
}

fn places() -> Vec<PathBuf> {
    users().into_iter().chain([Path::new(SYSTEM).join("fleetgate").join(NAME)]).collect()
}

/// The XDG base directory specification: a relative path counts as unset.
fn users() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(directory.join("fleetgate").join(NAME))
}

/// An empty configuration, for this user alone. Whoever makes it at the same moment makes the same.
fn made(path: PathBuf) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::failed(format!("cannot make {}: {error}", path.display()));
    let plugins = path.with_file_name("plugins");
    DirBuilder::new().recursive(true).mode(0o700).create(&plugins).map_err(failed)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => file.write_all(NEW.as_bytes()).map_err(failed)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    eprintln!("made an empty {}; plugins are dropped into {}", path.display(), plugins.display());
    Ok(path)
}

fn none_found() -> Failure {
    let places = places().iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ");
    let failure = Failure::usage(format!("there is no configuration at {places}"));
    if Path::new(NAME).exists() {
        return failure
            .help(format!("the {NAME} in this directory is used only when you name it: --config {NAME}"));
    }
    failure.help("write one there, or name one with --config FILE")
}
