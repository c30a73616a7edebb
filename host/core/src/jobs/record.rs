//! What is stored of a job, and under which keys.
//!
//! A record holds what its owner may see and what the operator needs if nobody ever sees it. Of the arguments it
//! holds what the manifest lets into the audit log, and a keyed hash.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::job::Status;
use crate::domain::Fault;
use crate::store::{Key, Space};

/// The space of all that jobs keep.
pub(super) fn space() -> Space {
    Space::new("jobs").expect("a name")
}

/// What the keys of records begin with.
pub(super) const RECORDS: &str = "job/";

pub(super) fn record_key(id: &str) -> Key {
    Key::new(format!("{RECORDS}{id}")).expect("ids are short")
}

pub(super) fn result_key(id: &str) -> Key {
    Key::new(format!("result/{id}")).expect("ids are short")
}

/// One job as it is stored: JSON. Fields may be added; what an older host does not know it leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: Arc<str>,
    pub(super) binding: Arc<str>,
    /// Its own name.
    pub(super) tool: Arc<str>,
    /// The owner's name.
    pub(super) principal: Arc<str>,
    /// `sha256:…` of the plugin's file.
    pub(super) plugin: String,
    pub(super) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    pub(super) created_ms: u64,
    pub(super) updated_ms: u64,
    pub(super) ttl_ms: u64,
    /// Running the tool twice does no harm: it is read-only or idempotent.
    #[serde(default)]
    pub(super) harmless: bool,
    /// A plugin began it, and no client was promised anything.
    #[serde(default)]
    pub(super) submitted: bool,
    /// What may be recorded of the arguments.
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
    #[serde(default)]
    pub(super) arguments_hash: String,
    /// Of the last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    /// The submitting plugin's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attributes: Option<Map<String, Value>>,
    /// Bytes of the stored result.
    #[serde(default)]
    pub(super) result_bytes: u64,
}

impl Record {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data with text keys")
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Bytes of its result, or of what is said about why there is none.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.result_bytes + self.fault.as_ref().map_or(0, fault_bytes)
    }

    pub(super) fn expires_ms(&self) -> u64 {
        self.created_ms.saturating_add(self.ttl_ms)
    }

    pub(super) fn expires(&self) -> SystemTime {
        moment(self.expires_ms())
    }
}

/// What a fault takes.
pub(super) fn fault_bytes(fault: &Fault) -> u64 {
    let details = fault.details.as_ref().map_or(0, |details| details.to_string().len());
    (fault.code.len() + fault.message.len() + details) as u64
}

/// Unix time in milliseconds.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}

pub(super) fn moment(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}
