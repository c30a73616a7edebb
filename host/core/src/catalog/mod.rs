//! What is live. A [`Catalog`] is an immutable snapshot: a request takes one and looks at nothing else.
//!
//! - [`binding`]: one plugin bound to one backend, ready for calls; [`tool`]: one of its tools
//! - [`load`]: from the drop directory and `fleetgate.toml` to the next catalog; [`lock`]: what was approved
//! - [`watch`]: when to load again
//! - [`host`]: the running host, which holds the current catalog

mod binding;
mod host;
mod load;
mod lock;
mod tool;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use binding::{LiveBinding, LivePlugin};
pub use host::{Change, Host};
pub use load::{Found, HostOptions, PluginState, Problem, Survey};
pub use lock::{Approval, Lock};
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
    #[error("on /mcp the tool {tool} of {binding} would be named \"{name}\", which is over 64 characters: give the binding a shorter name")]
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
    pub fn new(revision: u64, bindings: impl IntoIterator<Item = Arc<LiveBinding>>) -> Result<Self, NameClash> {
        let mut catalog = Self { revision, ..Self::default() };
        for binding in bindings {
            for (tool_name, tool) in &binding.tools {
                let name = format!("{}_{tool_name}", binding.name);
                if name.len() > MAX_SHARED_NAME {
                    let (binding, tool) = (binding.name.to_string(), tool_name.clone());
                    return Err(NameClash::TooLong { name, binding, tool });
                }
                let found = FoundTool { binding: binding.clone(), tool: tool.clone() };
                let described = |found: &FoundTool| format!("{}/{}", found.binding.name, found.tool.definition.name);
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
            && self.tool.also_requires.as_ref().is_none_or(|raised| allowed(principal, &self.binding.name, roles, raised))
    }
}
