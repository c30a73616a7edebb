//! One plugin bound to one backend, ready for calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::sync::{Arc, Once, Weak};

use indexmap::IndexMap;

use super::inputs::Inputs;
use super::{LivePrompt, LiveSkill, LiveTemplate, LiveTool, Rules, Terms};
use crate::abi::log::LogGate;
use crate::artifact::Digest;
use crate::asking::Asks;
use crate::capability::Bound;
use crate::domain::SkillFile;
use crate::events::LiveEvent;
use crate::jobs::Jobs;
use crate::manifest::{ConfigValue, Manifest};
use crate::principal::Principal;
use crate::sandbox::{BindingMemory, BindingPermits, Exported, Guest, ListsChanged};

/// A plugin's code and manifest, shared by its bindings.
pub struct LivePlugin {
    /// What its author says.
    pub manifest: Manifest,
    /// Of the file.
    pub digest: Digest,
    /// The compiled component.
    pub guest: Guest,
}

/// A binding that takes calls. Its last reference is dropped with the last call of its catalog; its capabilities'
/// connections go with it.
#[derive(Clone)]
pub struct LiveBinding {
    /// From `fleetgate.toml`.
    pub name: Arc<str>,
    /// The plugin's id.
    pub plugin_id: Arc<str>,
    /// Put before titles and descriptions.
    pub label: Option<String>,
    /// What runs.
    pub plugin: Arc<LivePlugin>,
    /// By their own names.
    pub tools: BTreeMap<String, Arc<LiveTool>>,
    /// By their own names.
    pub prompts: BTreeMap<String, Arc<LivePrompt>>,
    /// Which resources are exposed, and to whom.
    pub rules: Rules,
    /// By URI template, in the plugin's own scheme.
    pub templates: BTreeMap<String, Arc<LiveTemplate>>,
    /// By path. Empty unless they may be shown.
    pub skills: BTreeMap<String, Arc<LiveSkill>>,
    /// The files of all skills, by URI.
    pub skill_files: BTreeMap<String, SkillFile>,
    /// On which terms whatever is no tool runs.
    pub reading: Terms,
    /// The plugin's settings.
    pub config: Arc<IndexMap<String, ConfigValue>>,
    /// What is granted, by `kind.name`.
    pub granted: Arc<BTreeSet<String>>,
    /// What it may ask of its clients.
    pub asks: Asks,
    /// The granted events, by name.
    pub events: BTreeMap<Arc<str>, Arc<LiveEvent>>,
    /// Each linked capability's side of this binding, granted or not.
    pub bounds: Vec<Arc<dyn Bound>>,
    /// How many calls at once.
    pub permits: BindingPermits,
    /// How much they may log.
    pub log: Arc<LogGate>,
    /// What all of them use.
    pub memory: Arc<BindingMemory>,
    /// The host's jobs; gone where it keeps none.
    pub jobs: Weak<Jobs>,
    /// Who hears what a running guest says of its lists.
    pub lists: Arc<ListsChanged>,
    /// That it lists what no entry covers was logged already.
    pub(crate) uncovered: Arc<Once>,
    /// What it was made from, beside its plugin.
    pub(super) inputs: Arc<Inputs>,
}

impl LiveBinding {
    /// Whether the operator gives both the same: the same grants, limits and settings.
    pub(crate) fn is_given_as(&self, other: &Self) -> bool {
        self.inputs == other.inputs
    }

    /// Which interfaces its component exports.
    pub fn exports(&self) -> Exported {
        self.plugin.guest.exports()
    }

    /// The roles of this binding that a principal holds, with those that they include, sorted.
    pub fn roles_held(&self, principal: &Principal) -> Vec<String> {
        let roles = &self.plugin.manifest.roles;
        let covered = |role: &&str| principal.roles_of(&self.name).any(|held| roles.covers(held, role));
        roles.names().filter(covered).map(str::to_owned).collect()
    }
}

impl Debug for LivePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePlugin")
            .field("id", &self.manifest.plugin.id)
            .field("version", &self.manifest.plugin.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Debug for LiveBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveBinding")
            .field("name", &self.name)
            .field("plugin", &self.plugin)
            .field("tools", &self.tools.keys())
            .field("prompts", &self.prompts.keys())
            .field("templates", &self.templates.keys())
            .field("skills", &self.skills.keys())
            .finish_non_exhaustive()
    }
}
