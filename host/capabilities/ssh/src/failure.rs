//! Why something came to nothing: in words for the operator, and as the failure that a guest gets.
//!
//! A refusal tells the guest that it was refused and nothing else; which rule it was, what address a name led to, which
//! key a device showed and what line would allow it goes to the log and to `fleetgate why`. No message here holds a
//! credential, and what a device said is cleaned.

use std::io;

use fleetgate_core::address::Unreached;
use fleetgate_core::capability::Refusal;
use fleetgate_core::sandbox::CutShort;
use serde_json::{Value, json};

use crate::connect::ConnectFailed;
use crate::login::LoginFailed;

/// Why something came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may not be done.
    #[error("{0}")]
    Refused(Refusal),
    /// An argument is not what it must be.
    #[error("{0}")]
    Invalid(String),
    /// The credential cannot be had.
    #[error("{0}")]
    Credential(String),
    /// The call does not bring what the grant wants of it.
    #[error("the call brings no {0}, and the grant has none of its own")]
    NoArgument(&'static str),
    /// As many as may be at once.
    #[error("{most} sessions of this {of} are open, and it may have no more at once")]
    TooManySessions {
        /// How many.
        most: usize,
        /// `call`, `plugin`
        of: &'static str,
    },
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectFailed),
    /// The device opens no session, terminal or command.
    #[error("the device refuses {what}")]
    ChannelRefused {
        /// `a session`, `a terminal`, `the command`
        what: &'static str,
    },
    /// Not done in time.
    #[error("{what} was not done in time")]
    Timeout {
        /// What.
        what: &'static str,
        /// Something may have reached the device.
        sent: bool,
    },
    /// The connection broke.
    #[error("the connection broke: {why}")]
    Dropped {
        /// In words.
        why: String,
        /// Something may have reached the device.
        sent: bool,
    },
    /// A password would be shown.
    #[error("{0} is not typed: the device does not ask for a password, and would show it")]
    Echo(String),
    /// Nothing was typed that makes a device ask for it.
    #[error(
        "{0} is not typed: nothing was typed before it that makes a device ask for a password, like enable"
    )]
    Unasked(String),
    /// A line would stand behind what keys left.
    #[error(
        "a line is not typed behind the keys y, n and q where commands are restricted: press enter first"
    )]
    Begun,
    /// One call does too much.
    #[error("one call sends at most {0} commands, lines and keys")]
    TooMuch(usize),
    /// Enough was guessed.
    #[error(
        "the device refused several passwords of this user, or got several for enable, within a minute, and no other is tried now"
    )]
    TooManyGuesses,
    /// There is none of this name.
    #[error("there is no password {0:?} to type")]
    NoSecret(String),
    /// Too much was said and not read.
    #[error("the device printed more than {0} bytes that nobody read; the terminal was closed")]
    OutputLimit(u64),
    /// The terminal is closed.
    #[error("the terminal is closed")]
    Closed,
    /// The call was cancelled.
    #[error("the call was cancelled")]
    Cancelled {
        /// Something may have reached the device.
        sent: bool,
    },
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
    /// Something may have reached the device, and whether it took effect is not known.
    pub sent: bool,
    /// Facts.
    pub details: Option<Value>,
}

impl Failure {
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
        let with_sent = |failure: GuestFailure, sent: &bool| GuestFailure { sent: *sent, ..failure };
        match self {
            Self::Refused(_) => failure("denied", "this is not granted", false),
            Self::Invalid(why) => failure("invalid", why, false),
            Self::Credential(_) => failure("credential", "the credential cannot be had now", false),
            Self::NoArgument(_) => failure("credential", &self.to_string(), false),
            Self::TooManySessions { .. } => failure("too-many-sessions", &self.to_string(), true),
            Self::Connect(failed) => connecting(failed),
            Self::ChannelRefused { .. } => failure("channel-refused", &self.to_string(), false),
            Self::Timeout { sent, .. } => with_sent(failure("timeout", &said(self, *sent), true), sent),
            Self::Dropped { sent, .. } => with_sent(failure("dropped", &said(self, *sent), true), sent),
            Self::Echo(_) | Self::Unasked(_) => failure("echo", &self.to_string(), false),
            Self::Begun => failure("denied", &self.to_string(), false),
            Self::TooManyGuesses => failure("auth-failed", &self.to_string(), true),
            Self::TooMuch(_) => failure("too-much", &self.to_string(), false),
            Self::NoSecret(_) => failure("denied", &self.to_string(), false),
            Self::OutputLimit(_) => with_sent(failure("output-limit", &self.to_string(), false), &true),
            Self::Closed => failure("closed", &self.to_string(), false),
            Self::Cancelled { sent } => with_sent(failure("cancelled", &self.to_string(), false), sent),
        }
    }
}

/// With what a person must know before trying again.
fn said(failure: &Failure, sent: bool) -> String {
    if sent {
        format!("{failure}; what was sent before may have taken effect")
    } else {
        format!("{failure}; nothing had been sent")
    }
}

fn connecting(failed: &ConnectFailed) -> GuestFailure {
    let (root, jump) = failed.root();
    let (code, message, retryable) = of_connection(root);
    let message = if jump { format!("on the way to the device: {message}") } else { message };
    let details = match root {
        ConnectFailed::Kex { offered, kind, .. } => Some(json!({"kind": kind, "offered": offered})),
        ConnectFailed::Login(LoginFailed::Method { offered, .. }) => Some(json!({"offered": offered})),
        _ => None,
    };
    GuestFailure { code, message, retryable, sent: false, details }
}

/// Code, message and whether it may go better later.
fn of_connection(failed: &ConnectFailed) -> (&'static str, String, bool) {
    let said = |code, retryable| (code, failed.to_string(), retryable);
    match failed {
        ConnectFailed::Unreached(Unreached::Resolve { .. } | Unreached::NoAddress(_)) => {
            ("unresolved", "the name has no address".into(), true)
        }
        ConnectFailed::Unreached(Unreached::Blocked { .. }) => {
            ("denied", "this is not granted".into(), false)
        }
        ConnectFailed::Unreached(Unreached::Dial { error, .. }) => match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                ("refused", "nothing listens there: the connection was refused".into(), true)
            }
            _ => ("unreachable", "the device cannot be reached".into(), true),
        },
        ConnectFailed::DialTimeout => ("unreachable", "the device does not answer".into(), true),
        ConnectFailed::BannerTimeout => said("banner-timeout", true),
        ConnectFailed::Timeout(_) => said("timeout", true),
        ConnectFailed::NotSsh => said("protocol", false),
        ConnectFailed::Kex { .. } => said("kex-mismatch", false),
        ConnectFailed::HostKeyUnknown { .. } | ConnectFailed::HostKeyUnusable { .. } => {
            ("host-key-unknown", "nobody vouches for the key that the device shows".into(), false)
        }
        ConnectFailed::HostKeyChanged { .. } => (
            "host-key-changed",
            "the device shows another key than it had: it was reinstalled, or somebody stands between".into(),
            false,
        ),
        ConnectFailed::HostKeyRevoked { .. } => {
            ("host-key-changed", "the key that the device shows is revoked".into(), false)
        }
        ConnectFailed::HostKeys(_) => {
            ("host-key-unknown", "the keys of the devices cannot be checked now".into(), false)
        }
        ConnectFailed::Login(failed) => login(failed),
        ConnectFailed::Credential(_) => ("credential", "the credential cannot be had now".into(), false),
        ConnectFailed::Broke(_) => said("dropped", true),
        ConnectFailed::Protocol(_) => said("protocol", false),
        ConnectFailed::Forward { passing: true, .. } => {
            ("refused", "nobody answers there, as seen from the jump host".into(), true)
        }
        ConnectFailed::Forward { .. } => {
            ("unreachable", "the jump host opens no connection to the device".into(), false)
        }
        // The root is none of these.
        ConnectFailed::Jump { .. } => said("unreachable", true),
    }
}

fn login(failed: &LoginFailed) -> (&'static str, String, bool) {
    match failed {
        LoginFailed::Refused { .. } => ("auth-failed", failed.to_string(), false),
        LoginFailed::Method { .. } | LoginFailed::More { .. } | LoginFailed::Question { .. } => {
            ("auth-method", failed.to_string(), false)
        }
        LoginFailed::Agent { .. } => ("credential", "the credential cannot be had now".into(), false),
        LoginFailed::Broke(_) => ("dropped", failed.to_string(), true),
    }
}
