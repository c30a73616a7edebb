//! The jobs that nobody got a proper end of: the host stopped while they ran, they crashed, or their result could not
//! be kept. The newest are kept for the operator, who may have to look what became of the device.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::record::{Record, moment, now_ms};
use crate::domain::Fault;
use crate::store::{Batch, Key};

/// How many are kept.
pub(super) const MOST: usize = 1_000;
/// For how long.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// What their keys begin with.
pub(super) const DEAD: &str = "dead/";

/// A job without a proper end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadJob {
    /// The job.
    pub id: Arc<str>,
    /// Whose tool ran.
    pub binding: Arc<str>,
    /// The tool's own name.
    pub tool: Arc<str>,
    /// Whose job it was.
    pub principal: Arc<str>,
    /// `sha256:…` of the plugin's file.
    pub plugin: String,
    /// When it began, in Unix milliseconds.
    pub created_ms: u64,
    /// When it was found dead, in Unix milliseconds.
    pub ended_ms: u64,
    /// The fault's code: `interrupted`, `internal`, `limit`, `unavailable`, `timeout`.
    pub code: String,
    /// What is known, in words.
    pub message: String,
    /// What may be recorded of its arguments.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Keyed hash of all of them, as in the audit log.
    #[serde(default)]
    pub arguments_hash: String,
    /// Of its last run, for `fleetgate why`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Arc<str>>,
}

impl DeadJob {
    pub(super) fn of(record: &Record, fault: &Fault) -> Self {
        Self {
            id: record.id.clone(),
            binding: record.binding.clone(),
            tool: record.tool.clone(),
            principal: record.principal.clone(),
            plugin: record.plugin.clone(),
            created_ms: record.created_ms,
            ended_ms: now_ms(),
            code: fault.code.clone(),
            message: fault.message.clone(),
            arguments: record.arguments.clone(),
            arguments_hash: record.arguments_hash.clone(),
            reference: record.reference.clone(),
        }
    }

    /// Sorted by the time of death.
    pub(super) fn key(&self) -> Key {
        Key::new(format!("{DEAD}{:015}-{}", self.ended_ms, self.id)).expect("ids are short")
    }

    pub(super) fn expires_ms(&self) -> u64 {
        self.ended_ms.saturating_add(KEPT.as_millis() as u64)
    }

    pub(super) fn put(&self, batch: Batch) -> Batch {
        let bytes = serde_json::to_vec(self).expect("plain data with text keys");
        batch.put(self.key(), bytes, Some(moment(self.expires_ms())))
    }
}

/// Whether a fault means that nobody knows how a job ended: it was ended from outside, and not by its own word.
pub(super) fn is_death(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "interrupted" | "internal" | "limit")
}
