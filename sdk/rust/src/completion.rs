//! Completions: what may follow in an argument of a prompt or a template.

use std::collections::BTreeMap;

use crate::{Fault, Prompt, Resource};

/// The most values that the protocol lets pass.
const MOST: usize = 100;

/// A completion. `#[complete]` implements it for a type that has the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a completion",
    note = "put #[complete(prompt = …, argument = \"…\")] above the function"
)]
pub trait Complete {
    /// Whose argument it completes.
    const OF: Of;
    /// Which argument.
    const ARGUMENT: &'static str;

    /// What may follow what was typed.
    ///
    /// # Errors
    /// Whatever the function answers.
    fn complete(value: &str, given: &Given) -> Result<Completion, Fault>;
}

/// Whose argument is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A prompt's, by its name.
    Prompt(&'static str),
    /// A template's, by its text.
    Template(&'static str),
}

impl Of {
    #[doc(hidden)]
    #[must_use]
    pub const fn prompt<P: Prompt>() -> Self {
        Self::Prompt(P::NAME)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn template<R: Resource>() -> Self {
        Self::Template(R::URI)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prompt(name) | Self::Template(name) => name,
        }
    }
}

/// The arguments that are given already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given(BTreeMap<String, String>);

impl Given {
    pub(crate) fn from_json(context: &str) -> Result<Self, Fault> {
        if context.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(context).map(Self).map_err(|error| {
            Fault::custom("protocol", format!("What is given is no object of text: {error}"))
        })
    }

    /// The value of this argument.
    #[must_use]
    pub fn get(&self, argument: &str) -> Option<&str> {
        self.0.get(argument).map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Given {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(given: I) -> Self {
        Self(given.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// What may follow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// At most 100 are passed on.
    pub values: Vec<String>,
    /// How many there are, where known.
    pub total: Option<u32>,
    /// More exist than are given.
    pub has_more: bool,
}

impl Completion {
    /// Those of `all` that begin with what was typed, whatever the case.
    pub fn matching<S: AsRef<str>>(all: impl IntoIterator<Item = S>, typed: &str) -> Self {
        let typed = typed.to_lowercase();
        let fits = |value: &S| value.as_ref().to_lowercase().starts_with(&typed);
        all.into_iter().filter(fits).map(|value| value.as_ref().to_owned()).collect::<Vec<_>>().into()
    }
}

impl From<Vec<String>> for Completion {
    /// All that there are.
    fn from(values: Vec<String>) -> Self {
        cut(Self { total: u32::try_from(values.len()).ok(), values, has_more: false })
    }
}

/// What the protocol lets pass.
pub(crate) fn cut(mut completion: Completion) -> Completion {
    if completion.values.len() > MOST {
        completion.values.truncate(MOST);
        completion.has_more = true;
    }
    completion
}

/// A value that a completion can return: a list of text, a [`Completion`], or a `Result` of those.
#[diagnostic::on_unimplemented(
    message = "a completion cannot return `{Self}`",
    note = "return `Vec<String>`, `Completion` or `Result<Completion, Fault>`"
)]
pub trait IntoCompletion {
    /// As it goes to the host.
    ///
    /// # Errors
    /// The function's own.
    fn into_completion(self) -> Result<Completion, Fault>;
}

impl IntoCompletion for Completion {
    fn into_completion(self) -> Result<Completion, Fault> {
        Ok(self)
    }
}

impl<S: Into<String>> IntoCompletion for Vec<S> {
    fn into_completion(self) -> Result<Completion, Fault> {
        Ok(self.into_iter().map(Into::into).collect::<Vec<String>>().into())
    }
}

impl<T: IntoCompletion, E: Into<Fault>> IntoCompletion for Result<T, E> {
    fn into_completion(self) -> Result<Completion, Fault> {
        self.map_err(Into::into)?.into_completion()
    }
}
