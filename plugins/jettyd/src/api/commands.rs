//! Commands: given to the API once, and looked at until they have ended.

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::client::{Api, answer, answer_once};
use super::{reading, refusal};
use crate::command::{Sent, Status, perhaps_done, says_that_it_went_well};
use crate::reading::shown;
use crate::settings::{self, Dialect};

/// Looks in a row that may fail before it is given up.
const FAILURES: u32 = 5;
/// Pages that are looked at for one command.
const PAGES: usize = 5;

/// send_command
pub fn send(device: &str, command: &str, params: &Map<String, Value>) -> Result<ToolResult, Fault> {
    let api = Api::connect()?;
    let (interval, most) = (settings::poll_interval()?, settings::command_timeout()?);
    let body = Value::Object(Dialect::chosen()?.spell(command, params));
    let request = api.of_device(http::Method::Post, device, ["commands"]).json(&body);
    let taken = answer_once(request).map_err(|fault| match refusal::status(&fault) {
        Some(404) => fault.field("/device_id"),
        _ => fault,
    })?;
    let entry = reading::object(&taken, &["command"]);
    let Some(id) = reading::text(entry, &["id", "command_id"]) else {
        return Err(perhaps_done(Fault::upstream("The API took the command and did not say its id.")));
    };
    let sent = Sent { id: &id, device, command };
    let only_taken =
        reading::text(entry, &["status", "state"]).is_some_and(|word| says_that_it_went_well(&word));
    if let Some(done) = ended(sent, entry).filter(|_| !only_taken) {
        return done;
    }
    let had = call::deadline();
    let mut failures = 0;
    let mut looks = 0;
    loop {
        let mut pause = interval;
        match look(&api, device, &id) {
            Ok(Some(entry)) => {
                failures = 0;
                if let Some(done) = ended(sent, &entry) {
                    return done;
                }
                looks += 1;
                let status = reading::text(&entry, &["status", "state"]).unwrap_or_default();
                call::progress(f64::from(looks), None, Some(&format!("Command {id}: {}", shown(&status))));
            }
            // Not listed yet.
            Ok(None) => failures = 0,
            Err(fault) if fault.retryable && failures + 1 < FAILURES => {
                failures += 1;
                pause = pause.max(fault.retry_after.unwrap_or_default());
            }
            Err(fault) => return Err(about(fault, &id)),
        }
        let waited = had.saturating_sub(call::deadline());
        let left = most.saturating_sub(waited);
        if left.is_zero() {
            return sent.unanswered(most);
        }
        call::sleep(pause.min(left)).map_err(|fault| about(fault, &id))?;
    }
}

/// The command among those of the device. A server that has many may give them page by page.
fn look(api: &Api, device: &str, id: &str) -> Result<Option<Value>, Fault> {
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let page = answer(api.get(device, ["commands"]).query_opt("cursor", cursor.as_deref()))?;
        let next = reading::next_cursor(&page);
        let mut all = reading::list(page, &["commands"])?.into_iter();
        let found = all.find(|entry| reading::text(entry, &["id", "command_id"]).as_deref() == Some(id));
        if found.is_some() || next.is_none() || next == cursor {
            return Ok(found);
        }
        cursor = next;
    }
    Ok(None)
}

/// The result, if the command has ended.
fn ended(sent: Sent<'_>, entry: &Value) -> Option<Result<ToolResult, Fault>> {
    let status = Status::read(&reading::text(entry, &["status", "state"])?)?;
    let result = ["result", "response"].iter().find_map(|key| entry.get(*key));
    let error = reading::text(entry, &["error", "error_message"]);
    Some(sent.answered(status, result, error.as_deref()))
}

/// The command was taken whatever became of waiting for it.
fn about(fault: Fault, id: &str) -> Fault {
    perhaps_done(fault).detail("command_id", id)
}
