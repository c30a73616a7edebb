//! Reads `[capabilities.<kind>.<name>]` and a tool's `reach`: the core reads what is the same for every kind, the
//! capability the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::about::required_line;
use super::variables::of_grant;
use super::{CapabilityRequest, ConfigKey, Variables, grammar};
use crate::asking;
use crate::capability::{Capabilities, Reach, Request};
use crate::diagnostic::{TableReader, did_you_mean, quoted};
use crate::events;

/// The most requests of one kind.
const MOST_OF_A_KIND: usize = 64;

/// Reads `[capabilities]`, by `kind.name`. Beside them every name that stands there, right or wrong.
pub(super) fn requests(
    root: &mut TableReader<'_>,
    settings: &IndexMap<String, ConfigKey>,
    capabilities: &Capabilities,
) -> (BTreeMap<String, CapabilityRequest>, Vec<String>) {
    let mut requests = BTreeMap::new();
    let mut requested = Vec::new();
    let mut of_events = None;
    for (kind, mut named) in root.tables("capabilities") {
        requested.extend(named.keys().map(|name| format!("{}.{name}", kind.get_ref())));
        if kind.get_ref() == asking::KIND {
            let help = "write it under [client], without a name: elicitation = \"why\"";
            named.error_at(&kind, "what is asked of clients stands elsewhere", help);
            named.leave_rest();
            continue;
        }
        let Some(capability) = capabilities.get(kind.get_ref()) else {
            let known = capabilities.iter().map(|(kind, _)| kind).filter(|kind| *kind != asking::KIND);
            let help = did_you_mean(kind.get_ref(), known);
            let message = format!("this host has no capability {}", quoted(kind.get_ref()));
            named.error_at(&kind, message, help);
            named.leave_rest();
            continue;
        };
        let kind = kind.into_inner();
        if kind == events::KIND {
            of_events = Some(named);
            continue;
        }
        let read = |table: &mut TableReader<'_>| (of_grant(table, settings), capability.parse_request(table));
        requests.extend(of_kind(&kind, &mut named, read));
    }
    // An event comes from one of the others.
    if let Some(mut named) = of_events {
        let others = events::Others::new(&requests, &requested, capabilities);
        // Nobody who sets a variable means that something should run when nobody calls.
        let read = |table: &mut TableReader<'_>| (BTreeMap::new(), others.read(table));
        let of_events = of_kind(events::KIND, &mut named, read);
        requests.extend(of_events);
    }
    (requests, requested)
}

/// What is the same for every kind. `read`: the rest of one table.
fn of_kind(
    kind: &str,
    named: &mut TableReader<'_>,
    read: impl Fn(&mut TableReader<'_>) -> (BTreeMap<String, Variables>, Option<Arc<dyn Request>>),
) -> Vec<(String, CapabilityRequest)> {
    let count = named.keys().count();
    if count > MOST_OF_A_KIND {
        named.error(format!("{count} entries are too many"), format!("at most {MOST_OF_A_KIND} are read"));
        named.leave_rest();
        return Vec::new();
    }
    let mut requests = Vec::new();
    for (name, mut table) in named.named_tables() {
        if !grammar::is_id(name.get_ref()) {
            let message = format!("{} is not a name for a capability", quoted(name.get_ref()));
            table.error_at(&name, message, grammar::CAPABILITY);
        }
        let why = required_line(&mut table, "why", 256);
        let optional = table.bool("optional").unwrap_or_default();
        let (env, request) = read(&mut table);
        if request.is_some() {
            table.finish();
        }
        if let (Some(why), Some(request)) = (why, request) {
            let (kind, name) = (kind.to_owned(), name.into_inner());
            let key = format!("{kind}.{name}");
            requests.push((key, CapabilityRequest { kind, name, why, optional, env, request }));
        }
    }
    requests
}

/// Reads a tool's `reach`. `requested` holds every name under `[capabilities]`, also of those that were wrong.
pub(super) fn reach(
    tool: &mut TableReader<'_>,
    requests: &BTreeMap<String, CapabilityRequest>,
    requested: &[String],
    capabilities: &Capabilities,
) -> BTreeMap<String, Arc<dyn Reach>> {
    let mut reach = BTreeMap::new();
    for (name, mut table) in tool.tables("reach") {
        let Some(request) = requests.get(name.get_ref()) else {
            // What is wrong with a request is said there, once.
            if !requested.contains(name.get_ref()) {
                let mut help = did_you_mean(name.get_ref(), requests.keys().map(String::as_str));
                if help.is_empty() {
                    help = "request it under [capabilities.<kind>.<name>] first".into();
                }
                let message =
                    format!("{} is not a capability that this manifest requests", quoted(name.get_ref()));
                table.error_at(&name, message, help);
            }
            table.leave_rest();
            continue;
        };
        let Some(capability) = capabilities.get(&request.kind) else { continue };
        if let Some(parsed) = capability.parse_reach(&mut table, &*request.request) {
            table.finish();
            reach.insert(name.into_inner(), parsed);
        }
    }
    reach
}
