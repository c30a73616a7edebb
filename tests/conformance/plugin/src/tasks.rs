//! Work that may go on after the call was answered: the scenarios `tasks-*` (extension `io.modelcontextprotocol/tasks`).
//!
//! None of these tools knows of tasks: what runs in the background is said in its attribute, and the host does it.
//! `confirm_delete` may run in the foreground too, because `http-header-validation` calls the first tool of the list,
//! which it is, and declares no tasks.

use std::time::Duration;

use fleetgate_sdk::prelude::*;

use crate::rounds::{Name, UNANSWERED};

#[derive(Deserialize, JsonSchema)]
pub struct Greet {
    /// Whom.
    name: String,
}

/// Greets. Never in the background.
#[tool(requires = "any", read_only)]
pub fn greet(args: Greet) -> Result<String, Fault> {
    Ok(format!("Hello, {}!", args.name))
}

#[derive(Deserialize, JsonSchema)]
pub struct Compute {
    /// How long it takes.
    #[schemars(range(max = 60))]
    seconds: u32,
    /// What it is called.
    #[serde(default = "nameless")]
    label: String,
}

fn nameless() -> String {
    "nameless".to_owned()
}

/// Computes for some seconds.
#[tool(requires = "any", read_only, task = "optional", timeout = "90s")]
pub fn slow_compute(args: Compute) -> Result<String, Fault> {
    for second in 0..args.seconds {
        call::progress(f64::from(second), Some(f64::from(args.seconds)), None);
        call::sleep(Duration::from_secs(1))?;
    }
    Ok(format!("Computed {} in {} s.", args.label, args.seconds))
}

/// Runs for a second, and says that it failed. Only in the background.
#[tool(requires = "any", read_only, task = "required")]
pub fn failing_job() -> Result<ToolResult, Fault> {
    call::sleep(Duration::from_secs(1))?;
    Ok(ToolResult::error("The job ran, and failed."))
}

/// Breaks off in a way that is no result. Only in the background.
#[tool(requires = "any", read_only, task = "required")]
pub fn protocol_error_job() -> Result<String, Fault> {
    Err(Fault::protocol(-32603, "The job broke off."))
}

#[derive(Deserialize, JsonSchema)]
pub struct Delete {
    /// Of which file.
    filename: String,
}

#[derive(Deserialize, JsonSchema)]
struct Confirm {
    confirm: bool,
}

/// Deletes nothing, after it was confirmed. Asks from the background.
#[tool(requires = "any", task = "optional")]
pub fn confirm_delete(args: Delete) -> Result<Outcome, Fault> {
    let said = match call::answers().form::<Confirm>("confirm") {
        Answer::Missing => {
            let message = format!("Delete {}?", args.filename);
            return Ok(Question::new().form::<Confirm>("confirm", message).into());
        }
        Answer::Accepted(answer) if answer.confirm => format!("Deleted {}.", args.filename),
        _ => format!("Kept {}.", args.filename),
    };
    Ok(ToolResult::text(said).into())
}

/// Asks two things at once, from the background.
#[tool(requires = "any", task = "required")]
pub fn multi_input() -> Result<Outcome, Fault> {
    let answers = call::answers();
    match (answers.form::<Name>("first"), answers.form::<Name>("second")) {
        (Answer::Accepted(first), Answer::Accepted(second)) => {
            Ok(ToolResult::text(format!("{} and {}.", first.name, second.name)).into())
        }
        (Answer::Declined | Answer::Cancelled, _) | (_, Answer::Declined | Answer::Cancelled) => {
            Ok(ToolResult::text(UNANSWERED).into())
        }
        _ => Ok(Question::new()
            .form::<Name>("first", "Who is the first?")
            .form::<Name>("second", "Who is the second?")
            .into()),
    }
}

/// Asks for a name first, and goes on in the background with it.
#[tool(requires = "any", task = "required", asks_first)]
pub fn test_tool_with_task() -> Result<Outcome, Fault> {
    match call::answers().form::<Name>("user_name") {
        Answer::Missing => Ok(Question::new().form::<Name>("user_name", "What is your name?").into()),
        Answer::Declined | Answer::Cancelled => Ok(ToolResult::text(UNANSWERED).into()),
        Answer::Accepted(answer) => {
            call::sleep(Duration::from_secs(1))?;
            Ok(ToolResult::text(format!("The task of {} is done.", answer.name)).into())
        }
    }
}
