//! Output of devices as tables.

use fleetgate_sdk::Value;
use serde_json::Map;

/// What became of a command's output.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Rows; the keys are in lower case.
    Rows(Vec<Map<String, Value>>),
    /// No template for this command: the output is given as it is.
    NoTemplate,
    /// A template that did not fit, and why: the output is given as it is, with a warning.
    Failed(String),
}

/// Parses what a command of a platform wrote.
#[must_use]
pub fn parse(_platform: &str, _command: &str, _output: &str) -> Parsed {
    Parsed::NoTemplate
}
