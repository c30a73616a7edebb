//! What clients see of a catalog: names that must not clash, and what is different from the one before.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::names::shared_name;
use super::super::{Catalog, Change, LiveBinding, LiveTool, NameClash, Named};

/// The names on the shared endpoint that are taken, and by whom.
#[derive(Default)]
pub(super) struct Names(HashMap<(Named, String), String>);

impl Names {
    /// Takes all names of a binding, or none.
    pub(super) fn add(&mut self, binding: &LiveBinding) -> Result<(), NameClash> {
        let mut added = Vec::new();
        let tools = binding.tools.keys().map(|own| (Named::Tool, own));
        for (what, own) in tools.chain(binding.prompts.keys().map(|own| (Named::Prompt, own))) {
            let name = shared_name(what, &binding.name, own)?;
            let mine = format!("{}/{own}", binding.name);
            if let Some(first) = self.0.get(&(what, name.clone())) {
                return Err(NameClash::Twice { what, name, first: first.clone(), second: mine });
            }
            added.push(((what, name), mine));
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
        tools: differing(before, after, |binding| binding.tools.is_empty(), same_tools),
        prompts: differing(before, after, |binding| binding.prompts.is_empty(), same_prompts),
        resources: differing(before, after, no_resources, same_resources),
    }
}

/// Whether clients see anything of a binding differently.
pub(super) fn changed_between(old: &LiveBinding, new: &LiveBinding) -> bool {
    !(same_tools(old, new) && same_prompts(old, new) && same_resources(old, new))
}

/// The bindings of which something is there now and was not, is gone, or is another.
fn differing(
    before: &Catalog,
    after: &Catalog,
    nothing: fn(&LiveBinding) -> bool,
    same: fn(&LiveBinding, &LiveBinding) -> bool,
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

fn same_prompts(old: &LiveBinding, new: &LiveBinding) -> bool {
    old.plugin.manifest.roles == new.plugin.manifest.roles && old.prompts == new.prompts
}

fn no_resources(binding: &LiveBinding) -> bool {
    binding.rules.is_empty() && binding.templates.is_empty() && binding.skills.is_empty()
}

/// As far as the host knows them: what a guest lists may differ from request to request. Another version, other
/// settings or other grants may list others.
fn same_resources(old: &LiveBinding, new: &LiveBinding) -> bool {
    let listed = new.exports().resources;
    let same_list = !listed
        || old.plugin.digest == new.plugin.digest
            && old.config == new.config
            && old.granted == new.granted
            && old.label == new.label;
    let templates = old.templates.values().zip(new.templates.values());
    let skills = old.skills.values().zip(new.skills.values());
    same_list
        && old.plugin.manifest.roles == new.plugin.manifest.roles
        && old.rules == new.rules
        && old.templates.len() == new.templates.len()
        && old.skills.len() == new.skills.len()
        && templates.into_iter().all(|(old, new)| old.definition == new.definition && old.rules == new.rules)
        && skills.into_iter().all(|(old, new)| old.skill == new.skill && old.rules == new.rules)
}
