//! How a call can end, seen from outside.

use std::sync::Arc;

use crate::domain::{Fault, Question, ToolResult};

/// The end of a call that was let in.
#[derive(Debug)]
pub enum ToolEnd {
    /// The tool returned. `is_error` may be set.
    Result(ToolResult),
    /// It failed: the plugin said so, or a limit, a trap or a wrong argument ended it. For the model, a tool error.
    Fault(Fault),
    /// It asks the client something. The call is over; it continues as a new one with the answers.
    Ask(Question),
}

/// A call that was not let in. The text is for the caller: it names the reference, never the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such tool here (or none that a caller without roles may know of).
    #[error("there is no tool \"{name}\" here (reference {reference})")]
    UnknownTool {
        /// As it was asked for.
        name: String,
        /// For `fleetgate why`.
        reference: Arc<str>,
    },
    /// The caller lacks a role. HTTP turns it into a 403 before any guest code runs.
    #[error("not allowed: your roles do not cover \"{tool}\" (reference {reference})")]
    Forbidden {
        /// As it was asked for.
        tool: String,
        /// The roles that would do, as `<binding>:<role>`, for the `scope` of a challenge. The roles of a plugin are
        /// public to whoever may authenticate; who holds them is not.
        scopes: Vec<String>,
        /// For `fleetgate why`.
        reference: Arc<str>,
    },
    /// The record of what is about to happen could not be written.
    #[error("not run: the audit log cannot be written (reference {reference})")]
    Unrecorded {
        /// For `fleetgate why`.
        reference: Arc<str>,
    },
}

impl Refused {
    /// The reference that `fleetgate why` takes.
    pub fn reference(&self) -> &Arc<str> {
        match self {
            Self::UnknownTool { reference, .. }
            | Self::Forbidden { reference, .. }
            | Self::Unrecorded { reference } => reference,
        }
    }
}
