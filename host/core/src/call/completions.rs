//! `completion/complete`: what may follow in an argument of a prompt or a template. Who may not have the prompt or the
//! template gets nothing completed.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::passage::{Check, Errand, Passage, shown};
use super::prompts::texts;
use super::{CallContext, Complete, Completed, Kind};
use crate::catalog::{Catalog, FoundPrompt, FoundTemplate, Guarded, LiveBinding};
use crate::domain::{Completion, Fault, MAX_COMPLETIONS, Outcome};
use crate::manifest::Requirement;
use crate::sandbox::work::CompleteArgument;
use crate::secret_arguments::Vault;
use crate::text::clean;

/// Bytes of what is typed so far.
const MAX_TYPED: usize = 4 << 10;
/// Bytes of the other arguments.
const MAX_GIVEN: usize = 64 << 10;
/// Bytes of one value; a longer one is left out.
const MAX_VALUE: usize = 1 << 10;

/// What has the argument.
#[derive(Debug, Clone)]
pub(super) enum FoundArguments {
    Prompt(FoundPrompt),
    Template(FoundTemplate),
}

impl FoundArguments {
    /// As the guest knows it.
    fn reference(&self) -> String {
        match self {
            Self::Prompt(found) => format!("prompt:{}", found.prompt.definition.name),
            Self::Template(found) => format!("resource:{}", found.template.template.as_str()),
        }
    }

    fn has(&self, argument: &str) -> bool {
        match self {
            Self::Prompt(found) => {
                found.prompt.definition.arguments.iter().any(|known| known.name == argument)
            }
            Self::Template(found) => found.template.template.variables().any(|known| known == argument),
        }
    }
}

impl Guarded for FoundArguments {
    fn binding(&self) -> &Arc<LiveBinding> {
        match self {
            Self::Prompt(found) => found.binding(),
            Self::Template(found) => found.binding(),
        }
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        let (prompt, template) = match self {
            Self::Prompt(found) => (Some(found.requirements()), None),
            Self::Template(found) => (None, Some(found.requirements())),
        };
        prompt.into_iter().flatten().chain(template.into_iter().flatten())
    }
}

impl Passage for Complete {
    const WORK: &'static str = "completing the argument";
    type Found = FoundArguments;
    type Work = CompleteArgument;
    type Answer = Completion;

    fn kind(&self) -> Kind {
        match &self.of {
            Completed::Prompt(_) => Kind::Prompt,
            Completed::Template { .. } => Kind::Template,
        }
    }

    fn context(&self) -> &CallContext {
        &self.context
    }

    fn whose(&self) -> Option<&str> {
        match &self.of {
            Completed::Prompt(_) => None,
            Completed::Template { binding, .. } => Some(binding),
        }
    }

    fn name(&self) -> &str {
        match &self.of {
            Completed::Prompt(name) => name,
            Completed::Template { uri_template, .. } => uri_template,
        }
    }

    fn asked_for(&self) -> String {
        let what = match &self.of {
            Completed::Prompt(_) => "prompt",
            Completed::Template { .. } => "resource",
        };
        format!("complete {what}:{}/{}", shown(self.name()), shown(&self.argument))
    }

    fn entry(&self, found: &FoundArguments) -> String {
        format!("complete {}/{}", found.reference(), shown(&self.argument))
    }

    fn arguments(&self) -> Cow<'_, str> {
        json!({ "argument": self.argument, "value": self.value, "given": self.given }).to_string().into()
    }

    fn find(&self, catalog: &Catalog) -> Option<FoundArguments> {
        let scope = &self.context.scope;
        match &self.of {
            Completed::Prompt(name) => catalog.find_prompt(scope, name).map(FoundArguments::Prompt),
            Completed::Template { binding, uri_template } => {
                catalog.find_template(scope, binding, uri_template).map(FoundArguments::Template)
            }
        }
    }

    fn check(&self, found: &FoundArguments) -> Check {
        let checked = check(self, found);
        Box::new(move || checked.into())
    }

    /// Nothing follows where the plugin completes nothing.
    fn at_hand(&self, found: &FoundArguments) -> Option<Result<Completion, Fault>> {
        (!found.binding().exports().completions).then(|| Ok(Completion::default()))
    }

    fn errand(self, found: &FoundArguments) -> Errand<Self> {
        let Self { context, argument, value, given, .. } = self;
        // What is no argument of it is of no use to the guest.
        let given: Map<String, Value> = given.into_iter().filter(|(name, _)| found.has(name)).collect();
        let context_text = serde_json::to_string(&given).unwrap_or_default();
        Errand {
            context,
            work: CompleteArgument { reference: found.reference(), argument, value, context: context_text },
            secrets: Vault::default(),
            outgoing: Box::new(|completion| Ok(Outcome::Done(bounded(completion)))),
        }
    }

    fn size(completion: &Completion) -> usize {
        completion.values.iter().map(String::len).sum()
    }
}

fn check(request: &Complete, found: &FoundArguments) -> Result<(), Fault> {
    if !found.has(&request.argument) {
        let message = format!("\"{}\" is not an argument of it", shown(&request.argument));
        return Err(Fault::new("invalid-arguments", message).at("/argument/name"));
    }
    if request.value.len() > MAX_TYPED {
        let message = format!("the value is longer than {MAX_TYPED} bytes");
        return Err(Fault::new("invalid-arguments", message).at("/argument/value"));
    }
    texts(&request.given, MAX_GIVEN)
}

fn bounded(completion: Completion) -> Completion {
    let Completion { values, total, has_more } = completion;
    let listed = values.len();
    let short = values.into_iter().filter(|value| value.len() <= MAX_VALUE);
    let values: Vec<String> = short.take(MAX_COMPLETIONS).map(|value| clean(&value).into_owned()).collect();
    let has_more = has_more || values.len() < listed;
    Completion { values, total, has_more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_hundred_values_are_passed_on_and_the_rest_is_announced() {
        let many = |count: usize| Completion {
            values: (0..count).map(|number| number.to_string()).collect(),
            total: Some(7),
            has_more: false,
        };
        let all = bounded(many(100));
        assert_eq!((all.values.len(), all.has_more, all.total), (100, false, Some(7)));
        let cut = bounded(many(101));
        assert_eq!((cut.values.len(), cut.has_more), (100, true));
        assert_eq!(cut.values[99], "99");
    }

    #[test]
    fn a_value_that_hides_something_is_shown_and_one_that_is_too_long_is_left_out() {
        let values = vec!["a\u{202e}".to_owned(), "x".repeat(MAX_VALUE + 1)];
        let bounded = bounded(Completion { values, ..Completion::default() });
        assert_eq!((bounded.values, bounded.has_more), (vec!["a\\u{202e}".to_owned()], true));
    }
}
