//! Who calls, and which roles they hold.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A caller whose credential was checked. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    name: Arc<str>,
    roles: Arc<BTreeSet<HeldRole>>,
}

/// `<binding>:<role>`, split at the first colon; the role may hold colons itself (`commands:write`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldRole {
    /// The binding's name, or `*` for every binding.
    pub binding: String,
    /// The role's name, or `*` for every role of that binding.
    pub role: String,
}

impl HeldRole {
    /// Reads `<binding>:<role>`.
    pub fn parse(text: &str) -> Result<Self, RoleSpelling> {
        match text.split_once(':') {
            Some((binding, role)) if !binding.is_empty() && !role.is_empty() => {
                Ok(Self { binding: binding.into(), role: role.into() })
            }
            _ => Err(RoleSpelling { text: text.into() }),
        }
    }
}

impl fmt::Display for HeldRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.binding, self.role)
    }
}

/// A role that is not spelled `<binding>:<role>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a role: write <binding>:<role>, for example nerveshub:view")]
pub struct RoleSpelling {
    /// What was written.
    pub text: String,
}

impl Principal {
    /// A principal of this name with these roles.
    pub fn new(name: impl Into<Arc<str>>, roles: impl IntoIterator<Item = HeldRole>) -> Self {
        Self { name: name.into(), roles: Arc::new(roles.into_iter().collect()) }
    }

    /// A stable name without secrets, as it stands in the audit log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The roles as they were given, without those that they include.
    pub fn roles(&self) -> impl Iterator<Item = &HeldRole> {
        self.roles.iter()
    }

    /// The roles given for one binding. `*` stands for all of them.
    pub fn roles_of<'a>(&'a self, binding: &'a str) -> impl Iterator<Item = &'a str> {
        self.roles
            .iter()
            .filter(move |held| held.binding == binding || held.binding == "*")
            .map(|held| held.role.as_str())
    }
}
