//! May this caller have this? One function answers for lists and for calls.

use crate::manifest::{Requirement, Roles};
use crate::principal::Principal;

/// Whether a principal meets a requirement of one binding's plugin.
pub fn allowed(principal: &Principal, binding: &str, roles: &Roles, requires: &Requirement) -> bool {
    match requires {
        Requirement::Any => true,
        Requirement::All(needed) => {
            needed.iter().all(|role| principal.roles_of(binding).any(|held| roles.covers(held, role)))
        }
    }
}
