//! The export `prompts`.

use super::convert::{answers, content, fault, owned, question};
use super::imports::fleetgate::plugin::types;
use super::with_prompts::exports::fleetgate::plugin::prompts::{
    Guest, Prompt, PromptArgument, PromptMessage, PromptOutcome,
};
use crate::plugin::{Plugin, check_completions, find_prompt};
use crate::{Fault, Outcome};

impl<P: Plugin> Guest for P {
    fn list_prompts() -> Result<Vec<Prompt>, types::Fault> {
        check_completions::<P>().map_err(fault)?;
        P::PROMPTS
            .iter()
            .map(|prompt| {
                let arguments = prompt.arguments()?.into_iter().map(|argument| PromptArgument {
                    name: argument.name,
                    title: argument.title,
                    description: argument.description,
                    required: argument.required,
                });
                Ok(Prompt {
                    name: prompt.name.to_owned(),
                    title: owned(prompt.title),
                    description: owned(Some(prompt.description)),
                    arguments: arguments.collect(),
                    meta: owned(prompt.meta),
                    extra: owned(prompt.extra),
                })
            })
            .collect::<Result<_, Fault>>()
            .map_err(fault)
    }

    fn get_prompt(
        name: String,
        arguments: String,
        answered: Option<types::Answers>,
    ) -> Result<PromptOutcome, types::Fault> {
        let get = || find_prompt::<P>(&name)?.get(&arguments, answers(answered)?);
        match get() {
            Ok(Outcome::Done(messages)) => Ok(PromptOutcome::Done(
                messages
                    .into_iter()
                    .map(|message| PromptMessage {
                        role: message.role.as_str().to_owned(),
                        content: content(message.content),
                    })
                    .collect(),
            )),
            Ok(Outcome::Ask(asked)) => Ok(PromptOutcome::Ask(question(asked))),
            Err(failure) => Err(fault(failure)),
        }
    }
}
