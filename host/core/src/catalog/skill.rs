//! Skills of a binding. The host keeps their files and serves them itself.

use std::sync::Arc;

use super::guarded::Guarded;
use super::resource::{Rule, requirements};
use super::{Catalog, LiveBinding, Scope};
use crate::domain::{Skill, SkillFile};
use crate::manifest::Requirement;
use crate::principal::Principal;
use crate::uri::ResourceUri;

/// The scheme of their files. Nothing else has it.
pub const SCHEME: &str = "skill";

/// A skill that can be read.
#[derive(Debug)]
pub struct LiveSkill {
    /// What it is.
    pub skill: Arc<Skill>,
    /// What decides over its files: who sees the skill sees all of their names.
    pub rules: Vec<Arc<Rule>>,
}

/// One skill of one binding.
#[derive(Debug, Clone)]
pub struct FoundSkill {
    /// Whose it is.
    pub binding: Arc<LiveBinding>,
    /// What it is.
    pub skill: Arc<LiveSkill>,
}

impl Guarded for FoundSkill {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        requirements(&self.skill.rules)
    }
}

impl LiveBinding {
    /// The file of a skill.
    pub fn skill_file(&self, uri: &ResourceUri) -> Option<&SkillFile> {
        self.skill_files.get(uri.as_str())
    }
}

impl Catalog {
    /// The skills that a principal may have in this scope, sorted by binding and path.
    pub fn skills(&self, scope: &Scope, principal: &Principal) -> Vec<FoundSkill> {
        let found = |binding: &Arc<LiveBinding>, skill: &Arc<LiveSkill>| FoundSkill {
            binding: binding.clone(),
            skill: skill.clone(),
        };
        self.all_shown(scope)
            .flat_map(|binding| binding.skills.values().map(move |skill| found(binding, skill)))
            .filter(|found| found.allows(principal))
            .collect()
    }
}
