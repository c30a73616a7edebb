//! Where `fleetgate.toml` is looked for: where `--config` says, else in the user's and then in the system's
//! configuration directory. Never in the working directory: a repository that somebody cloned must not start
//! plugins with that person's secrets.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use fleetgate_core::settings::{self, Settings};

use crate::failure::Failure;

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

fn none_found() -> Failure {
    let places = places().iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ");
    let failure = Failure::usage(format!("there is no configuration at {places}"));
    if Path::new(NAME).exists() {
        return failure
            .help(format!("the {NAME} in this directory is used only when you name it: --config {NAME}"));
    }
    failure.help("write one there, or name one with --config FILE")
}
