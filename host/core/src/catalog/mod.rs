//! What is live. A [`Catalog`] is an immutable snapshot: a request takes one and looks at nothing else.
//!
//! - [`binding`]: one plugin bound to one backend, ready for calls; [`tool`], [`prompt`], [`resource`], [`skill`]: what
//!   it has, and how that is found; [`guarded`]: who may have it; [`names`] on the shared endpoint
//! - [`host`]: the running host, which holds the current catalog; [`keeper`] keeps it current, told by [`watch`]
//! - [`reload`]: from what lies on disk to the next catalog: [`drop_directory`] → [`load`] a plugin → [`bind`] it
//!   ([`inputs`] says what a binding is made from) → [`probe`] it
//! - [`lock`]: what was approved; [`approval`] and [`enabling`] change it; [`kept`]: copies for a restart
//! - [`survey`]: what is found and served, and why something is not
//! - [`environment`]: a plugin without a table, granted by environment variables

mod alone;
mod approval;
mod bind;
mod binding;
mod differences;
mod drop_directory;
mod enabling;
mod environment;
mod guarded;
mod host;
mod inputs;
mod keeper;
mod kept;
mod load;
mod lock;
pub(crate) mod media_type;
mod names;
pub(crate) mod parts;
mod probe;
mod prompt;
mod reload;
mod resource;
mod shown;
mod skill;
mod survey;
mod tool;
mod watch;
mod widened;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use alone::NotAlone;
pub use approval::{Approval, ApprovalFailed};
pub use binding::{LiveBinding, LivePlugin};
pub use differences::{Differences, ItemChange, Part};
pub use enabling::{Enabling, grant_table};
pub use environment::{Environment, sentences as environment_says};
pub use guarded::{Guarded, Terms};
pub use host::{Change, Host, HostOptions, StartFailed};
pub use lock::{Approved, FILE as LOCK_FILE, Lock, LockFailed};
pub use names::{NameClash, Named};
pub use parts::{MAX_DESCRIPTION, MAX_EXTRA, MAX_TITLE, PartRefused, WrongPart};
pub use probe::{
    FrontMatterRefused, Item, List, MAX_LIST, MAX_SKILL_BYTES, MAX_TOOLS, ProbeFailed, SkillRefused,
};
pub use prompt::{FoundPrompt, LivePrompt};
pub use resource::{FoundList, FoundResource, FoundTemplate, LiveTemplate, Rule, Rules};
pub use skill::{FoundSkill, LiveSkill, SCHEME as SKILL_SCHEME};
pub use survey::{BindingState, Found, FoundBinding, PluginState, Problem, Survey, Version};
pub use tool::LiveTool;

use crate::principal::Principal;
use names::shared_name;

/// Which part of the catalog a request sees: an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `/mcp`: every binding, tools named `<binding>_<tool>`.
    Shared,
    /// `/mcp/<binding>`: one binding, bare names.
    Binding(Arc<str>),
}

/// One tool of one binding.
#[derive(Debug, Clone)]
pub struct FoundTool {
    /// Whose it is.
    pub binding: Arc<LiveBinding>,
    /// What it is.
    pub tool: Arc<LiveTool>,
}

/// Everything that is live, at one moment.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Grows with each change.
    pub revision: u64,
    bindings: BTreeMap<Arc<str>, Arc<LiveBinding>>,
    shared: BTreeMap<String, FoundTool>,
    shared_prompts: BTreeMap<String, FoundPrompt>,
}

impl Catalog {
    /// A snapshot of these bindings.
    pub fn new(
        revision: u64,
        bindings: impl IntoIterator<Item = Arc<LiveBinding>>,
    ) -> Result<Self, NameClash> {
        let mut catalog = Self { revision, ..Self::default() };
        for binding in bindings {
            for (own, tool) in &binding.tools {
                let found = FoundTool { binding: binding.clone(), tool: tool.clone() };
                share(&mut catalog.shared, Named::Tool, &binding, own, found, |found| &found.binding)?;
            }
            for (own, prompt) in &binding.prompts {
                let found = FoundPrompt { binding: binding.clone(), prompt: prompt.clone() };
                let shared = &mut catalog.shared_prompts;
                share(shared, Named::Prompt, &binding, own, found, |found| &found.binding)?;
            }
            catalog.bindings.insert(binding.name.clone(), binding);
        }
        Ok(catalog)
    }

    /// The bindings, sorted by name.
    pub fn bindings(&self) -> impl Iterator<Item = &Arc<LiveBinding>> {
        self.bindings.values()
    }

    /// One binding.
    pub fn binding(&self, name: &str) -> Option<&Arc<LiveBinding>> {
        self.bindings.get(name)
    }

    /// Whether an endpoint exists: the shared one always does.
    pub fn serves(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Shared => true,
            Scope::Binding(name) => self.bindings.contains_key(name),
        }
    }

    /// A tool by the name that it has in this scope, whoever asks.
    pub fn find_tool(&self, scope: &Scope, name: &str) -> Option<FoundTool> {
        match scope {
            Scope::Shared => self.shared.get(name).cloned(),
            Scope::Binding(binding) => {
                let binding = self.bindings.get(binding)?;
                let tool = binding.tools.get(name)?;
                Some(FoundTool { binding: binding.clone(), tool: tool.clone() })
            }
        }
    }

    /// What a principal may call in this scope, sorted by the name that it has there.
    pub fn tools<'a>(
        &'a self,
        scope: &'a Scope,
        principal: &'a Principal,
    ) -> Box<dyn Iterator<Item = (&'a str, FoundTool)> + 'a> {
        let visible = move |found: &FoundTool| found.allows(principal);
        match scope {
            Scope::Shared => Box::new(
                self.shared
                    .iter()
                    .filter(move |(_, found)| visible(found))
                    .map(|(name, found)| (name.as_str(), found.clone())),
            ),
            Scope::Binding(name) => Box::new(
                self.bindings
                    .get(name)
                    .into_iter()
                    .flat_map(|binding| {
                        binding.tools.iter().map(|(name, tool)| {
                            (name.as_str(), FoundTool { binding: binding.clone(), tool: tool.clone() })
                        })
                    })
                    .filter(move |(_, found)| visible(found)),
            ),
        }
    }
}

/// Takes a name on the shared endpoint.
fn share<T>(
    taken: &mut BTreeMap<String, T>,
    what: Named,
    binding: &LiveBinding,
    own: &str,
    found: T,
    whose: fn(&T) -> &Arc<LiveBinding>,
) -> Result<(), NameClash> {
    let name = shared_name(what, &binding.name, own)?;
    if let Some(first) = taken.get(&name) {
        let first = &whose(first).name;
        let own_of = |binding: &str| name.get(binding.len() + 1..).unwrap_or_default().to_owned();
        let (first, second) = (format!("{first}/{}", own_of(first)), format!("{}/{own}", binding.name));
        return Err(NameClash::Twice { what, name, first, second });
    }
    taken.insert(name, found);
    Ok(())
}
