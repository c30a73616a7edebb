//! Roles that a plugin declares, and what a tool requires of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::grammar;
use crate::diagnostic::{Spanned, TableReader, did_you_mean, quoted};

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

impl Requirement {
    /// Whether everybody who meets this one meets `other` too.
    pub fn implies(&self, other: &Self, roles: &Roles) -> bool {
        match (self, other) {
            (_, Self::Any) => true,
            (Self::Any, Self::All(_)) => false,
            (Self::All(mine), Self::All(theirs)) => {
                theirs.iter().all(|needed| mine.iter().any(|held| roles.covers(held, needed)))
            }
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::All(roles) => {
                f.write_str(&roles.iter().map(String::as_str).collect::<Vec<_>>().join(" and "))
            }
        }
    }
}

/// Reads `[roles]`.
pub(super) fn roles(root: &mut TableReader<'_>) -> Roles {
    let Some(mut table) = root.table("roles") else { return Roles::default() };
    let entries = table.named_tables();
    let names: Vec<String> = entries.iter().map(|(name, _)| name.get_ref().clone()).collect();
    let mut direct = BTreeMap::new();
    for (name, mut entry) in entries {
        let role = name.get_ref();
        if role == "any" || role == "*" {
            let help = "any is whoever was authenticated, * is every role: choose another name";
            entry.error_at(&name, format!("the role name {} is reserved", quoted(role)), help);
        } else if !grammar::is_role(role) {
            entry.error_at(&name, format!("{} is not a role name", quoted(role)), grammar::ROLE);
        }
        let includes = entry.spanned_strings("includes").unwrap_or_default();
        entry.finish();
        let mut known = Vec::new();
        for included in includes {
            if names.contains(included.get_ref()) {
                known.push(included.into_inner());
            } else {
                unknown_role(&entry, &included, names.iter().map(String::as_str));
            }
        }
        direct.insert(name.into_inner(), known);
    }
    let roles = Roles::new(&direct);
    for (role, includes) in &direct {
        if let Some(around) = includes.iter().find(|included| roles.covers(included, role)) {
            let message = if around == role {
                format!("the role {role} includes itself")
            } else {
                format!("the roles {role} and {around} include each other")
            };
            table.error_at(role, message, "make `includes` an order: each role includes only lesser ones");
        }
    }
    roles
}

/// Takes `requires`: a role, a list of roles (each is needed), or `any`. Absent: None, and nothing said.
pub(crate) fn requirement(table: &mut TableReader<'_>, roles: &Roles) -> Option<Requirement> {
    let words = table.one_or_more_strings("requires")?;
    if let [only] = words.as_slice()
        && only.get_ref() == "any"
    {
        return Some(Requirement::Any);
    }
    if words.is_empty() {
        table.error_at("requires", "an empty list requires nothing", REQUIRES);
        return None;
    }
    let mut needed = BTreeSet::new();
    for word in words {
        if word.get_ref() == "any" {
            table.error_at(&word, "\"any\" stands alone: with other roles it adds nothing", REQUIRES);
        } else if !roles.contains(word.get_ref()) {
            unknown_role(table, &word, roles.names().chain(["any"]));
        } else {
            needed.insert(word.into_inner());
            continue;
        }
        return None;
    }
    Some(Requirement::All(needed))
}

/// How `requires` is written.
pub(super) const REQUIRES: &str = "write requires = \"<role>\", a list of roles (each is needed), or \"any\"";

fn unknown_role<'a>(
    table: &TableReader<'_>,
    role: &Spanned<String>,
    known: impl IntoIterator<Item = &'a str>,
) {
    let mut help = did_you_mean(role.get_ref(), known);
    if !help.starts_with("did you mean") {
        help = format!("declare it under [roles]{}{help}", if help.is_empty() { "" } else { "; " });
    }
    table.error_at(role, format!("the role {} is not declared", quoted(role.get_ref())), help);
}
