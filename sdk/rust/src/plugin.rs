//! All of a plugin's tools together: what the host lists and calls.

use serde_json::Value;

use crate::{Answers, Fault, Outcome, Tool, host};

/// What a crate exports. [`crate::export!`] implements it for a type `Exported`.
pub trait Plugin {
    /// Its tools, in the order in which `export!` names them.
    const TOOLS: &'static [ToolEntry];
}

/// One tool in the table.
#[derive(Clone, Copy)]
pub struct ToolEntry {
    /// Unique within the plugin.
    pub name: &'static str,
    /// For people.
    pub title: Option<&'static str>,
    /// For the model.
    pub description: &'static str,
    /// The manifest entry: one line of JSON and a line feed.
    pub manifest: &'static str,
    input_schema: fn() -> Result<Value, Fault>,
    output_schema: fn() -> Option<Value>,
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
    #[must_use]
    pub fn output_schema(&self) -> Option<Value> {
        (self.output_schema)()
    }

    /// Runs the tool as the host does.
    ///
    /// # Errors
    /// `invalid-arguments` when the arguments do not fit, and whatever the tool answers.
    pub fn run(&self, arguments: &str, answers: Option<Answers>) -> Result<Outcome, Fault> {
        let _answers = host::answers::provide(answers);
        match (self.run)(arguments)? {
            Outcome::Ask(question) if question.requests.is_empty() => {
                Err(Fault::internal(format!("`{}` asked a question without requests.", self.name)))
            }
            outcome => Ok(outcome),
        }
    }
}

/// The tool of this name.
///
/// # Errors
/// `unknown` when there is none.
pub fn find<P: Plugin>(name: &str) -> Result<&'static ToolEntry, Fault> {
    P::TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .ok_or_else(|| Fault::unknown(format!("This plugin has no tool named `{name}`.")))
}

/// Checked while the plugin is compiled.
#[doc(hidden)]
pub const fn assert_names_are_unique(tools: &[ToolEntry]) {
    let mut first = 0;
    while first < tools.len() {
        let mut second = first + 1;
        while second < tools.len() {
            assert!(
                !equal(tools[first].name.as_bytes(), tools[second].name.as_bytes()),
                "two of the exported tools have the same name; give one another: #[tool(name = \"…\")]"
            );
            second += 1;
        }
        first += 1;
    }
}

const fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The length of all manifest entries together.
#[doc(hidden)]
#[must_use]
pub const fn manifest_length(tools: &[ToolEntry]) -> usize {
    let mut length = 0;
    let mut tool = 0;
    while tool < tools.len() {
        length += tools[tool].manifest.len();
        tool += 1;
    }
    length
}

/// All manifest entries, one after the other: the content of the `fleetgate:tools` section.
#[doc(hidden)]
#[must_use]
pub const fn manifest_lines<const LENGTH: usize>(tools: &[ToolEntry]) -> [u8; LENGTH] {
    let mut lines = [0; LENGTH];
    let mut end = 0;
    let mut tool = 0;
    while tool < tools.len() {
        let line = tools[tool].manifest.as_bytes();
        let mut at = 0;
        while at < line.len() {
            lines[end] = line[at];
            end += 1;
            at += 1;
        }
        tool += 1;
    }
    lines
}
