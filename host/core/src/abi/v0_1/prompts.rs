//! `prompts`.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::Exports;
use super::convert::{at_most, extras, from_content, from_fault, from_question, parse_optional, to_answers};
use super::generated::exports::fleetgate::plugin::prompts as wit;
use crate::domain::{
    Answers, Fault, MAX_MESSAGES, MAX_PROMPTS, Outcome, Prompt, PromptArgument, PromptMessage,
};
use crate::sandbox::CallState;
use crate::text::clean;

impl Exports {
    /// `prompts.list-prompts`. Empty where the component has no prompts.
    pub(crate) async fn list_prompts(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Result<Vec<Prompt>, Fault>> {
        let Some(indices) = &self.prompts else { return Ok(Ok(Vec::new())) };
        let listed = indices.load(&mut *store, instance)?.call_list_prompts(&mut *store).await?;
        Ok(match listed {
            Ok(prompts) => at_most(MAX_PROMPTS, "prompts", prompts)
                .and_then(|prompts| prompts.into_iter().map(prompt).collect()),
            Err(fault) => Err(from_fault(fault)),
        })
    }

    /// `prompts.get-prompt`.
    #[expect(clippy::ptr_arg, reason = "the generated function takes strings by reference")]
    pub(crate) async fn get_prompt(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        name: &String,
        arguments: &String,
        answers: Option<&Answers>,
    ) -> wasmtime::Result<Result<Outcome<Vec<PromptMessage>>, Fault>> {
        let Some(indices) = &self.prompts else {
            return Ok(Err(Fault::new("internal", "the plugin exports no prompts")));
        };
        let answers = answers.map(to_answers);
        let prompts = indices.load(&mut *store, instance)?;
        let ended = prompts.call_get_prompt(&mut *store, name, arguments, answers.as_ref()).await?;
        Ok(match ended {
            Ok(wit::PromptOutcome::Done(messages)) => from_messages(messages).map(Outcome::Done),
            Ok(wit::PromptOutcome::Ask(question)) => from_question(question).map(Outcome::Ask),
            Err(fault) => Err(from_fault(fault)),
        })
    }
}

fn prompt(prompt: wit::Prompt) -> Result<Prompt, Fault> {
    let of = |what: &str| format!("{what} of the prompt \"{}\"", clean(&prompt.name));
    Ok(Prompt {
        meta: parse_optional(&of("meta"), prompt.meta.clone())?,
        extra: parse_optional(&of("extra"), prompt.extra.clone())?,
        name: prompt.name,
        title: prompt.title,
        description: prompt.description,
        arguments: prompt
            .arguments
            .into_iter()
            .map(|argument| PromptArgument {
                name: argument.name,
                title: argument.title,
                description: argument.description,
                required: argument.required,
            })
            .collect(),
    })
}

fn from_messages(messages: Vec<wit::PromptMessage>) -> Result<Vec<PromptMessage>, Fault> {
    let messages = at_most(MAX_MESSAGES, "messages", messages)?;
    extras(messages.iter().flat_map(|message| [&message.content.meta, &message.content.extra]))?;
    let message = |message: wit::PromptMessage| {
        Ok(PromptMessage { role: message.role, content: from_content(message.content)? })
    };
    messages.into_iter().map(message).collect()
}
