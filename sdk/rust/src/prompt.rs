//! Prompts: what a person may start from.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schema::{self, Direction};
use crate::tool::{parse, unfit};
use crate::{Content, Fault, JsonSchema, Outcome, texts};

/// A prompt. `#[prompt]` implements it for a type that has the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    note = "put #[fleetgate_sdk::prompt(requires = \"…\")] above the function"
)]
pub trait Prompt {
    /// Unique within the plugin.
    const NAME: &'static str;
    /// For people.
    const TITLE: Option<&'static str>;
    /// The function's doc comment.
    const DESCRIPTION: &'static str;
    /// `_meta`, as JSON.
    const META: Option<&'static str>;
    /// Icons, as JSON.
    const EXTRA: Option<&'static str>;
    /// The manifest entry: one line of JSON and a line feed.
    const MANIFEST: &'static str;

    /// Its arguments, in the order in which to ask for them.
    ///
    /// # Errors
    /// `internal` when they cannot be text.
    fn arguments() -> Result<Vec<PromptArgument>, Fault>;

    /// Fills it in. `arguments`: an object of text, as JSON.
    ///
    /// # Errors
    /// `invalid-arguments` when the arguments do not fit, and whatever the prompt answers.
    fn get(arguments: &str) -> Result<Outcome<Vec<PromptMessage>>, Fault>;
}

/// One argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgument {
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Must be given.
    pub required: bool,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// As the protocol says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a filled-in prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What it says.
    pub content: Content,
}

impl PromptMessage {
    /// Said by the person.
    pub fn user(content: impl Into<Content>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// Said by the model.
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// A value that a prompt can return: text (said by the person), a [`PromptMessage`], a list of those, or an
/// [`Outcome`].
#[diagnostic::on_unimplemented(
    message = "a prompt cannot return `Result<{Self}, Fault>`",
    note = "return text, `PromptMessage`, `Vec<PromptMessage>` or `Outcome`"
)]
pub trait IntoMessages {
    /// The messages as they go to the host.
    fn into_messages(self) -> Outcome<Vec<PromptMessage>>;
}

impl IntoMessages for String {
    fn into_messages(self) -> Outcome<Vec<PromptMessage>> {
        PromptMessage::user(self).into_messages()
    }
}

impl IntoMessages for &str {
    fn into_messages(self) -> Outcome<Vec<PromptMessage>> {
        PromptMessage::user(self).into_messages()
    }
}

impl IntoMessages for PromptMessage {
    fn into_messages(self) -> Outcome<Vec<PromptMessage>> {
        Outcome::Done(vec![self])
    }
}

impl IntoMessages for Vec<PromptMessage> {
    fn into_messages(self) -> Outcome<Vec<PromptMessage>> {
        Outcome::Done(self)
    }
}

impl<T: IntoMessages> IntoMessages for Outcome<T> {
    fn into_messages(self) -> Outcome<Vec<PromptMessage>> {
        match self {
            Self::Done(messages) => messages.into_messages(),
            Self::Ask(question) => Outcome::Ask(question),
        }
    }
}

/// The fields of a struct as arguments.
#[doc(hidden)]
pub fn arguments<A: JsonSchema>(prompt: &str) -> Result<Vec<PromptArgument>, Fault> {
    arguments_of(prompt, &schema::of::<A>(Direction::Input))
}

/// Apart from [`arguments`], which is compiled once for each prompt.
fn arguments_of(prompt: &str, schema: &Value) -> Result<Vec<PromptArgument>, Fault> {
    let required = schema.get("required").and_then(Value::as_array);
    let Some(fields) = schema.get("properties").and_then(Value::as_object) else {
        return Err(Fault::internal(format!("The arguments of `{prompt}` are no struct with fields.")));
    };
    let argument = |(name, field): (&String, &Value)| {
        let kind = field.get("type").and_then(Value::as_str);
        if matches!(kind, Some("object" | "array" | "null")) {
            return Err(Fault::internal(format!(
                "The argument `{name}` of `{prompt}` cannot be text, and arguments of prompts are."
            )));
        }
        let text = |key: &str| field.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(PromptArgument {
            name: name.clone(),
            title: text("title"),
            description: text("description"),
            required: required.is_some_and(|required| required.iter().any(|one| one == name)),
        })
    };
    fields.iter().map(argument).collect()
}

#[doc(hidden)]
pub fn get_with<A, T, E>(
    prompt: fn(A) -> Result<T, E>,
    arguments: &str,
) -> Result<Outcome<Vec<PromptMessage>>, Fault>
where
    A: DeserializeOwned,
    T: IntoMessages,
    E: Into<Fault>,
{
    let given: BTreeMap<String, String> = parse(arguments)?;
    let pairs = given.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let arguments = texts::from(pairs).map_err(unfit)?;
    prompt(arguments).map(IntoMessages::into_messages).map_err(Into::into)
}

#[doc(hidden)]
pub fn get_without<T, E>(
    prompt: fn() -> Result<T, E>,
    arguments: &str,
) -> Result<Outcome<Vec<PromptMessage>>, Fault>
where
    T: IntoMessages,
    E: Into<Fault>,
{
    let given: BTreeMap<String, String> = parse(arguments)?;
    if let Some(name) = given.keys().next() {
        return Err(Fault::invalid(format!("/{name}"), "This prompt takes no arguments."));
    }
    prompt().map(IntoMessages::into_messages).map_err(Into::into)
}
