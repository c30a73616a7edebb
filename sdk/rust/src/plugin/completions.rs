//! Completions in the table.

use super::Plugin;
use crate::completion::{Of, cut};
use crate::resource::Part;
use crate::{Complete, Completion, Fault, Given};

/// One completion in the table.
#[derive(Clone, Copy)]
pub struct CompletionEntry {
    /// Whose argument.
    pub of: Of,
    /// Which argument.
    pub argument: &'static str,
    complete: fn(&str, &Given) -> Result<Completion, Fault>,
}

impl CompletionEntry {
    /// The entry of a completion.
    #[must_use]
    pub const fn of<C: Complete>() -> Self {
        Self { of: C::OF, argument: C::ARGUMENT, complete: C::complete }
    }

    fn is_for(&self, reference: &str, argument: &str) -> bool {
        let of = match self.of {
            Of::Prompt(name) => reference.strip_prefix("prompt:") == Some(name),
            Of::Template(template) => reference.strip_prefix("resource:") == Some(template),
        };
        of && self.argument == argument
    }
}

/// Completes as the host asks: `reference` is `prompt:<name>` or `resource:<template>`, `context` an object of what is
/// given already. Nothing, where the plugin knows nothing.
///
/// # Errors
/// `protocol` when the context is no object of text, and whatever the completion answers.
pub fn complete<P: Plugin>(
    reference: &str,
    argument: &str,
    value: &str,
    context: &str,
) -> Result<Completion, Fault> {
    let Some(entry) = P::COMPLETIONS.iter().find(|entry| entry.is_for(reference, argument)) else {
        return Ok(Completion::default());
    };
    (entry.complete)(value, &Given::from_json(context)?).map(cut)
}

/// Whether each completion has the argument that it completes.
///
/// # Errors
/// `internal`: a mistake of the plugin's own.
pub fn check_completions<P: Plugin>() -> Result<(), Fault> {
    for CompletionEntry { of, argument, .. } in P::COMPLETIONS {
        let known = match of {
            Of::Prompt(name) => match P::PROMPTS.iter().find(|prompt| prompt.name == *name) {
                Some(prompt) => prompt.arguments()?.iter().any(|known| known.name == *argument),
                None => false,
            },
            Of::Template(uri) => P::RESOURCES.iter().any(|template| {
                template.uri == *uri
                    && template.parts.iter().any(
                        |part| matches!(part, Part::Segment(name) | Part::Rest(name) if name == argument),
                    )
            }),
        };
        if !known {
            let of = of.name();
            return Err(Fault::internal(format!(
                "A completion is for the argument `{argument}` of `{of}`, which this plugin does not export."
            )));
        }
    }
    Ok(())
}
