//! The caller without a credential: a client on stdio, or one that reached the listening socket of a host that
//! authenticates nobody.
//!
//! Such a caller holds what the operator says: `--role` where it is given, else `[serve] local_roles`, and by
//! default nothing beyond `any`. The one exception is a host that serves a single plugin on stdio: it stands in
//! for that plugin's own server, so its caller holds every role of that plugin unless `--role` names fewer.

use std::collections::BTreeMap;

use fleetgate_core::diagnostic::{did_you_mean, quoted};
use fleetgate_core::manifest::Roles;
use fleetgate_core::principal::{HeldRole, Principal};
use fleetgate_core::settings::Settings;

/// The local caller's name in the audit log.
pub const LOCAL: &str = "local";

/// The local caller of a host that serves every binding.
pub fn local_principal(settings: &Settings, given: &[HeldRole]) -> Principal {
    let roles = if given.is_empty() { &settings.serve.local_roles } else { given };
    Principal::new(LOCAL, roles.iter().cloned())
}

/// The local caller of a host that serves this binding alone.
pub fn sole_principal(binding: &str, given: &[HeldRole]) -> Principal {
    if given.is_empty() {
        return Principal::new(LOCAL, [HeldRole { binding: binding.into(), role: "*".into() }]);
    }
    Principal::new(LOCAL, given.iter().cloned())
}

/// A role that gives nothing, which is hardly what was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRole {
    /// No such binding.
    #[error("the role {held} gives nothing: there is no binding {}{help}", quoted(&held.binding))]
    Binding {
        /// As it was written.
        held: HeldRole,
        /// Which was probably meant, or what there is.
        help: String,
    },
    /// The plugin declares no such role.
    #[error("the role {held} gives nothing: {} declares no role {}{help}", held.binding, quoted(&held.role))]
    Role {
        /// As it was written.
        held: HeldRole,
        /// Which was probably meant, or what there is.
        help: String,
    },
}

/// Whether a role can give anything. `declared` has every binding, with its plugin's roles where they are known: a
/// plugin that is not there yet may declare any.
pub fn check_role(held: &HeldRole, declared: &BTreeMap<&str, Option<&Roles>>) -> Result<(), UnknownRole> {
    if held.binding == "*" {
        return Ok(());
    }
    let Some(roles) = declared.get(held.binding.as_str()) else {
        let help = help(&held.binding, declared.keys().copied());
        return Err(UnknownRole::Binding { held: held.clone(), help });
    };
    match roles {
        Some(roles) if held.role != "*" && !roles.contains(&held.role) => {
            let help = help(&held.role, roles.names());
            Err(UnknownRole::Role { held: held.clone(), help })
        }
        _ => Ok(()),
    }
}

fn help<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    match did_you_mean(given, known) {
        help if help.is_empty() => help,
        help => format!(" ({help})"),
    }
}
