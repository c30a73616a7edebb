//! `prompts/get`: a person's prompt is filled in.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::passage::{Check, Errand, Passage, shown};
use super::{CallContext, Kind, PromptGet, result};
use crate::catalog::{Catalog, FoundPrompt};
use crate::domain::{Fault, Outcome, PromptArgument, PromptMessage};
use crate::sandbox::work::GetPrompt;
use crate::secret_arguments::Vault;

/// Bytes of all arguments together.
const MAX_ARGUMENTS: usize = 256 << 10;

impl Passage for PromptGet {
    const WORK: &'static str = "filling in the prompt";
    type Found = FoundPrompt;
    type Work = GetPrompt;
    type Answer = Vec<PromptMessage>;

    fn kind(&self) -> Kind {
        Kind::Prompt
    }

    fn context(&self) -> &CallContext {
        &self.context
    }

    fn name(&self) -> &str {
        &self.prompt
    }

    fn asked_for(&self) -> String {
        format!("prompt {}", shown(&self.prompt))
    }

    fn entry(&self, found: &FoundPrompt) -> String {
        format!("prompt {}", found.prompt.definition.name)
    }

    fn arguments(&self) -> Cow<'_, str> {
        text_of(&self.arguments).into()
    }

    fn find(&self, catalog: &Catalog) -> Option<FoundPrompt> {
        catalog.find_prompt(&self.context.scope, &self.prompt)
    }

    fn check(&self, found: &FoundPrompt) -> Check {
        let checked = check(&self.arguments, &found.prompt.definition.arguments);
        Box::new(move || checked.into())
    }

    fn errand(self, found: &FoundPrompt) -> Errand<Self> {
        let Self { context, arguments, answers, .. } = self;
        let name = found.prompt.definition.name.clone();
        let limit = found.binding.reading.limits.result;
        Errand {
            context,
            work: GetPrompt { name, arguments: text_of(&arguments), answers },
            secrets: Vault::default(),
            outgoing: Box::new(move |outcome| match outcome {
                Outcome::Done(messages) => filled_in(messages, limit).map(Outcome::Done),
                Outcome::Ask(question) => Ok(Outcome::Ask(question)),
            }),
        }
    }

    fn size(outcome: &Outcome<Vec<PromptMessage>>) -> usize {
        match outcome {
            Outcome::Done(messages) => {
                result::size_of_blocks(messages.iter().map(|message| &message.content))
            }
            Outcome::Ask(_) => 0,
        }
    }
}

fn text_of(arguments: &Map<String, Value>) -> String {
    serde_json::to_string(arguments).unwrap_or_default()
}

/// Each is text, known, and there if it must be.
fn check(given: &Map<String, Value>, known: &[PromptArgument]) -> Result<(), Fault> {
    texts(given, MAX_ARGUMENTS)?;
    if let Some(unknown) = given.keys().find(|name| !known.iter().any(|argument| argument.name == **name)) {
        let message = format!("\"{}\" is not an argument of this prompt", shown(unknown));
        return Err(Fault::new("invalid-arguments", message).at(pointer(unknown)));
    }
    let missing = known.iter().find(|argument| argument.required && !given.contains_key(&argument.name));
    match missing {
        Some(PromptArgument { name, .. }) => {
            Err(Fault::new("invalid-arguments", format!("the argument \"{name}\" is required"))
                .at(pointer(name)))
        }
        None => Ok(()),
    }
}

/// Arguments of prompts and templates are text.
pub(super) fn texts(given: &Map<String, Value>, most: usize) -> Result<(), Fault> {
    let mut length = 0;
    for (name, value) in given {
        let Value::String(text) = value else {
            let message = format!("the argument \"{}\" must be text", shown(name));
            return Err(Fault::new("invalid-arguments", message).at(pointer(name)));
        };
        length += name.len() + text.len();
    }
    if length > most {
        let message = format!("the arguments are {length} bytes long; at most {most} are allowed");
        return Err(Fault::new("invalid-arguments", message));
    }
    Ok(())
}

/// RFC 6901.
pub(super) fn pointer(name: &str) -> String {
    format!("/{}", shown(name).replace('~', "~0").replace('/', "~1"))
}

fn filled_in(mut messages: Vec<PromptMessage>, limit: u64) -> Result<Vec<PromptMessage>, Fault> {
    result::check_blocks(messages.iter().map(|message| &message.content), limit)?;
    for message in &mut messages {
        if !matches!(message.role.as_str(), "user" | "assistant") {
            let role = shown(&message.role);
            return Err(Fault::new(
                "protocol",
                format!("the prompt returned a message of the role \"{role}\"; roles are user and assistant"),
            ));
        }
        result::clean_block(&mut message.content);
    }
    Ok(messages)
}
