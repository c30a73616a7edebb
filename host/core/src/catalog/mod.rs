//! What is live. A [`Catalog`] is an immutable snapshot: a request takes one and looks at nothing else.
//!
//! - [`binding`]: one plugin bound to one backend, ready for calls; [`tool`]: one of its tools
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
mod drop_directory;
mod enabling;
mod environment;
mod host;
mod inputs;
mod keeper;
mod kept;
mod load;
mod lock;
mod probe;
mod reload;
mod survey;
mod tool;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use alone::NotAlone;
pub use approval::{Approval, ApprovalFailed, Part, ToolChange};
pub use binding::{LiveBinding, LivePlugin};
pub use enabling::{Enabling, grant_table};
pub use environment::{Environment, of_this_process};
pub use host::{Change, Host, HostOptions, StartFailed};
pub use lock::{Approved, FILE as LOCK_FILE, Lock, LockFailed};
pub use probe::{MAX_DESCRIPTION, MAX_EXTRA, MAX_LIST, MAX_TITLE, MAX_TOOLS, ProbeFailed};
pub use survey::{BindingState, Found, FoundBinding, PluginState, Problem, Survey, Version};
pub use tool::LiveTool;

use crate::authorize::allowed;
use crate::principal::Principal;

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

/// Two tools that would have one name on the shared endpoint, or a name that is too long for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameClash {
    /// `a-b` + `c` and `a` + `b-c` cannot clash, but `a_b` + `c` can with `a` + `b_c`.
    #[error(
        "on /mcp the tool \"{name}\" would be both {first} and {second}: rename one of the two bindings in fleetgate.toml"
    )]
    Twice {
        /// The shared name.
        name: String,
        /// `binding/tool`
        first: String,
        /// `binding/tool`
        second: String,
    },
    /// More than 64 characters.
    #[error(
        "on /mcp the tool {tool} of {binding} would be named \"{name}\", which is over 64 characters: give the binding a shorter name"
    )]
    TooLong {
        /// The shared name.
        name: String,
        /// Whose.
        binding: String,
        /// Which.
        tool: String,
    },
}

/// The most characters of a tool's name on the shared endpoint; what the strictest clients accept.
const MAX_SHARED_NAME: usize = 64;

/// A tool's name on the shared endpoint.
fn shared_name(binding: &str, tool: &str) -> Result<String, NameClash> {
    let name = format!("{binding}_{tool}");
    if name.len() > MAX_SHARED_NAME {
        return Err(NameClash::TooLong { name, binding: binding.to_owned(), tool: tool.to_owned() });
    }
    Ok(name)
}

/// Everything that is live, at one moment.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Grows with each change.
    pub revision: u64,
    bindings: BTreeMap<Arc<str>, Arc<LiveBinding>>,
    shared: BTreeMap<String, FoundTool>,
}

impl Catalog {
    /// A snapshot of these bindings.
    pub fn new(
        revision: u64,
        bindings: impl IntoIterator<Item = Arc<LiveBinding>>,
    ) -> Result<Self, NameClash> {
        let mut catalog = Self { revision, ..Self::default() };
        for binding in bindings {
            for (tool_name, tool) in &binding.tools {
                let name = shared_name(&binding.name, tool_name)?;
                let found = FoundTool { binding: binding.clone(), tool: tool.clone() };
                let described =
                    |found: &FoundTool| format!("{}/{}", found.binding.name, found.tool.definition.name);
                if let Some(first) = catalog.shared.get(&name) {
                    let (first, second) = (described(first), described(&found));
                    return Err(NameClash::Twice { name, first, second });
                }
                catalog.shared.insert(name, found);
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

impl FoundTool {
    /// Whether this principal may see and call it. Lists and calls ask here, and nowhere else.
    pub fn allows(&self, principal: &Principal) -> bool {
        let roles = &self.binding.plugin.manifest.roles;
        allowed(principal, &self.binding.name, roles, &self.tool.requires)
            && self
                .tool
                .also_requires
                .as_ref()
                .is_none_or(|raised| allowed(principal, &self.binding.name, roles, raised))
    }
}
