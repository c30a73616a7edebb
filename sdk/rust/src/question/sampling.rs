//! A question to the client's model.

use serde_json::{Map, Value, json};

/// What to ask the client's model: the parameters of MCP's `sampling/createMessage`.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// # use fleetgate_sdk::Sampling;
/// let question = Question::new().sampling("summary", Sampling::user("Summarise: …").max_tokens(200));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it is asked when the question is returned"]
pub struct Sampling {
    messages: Vec<Value>,
    more: Map<String, Value>,
}

impl Sampling {
    /// Begins with something that the person says. At most 1000 tokens are wanted until [`Self::max_tokens`] says
    /// otherwise.
    pub fn user(text: impl Into<String>) -> Self {
        let more = Map::from_iter([("maxTokens".to_owned(), Value::from(1000))]);
        Self { messages: Vec::new(), more }.message("user", text)
    }

    /// Then the model said this.
    pub fn and_assistant(self, text: impl Into<String>) -> Self {
        self.message("assistant", text)
    }

    /// Then the person said this.
    pub fn and_user(self, text: impl Into<String>) -> Self {
        self.message("user", text)
    }

    fn message(mut self, role: &str, text: impl Into<String>) -> Self {
        self.messages.push(json!({ "role": role, "content": { "type": "text", "text": text.into() } }));
        self
    }

    /// The most tokens of the answer.
    pub fn max_tokens(self, tokens: u32) -> Self {
        self.param("maxTokens", tokens)
    }

    /// What the model is told first.
    pub fn system(self, prompt: impl Into<String>) -> Self {
        self.param("systemPrompt", prompt.into())
    }

    /// How freely the model chooses its words.
    pub fn temperature(self, temperature: f64) -> Self {
        self.param("temperature", temperature)
    }

    /// Any other parameter, as MCP defines it (`stopSequences`, `modelPreferences`, `tools`).
    pub fn param(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.more.insert(key.into(), value.into());
        self
    }
}

impl From<Sampling> for Value {
    fn from(sampling: Sampling) -> Self {
        let mut params = Map::from_iter([("messages".to_owned(), Self::from(sampling.messages))]);
        params.extend(sampling.more);
        Self::Object(params)
    }
}
