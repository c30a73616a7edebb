//! Jobs: what was asked, how far it got, how it ended.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// What a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Func {
    /// `send-command`
    Command,
    /// `send-command-structured`
    Structured,
    /// `send-config`
    Config,
}

impl Func {
    /// As the queue names it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Command => "naas.library.netmiko_lib.netmiko_send_command",
            Self::Structured => "naas.library.netmiko_lib.netmiko_send_command_structured",
            Self::Config => "naas.library.netmiko_lib.netmiko_send_config",
        }
    }
}

/// A submit that passed validation.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to run.
    pub func: Func,
    /// Name or address of the device.
    pub host: String,
    /// A netmiko device type, or `autodetect`.
    pub platform: String,
    /// TCP port.
    pub port: u16,
    /// At least one.
    pub commands: Vec<String>,
    /// User at the device.
    pub username: String,
    /// Its password.
    pub password: String,
    /// What netmiko calls `secret`.
    pub enable: Option<String>,
    /// Commit, where the platform has that.
    pub commit: bool,
    /// Save the running configuration.
    pub save_config: bool,
    /// The queue.
    pub context: String,
    /// Of the job.
    pub tags: Option<BTreeMap<String, String>>,
    /// How long one command may take.
    pub read_timeout: Duration,
    /// How long connecting may take.
    pub conn_timeout: Duration,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No worker has it yet.
    Queued,
    /// A worker has it.
    Started,
    /// It ran to its end, which may be an error.
    Finished,
    /// The worker crashed or gave up.
    Failed,
    /// Somebody cancelled it.
    Canceled,
}

impl Status {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// An error with its place in the table of error codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `CONNECTION_TIMEOUT` and its like.
    pub code: &'static str,
    /// Whether trying again may help.
    pub retryable: bool,
    /// The text, or a traceback.
    pub text: String,
}

/// How a job's work ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With results.
    Results(Value),
    /// With an error of the device: the job is `finished` all the same.
    Refused(Failure),
    /// With the worker's death: the job is `failed`.
    Crashed(Failure),
}

/// One job.
#[derive(Debug, Clone)]
pub struct Job {
    /// UUID, version 4.
    pub id: String,
    /// What was asked.
    pub request: Request,
    /// Where it stands.
    pub status: Status,
    /// When it was submitted.
    pub enqueued_at: Timestamp,
    /// When a worker took it.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How, once it ran to an end.
    pub end: Option<End>,
    /// The platform that `autodetect` found.
    pub detected_platform: Option<String>,
    /// What a Basic caller must hash to.
    pub(crate) lock: [u8; 64],
    /// What a worker is doing with it, also while it is `canceled`.
    pub(crate) run: Option<Run>,
}

impl Job {
    /// Whether no worker will change it any more.
    pub fn is_over(&self) -> bool {
        self.run.is_none() && self.status != Status::Queued
    }
}

/// What a worker will have done when it is done.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) ends_at: Timestamp,
    pub(crate) end: End,
    pub(crate) detected_platform: Option<String>,
    /// Lines that the device took before the end.
    pub(crate) applied: Vec<String>,
}
