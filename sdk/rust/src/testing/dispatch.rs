//! The way that the host's calls take.

use serde_json::Value;

use crate::plugin::{self, ToolEntry};
use crate::{Fault, Outcome, Plugin, Question, Tool, ToolResult};

/// Calls a tool with JSON arguments: `testing::call::<greet>(json!({ "name": "Ann" }))`.
///
/// # Errors
/// `invalid-arguments` when the arguments do not fit, and whatever the tool answers.
///
/// # Panics
/// When the tool asks the client something; see [`ask`].
#[track_caller]
pub fn call<T: Tool>(arguments: Value) -> Result<ToolResult, Fault> {
    match run(&ToolEntry::of::<T>(), &arguments)? {
        Outcome::Done(result) => Ok(result),
        Outcome::Ask(question) => panic!("`{}` asks: {question:?}", T::NAME),
    }
}

/// Calls a tool that asks the client something, and returns the question.
///
/// # Errors
/// As [`call`].
///
/// # Panics
/// When the tool answers without asking.
#[track_caller]
pub fn ask<T: Tool>(arguments: Value) -> Result<Question, Fault> {
    match run(&ToolEntry::of::<T>(), &arguments)? {
        Outcome::Ask(question) => Ok(question),
        Outcome::Done(result) => panic!("`{}` does not ask: {result:?}", T::NAME),
    }
}

/// Calls a tool by its name, as the host does: `testing::call_tool::<Exported>("greet", json!({ … }))`.
///
/// # Errors
/// `unknown` when the plugin has no such tool, and as [`call`].
pub fn call_tool<P: Plugin>(name: &str, arguments: Value) -> Result<Outcome, Fault> {
    run(plugin::find::<P>(name)?, &arguments)
}

fn run(tool: &ToolEntry, arguments: &Value) -> Result<Outcome, Fault> {
    let answers = super::current().and_then(|state| state.answers.borrow().clone());
    tool.run(&arguments.to_string(), answers)
}

/// Everything that the host learns about a plugin's tools: `name`, `title`, `description`, `inputSchema`,
/// `outputSchema`, and `manifest` (what `fleetgate pack` finds).
///
/// # Errors
/// `internal` when a tool's arguments are not an object.
///
/// # Panics
/// When a manifest entry is not JSON, which `#[tool]` never makes.
pub fn list_tools<P: Plugin>() -> Result<Vec<Value>, Fault> {
    P::TOOLS
        .iter()
        .map(|tool| {
            let manifest: Value =
                serde_json::from_str(tool.manifest).expect("a manifest entry is a line of JSON");
            Ok(serde_json::json!({
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "inputSchema": tool.input_schema()?,
                "outputSchema": tool.output_schema(),
                "manifest": manifest,
            }))
        })
        .collect()
}
