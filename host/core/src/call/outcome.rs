//! How a call can end, seen from outside.

use std::sync::Arc;

use crate::domain::{Fault, Question, ToolResult};

/// A call that was answered, with the reference under which it was recorded.
#[derive(Debug)]
pub struct Answered<T = ToolResult> {
    /// For `fleetgate why` and `fleetgate audit`.
    pub reference: Arc<str>,
    /// Whose it was.
    pub binding: Arc<str>,
    /// How it ended.
    pub end: End<T>,
}

/// The end of a call that was let in.
#[derive(Debug)]
pub enum End<T = ToolResult> {
    /// The guest returned what was wanted. A tool's result may have `is_error` set.
    Done(T),
    /// It failed: the plugin said so, or a limit, a trap or a wrong argument ended it. For the model, a tool error.
    Fault(Fault),
    /// It asks the client something. The call is over; it continues as a new one with the answers.
    Ask(Question),
}

/// What can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Tool,
    Resource,
    Template,
    Prompt,
    Job,
    Event,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Template => "resource template",
            Self::Prompt => "prompt",
            Self::Job => "job",
            Self::Event => "event",
        })
    }
}

/// A call that was not let in. The text is for the caller: it names the reference, never the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such thing here.
    #[error("there is no {kind} \"{name}\" here (reference {reference})")]
    Unknown {
        /// What was asked for.
        kind: Kind,
        /// As it was asked for.
        name: String,
        /// For `fleetgate why`.
        reference: Arc<str>,
    },
    /// The caller lacks a role. HTTP turns it into a 403 before any guest code runs.
    #[error("not allowed: your roles do not cover \"{name}\" (reference {reference})")]
    Forbidden {
        /// What was asked for.
        kind: Kind,
        /// As it was asked for.
        name: String,
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
            Self::Unknown { reference, .. }
            | Self::Forbidden { reference, .. }
            | Self::Unrecorded { reference } => reference,
        }
    }
}
