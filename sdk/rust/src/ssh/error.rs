//! Why a device did not do what it should.

use std::fmt;

use serde_json::{Map, Value};

use crate::Fault;
use crate::capability::Failure;

/// A failure of the host's SSH. `?` makes a [`Fault`] of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SshError {
    /// What kind of failure, for programs. `wit/fleetgate-ssh` documents them:
    ///
    /// - before anything is connected: `denied`, `invalid`, `credential`, `too-many-sessions`;
    /// - while connecting: `unresolved`, `refused`, `unreachable`, `banner-timeout`, `kex-mismatch`,
    ///   `host-key-unknown`, `host-key-changed`, `auth-failed`, `auth-method`;
    /// - afterwards: `channel-refused`, `timeout`, `dropped`, `echo`, `output-limit`, `closed`, `cancelled`, `protocol`.
    ///
    /// New ones may come; take an unknown one as a failure of some other kind.
    pub code: String,
    /// What went wrong, in a sentence without a full stop. Holds no credential.
    pub message: String,
    /// True: the same may succeed later.
    pub retryable: bool,
    /// True: something may have reached the device, and whether it took effect is not known.
    pub sent: bool,
    /// Facts about it: `offered` (what the device offers), `wanted`. Boxed, because most have none.
    pub details: Option<Box<Map<String, Value>>>,
}

impl SshError {
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

    /// Something may have reached the device.
    #[must_use]
    pub fn sent(self) -> Self {
        Self { sent: true, ..self }
    }

    /// Whether it has this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

impl fmt::Display for SshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SshError {}

impl From<SshError> for Fault {
    /// The details gain `ssh`, the code, and `sent`.
    fn from(error: SshError) -> Self {
        let SshError { code, message, retryable, sent, details } = error;
        Failure { label: "SSH", key: "ssh", code, message, retryable, sent: Some(sent), details }.into_fault(
            |code| match code {
                "banner-timeout" => "timeout",
                "unresolved" | "refused" | "unreachable" | "dropped" | "too-many-sessions" | "credential" => {
                    "unavailable"
                }
                _ => "upstream",
            },
        )
    }
}
