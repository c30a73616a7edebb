//! Why a broker did not do what it should.

use std::fmt;

use serde_json::{Map, Value};

use crate::Fault;
use crate::capability::Failure;

/// A failure of the host's MQTT. `?` makes a [`Fault`] of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttError {
    /// What kind of failure, for programs. `wit/fleetgate-mqtt` documents them: `denied`, `invalid`, `too-large`,
    /// `too-much`, `credential`, `unreachable`, `timeout`, `dropped`, `closed`, `cancelled`, `protocol`; and here
    /// `malformed`: a payload is not the JSON that was expected.
    ///
    /// New ones may come; take an unknown one as a failure of some other kind.
    pub code: String,
    /// What went wrong, in a sentence without a full stop. Holds no credential.
    pub message: String,
    /// True: the same may succeed later.
    pub retryable: bool,
    /// True: the message may have reached the broker, and whether it did is not known. Do not send it again unless that
    /// does no harm.
    pub sent: bool,
    /// Facts about it: `reason` (the broker's reason code), `broker`. Boxed, because most have none.
    pub details: Option<Box<Map<String, Value>>>,
}

impl MqttError {
    /// A failure with this code and message; not retryable, and nothing was sent.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: false, sent: false, details: None }
    }

    /// The same may succeed later.
    #[must_use]
    pub fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }

    /// The message may have reached the broker.
    #[must_use]
    pub fn sent(self) -> Self {
        Self { sent: true, ..self }
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
}

impl fmt::Display for MqttError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MqttError {}

impl From<MqttError> for Fault {
    /// The details gain `mqtt`, the code, and `sent`.
    fn from(error: MqttError) -> Self {
        let MqttError { code, message, retryable, sent, details } = error;
        Failure { label: "MQTT", key: "mqtt", code, message, retryable, sent: Some(sent), details }
            .into_fault(|code| match code {
                "too-large" => "invalid-arguments",
                "unreachable" | "dropped" | "credential" | "too-much" => "unavailable",
                _ => "upstream",
            })
    }
}
