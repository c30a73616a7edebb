//! `fleetgate inspect`: what a plugin's file is and asks for, without running it.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use fleetgate_core::artifact::{Artifact, exports, imports};
use fleetgate_core::catalog::grant_table;
use fleetgate_core::manifest::{Manifest, ToolEntry};
use fleetgate_core::units::{format_duration, format_size};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{self, bold, one_line};
use crate::running::capabilities;

/// Shows what a plugin is and what it asks for, without running it.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The plugin.
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// Print the table to paste into fleetgate.toml instead.
    #[arg(long)]
    grant: bool,
    /// Print everything as JSON.
    #[arg(long, conflicts_with = "grant")]
    json: bool,
}

impl Inspect {
    pub fn run(self) -> Result<(), Failure> {
        let bytes = fs::read(&self.file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", self.file.display())))?;
        let artifact = Artifact::from_bytes(&self.file, bytes)
            .map_err(|error| Failure::failed(&error).help(error.help()))?;
        let manifest = artifact.manifest(&capabilities())?;
        if self.grant {
            output::write(grant_table(&manifest, &manifest.plugin.id));
        } else if self.json {
            output::json(&facts(&artifact, &manifest)?);
        } else {
            show(&artifact, &manifest)?;
        }
        Ok(())
    }
}

fn broken(problem: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("the component {problem}"))
}

fn facts(artifact: &Artifact, manifest: &Manifest) -> Result<Value, Failure> {
    let about = &manifest.plugin;
    let capabilities: serde_json::Map<_, _> = manifest
        .capabilities
        .iter()
        .map(|(name, asked)| {
            let asks =
                json!({ "why": asked.why, "optional": asked.optional, "asks": asked.request.describe() });
            (name.clone(), asks)
        })
        .collect();
    let tools: serde_json::Map<_, _> =
        manifest.tools.iter().map(|(name, tool)| (name.clone(), tool_facts(tool))).collect();
    let roles: serde_json::Map<_, _> = manifest
        .roles
        .names()
        .map(|role| (role.to_owned(), manifest.roles.included(role).filter(|other| *other != role).collect()))
        .collect();
    let config: serde_json::Map<_, _> = manifest
        .config
        .iter()
        .map(|(name, key)| {
            let default = key.default.as_ref().map(|value| &value.json);
            let facts =
                json!({ "description": key.description, "required": key.required, "default": default });
            (name.clone(), facts)
        })
        .collect();
    Ok(json!({
        "id": about.id, "version": about.version, "interface": about.interface, "title": about.title,
        "description": about.description, "license": about.license, "homepage": about.homepage,
        "digest": artifact.digest.to_string(), "bytes": artifact.bytes.len(),
        "imports": imports(&artifact.bytes).map_err(broken)?,
        "exports": exports(&artifact.bytes).map_err(broken)?,
        "session_header": manifest.session.as_ref().map(|header| header.as_str()),
        "roles": roles, "config": config, "capabilities": capabilities, "tools": tools,
        "resources": manifest.resources.iter().map(|(name, entry)| (name.to_string(), entry.requires.to_string().into())).collect::<serde_json::Map<_, _>>(),
        "prompts": manifest.prompts.iter().map(|(name, entry)| (name.clone(), entry.requires.to_string().into())).collect::<serde_json::Map<_, _>>(),
        "limits": { "memory": manifest.limits.memory, "cpu_ms": manifest.limits.cpu.map(|cpu| cpu.as_millis()), "concurrency": manifest.limits.concurrency },
    }))
}

fn tool_facts(tool: &ToolEntry) -> Value {
    let reach: serde_json::Map<_, _> =
        tool.reach.iter().map(|(name, reach)| (name.clone(), reach.describe().into())).collect();
    json!({
        "requires": tool.requires.to_string(),
        "read_only": tool.read_only, "destructive": tool.destructive, "idempotent": tool.idempotent,
        "opt_in": tool.opt_in, "verbatim": tool.verbatim,
        "timeout_ms": tool.timeout.map(|timeout| timeout.as_millis()),
        "secret": tool.secret, "audit": tool.audit, "reach": reach,
    })
}

fn show(artifact: &Artifact, manifest: &Manifest) -> Result<(), Failure> {
    let about = &manifest.plugin;
    output::line(format_args!("{} {}", bold(&about.id), one_line(&about.version)));
    output::line(format_args!("{}: {}", one_line(&about.title), one_line(&about.description)));
    let field = |name: &str, value: &str| output::line(format_args!("{name:<10} {}", one_line(value)));
    field("digest", &artifact.digest.to_string());
    field("size", &format_size((artifact.bytes.len() as u64).div_ceil(1024) * 1024));
    field("interface", &about.interface);
    for (name, value) in [("license", &about.license), ("homepage", &about.homepage)] {
        value.iter().for_each(|value| field(name, value));
    }

    heading("Asks for");
    if manifest.capabilities.is_empty() {
        output::line("  nothing: it can reach nothing outside its sandbox");
    }
    for (name, asked) in &manifest.capabilities {
        let optional = if asked.optional { ", optional" } else { "" };
        output::line(format_args!("  {} {}{optional}", bold(name), one_line(&asked.why)));
        asked
            .request
            .describe()
            .iter()
            .for_each(|sentence| output::line(format_args!("    {}", one_line(sentence))));
    }
    limits(manifest);
    if let Some(header) = &manifest.session {
        output::line(format_args!("  telling conversations apart by the request header {header}"));
    }

    if !manifest.config.is_empty() {
        heading("Settings");
        for (name, key) in &manifest.config {
            let default = match &key.default {
                Some(value) => format!(" (default {})", value.text),
                None if key.required => " (required)".to_owned(),
                None => String::new(),
            };
            output::line(format_args!("  {name}: {}{}", one_line(&key.description), one_line(&default)));
        }
    }

    heading("Roles");
    for role in manifest.roles.names() {
        let included: Vec<_> = manifest.roles.included(role).filter(|other| *other != role).collect();
        let included =
            if included.is_empty() { String::new() } else { format!(", includes {}", included.join(", ")) };
        output::line(format_args!("  {role}{included}"));
    }
    if manifest.roles.names().next().is_none() {
        output::line("  none");
    }

    if !manifest.tools.is_empty() {
        heading("Tools");
        let rows =
            manifest.tools.iter().map(|(name, tool)| [name.clone(), tool.requires.to_string(), traits(tool)]);
        output::table(["tool", "requires", ""], rows);
    }
    let resources = manifest.resources.iter().map(|(name, entry)| (name.as_str(), entry));
    let prompts = manifest.prompts.iter().map(|(name, entry)| (name.as_str(), entry));
    for (title, entries) in [("Resources", resources.collect::<Vec<_>>()), ("Prompts", prompts.collect())] {
        if !entries.is_empty() {
            heading(title);
            let rows = entries.iter().map(|(name, entry)| [(*name).to_owned(), entry.requires.to_string()]);
            output::table(["", "requires"], rows);
        }
    }

    heading("Exports");
    for export in exports(&artifact.bytes).map_err(broken)? {
        output::line(format_args!("  {}", one_line(&export)));
    }

    heading("Imports");
    for import in imports(&artifact.bytes).map_err(broken)? {
        output::line(format_args!("  {}", one_line(&import)));
    }
    Ok(())
}

fn heading(text: &str) {
    output::line(format_args!("\n{}", bold(text)));
}

fn limits(manifest: &Manifest) {
    let asked = &manifest.limits;
    let limits = [
        asked.memory.map(|memory| format!("{} of memory a call", format_size(memory))),
        asked.cpu.map(|cpu| format!("{} of computing a call", format_duration(cpu))),
        asked.concurrency.map(|calls| format!("{calls} calls at once")),
    ];
    limits.iter().flatten().for_each(|limit| output::line(format_args!("  {limit}")));
}

fn traits(tool: &ToolEntry) -> String {
    let mut traits: Vec<String> = [
        (tool.read_only, "read only"),
        (tool.destructive, "destructive"),
        (tool.opt_in, "only when enabled"),
        (tool.verbatim, "verbatim"),
    ]
    .iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, name)| (*name).to_owned())
    .collect();
    traits.extend(tool.timeout.map(|timeout| format!("up to {}", format_duration(timeout))));
    if !tool.secret.is_empty() {
        traits.push(format!("secret {}", tool.secret.join(" ")));
    }
    traits.extend(tool.reach.iter().map(|(name, reach)| format!("{name}: {}", reach.describe())));
    traits.join(", ")
}
