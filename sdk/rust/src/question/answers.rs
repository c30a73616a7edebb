//! The answers to a question.
//!
//! They come from the client, and a client can send anything: an answer of the wrong shape counts as missing, so that
//! code which asks for what is missing asks again.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Fault;

/// What came back for a form or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T = ()> {
    /// The person filled it in, or opened it.
    Accepted(T),
    /// The person said no.
    Declined,
    /// The person closed it without saying anything.
    Cancelled,
    /// There is no answer yet, or none that fits: ask again.
    Missing,
}

/// The answer of the client's model.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// `assistant`, as a rule.
    pub role: String,
    /// Blocks of content as MCP defines them.
    pub content: Vec<Value>,
    /// The model that answered.
    pub model: Option<String>,
    /// Why it stopped: `endTurn`, `maxTokens`, `stopSequence`, `toolUse`.
    pub stop_reason: Option<String>,
}

impl Sampled {
    /// All text, joined with line feeds.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| block.get("text")?.as_str());
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// A directory or file that the client works with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Root {
    /// `file://…`
    pub uri: String,
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
}

/// The answers to a question that this call asked before. May be fewer than were asked; ask again for the rest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    pub(crate) items: Vec<(String, Value)>,
    pub(crate) state: Option<Vec<u8>>,
}

impl Answers {
    pub(crate) const EMPTY: Self = Self { items: Vec::new(), state: None };

    /// Whether nothing came back, not even a state: this is the first call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.state.is_none()
    }

    /// The answer to the request of this key, as MCP defines it for that kind. Not checked at all.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.items.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The answer to a form.
    #[must_use]
    pub fn form<T: DeserializeOwned>(&self, key: &str) -> Answer<T> {
        let Some(value) = self.get(key) else { return Answer::Missing };
        let content = || value.get("content").cloned().unwrap_or_else(|| json!({}));
        match value.get("action").and_then(Value::as_str) {
            Some("accept") => T::deserialize(content()).map_or(Answer::Missing, Answer::Accepted),
            Some("decline") => Answer::Declined,
            Some("cancel") => Answer::Cancelled,
            _ => Answer::Missing,
        }
    }

    /// The answer to a URL: whether the person agreed to open it. What happened there the client does not know.
    #[must_use]
    pub fn url(&self, key: &str) -> Answer {
        match self.get(key).and_then(|value| value.get("action")).and_then(Value::as_str) {
            Some("accept") => Answer::Accepted(()),
            Some("decline") => Answer::Declined,
            Some("cancel") => Answer::Cancelled,
            _ => Answer::Missing,
        }
    }

    /// The answer of the client's model. None: there is none, or none that fits.
    #[must_use]
    pub fn sampling(&self, key: &str) -> Option<Sampled> {
        let value = self.get(key)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let content = match value.get("content")? {
            Value::Array(blocks) => blocks.clone(),
            block @ Value::Object(_) => vec![block.clone()],
            _ => return None,
        };
        let fits = !content.is_empty()
            && content.iter().all(|block| block.get("type").is_some_and(Value::is_string));
        fits.then_some(())?;
        Some(Sampled { role: text("role")?, content, model: text("model"), stop_reason: text("stopReason") })
    }

    /// The client's roots. None: there is no answer, or none that fits.
    #[must_use]
    pub fn roots(&self, key: &str) -> Option<Vec<Root>> {
        Vec::deserialize(self.get(key)?.get("roots")?).ok()
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
