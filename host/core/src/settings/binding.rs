//! `[plugins.<name>]`: one plugin bound to one backend.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::Limits;
use super::limits::LimitsTable;
use crate::artifact::Digest;
use crate::capability::Grant;
use crate::diagnostic::{Document, Spanned, TableReader, quoted};
use crate::manifest::{ConfigValue, Requirement, ToolEntry, grammar};

/// What the operator wrote about one binding. Grants, config and overrides are read against the plugin's
/// manifest by [`Binding::grants`].
#[derive(Debug, Clone)]
pub struct Binding {
    /// The table's name.
    pub name: String,
    /// The plugin's id: `use`, else the name.
    pub plugin: String,
    /// Put before titles and descriptions.
    pub label: Option<String>,
    /// `sha256:…`: this file alone.
    pub pin: Option<Digest>,
    /// `[plugins.<name>.limits]`: overrides of `[limits]` for this binding.
    pub limits: LimitsTable,
    /// The file that this table stands in.
    pub document: Arc<Document>,
}

impl Binding {
    /// Whether there is a table for this grant, right or wrong.
    pub fn has_grant(&self, kind: &str, name: &str) -> bool {
        let found = self.document.read_at(&["plugins", &self.name, "grant"], |table| {
            table.leave_rest();
            Some(table.table(kind).is_some_and(|mut named| {
                named.leave_rest();
                named.has(name)
            }))
        });
        found.unwrap_or_default()
    }
}

/// A binding's table, read against its plugin's manifest.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// By `kind.name`. What is requested and not here is not granted.
    pub granted: BTreeMap<String, Arc<dyn Grant>>,
    /// Requested, not optional and not granted, by `kind.name`. [`Binding::missing`] says it to the operator.
    pub missing: Vec<String>,
    /// Every declared key that has a value, from the table or by default.
    pub config: IndexMap<String, ConfigValue>,
    /// `[plugins.<name>.tools.<tool>]`
    pub tools: BTreeMap<String, Override>,
    /// `[plugins.<name>.prompts.<prompt>]`
    pub prompts: BTreeMap<String, Override>,
    /// `[plugins.<name>.resources."<pattern>"]`, by a pattern of the manifest.
    pub resources: BTreeMap<String, Override>,
    /// What this binding's calls get: `[limits]`, the binding's own, and the manifest's requests up to the
    /// ceilings, all applied. `memory`, `cpu` and `concurrency` are those of this binding.
    pub limits: Limits,
}

impl Grants {
    /// Wall time of one call of a tool.
    pub fn timeout(&self, tool: &ToolEntry) -> Duration {
        tool.timeout.unwrap_or(self.limits.timeout).min(self.limits.max_timeout)
    }

    /// Whether a tool is registered: not switched off, and switched on if it is `opt_in`.
    pub fn enabled(&self, name: &str, tool: &ToolEntry) -> bool {
        self.tools.get(name).and_then(|over| over.enabled).unwrap_or(!tool.opt_in)
    }
}

/// What the operator changes about a tool, a prompt or the resources of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Override {
    /// `false` hides it; `true` shows a tool that is `opt_in`.
    pub enabled: Option<bool>,
    /// Raised, never lowered: what this says is required as well.
    pub requires: Option<Requirement>,
}

/// Reads what can be read without the manifest.
pub(super) fn binding(
    name: &Spanned<String>,
    table: &mut TableReader<'_>,
    limits: Limits,
) -> Option<Binding> {
    if !grammar::is_id(name.get_ref()) {
        table.error_at(name, format!("{} is not a name for a binding", quoted(name.get_ref())), grammar::ID);
    }
    let plugin = table.string("use");
    if plugin.as_ref().is_some_and(|plugin| !grammar::is_id(plugin)) {
        table.error_at("use", "this is not the id of a plugin", grammar::ID);
    }
    let label = table.string("label");
    if label.as_ref().is_some_and(|label| !grammar::is_line(label, 64)) {
        let help = "write 1 to 64 characters on one line, none of them invisible";
        table.error_at("label", "this is no label", help);
    }
    let pin = table.spanned_string("pin").and_then(|pin| {
        let digest = pin.get_ref().parse::<Digest>();
        if let Err(wrong) = &digest {
            table.error_at(&pin, wrong.to_string(), "copy it from `fleetgate inspect FILE.wasm`");
        }
        digest.ok()
    });
    let limits = LimitsTable::read(table, limits);
    // Read against the manifest, later. Here they are tables or an error.
    for key in ["config", "tools", "prompts", "resources", "grant"] {
        if let Some(mut later) = table.table(key) {
            later.finite_numbers();
            later.leave_rest();
        }
    }
    Some(Binding {
        name: name.get_ref().clone(),
        plugin: plugin.unwrap_or_else(|| name.get_ref().clone()),
        label,
        pin,
        limits,
        document: Arc::clone(table.document()),
    })
}
