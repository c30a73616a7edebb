//! The seam to the record of what was done. `auth` implements it; the core calls it on the way of every call.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where records go. Implementations must be safe to call from many tasks.
pub trait Audit: Send + Sync + 'static {
    /// Writes that a call which may change something is about to start, and returns only when the record is on
    /// its way to stable storage. An error refuses the call.
    fn intent(&self, record: &Intent) -> Result<(), AuditFailed>;

    /// Writes how a call ended. Called for every call, also for those refused. An error is logged, since the
    /// call has happened.
    fn outcome(&self, record: &Record) -> Result<(), AuditFailed>;

    /// A keyed hash of the arguments, so that equal calls can be found without keeping what they said.
    fn hash(&self, arguments: &str) -> String;
}

/// A record could not be written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the audit log cannot be written: {reason}")]
pub struct AuditFailed {
    /// What the operating system said.
    pub reason: String,
}

/// Who wants to do what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {
    /// The call's reference, as it is shown to callers: `fleetgate why REF` takes it.
    pub call: String,
    /// The principal's name.
    pub principal: String,
    /// The binding.
    pub binding: String,
    /// The tool's own name, without the binding.
    pub tool: String,
    /// `sha256:…` of the plugin's file.
    pub plugin: String,
    /// The arguments that the manifest names, by their JSON pointer without the leading slash.
    pub arguments: Map<String, Value>,
    /// Keyed hash of all arguments.
    pub arguments_hash: String,
    /// The job that the call ran in; none for a call that somebody waited for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
}

/// How it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Who and what.
    #[serde(flatten)]
    pub intent: Intent,
    /// `ok`, `tool-error`, `asked`, `refused`, `fault:<code>`.
    pub outcome: String,
    /// For `refused` and faults: the rule, in words for the operator. Callers never see it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Which capabilities were used and what was refused on the way, as `http.api GET 200` and the like. Bounded.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub used: Vec<String>,
    /// From the request's arrival to the result.
    #[serde(with = "millis")]
    pub duration: Duration,
}

/// An audit that keeps nothing: for probes, tests and benches.
#[derive(Debug, Default)]
pub struct Unrecorded;

impl Unrecorded {
    /// Ready to be handed to the host.
    pub fn shared() -> Arc<dyn Audit> {
        Arc::new(Self)
    }
}

impl Audit for Unrecorded {
    fn intent(&self, _: &Intent) -> Result<(), AuditFailed> {
        Ok(())
    }
    fn outcome(&self, _: &Record) -> Result<(), AuditFailed> {
        Ok(())
    }
    fn hash(&self, _: &str) -> String {
        String::new()
    }
}

/// Milliseconds as a number with a fraction.
mod millis {
    use super::Duration;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let millis = f64::deserialize(from)?;
        Duration::try_from_secs_f64(millis / 1e3).map_err(serde::de::Error::custom)
    }
}
