//! Why something came to nothing: in words for the operator, and as the failure that a guest gets.

use fleetgate_core::capability::Refusal;
use fleetgate_core::diagnostic::quoted;
use fleetgate_core::sandbox::Cancelled;
use fleetgate_core::store::{StoreError, Usage};
use fleetgate_core::units::format_size;
use serde_json::{Value, json};

use crate::part;

/// Why something came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may not be done.
    #[error("{0}")]
    Refused(Refusal),
    /// A key, a value or a time is not what it must be.
    #[error("{0}")]
    Invalid(String),
    /// An entry is not what was expected.
    #[error("{} is not at the revision that was expected: something else was written meanwhile", quoted(.0))]
    Conflict(String),
    /// Not a number to add to.
    #[error("what is under {} is not a whole number in decimal text", quoted(.0))]
    NotANumber(String),
    /// There is no room.
    #[error(
        "{} is full: it holds {} in {} entries, and may hold {} in {}",
        if *.whole { "the bucket" } else { "this part of the bucket" },
        format_size(.used.bytes), .used.entries, format_size(.most.bytes), .most.entries
    )]
    Quota {
        /// Of all parts together.
        whole: bool,
        /// What there is.
        used: Usage,
        /// What there may be.
        most: Usage,
    },
    /// A batch or a call does too much.
    #[error("{0}")]
    TooMuch(String),
    /// The store does not answer.
    #[error("the store cannot be used now{}", if *.unknown { ", and whether this was written is not known" } else { "" })]
    Unavailable {
        /// The write may have happened.
        unknown: bool,
        /// For the operator.
        why: String,
    },
    /// The call was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
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
    /// Facts.
    pub details: Option<Value>,
}

impl Failure {
    /// What the store says, for the guest that asked.
    pub(crate) fn of(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { key, .. } => Self::Conflict(part::name(&key).to_owned()),
            StoreError::OverQuota { part, used, most, .. } => {
                Self::Quota { whole: part.is_empty(), used, most }
            }
            StoreError::TooLarge { .. } | StoreError::Batch { .. } => Self::TooMuch(error.to_string()),
            StoreError::KeyName { .. } | StoreError::SpaceName { .. } => Self::Invalid(error.to_string()),
            StoreError::Unavailable { unknown, .. } => Self::Unavailable { unknown, why: error.to_string() },
            StoreError::Full { .. } | StoreError::Broken { .. } => {
                Self::Unavailable { unknown: false, why: error.to_string() }
            }
        }
    }

    /// The code of what the guest gets.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "denied",
            Self::Invalid(_) => "invalid",
            Self::Conflict(_) => "conflict",
            Self::NotANumber(_) => "not-a-number",
            Self::Quota { .. } => "quota",
            Self::TooMuch(_) => "too-much",
            Self::Unavailable { .. } => "unavailable",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// What the guest gets.
    pub fn guest(&self) -> GuestFailure {
        let message = match self {
            Self::Refused(_) => "this is not granted".to_owned(),
            other => other.to_string(),
        };
        let (retryable, details) = match self {
            Self::Conflict(key) | Self::NotANumber(key) => (false, Some(json!({ "key": key }))),
            Self::Quota { used, most, .. } => {
                let (used_entries, entries) = (used.entries, most.entries);
                let full = json!({
                    "used": used.bytes, "quota": most.bytes, "used_entries": used_entries, "entries": entries,
                });
                (false, Some(full))
            }
            Self::Unavailable { unknown: true, .. } => (false, Some(json!({ "unknown": true }))),
            Self::Unavailable { .. } => (true, None),
            _ => (false, None),
        };
        GuestFailure { code: self.code(), message, retryable, details }
    }
}
