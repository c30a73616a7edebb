//! Commands: what is asked of a device, and what comes of it.
//!
//! A command does something in the world. It is sent once: where no answer comes, nobody knows whether it was done, and
//! that is what the result says.

use std::time::Duration;

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use crate::reading::shown;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The device did it.
    Acked,
    /// It tried, and failed.
    Failed,
    /// It does not know the command, or does not take it.
    Rejected,
    /// It is busy with another one.
    Busy,
    /// It did not answer in time: whether it was done is not known.
    Timeout,
}

impl Status {
    /// What servers and devices write. None: it goes on.
    pub fn read(word: &str) -> Option<Self> {
        if says_that_it_went_well(word) {
            return Some(Self::Acked);
        }
        Some(match plain(word).as_str() {
            "acked" | "ack" | "acknowledged" | "completed" | "executed" => Self::Acked,
            "failed" | "error" | "failure" => Self::Failed,
            "rejected" => Self::Rejected,
            "busy" => Self::Busy,
            "timeout" | "timed_out" | "expired" => Self::Timeout,
            _ => return None,
        })
    }
}

/// Of a device, that it did the command. Of a server that has just been given one, that it took it: what the device did is
/// another matter.
pub fn says_that_it_went_well(word: &str) -> bool {
    matches!(plain(word).as_str(), "ok" | "success" | "succeeded" | "done")
}

fn plain(word: &str) -> String {
    word.trim().to_ascii_lowercase()
}

/// Something was sent that must not be sent twice, and nobody knows whether it arrived.
pub fn perhaps_done(fault: Fault) -> Fault {
    let message = format!(
        "{} Whether it was done is not known, so it is not sent again: look at the device before you send it once more.",
        fault.message
    );
    fault.message(message).not_retryable().detail("side_effect", "unknown")
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CommandResult {
    /// Identifies this command.
    pub command_id: String,
    /// The device.
    pub device_id: String,
    /// What it was told.
    pub command: String,
    /// How it ended.
    pub status: Status,
    /// What the device answered; null if nothing.
    pub result: Option<Map<String, Value>>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether sending it again makes sense. Only there when it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
}

/// The schema of [`CommandResult`].
pub fn schema() -> Value {
    <CommandResult as fleetgate_sdk::IntoOutcome>::output_schema().unwrap_or_default()
}

/// What was sent, and where.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The command's id.
    pub id: &'a str,
    /// The device.
    pub device: &'a str,
    /// The command.
    pub command: &'a str,
}

impl Sent<'_> {
    /// A device answered. `said`: its `result`. `error`: a text beside it.
    pub fn answered(
        self,
        status: Status,
        said: Option<&Value>,
        error: Option<&str>,
    ) -> Result<ToolResult, Fault> {
        let result = said.filter(|said| !said.is_null()).map(|said| match said {
            Value::Object(object) => object.clone(),
            other => Map::from_iter([("value".to_owned(), other.clone())]),
        });
        let words = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(shown);
        let inner = said.and_then(|said| {
            words(said)
                .or_else(|| ["error", "message", "reason"].iter().find_map(|key| words(said.get(*key)?)))
        });
        let error = error.map(shown).filter(|text| !text.trim().is_empty()).or(inner);
        self.ended(status, result, error)
    }

    /// Nothing was heard for this long.
    pub fn unanswered(self, waited: Duration) -> Result<ToolResult, Fault> {
        self.lost(format!("no answer came within {} s", waited.as_secs_f64()))
    }

    /// Nothing will be heard any more.
    pub fn lost(self, why: String) -> Result<ToolResult, Fault> {
        self.ended(Status::Timeout, None, Some(why))
    }

    fn ended(
        self,
        status: Status,
        result: Option<Map<String, Value>>,
        error: Option<String>,
    ) -> Result<ToolResult, Fault> {
        let failed = status != Status::Acked;
        let whole = CommandResult {
            command_id: self.id.to_owned(),
            device_id: self.device.to_owned(),
            command: self.command.to_owned(),
            status,
            result,
            error: error.clone().filter(|_| failed),
            retryable: failed.then_some(status == Status::Busy),
        };
        let result = ToolResult::structured(&whole)?;
        if !failed {
            return Ok(result);
        }
        let (command, device) = (shown(self.command), shown(self.device));
        let why = error.map(|error| format!(": {error}")).unwrap_or_default();
        let text = match status {
            Status::Rejected => format!("Device {device} rejected `{command}`{why}."),
            Status::Busy => {
                format!("Device {device} is busy and did not take `{command}`{why}. It may later.")
            }
            Status::Timeout => format!(
                "Device {device} was sent `{command}`, and whether it was done is not known{why}. It is not sent again: \
                 look at the device before you send it once more."
            ),
            Status::Failed | Status::Acked => format!("Device {device} failed at `{command}`{why}."),
        };
        Ok(ToolResult { is_error: true, ..result.and_text(text) })
    }
}
