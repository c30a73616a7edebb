//! Reads a binding's grants, settings and overrides against its plugin's manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Binding, Grants, Limits, Override, Secrets};
use crate::capability::{Capabilities, Grant};
use crate::diagnostic::{Diagnostics, TableReader, did_you_mean, quoted};
use crate::events;
use crate::manifest::{ConfigValue, Manifest, Requirement, config_value, requirement};

impl Binding {
    /// Reads what this binding grants and sets. Everything that is wrong is said at once. A grant that is missing
    /// is no error here: [`Grants::missing`] names it.
    pub fn grants(
        &self,
        manifest: &Manifest,
        capabilities: &Capabilities,
        secrets: &Secrets,
        limits: &Limits,
    ) -> Result<Grants, Diagnostics> {
        self.document.read_at(&["plugins", &self.name], |table| {
            let granted = granted(table, manifest, capabilities, secrets);
            sources(table, &granted);
            let missing = missing(table, manifest);
            let config = config(table, manifest);
            let tools = manifest.tools.iter().map(|(name, tool)| (name.as_str(), &tool.requires));
            let tools = overrides(table, manifest, "tools", "tool", &tools.collect());
            let prompts = manifest.prompts.iter().map(|(name, prompt)| (name.as_str(), &prompt.requires));
            let prompts = overrides(table, manifest, "prompts", "prompt", &prompts.collect());
            let resources =
                manifest.resources.iter().map(|(pattern, entry)| (pattern.as_str(), &entry.requires));
            let resources = overrides(table, manifest, "resources", "resource entry", &resources.collect());
            // The rest was read with the file.
            table.leave_rest();
            let limits = self.limits.granted(*limits, &manifest.limits);
            Some(Grants { granted, missing, config, tools, prompts, resources, limits })
        })
    }

    /// The grants that are missing, each with the table to add. None: nothing is missing.
    pub fn missing(&self, manifest: &Manifest, grants: &Grants) -> Option<Diagnostics> {
        let said = self.document.read_at(&["plugins", &self.name], |table| {
            table.leave_rest();
            for name in &grants.missing {
                let Some(asked) = manifest.capabilities.get(name) else { continue };
                let message =
                    format!("the plugin {} needs {name} ({}), which is not granted", self.plugin, asked.why);
                let template = asked.request.grant_template();
                table.error(
                    message,
                    format!("add\n[plugins.{}.grant.{name}]\n{}", self.name, template.trim_end()),
                );
            }
            Some(())
        });
        said.err()
    }
}

fn granted(
    binding: &mut TableReader<'_>,
    manifest: &Manifest,
    capabilities: &Capabilities,
    secrets: &Secrets,
) -> BTreeMap<String, Arc<dyn Grant>> {
    let mut granted = BTreeMap::new();
    for (kind, mut named) in binding.tables("grant") {
        for (name, mut table) in named.named_tables() {
            let key = format!("{}.{}", kind.get_ref(), name.get_ref());
            let Some(asked) = manifest.capabilities.get(&key) else {
                let message = format!("the plugin {} does not ask for {}", manifest.plugin.id, quoted(&key));
                let help = match did_you_mean(&key, manifest.capabilities.keys().map(String::as_str)) {
                    help if help.is_empty() => "it asks for nothing: remove this table".to_owned(),
                    help => help,
                };
                table.error_at(&name, message, help);
                table.leave_rest();
                continue;
            };
            let Some(capability) = capabilities.get(&asked.kind) else { continue };
            if let Some(grant) = capability.parse_grant(&mut table, &*asked.request, secrets) {
                table.finish();
                granted.insert(key, grant);
            }
        }
    }
    granted
}

/// An event is heard through another grant.
fn sources(binding: &mut TableReader<'_>, granted: &BTreeMap<String, Arc<dyn Grant>>) {
    let tables = tables(binding);
    for (key, grant) in granted {
        let Some(source) = events::heard_from(&**grant) else { continue };
        if !tables.iter().any(|table| table == source) {
            let message = format!("{key} is heard from {source}, which is not granted");
            binding.error_at("grant", message, format!("add [{}.grant.{source}]", binding.key_path()));
        }
    }
}

/// What is asked for, not optional, and has no table.
fn missing(binding: &mut TableReader<'_>, manifest: &Manifest) -> Vec<String> {
    let tables = tables(binding);
    let needed = manifest.capabilities.iter().filter(|(_, asked)| !asked.optional);
    needed.map(|(key, _)| key.clone()).filter(|key| !tables.contains(key)).collect()
}

/// The grants that stand there, right or wrong.
fn tables(binding: &mut TableReader<'_>) -> Vec<String> {
    binding
        .tables("grant")
        .into_iter()
        .flat_map(|(kind, mut named)| {
            named.leave_rest();
            let names: Vec<_> = named.keys().map(|name| format!("{}.{name}", kind.get_ref())).collect();
            names
        })
        .collect()
}

fn config(binding: &mut TableReader<'_>, manifest: &Manifest) -> IndexMap<String, ConfigValue> {
    let mut values = IndexMap::new();
    let mut table = binding.table("config");
    for (key, declared) in &manifest.config {
        let present = table.as_ref().is_some_and(|table| table.has(key));
        let set = table.as_mut().and_then(|table| config_value(table, key, declared.kind));
        if !present && declared.required && declared.default.is_none() {
            let message = format!("the setting {key} is missing: {}", declared.description);
            let help =
                format!("add {key} = <{}> under [{}.config]", declared.kind.word(), binding.key_path());
            binding.error_at("config", message, help);
        }
        if let Some(value) = set.or_else(|| declared.default.clone()) {
            values.insert(key.clone(), value);
        }
    }
    if let Some(table) = &mut table {
        if manifest.config.is_empty() && table.keys().next().is_some() {
            let message = format!("the plugin {} has no settings", manifest.plugin.id);
            table.error(message, "remove this table");
            table.leave_rest();
        }
        table.finish();
    }
    values
}

/// What is switched on or off, or requires more. `known`: what the manifest requires, by name.
fn overrides(
    binding: &mut TableReader<'_>,
    manifest: &Manifest,
    key: &str,
    what: &str,
    known: &BTreeMap<&str, &Requirement>,
) -> BTreeMap<String, Override> {
    let mut overrides = BTreeMap::new();
    for (name, mut table) in binding.tables(key) {
        let Some(required) = known.get(name.get_ref().as_str()) else {
            let message =
                format!("the plugin {} has no {what} {}", manifest.plugin.id, quoted(name.get_ref()));
            let help = did_you_mean(name.get_ref(), known.keys().copied());
            table.error_at(&name, message, help);
            table.leave_rest();
            continue;
        };
        let enabled = table.bool("enabled");
        let requires = requirement(&mut table, &manifest.roles);
        if let Some(requires) = &requires
            && lowers(requires, required, manifest)
        {
            let message = format!("{requires} would lower what the manifest requires: {required}");
            table.error_at("requires", message, "requires may be raised here, never lowered");
        }
        table.finish();
        overrides.insert(name.into_inner(), Override { enabled, requires });
    }
    overrides
}

/// Both hold in any case, so a lower one would do nothing; whoever wrote it meant something else.
fn lowers(requires: &Requirement, manifests: &Requirement, manifest: &Manifest) -> bool {
    requires != manifests && manifests.implies(requires, &manifest.roles)
}
