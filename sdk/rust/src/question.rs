//! Asking the client, or the person in front of it.
//!
//! A call that asks ends there; the host calls the tool again with the answers, in a new sandbox. What the tool
//! wants to know again then goes into the question's state.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::schema;
use crate::{Fault, JsonSchema, ToolResult};

/// How a tool ends: with a result, or with a question.
///
/// `Outcome<T>` where `T` is anything that a tool can return keeps `T`'s output schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T = ToolResult> {
    /// With a result.
    Done(T),
    /// With a question. The tool is called again with the answers, see [`crate::call::answers`].
    Ask(Question),
}

impl From<ToolResult> for Outcome {
    fn from(result: ToolResult) -> Self {
        Self::Done(result)
    }
}

/// One thing to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRequest {
    /// The answer carries it. Unique within one question.
    pub key: String,
    /// `elicitation-form`, `elicitation-url`, `sampling` or `roots`.
    pub kind: String,
    /// The parameters of that request, as MCP defines them.
    pub params: Value,
}

/// A question to the client. At least one request.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// #[derive(Deserialize, JsonSchema)]
/// struct Sure {
///     /// Really reboot all of them?
///     reboot: bool,
/// }
///
/// fn confirm() -> Outcome {
///     Outcome::Ask(Question::new().form::<Sure>("sure", "12 devices will reboot."))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "a question is asked when it is returned"]
pub struct Question {
    /// What is asked.
    pub requests: Vec<InputRequest>,
    /// Given back with the answers. At most 64 KiB. The client can neither read nor change it.
    pub state: Option<Vec<u8>>,
}

impl Question {
    /// Asks nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks a person to fill in a form with the fields of `T` (flat: text, numbers, flags, choices). Never ask for
    /// secrets with a form.
    pub fn form<T: JsonSchema>(self, key: impl Into<String>, message: impl Into<String>) -> Self {
        let schema = schema::of_form::<T>();
        self.request(
            key,
            "elicitation-form",
            json!({ "mode": "form", "message": message.into(), "requestedSchema": schema }),
        )
    }

    /// Asks a person to open a URL (to sign in, to pay).
    pub fn url(self, key: impl Into<String>, message: impl Into<String>, url: impl Into<String>) -> Self {
        self.request(
            key,
            "elicitation-url",
            json!({ "mode": "url", "message": message.into(), "url": url.into() }),
        )
    }

    /// Asks the client's model. `params` as in MCP's `sampling/createMessage`.
    pub fn sampling(self, key: impl Into<String>, params: Value) -> Self {
        self.request(key, "sampling", params)
    }

    /// Asks for the client's roots.
    pub fn roots(self, key: impl Into<String>) -> Self {
        self.request(key, "roots", json!({}))
    }

    /// Asks anything else.
    pub fn request(mut self, key: impl Into<String>, kind: impl Into<String>, params: Value) -> Self {
        self.requests.push(InputRequest { key: key.into(), kind: kind.into(), params });
        self
    }

    /// What to know again when the answers come, as JSON.
    ///
    /// # Errors
    /// `internal` when the value cannot be JSON.
    pub fn state(mut self, state: &impl Serialize) -> Result<Self, Fault> {
        let bytes = serde_json::to_vec(state).map_err(|error| {
            Fault::internal(format!("The question's state cannot be written as JSON: {error}"))
        })?;
        self.state = Some(bytes);
        Ok(self)
    }
}

impl<T> From<Question> for Outcome<T> {
    fn from(question: Question) -> Self {
        Self::Ask(question)
    }
}

/// What came back for a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// The person filled it in.
    Accepted(T),
    /// The person said no.
    Declined,
    /// The person closed it without saying anything.
    Dismissed,
}

/// The answers to a question that this call asked before. May be fewer than were asked; ask again for the rest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    pub(crate) items: Vec<(String, Value)>,
    pub(crate) state: Option<Vec<u8>>,
}

impl Answers {
    /// The answer to the request of this key, as MCP defines it for that kind.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.items.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The answer to a form. None: there is none yet.
    ///
    /// # Errors
    /// `invalid-arguments` when the answer does not fit `T`.
    pub fn form<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Answer<T>>, Fault> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get("action").and_then(Value::as_str) {
            Some("accept") => {
                let content = value.get("content").cloned().unwrap_or_else(|| json!({}));
                let content = serde_path_to_error::deserialize(content).map_err(|error| {
                    Fault::custom("invalid-arguments", format!("The answer to `{key}` does not fit: {error}"))
                })?;
                Ok(Some(Answer::Accepted(content)))
            }
            Some("decline") => Ok(Some(Answer::Declined)),
            Some("cancel") => Ok(Some(Answer::Dismissed)),
            _ => {
                Err(Fault::custom("invalid-arguments", format!("The answer to `{key}` has no known action.")))
            }
        }
    }

    /// The question's state. None: it had none.
    ///
    /// # Errors
    /// `internal` when it is not a `T`: another version of the plugin asked.
    pub fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        self.state
            .as_deref()
            .map(serde_json::from_slice)
            .transpose()
            .map_err(|error| Fault::internal(format!("The question's state cannot be read: {error}")))
    }
}
