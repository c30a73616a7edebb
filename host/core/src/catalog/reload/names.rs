//! What clients see of a catalog: names that must not clash, and what is different from the one before.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::{Catalog, Change, LiveBinding, LiveTool, NameClash, shared_name};

/// The names on the shared endpoint that are taken, and by whom.
#[derive(Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Takes all names of a binding, or none.
    pub(super) fn add(&mut self, binding: &LiveBinding) -> Result<(), NameClash> {
        let mut added = Vec::new();
        for tool in binding.tools.keys() {
            let name = shared_name(&binding.name, tool)?;
            let mine = format!("{}/{tool}", binding.name);
            if let Some(first) = self.0.get(&name) {
                return Err(NameClash::Twice { name, first: first.clone(), second: mine });
            }
            added.push((name, mine));
        }
        self.0.extend(added);
        Ok(())
    }

    pub(super) fn remove(&mut self, binding: &LiveBinding) {
        let prefix = format!("{}/", binding.name);
        self.0.retain(|_, owner| !owner.starts_with(&prefix));
    }
}

/// What clients see differently.
pub(super) fn changed(before: &Catalog, after: &Catalog) -> Change {
    Change {
        revision: after.revision,
        tools: differing(before, after, &no_tools, &same_tools),
        ..Change::default()
    }
}

/// The bindings of which something is there now and was not, is gone, or is another.
fn differing(
    before: &Catalog,
    after: &Catalog,
    nothing: &dyn Fn(&LiveBinding) -> bool,
    same: &dyn Fn(&LiveBinding, &LiveBinding) -> bool,
) -> Vec<Arc<str>> {
    let mut changed = Vec::new();
    for binding in after.bindings() {
        match before.binding(&binding.name) {
            Some(old) if Arc::ptr_eq(old, binding) || same(old, binding) => {}
            None if nothing(binding) => {}
            _ => changed.push(binding.name.clone()),
        }
    }
    let gone = before.bindings().filter(|old| after.binding(&old.name).is_none() && !nothing(old));
    changed.extend(gone.map(|old| old.name.clone()));
    changed.sort();
    changed
}

fn no_tools(binding: &LiveBinding) -> bool {
    binding.tools.is_empty()
}

fn same_tools(old: &LiveBinding, new: &LiveBinding) -> bool {
    let same = |(old, new): (&Arc<LiveTool>, &Arc<LiveTool>)| {
        old.definition == new.definition
            && old.requires == new.requires
            && old.also_requires == new.also_requires
            && (old.destructive, old.idempotent, old.open_world)
                == (new.destructive, new.idempotent, new.open_world)
            && old.policy.read_only == new.policy.read_only
            && (old.task, old.asks_first) == (new.task, new.asks_first)
    };
    old.plugin.manifest.roles == new.plugin.manifest.roles
        && old.tools.len() == new.tools.len()
        && old.tools.values().zip(new.tools.values()).all(same)
}
