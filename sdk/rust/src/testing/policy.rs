//! What the call that runs may change, as the host rules it: a tool that is read-only nothing, unless its `reach` says
//! more; a handler of events nothing beyond what its plugin remembers, unless the grant says `may`.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::harness::State;

#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    read_only: bool,
    handler: bool,
    may: Vec<String>,
    reach: Map<String, Value>,
}

/// Puts the former policy back when dropped.
pub(crate) struct Under(Rc<State>, Policy);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.policy.replace(std::mem::take(&mut self.1));
    }
}

/// A policy for as long as the returned value lives. Nothing without a harness, where all is denied anyway.
pub(crate) fn under(policy: Policy) -> Option<Under> {
    super::current().map(|state| {
        let before = state.policy.replace(policy);
        Under(state, before)
    })
}

impl Policy {
    /// Of a tool, by its line for the manifest.
    pub(crate) fn of_tool(manifest: &str) -> Self {
        let line: Value = serde_json::from_str(manifest).expect("a manifest entry is a line of JSON");
        Self {
            read_only: line["read_only"] == true,
            reach: line["reach"].as_object().cloned().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Of what only reads: prompts, resources, completions.
    pub(crate) fn reading() -> Self {
        Self { read_only: true, ..Self::default() }
    }

    /// Of a handler of events.
    pub(crate) fn handling(may: Vec<String>) -> Self {
        Self { read_only: true, handler: true, may, ..Self::default() }
    }

    /// Whether it is one of those: nobody calls, and what belongs to a caller is not there.
    pub(crate) fn is_handler(&self) -> bool {
        self.handler
    }

    /// What the tool's `reach` says of a capability.
    pub(crate) fn reach(&self, capability: &str) -> Option<&Value> {
        self.reach.get(capability)
    }

    /// Whether something beyond the host may be changed through this capability, as far as the call is read-only.
    pub(crate) fn may_act(&self, capability: &str, act: &str) -> bool {
        let granted = |may: &String| match may.split_once(':') {
            Some((name, word)) => name == capability && word == act,
            None => may == capability,
        };
        !self.read_only || self.may.iter().any(granted)
    }

    /// Whether what the plugin remembers may be changed.
    pub(crate) fn may_remember(&self, capability: &str) -> bool {
        let reach = || self.reach(capability).is_some_and(|reach| reach["write"] == true);
        !self.read_only || self.handler || reach()
    }
}
