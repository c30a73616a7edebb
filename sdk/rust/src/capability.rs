//! What failures of all capabilities have in common: how the host gives them, and what fault they become.

use serde_json::{Map, Value};

use crate::Fault;

/// Facts about a failure.
pub(crate) type Details = Option<Box<Map<String, Value>>>;

/// The facts out of the JSON that the host gives.
#[cfg(target_arch = "wasm32")]
pub(crate) fn details(json: Option<String>) -> Details {
    json.and_then(|json| serde_json::from_str(&json).ok()).map(Box::new)
}

/// A failure of a capability.
pub(crate) struct Failure {
    /// How the message begins.
    pub(crate) label: &'static str,
    /// Under what the details have the capability's code.
    pub(crate) key: &'static str,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    /// Whether something may have left the host; none where nothing ever does.
    pub(crate) sent: Option<bool>,
    pub(crate) details: Details,
}

impl Failure {
    /// The codes that every capability has mean the same everywhere; `own` says what the others mean.
    pub(crate) fn into_fault(self, own: impl FnOnce(&str) -> &'static str) -> Fault {
        let code = match self.code.as_str() {
            "denied" => "denied",
            "invalid" => "invalid-arguments",
            "timeout" => "timeout",
            "cancelled" => "cancelled",
            code => own(code),
        };
        let mut details = self.details.unwrap_or_default();
        details.insert(self.key.into(), self.code.into());
        if let Some(sent) = self.sent {
            details.insert("sent".into(), sent.into());
        }
        let fault = Fault::custom(code, format!("{}: {}.", self.label, self.message));
        Fault { retryable: self.retryable, details: Some(details), ..fault }
    }
}
