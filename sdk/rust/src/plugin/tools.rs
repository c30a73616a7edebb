//! Tools in the table.

use serde_json::Value;

use super::{Plugin, asked};
use crate::{Answers, Fault, Outcome, Tool, host};

/// One tool in the table.
#[derive(Clone, Copy)]
pub struct ToolEntry {
    /// Unique within the plugin.
    pub name: &'static str,
    /// For people.
    pub title: Option<&'static str>,
    /// For the model.
    pub description: &'static str,
    /// `_meta`, as JSON.
    pub meta: Option<&'static str>,
    /// Icons, as JSON.
    pub extra: Option<&'static str>,
    /// The manifest entry: one line of JSON and a line feed.
    pub manifest: &'static str,
    input_schema: fn() -> Result<Value, Fault>,
    output_schema: fn() -> Result<Option<Value>, Fault>,
    run: fn(&str) -> Result<Outcome, Fault>,
}

impl ToolEntry {
    /// The entry of a tool.
    #[must_use]
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            description: T::DESCRIPTION,
            meta: T::META,
            extra: T::EXTRA,
            manifest: T::MANIFEST,
            input_schema: T::input_schema,
            output_schema: T::output_schema,
            run: T::run,
        }
    }

    /// JSON Schema of the arguments.
    ///
    /// # Errors
    /// `internal` when the arguments are not an object.
    pub fn input_schema(&self) -> Result<Value, Fault> {
        (self.input_schema)()
    }

    /// JSON Schema of the structured result, when the tool always returns one.
    ///
    /// # Errors
    /// `internal` when the author's own schema is not JSON.
    pub fn output_schema(&self) -> Result<Option<Value>, Fault> {
        (self.output_schema)()
    }

    /// Runs the tool as the host does.
    ///
    /// # Errors
    /// `invalid-arguments` when the arguments do not fit, and whatever the tool answers.
    pub fn run(&self, arguments: &str, answers: Answers) -> Result<Outcome, Fault> {
        let _answers = host::answers::provide(answers);
        asked(self.name, (self.run)(arguments)?)
    }
}

/// The tool of this name.
///
/// # Errors
/// `unknown` when there is none.
pub fn find_tool<P: Plugin>(name: &str) -> Result<&'static ToolEntry, Fault> {
    P::TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .ok_or_else(|| Fault::unknown(format!("This plugin has no tool named `{name}`.")))
}
