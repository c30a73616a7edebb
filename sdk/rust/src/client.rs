//! What the client can do.

use serde_json::Value;

/// What the client can do, as it said itself. What it did not say it cannot do: a question that needs it fails.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// if call::client().elicitation() {
///     // return Outcome::Ask(…)
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Client(Value);

impl Client {
    pub(crate) fn new(capabilities: Value) -> Self {
        Self(capabilities)
    }

    fn has(&self, pointer: &str) -> bool {
        self.0.pointer(pointer).is_some_and(|value| !value.is_null() && value != &Value::Bool(false))
    }

    /// A person can be asked to fill in a form. A client that says no more than `elicitation` can do this.
    #[must_use]
    pub fn elicitation(&self) -> bool {
        self.has("/elicitation") && (self.has("/elicitation/form") || !self.has("/elicitation/url"))
    }

    /// A person can be asked to open a URL.
    #[must_use]
    pub fn elicitation_url(&self) -> bool {
        self.has("/elicitation/url")
    }

    /// The client's model can be asked.
    #[must_use]
    pub fn sampling(&self) -> bool {
        self.has("/sampling")
    }

    /// The client's model can be given tools when it is asked.
    #[must_use]
    pub fn sampling_tools(&self) -> bool {
        self.has("/sampling/tools")
    }

    /// The client can be asked for its roots.
    #[must_use]
    pub fn roots(&self) -> bool {
        self.has("/roots")
    }

    /// What the client says of an extension (`io.modelcontextprotocol/tasks`). None: it does not know it.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.0.get("extensions")?.get(name)
    }

    /// Everything that it said.
    #[must_use]
    pub fn capabilities(&self) -> &Value {
        &self.0
    }
}
