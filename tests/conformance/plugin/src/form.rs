//! What came back for a form, as the fixtures need it.

use fleetgate_sdk::prelude::*;
use serde::de::DeserializeOwned;

/// An answer that can be worked with.
pub(crate) enum Filled<T> {
    /// What the person wrote.
    In(T),
    /// What the person chose instead: to decline, or to close it.
    Not(&'static str),
}

/// The answer to the form of this key. None: there is none that fits, so the fixture asks (again). The suite sends
/// numbers, null and unknown keys where answers should be and expects to be asked once more, not to be told off.
pub(crate) fn filled<T: DeserializeOwned>(key: &str) -> Option<Filled<T>> {
    match call::answers().form(key) {
        Answer::Accepted(content) => Some(Filled::In(content)),
        Answer::Declined => Some(Filled::Not("declined")),
        Answer::Cancelled => Some(Filled::Not("dismissed")),
        Answer::Missing => None,
    }
}

/// The answer to the request of this key, if it is an object.
pub(crate) fn answered(key: &str) -> Option<Value> {
    call::answers().get(key).filter(|value| value.is_object()).cloned()
}

/// The state of the question, if it is one of ours.
pub(crate) fn state<T: DeserializeOwned>() -> Option<T> {
    call::answers().state().ok()?
}

/// What the client's model said. Its content is one block, or several in versions since 2025-11-25.
pub(crate) fn sampled(message: &Value) -> String {
    let blocks = match &message["content"] {
        Value::Array(blocks) => blocks.clone(),
        block => vec![block.clone()],
    };
    blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
}

/// A request to the client's model.
pub(crate) fn prompt(text: &str, most: u32) -> Value {
    json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": text } }], "maxTokens": most })
}
