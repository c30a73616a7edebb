//! What `serve` says when it is ready: where, what is served, what waits for a decision, and what callers may do.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use fleetgate_core::catalog::{BindingState, PluginState, Survey};
use fleetgate_core::principal::HeldRole;
use serde_json::{Value, json};

use crate::output::{self, bad, bold, one_line, waits};

/// Everything that is said.
pub struct Welcome {
    url: String,
    listen: SocketAddr,
    served: Vec<Served>,
    /// What is not served, and the command or the reason.
    unserved: Vec<(String, String)>,
    /// Of a caller on this machine.
    roles: Vec<HeldRole>,
    /// Of everybody else, if there is anybody else.
    given: Vec<HeldRole>,
    /// A line that would give the least role of each binding.
    suggestion: Option<String>,
    config: PathBuf,
    anybody: bool,
    /// There is a proxy, behind which nobody counts as a caller on this machine.
    proxied: bool,
}

struct Served {
    name: String,
    label: Option<String>,
    version: String,
    tools: usize,
    roles: Vec<String>,
}

impl Welcome {
    /// From how everything stands at the start.
    pub fn new(listen: SocketAddr, survey: &Survey, given: &[HeldRole], anybody: bool) -> Self {
        let serve = &survey.settings.serve;
        let served: Vec<Served> = survey
            .plugins
            .iter()
            .flat_map(|found| &found.bindings)
            .filter_map(|binding| binding.live.as_ref())
            .map(|live| Served {
                name: live.name.to_string(),
                label: live.label.clone(),
                version: live.plugin.manifest.plugin.version.clone(),
                tools: live.tools.len(),
                roles: least_first(&live.plugin.manifest.roles),
            })
            .collect();
        let least: Vec<String> = served
            .iter()
            .filter_map(|served| Some(format!("\"{}:{}\"", served.name, served.roles.first()?)))
            .collect();
        Self {
            url: url(listen, serve.public_url.as_deref()),
            listen,
            unserved: unserved(survey),
            roles: if given.is_empty() { serve.local_roles.clone() } else { given.to_vec() },
            given: given.to_vec(),
            suggestion: (!least.is_empty()).then(|| format!("local_roles = [{}]", least.join(", "))),
            config: survey.settings.document.path.clone(),
            served,
            anybody,
            proxied: serve.public_url.is_some(),
        }
    }

    /// For programs: one line.
    pub fn print_json(&self) {
        let bindings: serde_json::Map<String, Value> = self
            .served
            .iter()
            .map(|served| {
                let url = format!("{}/{}", self.url, served.name);
                (served.name.clone(), json!({ "url": url, "version": served.version, "tools": served.tools }))
            })
            .collect();
        let unserved: serde_json::Map<String, Value> =
            self.unserved.iter().map(|(name, why)| (name.clone(), why.as_str().into())).collect();
        let roles: Vec<String> = self.roles.iter().map(ToString::to_string).collect();
        let said = json!({
            "url": self.url, "listen": self.listen.to_string(), "bindings": bindings, "not_served": unserved,
            "roles": roles,
        });
        output::line(said);
    }

    /// For people.
    pub fn print(&self) {
        output::line(format_args!("Fleetgate answers MCP at {}", bold(&self.url)));
        let width = self.served.iter().map(|served| served.name.len()).max().unwrap_or_default();
        for served in &self.served {
            let label =
                served.label.as_ref().map_or_else(String::new, |label| format!("  {}", one_line(label)));
            let tools =
                if served.tools == 1 { "1 tool".to_owned() } else { format!("{} tools", served.tools) };
            let (name, version) = (&served.name, one_line(&served.version));
            output::line(format_args!("  {name:width$}  {version}, {tools:<9}  {}/{name}{label}", self.url));
        }
        if self.served.is_empty() {
            output::line("  Nothing is served yet: put a plugin into the plugin directory and enable it.");
        }
        for (name, why) in &self.unserved {
            output::line(format_args!("  {}: {}", waits(name), one_line(why)));
        }
        self.print_roles();
    }

    fn print_roles(&self) {
        if self.anybody {
            output::line(bad("Nobody is asked who they are."));
            output::line(format_args!("Everybody who reaches this port holds {}.", list(&self.given)));
        }
        if self.anybody && self.proxied {
            return;
        }
        output::line(format_args!("A caller on this machine holds {}.", list(&self.roles)));
        if let (true, Some(suggestion)) = (self.roles.is_empty(), &self.suggestion) {
            output::line(format_args!(
                "To give some, add to [serve] in {}, for example:",
                self.config.display()
            ));
            output::line(format_args!("  {}", bold(suggestion)));
            for served in self.served.iter().filter(|served| !served.roles.is_empty()) {
                output::line(format_args!("  {} knows the roles {}", served.name, served.roles.join(", ")));
            }
        }
    }
}

fn list(roles: &[HeldRole]) -> String {
    if roles.is_empty() {
        return "no role, and sees only tools that require none".to_owned();
    }
    roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn unserved(survey: &Survey) -> Vec<(String, String)> {
    let mut unserved = Vec::new();
    for problem in &survey.problems {
        unserved.push(("attention".to_owned(), problem.to_string()));
    }
    for found in &survey.plugins {
        let id = &found.id;
        match &found.state {
            PluginState::Found => {
                unserved.push((id.clone(), format!("found; serve it with `fleetgate enable {id}`")))
            }
            PluginState::Held { .. } => {
                let still = if found.serving.is_some() { ", the version before serves on" } else { "" };
                let why = format!("asks for more than was approved{still}; see `fleetgate approve {id}`");
                unserved.push((id.clone(), why));
            }
            PluginState::Broken { why } => unserved.push((id.clone(), why.to_string())),
            PluginState::Missing => {
                unserved.push((id.clone(), "has a table in fleetgate.toml and no file".to_owned()));
            }
            PluginState::Loading => unserved.push((id.clone(), "is being compiled".to_owned())),
            PluginState::Live => {
                for binding in &found.bindings {
                    if let BindingState::Broken { why } = &binding.state {
                        unserved.push((binding.name.clone(), why.to_string()));
                    }
                }
            }
        }
    }
    unserved
}

/// What is suggested gives as little as possible.
fn least_first(roles: &fleetgate_core::manifest::Roles) -> Vec<String> {
    let mut names: Vec<&str> = roles.names().collect();
    names.sort_by_key(|name| roles.included(name).count());
    names.into_iter().map(str::to_owned).collect()
}

fn url(listen: SocketAddr, public: Option<&str>) -> String {
    if let Some(public) = public {
        return format!("{}/mcp", public.trim_end_matches('/'));
    }
    let mut reached = listen;
    // A listener on every address is reached by this one.
    if listen.ip().is_unspecified() {
        reached.set_ip(if listen.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("http://{reached}/mcp")
}
