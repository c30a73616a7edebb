//! Roles that a plugin declares, and what a tool requires of them.

use std::collections::{BTreeMap, BTreeSet};

/// `[roles]`: each role with everything that it includes, directly or not, and itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles(BTreeMap<String, BTreeSet<String>>);

/// What a tool, resource or prompt requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// `"any"`: whoever was authenticated.
    Any,
    /// Each of these roles.
    All(BTreeSet<String>),
}

impl Roles {
    /// From roles and what each includes directly. Unknown names and cycles were refused before.
    pub fn new(direct: &BTreeMap<String, Vec<String>>) -> Self {
        let reach = |start: &String| {
            let mut seen = BTreeSet::from([start.clone()]);
            let mut open = vec![start];
            while let Some(role) = open.pop() {
                for included in direct.get(role).into_iter().flatten() {
                    if seen.insert(included.clone()) {
                        open.push(included);
                    }
                }
            }
            seen
        };
        Self(direct.keys().map(|role| (role.clone(), reach(role))).collect())
    }

    /// Whether somebody who holds `held` has the role `needed`. `*` holds every role.
    pub fn covers(&self, held: &str, needed: &str) -> bool {
        held == "*" || self.0.get(held).is_some_and(|included| included.contains(needed))
    }

    /// The declared names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a role of this name is declared.
    pub fn contains(&self, role: &str) -> bool {
        self.0.contains_key(role)
    }

    /// What a role includes, itself too. Empty for an unknown one.
    pub fn included(&self, role: &str) -> impl Iterator<Item = &str> {
        self.0.get(role).into_iter().flatten().map(String::as_str)
    }
}
