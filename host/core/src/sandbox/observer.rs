//! Who listens to a call while it runs.

use serde_json::Value;

/// RFC 5424's severities, which MCP uses too. Ordered: `Debug` is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl Level {
    /// By its name; what is unknown counts as `info`, since the set may grow.
    pub fn parse(name: &str) -> Self {
        match name {
            "debug" => Self::Debug,
            "notice" => Self::Notice,
            "warning" => Self::Warning,
            "error" => Self::Error,
            "critical" => Self::Critical,
            "alert" => Self::Alert,
            "emergency" => Self::Emergency,
            _ => Self::Info,
        }
    }

    /// Its name in MCP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

/// What a running call says. Called from host functions: must not block.
pub trait Observer: Send + Sync + 'static {
    /// How far it has come; `done` grows from report to report.
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>);
    /// A log line for the client. The host's own log has it already.
    fn log(&self, level: Level, message: &str, data: Option<&Value>);
    /// `call.tools-changed` and its like: `tools`, `prompts`, `resources`.
    fn list_changed(&self, which: &'static str);
    /// `call.resource-updated`.
    fn resource_updated(&self, uri: &str);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: f64, _: Option<f64>, _: Option<String>) {}
    fn log(&self, _: Level, _: &str, _: Option<&Value>) {}
    fn list_changed(&self, _: &'static str) {}
    fn resource_updated(&self, _: &str) {}
}
