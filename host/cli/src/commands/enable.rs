//! `fleetgate enable`: a plugin that was found gets a table in `fleetgate.toml`.

use clap::Args;
use fleetgate_core::catalog::{ApprovalFailed, Enabling};
use serde_json::json;

use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output::{self, bold};
use crate::person;
use crate::running::{Wanted, block_on, capabilities};

/// Serves a plugin that was found: adds its table to fleetgate.toml, with what is to be filled in.
#[derive(Debug, Args)]
pub struct Enable {
    /// The plugin.
    id: String,
    #[command(flatten)]
    config: ConfigFile,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

impl Enable {
    pub fn run(self) -> Result<(), Failure> {
        let settings = self.config.path()?;
        let options = Wanted::all(settings.clone()).options()?;
        let enabling = block_on(async { Ok(Enabling::of(&self.id, options, capabilities()).await?) })?;
        enabling.enable(&person::at_the_terminal())?;

        let (id, version) = (&enabling.id, &enabling.version.manifest.plugin.version);
        if self.json {
            output::json(&json!({
                "id": id, "version": version, "digest": enabling.version.digest.to_string(),
                "config": settings.display().to_string(), "table": enabling.table,
            }));
            return Ok(());
        }
        output::line(format_args!(
            "{} is enabled. Added to {}:\n",
            bold(format!("{id} {version}")),
            settings.display()
        ));
        output::write(&enabling.table);
        let asks = !enabling.version.manifest.capabilities.is_empty();
        let next = if asks {
            "Fill in what is missing; `fleetgate check` says what that is."
        } else {
            "Nothing is to be filled in."
        };
        output::line(format_args!("\n{next} A running host takes it up by itself."));
        Ok(())
    }
}

impl From<ApprovalFailed> for Failure {
    fn from(failed: ApprovalFailed) -> Self {
        match failed {
            ApprovalFailed::Start(failed) => failed.into(),
            ApprovalFailed::NoFile { ref suggestion, .. } => {
                let help = match suggestion.as_str() {
                    "" => "`fleetgate check` lists what is there".to_owned(),
                    suggestion => suggestion.to_owned(),
                };
                Self::usage(failed).help(help)
            }
            ApprovalFailed::NotEnabled(_) | ApprovalFailed::AlreadyEnabled(_) => {
                Self::failed(failed).help("`fleetgate check` says how it stands")
            }
            ApprovalFailed::Broken { id, why } => match why.diagnostics() {
                Some(problems) => problems.clone().into(),
                None => Self::failed(format!("{id} cannot be served: {why}")),
            },
            other => Self::failed(other),
        }
    }
}
