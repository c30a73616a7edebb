//! Asking the client, or the person in front of it.
//!
//! A call that asks ends there; the host calls the function again with the answers, in a new sandbox. What it wants to
//! know again then goes into the question's state.

mod answers;
mod sampling;

use serde::Serialize;
use serde_json::{Value, json};

pub use answers::{Answer, Answers, Root, Sampled};
pub use sampling::Sampling;

use crate::schema;
use crate::{Fault, JsonSchema, ToolResult};

/// How a tool, prompt or resource ends: with a result, or with a question.
///
/// `Outcome<T>` where `T` is anything that it can return otherwise; a tool keeps `T`'s output schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T = ToolResult> {
    /// With a result.
    Done(T),
    /// With a question. The function is called again with the answers, see [`crate::call::answers`].
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

    /// Asks a person to fill in a form with the fields of `T` (flat: text, numbers, flags, choices; the doc comments
    /// are what the person reads). Never ask for secrets with a form: the host refuses to.
    pub fn form<T: JsonSchema>(self, key: impl Into<String>, message: impl Into<String>) -> Self {
        self.form_schema(key, message, schema::of_form::<T>())
    }

    /// The same with a `requestedSchema` of one's own, which the client gets as it is.
    pub fn form_schema(
        self,
        key: impl Into<String>,
        message: impl Into<String>,
        requested_schema: Value,
    ) -> Self {
        self.request(
            key,
            "elicitation-form",
            json!({ "mode": "form", "message": message.into(), "requestedSchema": requested_schema }),
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

    /// Asks the client's model: [`Sampling`], or the parameters of MCP's `sampling/createMessage` as they are.
    pub fn sampling(self, key: impl Into<String>, params: impl Into<Value>) -> Self {
        self.request(key, "sampling", params.into())
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
