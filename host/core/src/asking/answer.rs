//! What a client answers. It is as hostile as arguments are: only what was asked for is read, each by its kind, and
//! rebuilt from the keys that MCP knows. What is missing or wrong is left out, so that the guest asks for it again; a
//! guest is never called with an answer that does not fit its question.

use serde_json::{Map, Value, json};
use url::Url;

use super::form::Form;
use super::{Kind, sampling};
use crate::domain::InputRequest;

/// The largest answer to one request, as JSON text.
const MAX_ANSWER: usize = 1 << 20;
/// The same for all of one question together.
const MAX_ANSWERS: usize = 4 << 20;
/// The most roots, and the longest of their URIs and names, in bytes.
const MAX_ROOTS: (usize, usize) = (256, 4 << 10);
/// The longest name of a model or of a reason to stop, in bytes.
const MAX_NAME: usize = 256;

/// The answers to these requests, in the order in which they were asked. Keys that were not asked for are passed over.
pub fn answers(asked: &[InputRequest], given: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut room = MAX_ANSWERS;
    asked
        .iter()
        .filter_map(|request| {
            let given = given.get(&request.key)?;
            let length = given.to_string().len();
            if length > MAX_ANSWER || length > room {
                return None;
            }
            let answer = match Kind::of(&request.kind)? {
                Kind::Form => filled_in(&request.params, given)?,
                Kind::Website => json!({ "action": action(given)? }),
                Kind::Sampling => sampled(given)?,
                Kind::Roots => roots(given)?,
            };
            room -= length;
            Some((request.key.clone(), answer))
        })
        .collect()
}

fn action(given: &Value) -> Option<&str> {
    given.get("action")?.as_str().filter(|action| ["accept", "decline", "cancel"].contains(action))
}

fn filled_in(params: &Value, given: &Value) -> Option<Value> {
    let action = action(given)?;
    if action != "accept" {
        return Some(json!({ "action": action }));
    }
    let form = Form::of(params)?;
    let nothing = Map::new();
    let content = match given.get("content") {
        None | Some(Value::Null) => &nothing,
        Some(content) => content.as_object()?,
    };
    Some(json!({ "action": action, "content": form.fitting(content)? }))
}

fn sampled(given: &Value) -> Option<Value> {
    let name = |key: &str| given.get(key)?.as_str().filter(|name| name.len() <= MAX_NAME);
    let mut answer = sampling::message_of(given)?;
    answer["model"] = name("model")?.into();
    match given.get("stopReason") {
        None | Some(Value::Null) => {}
        Some(_) => answer["stopReason"] = name("stopReason")?.into(),
    }
    Some(answer)
}

fn roots(given: &Value) -> Option<Value> {
    let roots = given.get("roots")?.as_array().filter(|roots| roots.len() <= MAX_ROOTS.0)?;
    let short = |text: &&str| text.len() <= MAX_ROOTS.1;
    let root = |root: &Value| {
        let uri = root.get("uri")?.as_str().filter(short)?;
        // Roots are files (specification, `client/roots`, "Root").
        Url::parse(uri).ok().filter(|url| url.scheme() == "file")?;
        let mut kept = json!({ "uri": uri });
        match root.get("name") {
            None | Some(Value::Null) => {}
            Some(name) => kept["name"] = name.as_str().filter(short)?.into(),
        }
        Some(kept)
    };
    Some(json!({ "roots": roots.iter().map(root).collect::<Option<Value>>()? }))
}
