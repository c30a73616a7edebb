//! `fleetgate stdio`: MCP over stdin and stdout, for one local client that starts this program.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use fleetgate_auth::local::{local_principal, sole_principal};
use fleetgate_core::catalog::{Environment, PluginState, Scope, Survey, environment_says};
use fleetgate_core::jobs::Stopping;
use fleetgate_core::principal::HeldRole;
use fleetgate_mcp::{StdioOptions, serve_stdio};
use tokio_util::sync::CancellationToken;

use crate::callers::{LocalRoles, unknown_roles};
use crate::config_file::ConfigFile;
use crate::failure::Failure;
use crate::output::one_line;
use crate::running::{Wanted, block_on};
use crate::signals::Stop;

/// Serves MCP over stdin and stdout for one local client.
#[derive(Debug, Args)]
pub struct Stdio {
    #[command(flatten)]
    config: ConfigFile,
    /// Serve this plugin (or binding) alone, with its own tool names and all its roles. Without a table in
    /// fleetgate.toml it gets what the environment variables that it names grant.
    #[arg(long, value_name = "ID")]
    plugin: Option<String>,
    /// An environment variable that the plugin may read although it is not its own by name (NH_TOKEN of nerveshub).
    /// May be repeated.
    #[arg(long = "env", value_name = "VARIABLE", requires = "plugin")]
    variables: Vec<String>,
    /// A role that the client holds, as BINDING:ROLE, instead of [serve] local_roles; with --plugin, instead of all.
    #[arg(long = "role", value_name = "BINDING:ROLE", value_parser = HeldRole::parse)]
    roles: Vec<HeldRole>,
}

impl Stdio {
    pub fn run(self) -> Result<(), Failure> {
        // Not repeated: what stands behind the sign is likely the secret.
        if self.variables.iter().any(|variable| variable.contains('=')) {
            return Err(Failure::usage("--env takes the name of a variable, and no value")
                .help("set it in the environment, and name it: --env NH_TOKEN"));
        }
        let path = if self.plugin.is_some() { self.config.path_or_new()? } else { self.config.path()? };
        block_on(self.serve(path))
    }

    async fn serve(self, settings: PathBuf) -> Result<(), Failure> {
        let environment = Environment::of_this_process().giving(self.variables.iter().cloned());
        let (only, given) = (self.plugin.clone(), environment.clone());
        // Alone, a plugin's caller holds what its own server would let him do, whatever the settings say.
        let holders = only.is_none().then(|| LocalRoles::shared(&self.roles));
        let wanted = Wanted { settings, only, environment: given, holders, watch: true };
        let running = wanted.start_keeping(&role(self.plugin.as_deref())).await?;
        let survey = running.host.survey();
        self.say_where_a_table_grants(&survey);
        let (scope, principal) = match &self.plugin {
            Some(id) => {
                let binding = sole_binding(id, &survey)?;
                let principal = sole_principal(&binding, &self.roles);
                (Scope::Binding(binding.into()), principal)
            }
            None => (Scope::Shared, local_principal(&survey.settings, &self.roles)),
        };
        if let Scope::Binding(name) = &scope {
            say_what_the_environment_grants(&survey, name, &environment);
        }
        if let Some(unknown) = unknown_roles(&survey, &self.roles).first() {
            return Err(Failure::usage(unknown));
        }
        if principal.roles().next().is_none() {
            tracing::info!(
                config = %survey.settings.document.path.display(),
                "the client holds no role, and sees only tools that require none; give roles with --role or with \
                 local_roles in [serve]"
            );
        }
        let options = StdioOptions { stop: CancellationToken::new(), ..StdioOptions::default() };
        let stop = options.stop.clone();
        let mut signals = Stop::listen()?;
        tokio::spawn(async move {
            signals.heard().await;
            stop.cancel();
        });
        let served = serve_stdio(Arc::clone(&running.host), scope, principal, options).await;
        if let Some(jobs) = running.host.jobs() {
            jobs.stop(Stopping { grace: GRACE, now: CancellationToken::new() }).await;
        }
        running.end_events(Stopping { grace: GRACE, now: CancellationToken::new() }).await;
        running.finish().await;
        served.map_err(Failure::failed)
    }

    /// Also where the plugin cannot be served: that may be why somebody tried variables.
    fn say_where_a_table_grants(&self, survey: &Survey) {
        let Some(id) = &self.plugin else { return };
        let mut bindings = survey.settings.bindings.values();
        let Some(table) = bindings.find(|binding| binding.name == *id || binding.plugin == *id) else {
            return;
        };
        for variable in &self.variables {
            let (id, variable, name) = (one_line(id), one_line(variable), &table.name);
            eprintln!(
                "{id}: --env {variable} gives nothing: the table [plugins.{name}] grants, and no variable"
            );
        }
    }
}

/// Which variables were read and which were not, on stderr whatever the log says. Never what was in them.
fn say_what_the_environment_grants(survey: &Survey, name: &str, environment: &Environment) {
    let listed = survey.settings.bindings.contains_key(name);
    let live = survey.binding(name).and_then(|binding| binding.live.as_ref()).filter(|_| !listed);
    for sentence in live.iter().flat_map(|live| environment_says(&live.plugin.manifest, environment)) {
        eprintln!("{name}: {}", one_line(&sentence));
    }
}

/// How long jobs may go on when the client is gone. Clients end a server that lives on.
const GRACE: Duration = Duration::from_secs(3);

/// What this host's store is named after: one that serves a plugin alone finds its own again.
fn role(plugin: Option<&str>) -> String {
    let plain = |id: &&str| id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    plugin.filter(plain).map_or_else(|| "stdio".to_owned(), |id| format!("stdio-{id}"))
}

/// The binding that `--plugin` means.
fn sole_binding(id: &str, survey: &Survey) -> Result<String, Failure> {
    let named = survey.binding(id).map(|binding| binding.name.clone());
    let found = survey.plugin(id);
    let bindings: Vec<&str> =
        found.iter().flat_map(|found| &found.bindings).map(|binding| binding.name.as_str()).collect();
    let name = match (named, bindings.as_slice()) {
        (Some(name), _) => name,
        (None, [one]) => (*one).to_owned(),
        (None, []) => return Err(none_served(id, survey)),
        (None, several) => {
            return Err(Failure::usage(format!(
                "the plugin {id} has several bindings: {}",
                several.join(", ")
            ))
            .help("name one of them: --plugin BINDING"));
        }
    };
    let Some(binding) = survey.binding(&name) else { return Err(none_served(id, survey)) };
    if binding.live.is_some() {
        return Ok(name);
    }
    Err(Failure::failed(format!("{name} cannot be served: {}", super::check::why(survey, &name))))
}

fn none_served(id: &str, survey: &Survey) -> Failure {
    match survey.plugin(id).map(|found| &found.state) {
        Some(PluginState::Broken { why }) => Failure::failed(format!("{id} cannot be served: {why}")),
        _ => {
            Failure::failed(format!("there is no plugin {id} in {}", survey.settings.serve.plugins.display()))
                .help(format!("copy {id}.wasm there"))
        }
    }
}
