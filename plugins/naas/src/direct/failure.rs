//! Why a device did not do it, as NAAS says it: a code, a sentence, and whether it may go better later.

use fleetgate_sdk::ssh::SshError;

use crate::job::{DeviceJob, ErrorCode, JobResult};

/// The longest text of a device's in a message, in characters.
const LONGEST_QUOTE: usize = 160;

/// See the [module](self).
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind.
    pub code: ErrorCode,
    /// A sentence, with a full stop. Holds no credential.
    pub message: String,
    /// Whether the same job may succeed later.
    pub retryable: bool,
}

impl Failure {
    /// A failure that is as retryable as its code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: code.retryable() }
    }

    /// The same job will fail again.
    pub fn for_good(self) -> Self {
        Self { retryable: false, ..self }
    }

    /// Something else is to be said about it.
    pub fn and(mut self, more: impl AsRef<str>) -> Self {
        self.message.push(' ');
        self.message.push_str(more.as_ref());
        self
    }

    /// Why there is no connection.
    pub fn connecting(error: &SshError, job: &DeviceJob) -> Self {
        let settings = format!("Device settings: {} {}:{}", job.platform, job.host, job.port);
        let said = |what: &str| format!("{what}: {}. {settings}", error.message);
        match error.code.as_str() {
            "unresolved" | "refused" | "unreachable" | "banner-timeout" | "timeout" => {
                Self::new(ErrorCode::ConnectionTimeout, said("TCP connection to device failed"))
            }
            // Retryable: the host takes a pause after too many refused passwords.
            "auth-failed" | "auth-method" | "credential" => Self {
                retryable: error.retryable,
                ..Self::new(ErrorCode::AuthFailure, said("Authentication to device failed"))
            },
            "host-key-unknown" | "host-key-changed" => {
                Self::new(ErrorCode::HostKey, said("The device's host key is not accepted"))
            }
            "denied" => Self::new(
                ErrorCode::Denied,
                format!("This device, or this way of logging in to it, is not granted. {settings}"),
            ),
            "invalid" => Self::new(ErrorCode::InvalidJob, said("The device cannot be connected to")),
            _ => Self {
                retryable: error.retryable,
                ..Self::new(ErrorCode::SshError, said("Unknown SSH error connecting to device"))
            },
        }
    }

    /// Why something else than connecting failed. `what`: what was being done, as in "reading".
    pub fn of(error: &SshError, what: &str) -> Self {
        let said = || format!("{what}: {}.", error.message);
        match error.code.as_str() {
            "denied" => Self::new(ErrorCode::Denied, format!("{what}: this is not granted.")),
            "invalid" => Self::new(ErrorCode::InvalidJob, said()),
            "timeout" => Self::new(ErrorCode::ReadTimeout, said()),
            "dropped" | "closed" => Self::new(ErrorCode::ConnectionLost, said()),
            "cancelled" => Self::new(ErrorCode::Unknown, "The job was cancelled."),
            _ => Self { retryable: error.retryable, ..Self::new(ErrorCode::SshError, said()) },
        }
    }

    /// As the job's result.
    pub fn into_result(self, job: &DeviceJob) -> JobResult {
        JobResult {
            error_retryable: Some(self.retryable),
            ..JobResult::refused(job, self.code, self.message)
        }
    }
}

/// What a device said, in quotes and not too long.
pub fn quoted(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}
