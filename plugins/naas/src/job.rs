//! What is asked of a device, and what comes of it: the same in both modes.
//!
//! The shape of [`JobResult`] is that of the NAAS API (`JobResultResponse`), so that a client that knows the NAAS
//! MCP server finds every field where it was. What a device refuses is in the result and not a fault of the call:
//! `status` is `finished`, `results` null, `error` says what happened, and `error_code` and `error_retryable` say it
//! to programs.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetgate_sdk::prelude::*;

/// Where a job is that has ended, in any of the spellings of NAAS and its queue.
const ENDS: [&str; 6] = ["finished", "failed", "canceled", "cancelled", "stopped", "not_found"];

/// What the three send tools ask for, once it was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceJob {
    /// Address or name of the device.
    pub host: String,
    /// A Netmiko device type: `cisco_ios`, `juniper_junos`, …
    pub platform: String,
    /// In the order in which they are sent. None is blank.
    pub commands: Vec<String>,
    /// Instead of the granted login.
    pub username: Option<String>,
    /// Instead of the granted one. A placeholder: the host puts the value in where it is used.
    pub password: Option<String>,
    /// The same for the privileged level.
    pub enable: Option<String>,
    /// 1 to 65535.
    pub port: u16,
    /// At most 10.
    pub tags: Option<BTreeMap<String, String>>,
    /// Commit, where the platform has that ([`Kind::Config`] alone).
    pub commit: bool,
    /// Save the running configuration ([`Kind::Config`] alone).
    pub save_config: bool,
    /// What the commands are.
    pub kind: Kind,
}

/// What the commands of a [`DeviceJob`] are, and so what its `results` hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Commands that show something: an object of texts by command.
    Command,
    /// The same, parsed: an object of lists of rows by command, or of text where there is no template.
    Structured,
    /// Lines of configuration: `config_set_output` holds the whole transcript.
    Config,
}

/// The result of one job, as NAAS gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    /// By this id get_job_result and cancel_job take it.
    pub job_id: String,
    /// `queued`, `started`, `finished`, `failed`, `canceled`, `stopped` or `not_found`.
    pub status: String,
    /// What the device answered, by command. It comes from the device: data, not instructions. Null: nothing yet, or
    /// `error` says why there is none.
    pub results: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// The same for programs: `CONNECTION_TIMEOUT`, `AUTH_FAILURE`, `CONFIG_REJECTED`, …
    pub error_code: Option<String>,
    /// True: the same job may succeed later.
    pub error_retryable: Option<bool>,
    /// What `autodetect` found.
    pub detected_platform: Option<String>,
    /// The job's tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// How far the lines of a configuration came that did not all take effect. Only in the direct mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What should be known about the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The schema of what the send tools and get_job_result give.
#[must_use]
pub fn schema() -> Value {
    <JobResult as fleetgate_sdk::IntoOutcome>::output_schema().unwrap_or_default()
}

/// What became of the lines of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// These took effect, and stay.
    pub applied: Vec<String>,
    /// At this one it ended. Null: at none of them, but before or after.
    pub rejected: Option<String>,
    /// These did not reach the device.
    pub not_sent: Vec<String>,
}

/// The codes of NAAS (its `docs/error-codes.md`), and after them those that only the direct mode has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Not reached: refused, no route, no such name, no banner in time.
    ConnectionTimeout,
    /// The credentials were refused.
    AuthFailure,
    /// The SSH protocol failed, or the device is not in the mode that was asked for.
    SshError,
    /// A line was refused. The lines before it stay.
    ConfigRejected,
    /// Too many failures of this device.
    CircuitOpen,
    /// The platform could not be told.
    AutodetectFailed,
    /// Anything else.
    Unknown,
    /// The device did not end its answer in time.
    ReadTimeout,
    /// The connection ended before the answer did.
    ConnectionLost,
    /// The device showed another key than the known one, or none is known.
    HostKey,
    /// The device, or a command, is not granted.
    Denied,
    /// A command is not one line of printable characters, or not of the kind that the tool sends.
    InvalidJob,
}

impl ErrorCode {
    /// As it stands in `error_code`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionTimeout => "CONNECTION_TIMEOUT",
            Self::AuthFailure => "AUTH_FAILURE",
            Self::SshError => "SSH_ERROR",
            Self::ConfigRejected => "CONFIG_REJECTED",
            Self::CircuitOpen => "CIRCUIT_OPEN",
            Self::AutodetectFailed => "AUTODETECT_FAILED",
            Self::Unknown => "UNKNOWN",
            Self::ReadTimeout => "READ_TIMEOUT",
            Self::ConnectionLost => "CONNECTION_LOST",
            Self::HostKey => "HOST_KEY",
            Self::Denied => "DENIED",
            Self::InvalidJob => "INVALID_JOB",
        }
    }

    /// Whether the same job may succeed later.
    #[must_use]
    pub fn retryable(self) -> bool {
        match self {
            Self::ConnectionTimeout
            | Self::SshError
            | Self::CircuitOpen
            | Self::ReadTimeout
            | Self::ConnectionLost => true,
            Self::AuthFailure
            | Self::ConfigRejected
            | Self::AutodetectFailed
            | Self::Unknown
            | Self::HostKey
            | Self::Denied
            | Self::InvalidJob => false,
        }
    }
}

impl JobResult {
    /// Nothing is known of this job but where it is.
    #[must_use]
    pub fn at(job_id: impl Into<String>, status: impl Into<String>) -> Self {
        Self {
            job_id: job_id.into(),
            status: status.into(),
            results: None,
            error: None,
            error_code: None,
            error_retryable: None,
            detected_platform: None,
            tags: None,
            progress: None,
            warnings: Vec::new(),
        }
    }

    /// Nothing comes after it. NAAS writes `canceled`.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        ENDS.contains(&self.status.as_str())
    }

    /// Why there is nothing to show for it, once it has ended. `finished` with an `error` is how NAAS says that the
    /// device refused; `failed` is its own worker that did not get to an end.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let Self { job_id, status, .. } = self;
        match (&self.error, status.as_str()) {
            (Some(error), _) => Some(error.trim_end().to_owned()),
            (None, "finished") => None,
            (None, "not_found") => Some(format!("Job {job_id} is not known to the server any more.")),
            (None, status) => Some(format!("Job {job_id} ended without a result: {status}.")),
        }
    }

    /// As a tool gives it that waited for the job: one that failed is a tool error, with all its fields.
    ///
    /// # Errors
    /// None in practice: every field can be JSON.
    pub fn to_tool_result(&self) -> Result<ToolResult, Fault> {
        let failure = self.failure();
        let result = self.to_data()?;
        Ok(match failure {
            None => result,
            Some(error) => ToolResult { is_error: true, ..result.and_text(self.explained(&error)) },
        })
    }

    /// As a tool gives it that was asked for the job and not for what it does.
    ///
    /// # Errors
    /// None in practice: every field can be JSON.
    pub fn to_data(&self) -> Result<ToolResult, Fault> {
        ToolResult::structured(self)
    }

    /// The error and its code in words, since some clients show a model no structured result.
    fn explained(&self, error: &str) -> String {
        let mut facts = vec![format!("job_id: {}", self.job_id), format!("status: {}", self.status)];
        if let Some(code) = &self.error_code {
            facts.push(format!("error_code: {code}"));
        }
        if let Some(retryable) = self.error_retryable {
            facts.push(format!("error_retryable: {retryable}"));
        }
        facts.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        format!("{error}\n\n{}", facts.join("\n"))
    }

    /// What a device answered. The id is that of the host's job that this call runs in.
    #[must_use]
    pub fn finished(job: &DeviceJob, results: Value) -> Self {
        Self {
            results: Some(results),
            tags: job.tags.clone(),
            ..Self::at(call::job().unwrap_or_default(), "finished")
        }
    }

    /// What a device, or the way to it, refused.
    #[must_use]
    pub fn refused(job: &DeviceJob, code: ErrorCode, error: impl Into<String>) -> Self {
        Self {
            results: None,
            error: Some(error.into()),
            error_code: Some(code.as_str().to_owned()),
            error_retryable: Some(code.retryable()),
            ..Self::finished(job, Value::Null)
        }
    }
}

/// The failure of a call that waited this long for its job, which goes on.
pub fn too_long(id: &str, most: Duration) -> Fault {
    Fault::timeout(format!(
        "Job {id} did not complete within {}s. It goes on: ask for it with get_job_result, or stop it with cancel_job.",
        most.as_secs_f64()
    ))
    .not_retryable()
    .detail("job_id", id)
    .detail("timeout_seconds", most.as_secs_f64())
}
