//! What a caller must hold for something of a binding. Lists and calls ask here, and nowhere else.

use std::sync::Arc;

use super::{FoundTool, LiveBinding};
use crate::authorize::allowed;
use crate::manifest::Requirement;
use crate::principal::Principal;
use crate::sandbox::{BindingMemory, CallLimits, CallPolicy};

/// On which terms a guest runs.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What it may do of what its plugin was granted.
    pub policy: Arc<CallPolicy>,
    /// What it may use up.
    pub limits: CallLimits,
    /// Doing it twice is like doing it once, or like not doing it.
    pub repeatable: bool,
}

/// Something of a binding that not everybody may have.
pub trait Guarded {
    /// Whose it is.
    fn binding(&self) -> &Arc<LiveBinding>;

    /// What it requires: each of them.
    fn requirements(&self) -> impl Iterator<Item = &Requirement>;

    /// On which terms its guest runs. Whatever is no tool only reads.
    fn terms(&self) -> Terms {
        self.binding().reading.clone()
    }

    /// What all that run for it and its like use together.
    fn memory(&self) -> &Arc<BindingMemory> {
        &self.binding().memory
    }

    /// Whether this principal may see and have it.
    fn allows(&self, principal: &Principal) -> bool {
        let binding = self.binding();
        let roles = &binding.plugin.manifest.roles;
        self.requirements().all(|requirement| allowed(principal, &binding.name, roles, requirement))
    }

    /// The roles that it requires, as a principal would hold them.
    fn scopes(&self) -> Vec<String> {
        let mut scopes = Vec::new();
        for requirement in self.requirements() {
            let Requirement::All(roles) = requirement else { continue };
            for role in roles {
                let scope = format!("{}:{role}", self.binding().name);
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    }
}

impl Guarded for FoundTool {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        [&self.tool.requires].into_iter().chain(&self.tool.also_requires)
    }

    fn terms(&self) -> Terms {
        let tool = &self.tool;
        Terms {
            policy: tool.policy.clone(),
            limits: tool.limits,
            repeatable: tool.policy.read_only || tool.idempotent,
        }
    }
}
