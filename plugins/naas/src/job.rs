//! What is asked of a device, and what comes of it: the same in both modes.
//!
//! The shape of [`JobResult`] is that of the NAAS API (`JobResultResponse`), so that a client that knows the NAAS
//! MCP server finds every field where it was. What a device refuses is in the result and not a fault of the call:
//! `status` is `finished`, `results` null, `error` says what happened, and `error_code` and `error_retryable` say it
//! to programs.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

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
    /// What should be known about the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
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
            | Self::Denied => false,
        }
    }
}

impl JobResult {
    /// What a device answered. The id is that of the host's job that this call runs in.
    #[must_use]
    pub fn finished(job: &DeviceJob, results: Value) -> Self {
        Self {
            job_id: call::job().unwrap_or_default(),
            status: "finished".to_owned(),
            results: Some(results),
            error: None,
            error_code: None,
            error_retryable: None,
            detected_platform: None,
            tags: job.tags.clone(),
            warnings: Vec::new(),
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
