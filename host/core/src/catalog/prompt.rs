//! Prompts of a binding.

use std::sync::Arc;

use super::guarded::Guarded;
use super::{Catalog, LiveBinding, Scope};
use crate::domain::Prompt;
use crate::manifest::Requirement;
use crate::principal::Principal;

/// A prompt that can be had.
#[derive(Debug, Clone, PartialEq)]
pub struct LivePrompt {
    /// As clients see it, but for its name on the shared endpoint: cleaned, and with the binding's label before title
    /// and description.
    pub definition: Prompt,
    /// The manifest's requirement.
    pub requires: Requirement,
    /// What the operator requires as well.
    pub also_requires: Option<Requirement>,
}

/// One prompt of one binding.
#[derive(Debug, Clone)]
pub struct FoundPrompt {
    /// Whose it is.
    pub binding: Arc<LiveBinding>,
    /// What it is.
    pub prompt: Arc<LivePrompt>,
}

impl Guarded for FoundPrompt {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        [&self.prompt.requires].into_iter().chain(&self.prompt.also_requires)
    }
}

impl Catalog {
    /// A prompt by the name that it has in this scope, whoever asks.
    pub fn find_prompt(&self, scope: &Scope, name: &str) -> Option<FoundPrompt> {
        match scope {
            Scope::Shared => self.shared_prompts.get(name).cloned(),
            Scope::Binding(binding) => {
                let binding = self.bindings.get(binding)?;
                let prompt = binding.prompts.get(name)?;
                Some(FoundPrompt { binding: binding.clone(), prompt: prompt.clone() })
            }
        }
    }

    /// What a principal may have in this scope, sorted by the name that it has there.
    pub fn prompts(&self, scope: &Scope, principal: &Principal) -> Vec<(String, FoundPrompt)> {
        let all: Vec<(String, FoundPrompt)> = match scope {
            Scope::Shared => {
                self.shared_prompts.iter().map(|(name, found)| (name.clone(), found.clone())).collect()
            }
            Scope::Binding(name) => self.bindings.get(name).map_or_else(Vec::new, |binding| {
                let found = |prompt: &Arc<LivePrompt>| FoundPrompt {
                    binding: binding.clone(),
                    prompt: prompt.clone(),
                };
                binding.prompts.iter().map(|(name, prompt)| (name.clone(), found(prompt))).collect()
            }),
        };
        all.into_iter().filter(|(_, found)| found.allows(principal)).collect()
    }
}
