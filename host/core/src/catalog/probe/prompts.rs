//! Prompts: each needs its entry, and arguments that can be asked for by name.

use std::collections::{BTreeMap, HashSet};

use super::super::parts::{MAX_DESCRIPTION, MAX_TITLE, Parts, bounded, clean_text};
use super::failed::{List, ProbeFailed, short};
use crate::domain::{Prompt, PromptArgument};
use crate::manifest::{Manifest, grammar};

/// Arguments of one prompt.
const MAX_ARGUMENTS: usize = 64;

pub(super) fn check(
    prompts: Vec<Prompt>,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Prompt>, ProbeFailed> {
    let mut probed = BTreeMap::new();
    for mut prompt in prompts {
        let item = List::Prompts.item(&prompt.name);
        if !grammar::is_tool(&prompt.name) {
            return Err(ProbeFailed::BadName { item, help: grammar::TOOL });
        }
        if !manifest.prompts.contains_key(&prompt.name) {
            return Err(ProbeFailed::NoEntry(item));
        }
        let parts = Parts {
            title: &mut prompt.title,
            description: &mut prompt.description,
            meta: &mut prompt.meta,
            extra: &mut prompt.extra,
        };
        parts.take().map_err(|refused| ProbeFailed::Part { item: item.clone(), refused })?;
        arguments(&mut prompt.arguments)
            .map_err(|why| ProbeFailed::Arguments { prompt: prompt.name.clone(), why })?;
        if probed.insert(prompt.name.clone(), prompt).is_some() {
            return Err(ProbeFailed::Twice(item));
        }
    }
    match manifest.prompts.keys().find(|name| !probed.contains_key(*name)) {
        Some(name) => Err(ProbeFailed::NotListed(List::Prompts.item(name))),
        None => Ok(probed),
    }
}

fn arguments(arguments: &mut [PromptArgument]) -> Result<(), String> {
    if arguments.len() > MAX_ARGUMENTS {
        return Err(format!("has {} arguments; at most {MAX_ARGUMENTS} are allowed", arguments.len()));
    }
    let mut names = HashSet::new();
    for argument in arguments {
        let name = short(&argument.name);
        if !grammar::is_tool(&argument.name) {
            return Err(format!("has an argument named \"{name}\": {}", grammar::TOOL));
        }
        for (part, text, most) in [
            ("the title", &mut argument.title, MAX_TITLE),
            ("the description", &mut argument.description, MAX_DESCRIPTION),
        ] {
            bounded(part, text, most).map_err(|refused| {
                format!("has an argument \"{name}\": {} {}", refused.part, refused.wrong)
            })?;
            clean_text(text);
        }
        if !names.insert(&argument.name) {
            return Err(format!("has two arguments named \"{name}\""));
        }
    }
    Ok(())
}
