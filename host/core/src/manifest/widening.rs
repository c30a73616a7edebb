//! What a new version may do that the approved one may not.
//!
//! A version that widens nothing goes live at once; one that widens is held until the operator approves it. So
//! the question is always: could a plugin author, or somebody who stole the author's key, give a caller or the
//! plugin a power that nobody granted? When in doubt the version is held, since approving costs one command.
//!
//! - More reach (capabilities, what is asked of them, a tool's `reach` lifted or changed), more resources, more
//!   environment variables, less care (`secret`, `read_only`, `destructive`, `verbatim`, `audit`) widen.
//! - `requires` is lowered when its holders no longer meet the old one, and a role that now includes another one
//!   raises everybody who holds it. A new name that includes an old role counts as well: somebody may hold it
//!   already, by a typing error or from an earlier version.
//! - A new tool that changes things is a new power for those who hold its role, and widens. One that only reads
//!   does not, if it requires a role that was there before: its holders read with the same grant today. With
//!   `any` or a new role alone it widens, and so it does with a `reach` of its own, by which a read-only tool may
//!   do more than read. A tool that is `opt_in` waits for the operator anyway.
//! - The longest matching pattern decides over a resource, so a new pattern may uncover what an old one
//!   guarded, and a removed one too.
//! - A header by which calls are told to belong together lets the plugin follow a caller from call to call.
//! - What is removed, renamed in words or raised does not widen.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{CapabilityRequest, ExposedEntry, Manifest, Requirement, Roles, ToolEntry};
use crate::diagnostic::quoted;
use crate::units::{format_duration, format_size};
use crate::uri::UriPattern;

/// What `new` may do beyond `old`, one sentence each, for the operator who approves it. Empty: nothing.
pub fn widening(old: &Manifest, new: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    roles(&old.roles, &new.roles, &mut found);
    capabilities(old, new, &mut found);
    limits(old, new, &mut found);
    if let Some(header) = new.session.as_ref().filter(|header| old.session.as_ref() != Some(header)) {
        found.push(format!("tells conversations apart by the request header {header}"));
    }
    for (key, setting) in &new.config {
        let before = old.config.get(key).map(|setting| setting.env.as_slice()).unwrap_or_default();
        environment(&format!("the setting {key}"), before, &setting.env, &mut found);
    }
    for (name, tool) in &new.tools {
        match old.tools.get(name) {
            Some(before) => changed_tool(name, before, tool, &new.roles, &mut found),
            None => new_tool(name, tool, &old.roles, &mut found),
        }
    }
    resources(old, new, &mut found);
    for (name, prompt) in &new.prompts {
        let what = format!("the prompt {name}");
        match old.prompts.get(name) {
            Some(before) => lowered(&what, &before.requires, &prompt.requires, &new.roles, &mut found),
            None => newly_exposed(&what, prompt, &old.roles, &mut found),
        }
    }
    found
}

fn roles(old: &Roles, new: &Roles, found: &mut Vec<String>) {
    for role in new.names() {
        for included in new.included(role).filter(|included| *included != role && old.contains(included)) {
            if !old.covers(role, included) {
                found.push(format!("whoever holds the role {role} also holds {included}"));
            }
        }
    }
}

fn capabilities(old: &Manifest, new: &Manifest, found: &mut Vec<String>) {
    for (name, asked) in &new.capabilities {
        let Some(before) = old.capabilities.get(name) else {
            found.push(format!("asks for {name}: {}", asked.why));
            found.extend(asked.request.describe().into_iter().map(|line| format!("{name}: {line}")));
            variables(name, None, asked, found);
            continue;
        };
        found
            .extend(asked.request.widens(&*before.request).into_iter().map(|line| format!("{name}: {line}")));
        variables(name, Some(before), asked, found);
    }
}

fn variables(
    name: &str,
    before: Option<&CapabilityRequest>,
    asked: &CapabilityRequest,
    found: &mut Vec<String>,
) {
    for (key, variables) in &asked.env {
        let known = before.and_then(|before| before.env.get(key));
        let names = known.map(|known| known.names.as_slice()).unwrap_or_default();
        environment(&format!("{name}, for {key},"), names, &variables.names, found);
        if let Some(default) = &variables.default
            && known.and_then(|known| known.default.as_ref()) != Some(default)
        {
            let default = quoted(default);
            found.push(format!(
                "{name}, for {key}, is {default} where no environment variable says otherwise"
            ));
        }
    }
}

fn environment(what: &str, old: &[String], new: &[String], found: &mut Vec<String>) {
    for variable in new.iter().filter(|variable| !old.contains(variable)) {
        found.push(format!("{what} is read from the environment variable {variable}"));
    }
}

fn limits(old: &Manifest, new: &Manifest, found: &mut Vec<String>) {
    let (old, new) = (&old.limits, &new.limits);
    if let Some(memory) = new.memory.filter(|memory| old.memory.is_none_or(|old| *memory > old)) {
        found.push(format!(
            "asks for {} of memory in a call{}",
            format_size(memory),
            was(old.memory.map(format_size))
        ));
    }
    if let Some(cpu) = new.cpu.filter(|cpu| old.cpu.is_none_or(|old| *cpu > old)) {
        found.push(format!(
            "asks for {} in guest code{}",
            format_duration(cpu),
            was(old.cpu.map(format_duration))
        ));
    }
    if let Some(calls) = new.concurrency.filter(|calls| old.concurrency.is_none_or(|old| *calls > old)) {
        found.push(format!(
            "asks for {calls} calls at once{}",
            was(old.concurrency.map(|calls| calls.to_string()))
        ));
    }
}

fn was(old: Option<String>) -> String {
    old.map_or_else(|| " instead of the default".to_owned(), |old| format!(" instead of {old}"))
}

fn lowered(what: &str, old: &Requirement, new: &Requirement, roles: &Roles, found: &mut Vec<String>) {
    if !new.implies(old, roles) {
        found.push(format!("{what} requires {new} instead of {old}"));
    }
}

/// Whether it takes a role that the approved version knew.
fn needs_known_role(requires: &Requirement, old: &Roles) -> bool {
    matches!(requires, Requirement::All(needed) if needed.iter().any(|role| old.contains(role)))
}

fn new_tool(name: &str, tool: &ToolEntry, old: &Roles, found: &mut Vec<String>) {
    if tool.opt_in || (tool.read_only && tool.reach.is_empty() && needs_known_role(&tool.requires, old)) {
        return;
    }
    let kind = match tool {
        ToolEntry { destructive: true, .. } => "which may destroy things",
        ToolEntry { read_only: false, .. } => "which changes things",
        ToolEntry { reach, .. } if !reach.is_empty() => "read-only with a reach of its own",
        _ => "which reads",
    };
    found.push(format!("new tool {name}, {kind}, for {}", who(&tool.requires)));
    for (capability, reach) in &tool.reach {
        found.push(format!("the tool {name} reaches in {capability}: {}", reach.describe()));
    }
}

fn newly_exposed(what: &str, entry: &ExposedEntry, old: &Roles, found: &mut Vec<String>) {
    if !needs_known_role(&entry.requires, old) {
        found.push(format!("{what} is new, for {}", who(&entry.requires)));
    }
}

fn who(requires: &Requirement) -> String {
    match requires {
        Requirement::Any => "everybody who is authenticated".into(),
        Requirement::All(_) => format!("whoever holds {requires}"),
    }
}

fn changed_tool(name: &str, old: &ToolEntry, new: &ToolEntry, roles: &Roles, found: &mut Vec<String>) {
    lowered(&format!("the tool {name}"), &old.requires, &new.requires, roles, found);
    for (word, before, after) in
        [("read_only", old.read_only, new.read_only), ("destructive", old.destructive, new.destructive)]
    {
        if before != after {
            let now = if after { "is" } else { "is no longer" };
            found.push(format!("the tool {name} {now} {word}"));
        }
    }
    for pointer in new.secret.iter().filter(|pointer| !old.secret.contains(pointer)) {
        found.push(format!("the tool {name} takes the argument {pointer} as a secret"));
    }
    for pointer in old.secret.iter().filter(|pointer| !new.secret.contains(pointer)) {
        found.push(format!("the plugin sees the argument {pointer} of the tool {name}, which was a secret"));
    }
    for pointer in old.audit.iter().filter(|pointer| !new.audit.contains(pointer)) {
        found.push(format!("the argument {pointer} of the tool {name} is no longer in the audit record"));
    }
    if old.opt_in && !new.opt_in {
        found.push(format!("the tool {name} no longer waits until the operator enables it"));
    }
    if !old.verbatim && new.verbatim {
        found.push(format!("results of the tool {name} keep their control characters"));
    }
    timeout(name, old.timeout, new.timeout, found);
    reach(name, old, new, found);
}

fn timeout(name: &str, old: Option<Duration>, new: Option<Duration>, found: &mut Vec<String>) {
    if let Some(longer) = new.filter(|new| old.is_none_or(|old| *new > old)) {
        let before = was(old.map(format_duration));
        found.push(format!("the tool {name} may take {}{before}", format_duration(longer)));
    }
}

fn reach(name: &str, old: &ToolEntry, new: &ToolEntry, found: &mut Vec<String>) {
    for capability in old.reach.keys().filter(|capability| !new.reach.contains_key(*capability)) {
        found.push(format!("the tool {name} reaches everything granted as {capability}, not a part of it"));
    }
    for (capability, reach) in &new.reach {
        let said = match old.reach.get(capability) {
            Some(before) => reach.widens(&**before),
            // For a read-only tool, reach is what allows more than reading; for others it only narrows.
            None if old.read_only || new.read_only => vec![reach.describe()],
            None => Vec::new(),
        };
        found.extend(said.into_iter().map(|line| format!("the tool {name} reaches in {capability}: {line}")));
    }
}

/// Patterns are compared by what stands before their first wildcard: two that could match one URI overlap.
fn resources(old: &Manifest, new: &Manifest, found: &mut Vec<String>) {
    for (pattern, entry) in &new.resources {
        if !old.resources.contains_key(pattern) {
            newly_exposed(&format!("the resource {pattern}"), entry, &old.roles, found);
        }
        for (before, guarded) in overlapping(pattern, &old.resources) {
            let same = pattern == before;
            let changed = !old.resources.contains_key(pattern) || !new.resources.contains_key(before);
            if !(same || changed) || entry.requires.implies(&guarded.requires, &new.roles) {
                continue;
            }
            let what = if same {
                format!("the resource {pattern}")
            } else {
                format!("the resource {pattern}, where it overlaps {before},")
            };
            found.push(format!("{what} requires {} instead of {}", entry.requires, guarded.requires));
        }
    }
}

fn overlapping<'a>(
    pattern: &'a UriPattern,
    entries: &'a BTreeMap<UriPattern, ExposedEntry>,
) -> impl Iterator<Item = (&'a UriPattern, &'a ExposedEntry)> {
    let literal = |pattern: &'a UriPattern| pattern.as_str().split(['*', '{']).next().unwrap_or_default();
    let mine = literal(pattern);
    entries.iter().filter(move |(other, _)| {
        let theirs = literal(other);
        let wild = |pattern: &UriPattern, literal: &str| pattern.as_str().len() > literal.len();
        mine == theirs
            || (mine.starts_with(theirs) && wild(other, theirs))
            || (theirs.starts_with(mine) && wild(pattern, mine))
    })
}
