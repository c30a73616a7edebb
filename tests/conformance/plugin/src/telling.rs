//! What a call says besides its result: log lines, progress, and that a list is another now.
//!
//! Scenarios `tools-call-with-logging` (a session hears what its level lets through), `tools-call-with-progress`,
//! `server-sse-polling`, and `server-stateless`: no log line without a level in the request, and list changes for
//! those alone who listen for them.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

/// Between two lines: long enough that they travel as two.
const PAUSE: Duration = Duration::from_millis(50);

/// Logs three lines while it runs.
#[tool(requires = "any", read_only)]
pub fn test_tool_with_logging() -> Result<String, Fault> {
    log::info("Tool execution started");
    call::sleep(PAUSE)?;
    log::info("Tool processing data");
    call::sleep(PAUSE)?;
    log::info("Tool execution completed");
    Ok("Logged three lines.".to_owned())
}

/// Logs a line, for those who asked for log lines.
#[tool(requires = "any", read_only)]
pub fn test_logging_tool() -> Result<String, Fault> {
    log::info("For clients that set a level.");
    Ok("Logged one line.".to_owned())
}

/// Reports progress while it runs.
#[tool(requires = "any", read_only)]
pub fn test_tool_with_progress() -> Result<String, Fault> {
    for done in [0.0, 50.0, 100.0] {
        call::progress(done, Some(100.0), None);
        call::sleep(PAUSE)?;
    }
    Ok("Went from 0 to 100.".to_owned())
}

/// Takes longer than the host keeps a stream open (`stream_max`), so that a client has to come back for the answer.
#[tool(requires = "any", read_only)]
pub fn test_reconnection() -> Result<String, Fault> {
    call::sleep(Duration::from_millis(1_500))?;
    Ok("Still here.".to_owned())
}

/// Says that the tools are others now.
#[tool(requires = "any")]
pub fn test_trigger_tool_change() -> Result<String, Fault> {
    call::tools_changed();
    Ok("Clients that listen hear of it.".to_owned())
}

/// Says that the prompts are others now.
#[tool(requires = "any")]
pub fn test_trigger_prompt_change() -> Result<String, Fault> {
    call::prompts_changed();
    Ok("Clients that listen hear of it.".to_owned())
}
