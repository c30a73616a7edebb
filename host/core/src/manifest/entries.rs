//! Reads `[tools]`, `[resources]` and `[prompts]`.

use std::collections::BTreeMap;

use super::roles::{REQUIRES, requirement};
use super::{CapabilityRequest, ExposedEntry, Roles, TaskMode, ToolEntry, capabilities, grammar};
use crate::capability::Capabilities;
use crate::diagnostic::{TableReader, quoted};
use crate::uri::UriPattern;

pub(super) const TASKS: [(&str, TaskMode); 2] =
    [("optional", TaskMode::Optional), ("required", TaskMode::Required)];

/// What an entry is read against.
pub(super) struct Context<'a> {
    pub(super) roles: &'a Roles,
    pub(super) requests: &'a BTreeMap<String, CapabilityRequest>,
    /// Every `kind.name` under `[capabilities]`, also where something is wrong with it.
    pub(super) requested: Vec<String>,
    pub(super) capabilities: &'a Capabilities,
    /// Whether `requires` of this section's entry stands in the plugin's code, so that `plugin.toml` may leave it out.
    pub(super) requires_in_code: &'a InCode<'a>,
}

/// Asked with section and name.
pub(crate) type InCode<'a> = dyn Fn(&'static str, &str) -> bool + 'a;

/// Reads `[tools]`.
pub(super) fn tools(root: &mut TableReader<'_>, context: &Context<'_>) -> BTreeMap<String, ToolEntry> {
    let mut tools = BTreeMap::new();
    for (name, mut table) in root.tables("tools") {
        if !grammar::is_tool(name.get_ref()) {
            let message = format!("{} is not a name for a tool", quoted(name.get_ref()));
            table.error_at(&name, message, grammar::TOOL);
        }
        if let Some(entry) = tool(name.get_ref(), &mut table, context) {
            tools.insert(name.into_inner(), entry);
        }
        table.finish();
    }
    tools
}

fn tool(name: &str, table: &mut TableReader<'_>, context: &Context<'_>) -> Option<ToolEntry> {
    let requires = exposed_to(table, ("tools", name), context);
    let read_only = table.bool("read_only").unwrap_or_default();
    let destructive = table.bool("destructive").unwrap_or_default();
    if read_only && destructive {
        let help = "a tool that changes nothing destroys nothing: remove one of the two";
        table.error_at("destructive", "read_only and destructive contradict each other", help);
    }
    let timeout = table.spanned_duration("timeout");
    if timeout.as_ref().is_some_and(|timeout| timeout.get_ref().is_zero()) {
        table.error_at(
            "timeout",
            "a tool that may take no time cannot run",
            "write a duration, like \"30s\"",
        );
    }
    let entry = ToolEntry {
        requires: requires.clone().unwrap_or(super::Requirement::Any),
        read_only,
        destructive,
        idempotent: table.bool("idempotent").unwrap_or_default(),
        open_world: table.bool("open_world"),
        timeout: timeout.map(crate::diagnostic::Spanned::into_inner),
        secret: pointers(table, "secret"),
        audit: pointers(table, "audit"),
        reach: capabilities::reach(table, context.requests, &context.requested, context.capabilities),
        opt_in: table.bool("opt_in").unwrap_or_default(),
        verbatim: table.bool("verbatim").unwrap_or_default(),
        task: table.enumeration("task", &TASKS).unwrap_or_default(),
        asks_first: table.bool("asks_first").unwrap_or_default(),
    };
    if entry.asks_first && entry.task == TaskMode::Never {
        let help = "a tool that is no task asks whenever it likes: remove asks_first, or add task";
        table.error_at("asks_first", "only a task can ask before it begins", help);
    }
    if entry.secret.len() > MOST_SECRETS {
        table.error_at("secret", format!("more than {MOST_SECRETS} arguments"), "name fewer");
    }
    if let Some(both) =
        entry.secret.iter().find(|secret| entry.audit.iter().any(|audit| covers(secret, audit)))
    {
        let message = format!("{} is a secret and would stand in the audit record", quoted(both));
        table.error_at("audit", message, "remove it from audit");
    }
    requires.map(|_| entry)
}

/// The most secret arguments of one tool: masks look for each in all that comes back.
const MOST_SECRETS: usize = 16;

/// Whether one pointer leads to, or above, what the other leads to.
fn covers(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}

/// The most entries of `[resources]`: each is compared with each URI.
const MOST_RESOURCES: usize = 128;

/// Reads `[resources]`, by URI pattern.
pub(super) fn resources(
    root: &mut TableReader<'_>,
    context: &Context<'_>,
) -> BTreeMap<UriPattern, ExposedEntry> {
    let mut entries = BTreeMap::new();
    let tables = root.tables("resources");
    let count = tables.len();
    for (index, (name, mut table)) in tables.into_iter().enumerate() {
        if index == MOST_RESOURCES {
            let help = format!("at most {MOST_RESOURCES} are read: let one pattern stand for several");
            table.error_at(&name, format!("{count} entries are too many"), help);
        }
        if index >= MOST_RESOURCES {
            table.leave_rest();
            continue;
        }
        let pattern = name.get_ref().parse::<UriPattern>();
        if let Err(why) = &pattern {
            let message = format!("{} is not a URI pattern: {why}", quoted(name.get_ref()));
            table.error_at(&name, message, grammar::URI);
        }
        let requires = exposed_to(&mut table, ("resources", name.get_ref()), context);
        table.finish();
        if let (Ok(pattern), Some(requires)) = (pattern, requires) {
            entries.insert(pattern, ExposedEntry { requires });
        }
    }
    entries
}

/// Reads `[prompts]`.
pub(super) fn prompts(root: &mut TableReader<'_>, context: &Context<'_>) -> BTreeMap<String, ExposedEntry> {
    let mut entries = BTreeMap::new();
    for (name, mut table) in root.tables("prompts") {
        if !grammar::is_tool(name.get_ref()) {
            let message = format!("{} is not a name for a prompt", quoted(name.get_ref()));
            table.error_at(&name, message, grammar::TOOL);
        }
        let requires = exposed_to(&mut table, ("prompts", name.get_ref()), context);
        table.finish();
        if let Some(requires) = requires {
            entries.insert(name.into_inner(), ExposedEntry { requires });
        }
    }
    entries
}

/// Who may have what is entered in this section under this name.
fn exposed_to(
    table: &mut TableReader<'_>,
    (section, name): (&'static str, &str),
    context: &Context<'_>,
) -> Option<super::Requirement> {
    if !table.has("requires") && (context.requires_in_code)(section, name) {
        return Some(super::Requirement::Any);
    }
    required(table, context.roles)
}

fn required(table: &mut TableReader<'_>, roles: &Roles) -> Option<super::Requirement> {
    if !table.has("requires") {
        // Asked for, so that a misspelled `require` is pointed here.
        table.value("requires");
        table.error("nobody is named who may have this: `requires` is missing", REQUIRES);
    }
    requirement(table, roles)
}

fn pointers(table: &mut TableReader<'_>, key: &str) -> Vec<String> {
    let pointers = table.pointers(key).unwrap_or_default();
    pointers.into_iter().map(crate::diagnostic::Spanned::into_inner).collect()
}
