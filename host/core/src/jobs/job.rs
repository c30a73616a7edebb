//! What an owner sees of a job.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::{Fault, InputRequest};

/// Where a job is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// It runs.
    Working,
    /// It asked something, and goes on when the answers are there.
    InputRequired,
    /// It returned a result, which is kept.
    Completed,
    /// It ended with a fault, which is kept.
    Failed,
    /// Its owner stopped it.
    Cancelled,
}

impl Status {
    /// Nothing comes after it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// As plugins read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Working => "working",
            Self::InputRequired => "input-required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One job, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// 26 characters that nobody can guess.
    pub id: Arc<str>,
    /// Whose tool runs.
    pub binding: Arc<str>,
    /// The tool's own name.
    pub tool: Arc<str>,
    /// Where it is.
    pub status: Status,
    /// For people: the last progress message, or why it failed.
    pub message: Option<String>,
    /// How far it has come.
    pub progress: Option<f64>,
    /// What it counts towards.
    pub total: Option<f64>,
    /// Unix time in milliseconds.
    pub created_ms: u64,
    /// Unix time in milliseconds.
    pub updated_ms: u64,
    /// How long it is kept, from its creation, in milliseconds.
    pub ttl_ms: u64,
    /// What it asks, with [`Status::InputRequired`]: each with a key that this job never uses for another question.
    pub asks: Vec<InputRequest>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// Of its last run, for `fleetgate why`.
    pub reference: Option<Arc<str>>,
    /// What the plugin that submitted it wants to know of it again.
    pub attributes: Option<Map<String, Value>>,
}
