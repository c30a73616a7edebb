//! Why the store did not do what it should.

use std::fmt;

use serde_json::{Map, Value};

use crate::Fault;
use crate::capability::Failure;

/// A failure of the host's store. Nothing was changed then, unless [`Self::unknown`] says that this is not known. `?`
/// makes a [`Fault`] of it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyValueError {
    /// What kind of failure, for programs. `wit/fleetgate-keyvalue` documents them: `denied`, `invalid`, `conflict`,
    /// `not-a-number`, `quota`, `too-much`, `unavailable`, `cancelled`; and here `malformed`: a value is not the JSON
    /// that was expected.
    ///
    /// New ones may come; take an unknown one as a failure of some other kind.
    pub code: String,
    /// What went wrong, in a sentence without a full stop.
    pub message: String,
    /// True: the same may succeed later.
    pub retryable: bool,
    /// Facts about it: `key`, `used`, `quota`, `unknown`. Boxed, because most have none.
    pub details: Option<Box<Map<String, Value>>>,
}

impl KeyValueError {
    /// A failure with this code and message; not retryable.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: false, details: None }
    }

    /// The same may succeed later.
    #[must_use]
    pub fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }

    /// One more fact about it.
    #[must_use]
    pub fn detail(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Whether it has this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// Whether what was to be written may be there all the same: the store broke in the middle of it.
    #[must_use]
    pub fn unknown(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.get("unknown") == Some(&Value::Bool(true)))
    }

    pub(crate) fn malformed(key: &str, error: &serde_json::Error) -> Self {
        Self::new("malformed", format!("what is kept under {key:?} is not what was expected: {error}"))
            .detail("key", key)
    }
}

impl fmt::Display for KeyValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for KeyValueError {}

impl From<KeyValueError> for Fault {
    /// The details gain `keyvalue`, the code.
    fn from(error: KeyValueError) -> Self {
        let KeyValueError { code, message, retryable, details } = error;
        Failure { label: "Key-value store", key: "keyvalue", code, message, retryable, sent: None, details }
            .into_fault(|code| match code {
                "conflict" | "quota" | "too-much" | "unavailable" => "unavailable",
                _ => "internal",
            })
    }
}
