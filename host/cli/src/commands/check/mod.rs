//! `fleetgate check`: everything that a host would load, tried out, and what each plugin may do, in sentences.

mod facts;
mod sentences;

use clap::Args;
use fleetgate_core::catalog::{BindingState, PluginState, StartFailed, Survey};

use super::state;
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output;
use crate::running::{Wanted, block_on, capabilities, sandbox};

/// Checks the configuration, the plugins and the grants, and says what each plugin may do.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn run(self) -> Result<(), Failure> {
        let settings = self.config.path()?;
        let (survey, left) = block_on(async {
            let capabilities = capabilities();
            let wanted = || Wanted::all(settings.clone()).options();
            let survey =
                match Survey::of(wanted()?, Some(sandbox(&capabilities)?), capabilities.clone()).await {
                    // The host runs as another user: what can be told without its compiled code is told.
                    Err(StartFailed::Cache(failed)) => {
                        eprintln!("plugins are not run in this check: {failed}");
                        Survey::of(wanted()?, None, capabilities).await?
                    }
                    other => other?,
                };
            // Whether anything is left there is no reason for the check to fail.
            let left = state::left(&survey.settings, |name| survey.binding(name).is_some()).await;
            Ok((survey, left.map_err(|failed| failed.to_string())))
        })?;
        if self.json {
            output::json(&facts::of(&survey, &left));
        } else {
            sentences::print(&survey, &left);
        }
        if survey.is_fine() { Ok(()) } else { Err(Failure::said()) }
    }
}

/// Why a binding takes no calls, in a sentence.
pub fn why(survey: &Survey, binding: &str) -> String {
    let of_binding = survey.binding(binding).map(|binding| &binding.state);
    if let Some(BindingState::Broken { why }) = of_binding {
        return why.to_string();
    }
    let found = survey
        .plugins
        .iter()
        .find(|found| found.id == binding || found.bindings.iter().any(|other| other.name == binding));
    let Some(found) = found else { return format!("there is no binding {binding}") };
    let id = &found.id;
    match &found.state {
        PluginState::Found => {
            format!("the plugin {id} is found and not enabled: run `fleetgate enable {id}`")
        }
        PluginState::Loading => format!("the plugin {id} is being compiled"),
        PluginState::Held { .. } => {
            format!("the plugin {id} asks for more than was approved: see `fleetgate approve {id}`")
        }
        PluginState::Broken { why } => why.to_string(),
        PluginState::Missing => {
            format!("there is no {id}.wasm in {}", survey.settings.serve.plugins.display())
        }
        PluginState::Live => format!("the plugin {id} is served, but not as {binding}"),
    }
}
