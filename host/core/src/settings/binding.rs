//! `[plugins.<name>]`: one plugin bound to one backend.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Settings;
use crate::capability::{Capabilities, Grant};
use crate::diagnostic::{Diagnostic, Document};
use crate::manifest::{ConfigValue, Manifest, Requirement};

/// What the operator wrote about one binding. Grants, config and tool overrides are read against the plugin's
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
    pub pin: Option<String>,
    /// The file that this table stands in.
    pub document: Arc<Document>,
}

/// A binding's table, read against its plugin's manifest.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// By `kind.name`. What is requested and not here is not granted.
    pub granted: BTreeMap<String, Arc<dyn Grant>>,
    /// Every declared key that has a value, from the table or by default.
    pub config: IndexMap<String, ConfigValue>,
    /// `[plugins.<name>.tools.<tool>]`
    pub tools: BTreeMap<String, ToolOverride>,
    /// `[plugins.<name>.limits]`: overrides of `[limits]` for this binding, already applied to the manifest's
    /// requests and the ceilings.
    pub memory: u64,
}

/// `[plugins.<name>.tools.<tool>]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolOverride {
    /// `false` hides a tool; `true` shows one that is `opt_in`.
    pub enabled: Option<bool>,
    /// Raised, never lowered: what this says is required as well.
    pub requires: Option<Requirement>,
}
