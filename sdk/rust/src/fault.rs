//! A failure with a code.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

/// Why a tool failed, for the model that reads `message` and for programs that act on `code`.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// # use std::time::Duration;
/// let fault = Fault::invalid("/identifier", "There is no device of this name.");
/// let busy = Fault::unavailable("The device is updating.").retry_after(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a fault does nothing until it is returned"]
pub struct Fault {
    /// One of the documented codes, or the plugin's own. See the constructors.
    pub code: String,
    /// What went wrong and what to do, in a sentence. At most 8 KiB.
    pub message: String,
    /// Which argument is meant, as a JSON pointer (`/identifier`).
    pub field: Option<String>,
    /// True: the same call may succeed later.
    pub retryable: bool,
    /// How long to wait before that.
    pub retry_after: Option<Duration>,
    /// Facts about it. An object. Boxed, because a fault is in every `Result` and most have none.
    pub details: Option<Box<Map<String, Value>>>,
}

impl Fault {
    /// A failure with a code of the plugin's own. The documented codes have constructors.
    pub fn custom(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            field: None,
            retryable: false,
            retry_after: None,
            details: None,
        }
    }

    /// `invalid-arguments`: an argument cannot be. `field` is its JSON pointer; `name` is read as `/name`.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut fault = Self::custom("invalid-arguments", message);
        let field = field.into();
        fault.field = match field.as_str() {
            "" => None,
            pointer if pointer.starts_with('/') => Some(field),
            name => Some(format!("/{name}")),
        };
        fault
    }

    /// `unknown`: the thing that was asked for does not exist.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::custom("unknown", message)
    }

    /// `denied`: the caller, the operator or the upstream does not allow it.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::custom("denied", message)
    }

    /// `upstream`: the upstream answered, but not with success or not with what was expected.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::custom("upstream", message)
    }

    /// `unavailable`: the upstream or the device cannot be reached now. Retryable.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::custom("unavailable", message).retryable()
    }

    /// `timeout`: it took too long. Retryable.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::custom("timeout", message).retryable()
    }

    /// `cancelled`: the client gave up, or the call's deadline came.
    pub fn cancelled() -> Self {
        Self::custom("cancelled", "The call was cancelled before it was done.")
    }

    /// `internal`: a mistake of the plugin's own.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::custom("internal", message)
    }

    /// `protocol`: a JSON-RPC error instead of a tool error, for what only the client's program can act on;
    /// [`Self::data`] becomes the error's `data`. The code is -32603 (internal error) or one of the plugin's own,
    /// outside of -32768 to -32000 and of 100 to 599: those mean something to clients, and become -32603.
    pub fn protocol(code: i32, message: impl Into<String>) -> Self {
        Self::custom("protocol", message).detail("code", code)
    }

    /// The `data` of a JSON-RPC error, see [`Self::protocol`].
    pub fn data(self, data: impl Into<Value>) -> Self {
        self.detail("data", data)
    }

    /// The same call may succeed later.
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same call will fail again.
    pub fn not_retryable(mut self) -> Self {
        self.retryable = false;
        self.retry_after = None;
        self
    }

    /// How long to wait before the same call may succeed. Makes the fault retryable.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retryable = true;
        self.retry_after = Some(wait);
        self
    }

    /// Which argument is meant, as a JSON pointer.
    pub fn field(mut self, pointer: impl Into<String>) -> Self {
        self.field = Some(pointer.into());
        self
    }

    /// Facts about it, instead of those there. What is not an object becomes `{"value": …}`.
    pub fn details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(match details {
            Value::Object(object) => object,
            other => Map::from_iter([("value".to_owned(), other)]),
        }));
        self
    }

    /// One more fact about it.
    pub fn detail(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Another message, for a fault that something else made.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Whether the code is this one.
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{} ({field}): {}", self.code, self.message),
            None => write!(f, "{}: {}", self.code, self.message),
        }
    }
}

impl std::error::Error for Fault {}

/// Cuts text to at most `limit` bytes, between two characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
