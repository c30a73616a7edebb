//! Prompts in the table.

use super::{Plugin, asked};
use crate::{Answers, Fault, Outcome, Prompt, PromptArgument, PromptMessage, host};

/// One prompt in the table.
#[derive(Clone, Copy)]
pub struct PromptEntry {
    /// Unique within the plugin.
    pub name: &'static str,
    /// For people.
    pub title: Option<&'static str>,
    /// For people.
    pub description: &'static str,
    /// `_meta`, as JSON.
    pub meta: Option<&'static str>,
    /// Icons, as JSON.
    pub extra: Option<&'static str>,
    /// The manifest entry: one line of JSON and a line feed.
    pub manifest: &'static str,
    arguments: fn() -> Result<Vec<PromptArgument>, Fault>,
    get: fn(&str) -> Result<Outcome<Vec<PromptMessage>>, Fault>,
}

impl PromptEntry {
    /// The entry of a prompt.
    #[must_use]
    pub const fn of<P: Prompt>() -> Self {
        Self {
            name: P::NAME,
            title: P::TITLE,
            description: P::DESCRIPTION,
            meta: P::META,
            extra: P::EXTRA,
            manifest: P::MANIFEST,
            arguments: P::arguments,
            get: P::get,
        }
    }

    /// Its arguments.
    ///
    /// # Errors
    /// `internal` when they cannot be text.
    pub fn arguments(&self) -> Result<Vec<PromptArgument>, Fault> {
        (self.arguments)()
    }

    /// Fills it in as the host does.
    ///
    /// # Errors
    /// `invalid-arguments` when the arguments do not fit, and whatever the prompt answers.
    pub fn get(&self, arguments: &str, answers: Answers) -> Result<Outcome<Vec<PromptMessage>>, Fault> {
        let _answers = host::answers::provide(answers);
        asked(self.name, (self.get)(arguments)?)
    }
}

/// The prompt of this name.
///
/// # Errors
/// `unknown` when there is none.
pub fn find_prompt<P: Plugin>(name: &str) -> Result<&'static PromptEntry, Fault> {
    P::PROMPTS
        .iter()
        .find(|prompt| prompt.name == name)
        .ok_or_else(|| Fault::unknown(format!("This plugin has no prompt named `{name}`.")))
}
