//! Why something came to nothing: in words for the operator, and as the failure that a guest gets.
//!
//! A refusal tells the guest that it was refused and nothing else; which rule it was, where the broker is and what line
//! would allow it goes to the log and to `fleetgate why`. No message here holds a credential, and of what a broker said
//! there are codes alone.

use std::io;
use std::sync::Arc;

use fleetgate_core::address::Unreached;
use fleetgate_core::capability::Refusal;
use fleetgate_core::sandbox::CutShort;
use serde_json::{Value, json};

use crate::connect::ConnectFailed;
use crate::wire::{Broke, NotDone, Unwanted};

/// Why something came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// It may not be done.
    #[error("{0}")]
    Refused(Refusal),
    /// The broker did not do it: the code of its answer.
    #[error("the broker refuses {what} (reason {reason:#04x})")]
    Broker {
        /// `the publication`, `the subscription to site/7/#`
        what: String,
        /// MQTT 5, section 2.4; 0x80 from MQTT 3.1.1.
        reason: u8,
        /// It took the message before.
        sent: bool,
    },
    /// An argument is not what it must be.
    #[error("{0}")]
    Invalid(String),
    /// Larger than the grant or the broker takes.
    #[error("{0}")]
    TooLarge(String),
    /// As many as may be.
    #[error("{0}")]
    TooMuch(String),
    /// There is no connection.
    #[error("{0}")]
    Unconnected(Arc<Unconnected>),
    /// Not done in time.
    #[error("{what} was not done in time")]
    Timeout {
        /// What.
        what: &'static str,
        /// The message may have arrived.
        sent: bool,
    },
    /// The connection broke.
    #[error("the connection to the broker broke")]
    Dropped {
        /// The message may have arrived.
        sent: bool,
    },
    /// The subscription is closed.
    #[error("the subscription is closed")]
    Closed,
    /// The call was cancelled.
    #[error("the call was cancelled")]
    Cancelled {
        /// The message may have arrived.
        sent: bool,
    },
}

/// Why there is no connection, opaque beyond its words.
#[derive(Debug)]
pub struct Unconnected(pub(crate) ConnectFailed);

impl std::fmt::Display for Unconnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a guest gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestFailure {
    /// For programs.
    pub code: &'static str,
    /// In a sentence.
    pub message: String,
    /// The same may succeed later.
    pub retryable: bool,
    /// The message may have reached the broker.
    pub sent: bool,
    /// Facts.
    pub details: Option<Value>,
}

impl Failure {
    /// The same for what the broker did not do.
    pub(crate) fn not_done(why: NotDone, what: impl FnOnce() -> String, sent: bool) -> Self {
        match why {
            NotDone::Refused(reason) => Self::Broker { what: what(), reason, sent: false },
            NotDone::Unsure(reason) => Self::Broker { what: what(), reason, sent: true },
            NotDone::Gone => Self::Dropped { sent },
        }
    }

    /// A wait that ended before `what` did.
    pub(crate) fn cut_short(cut: CutShort, what: &'static str, sent: bool) -> Self {
        match cut {
            CutShort::Time => Self::Timeout { what, sent },
            CutShort::Cancelled => Self::Cancelled { sent },
        }
    }

    /// What the guest gets.
    pub fn guest(&self) -> GuestFailure {
        let failure = |code, message: &str, retryable| GuestFailure {
            code,
            message: message.to_owned(),
            retryable,
            sent: false,
            details: None,
        };
        // A message that may have arrived is not the same one when it is sent again.
        let sent_or_not = |code, sent: bool| {
            let known = match sent {
                true => "whether the message arrived is not known",
                false => "no message was sent",
            };
            GuestFailure { sent, ..failure(code, &format!("{self}; {known}"), !sent) }
        };
        match self {
            Self::Refused(_) => failure("denied", "this is not granted", false),
            Self::Broker { reason, sent, .. } => {
                GuestFailure { sent: *sent, ..broker(*reason, self.to_string()) }
            }
            Self::Invalid(why) => failure("invalid", why, false),
            Self::TooLarge(why) => failure("too-large", why, false),
            Self::TooMuch(why) => failure("too-much", why, true),
            Self::Unconnected(failed) => unconnected(&failed.0),
            Self::Timeout { sent, .. } => sent_or_not("timeout", *sent),
            Self::Dropped { sent } => sent_or_not("dropped", *sent),
            Self::Closed => failure("closed", &self.to_string(), false),
            Self::Cancelled { sent } => GuestFailure { retryable: false, ..sent_or_not("cancelled", *sent) },
        }
    }
}

/// What a code of the broker's means to a plugin (MQTT 5, section 2.4).
fn broker(reason: u8, message: String) -> GuestFailure {
    let (code, retryable) = match reason {
        0x99 => ("invalid", false),
        0x95 => ("too-large", false),
        0x96 | 0x97 => ("too-much", true),
        0x91..=0x94 => ("protocol", false),
        // Filters and topics are well-formed here: with 0x8f and 0x90 the broker says that they are not for this client.
        _ => ("denied", false),
    };
    let details = Some(json!({ "broker": true, "reason": reason }));
    GuestFailure { code, message, retryable, sent: false, details }
}

fn unconnected(failed: &ConnectFailed) -> GuestFailure {
    let mut details = None;
    let (code, message, retryable) = match failed {
        ConnectFailed::Unreached(Unreached::Blocked { .. }) | ConnectFailed::Plaintext { .. } => {
            ("denied", "this is not granted", false)
        }
        ConnectFailed::Unreached(Unreached::Resolve { .. } | Unreached::NoAddress(_)) => {
            ("unreachable", "the broker's name has no address", true)
        }
        ConnectFailed::Unreached(Unreached::Dial { error, .. }) => match error.kind() {
            io::ErrorKind::ConnectionRefused => ("unreachable", "nothing listens where the broker is", true),
            _ => ("unreachable", "the broker cannot be reached", true),
        },
        // It does not heal by trying again; what is wrong with it is the operator's to read.
        ConnectFailed::Tls { error, .. } if error.certificate().is_some() => {
            ("unreachable", "the broker's certificate is not trusted", false)
        }
        ConnectFailed::Tls { .. } => ("unreachable", "there is no encrypted connection to the broker", true),
        ConnectFailed::WebSocket { .. } => ("unreachable", "there is no WebSocket to the broker", true),
        ConnectFailed::Timeout(_) => ("unreachable", "the broker does not answer", true),
        ConnectFailed::Credential(_) => ("credential", "the credential cannot be had now", false),
        ConnectFailed::Mqtt { broke, .. } => match broke {
            Broke::Refused(connack) => {
                details = Some(json!({ "broker": true, "reason": connack.code }));
                match connack.why {
                    Unwanted::Credential => ("credential", "the broker does not take the credential", false),
                    Unwanted::Busy => ("unreachable", "the broker takes nobody now", true),
                    Unwanted::Elsewhere => ("unreachable", "the broker has moved", true),
                    Unwanted::Name | Unwanted::Protocol => {
                        ("protocol", "the broker does not take the connection", false)
                    }
                }
            }
            Broke::Protocol(_) | Broke::TooLarge(_) => {
                ("protocol", "the broker does not speak MQTT as it should", false)
            }
            Broke::Said(_) | Broke::Lost(_) | Broke::Silent | Broke::Closed => {
                ("unreachable", "the connection to the broker broke at once", true)
            }
        },
    };
    GuestFailure { code, message: message.to_owned(), retryable, sent: false, details }
}
