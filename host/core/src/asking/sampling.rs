//! A question to the client's own model: the parameters of `sampling/createMessage`, rebuilt from what MCP knows. The
//! client shows them to a person where it has one; that person reads who asks in the system prompt.

use serde_json::{Map, Value, json};

use crate::text::{clean, clean_json};

/// The most messages.
const MAX_MESSAGES: usize = 64;
/// The most blocks of one message.
const MAX_BLOCKS: usize = 32;
/// The longest system prompt, in bytes.
const MAX_PROMPT: usize = 16 << 10;
/// The most sequences that end an answer, and the longest, in bytes.
const MAX_STOPS: (usize, usize) = (16, 256);
/// The most tools that the model may be offered.
const MAX_TOOLS: usize = 64;

/// What a client gets of a plugin's parameters. `who` stands before the system prompt. The error is the rest of a
/// sentence.
pub(super) fn rebuilt(params: &Value, who: &str, most_tokens: u32) -> Result<Value, String> {
    let Value::Object(params) = params else { return Err("the parameters are not an object".into()) };
    let mut rebuilt = Map::new();
    rebuilt.insert("messages".into(), messages(params.get("messages"))?);
    let asked = params.get("maxTokens").and_then(Value::as_u64).filter(|tokens| *tokens > 0);
    let asked = asked.ok_or("maxTokens must say how long the answer may be")?;
    rebuilt.insert("maxTokens".into(), asked.min(most_tokens.into()).into());
    let prompt = match params.get("systemPrompt") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(prompt)) if prompt.len() <= MAX_PROMPT => format!("\n\n{}", clean(prompt)),
        Some(_) => return Err("the systemPrompt is not a text of at most 16 KiB".into()),
    };
    rebuilt.insert("systemPrompt".into(), format!("{who}{prompt}").into());
    if let Some(temperature) = params.get("temperature").filter(|value| !value.is_null()) {
        let fits = temperature.as_f64().is_some_and(|value| (0.0..=10.0).contains(&value));
        rebuilt.insert(
            "temperature".into(),
            fits.then(|| temperature.clone()).ok_or("the temperature is not one")?,
        );
    }
    if let Some(stops) = params.get("stopSequences").filter(|value| !value.is_null()) {
        let short = |stop: &Value| stop.as_str().is_some_and(|stop| stop.len() <= MAX_STOPS.1);
        let fits =
            stops.as_array().is_some_and(|stops| stops.len() <= MAX_STOPS.0 && stops.iter().all(short));
        rebuilt.insert(
            "stopSequences".into(),
            fits.then(|| stops.clone()).ok_or("the stopSequences are not such")?,
        );
    }
    if let Some(preferences) = params.get("modelPreferences").filter(|value| !value.is_null()) {
        rebuilt.insert("modelPreferences".into(), preferred(preferences)?);
    }
    if let Some(tools) = params.get("tools").filter(|value| !value.is_null()) {
        let fits = tools
            .as_array()
            .is_some_and(|tools| tools.len() <= MAX_TOOLS && tools.iter().all(Value::is_object));
        let mut tools = fits.then(|| tools.clone()).ok_or("the tools are not at most 64 objects")?;
        clean_json(&mut tools);
        rebuilt.insert("tools".into(), tools);
        if let Some(mode) = params.get("toolChoice").and_then(|choice| choice.get("mode")) {
            let known = ["auto", "required", "none"].into_iter().find(|known| mode == known);
            let mode = known.ok_or("the toolChoice is neither auto, required nor none")?;
            rebuilt.insert("toolChoice".into(), json!({ "mode": mode }));
        }
    }
    Ok(rebuilt.into())
}

fn preferred(preferences: &Value) -> Result<Value, String> {
    let wrong = "the modelPreferences are not such";
    let Value::Object(given) = preferences else { return Err(wrong.into()) };
    let mut rebuilt = Map::new();
    if let Some(hints) = given.get("hints") {
        let name = |hint: &Value| Some(json!({ "name": clean(hint.get("name")?.as_str()?) }));
        let hints = hints.as_array().filter(|hints| hints.len() <= 16).ok_or(wrong)?;
        rebuilt.insert("hints".into(), hints.iter().map(name).collect::<Option<Value>>().ok_or(wrong)?);
    }
    for key in ["costPriority", "speedPriority", "intelligencePriority"] {
        if let Some(value) = given.get(key) {
            let fits = value.as_f64().is_some_and(|value| (0.0..=1.0).contains(&value));
            rebuilt.insert(key.into(), fits.then(|| value.clone()).ok_or(wrong)?);
        }
    }
    Ok(rebuilt.into())
}

fn messages(messages: Option<&Value>) -> Result<Value, String> {
    let messages = messages.and_then(Value::as_array).ok_or("the messages are not a list")?;
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        return Err(format!("1 to {MAX_MESSAGES} messages can be sent"));
    }
    messages
        .iter()
        .map(|message| {
            let mut rebuilt = message_of(message).ok_or("a message is not one: it has a role and content")?;
            clean_json(&mut rebuilt);
            Ok(rebuilt)
        })
        .collect()
}

/// Role and content of a message, and nothing else. None: it is no message.
pub(super) fn message_of(message: &Value) -> Option<Value> {
    let role = message.get("role").filter(|role| *role == "user" || *role == "assistant")?;
    let content = match message.get("content")? {
        Value::Array(blocks) if (1..=MAX_BLOCKS).contains(&blocks.len()) => {
            blocks.iter().map(block).collect::<Option<Value>>()?
        }
        one => block(one)?,
    };
    Some(json!({ "role": role, "content": content }))
}

/// One block of content with the keys of its type.
fn block(block: &Value) -> Option<Value> {
    let text = |key: &str| block.get(key).filter(|value| value.is_string());
    let keys: &[&str] = match block.get("type")?.as_str()? {
        "text" => {
            text("text")?;
            &["type", "text"]
        }
        "image" | "audio" => {
            text("data")?;
            text("mimeType")?;
            &["type", "data", "mimeType"]
        }
        "tool_use" => {
            text("id")?;
            text("name")?;
            block.get("input")?.as_object()?;
            &["type", "id", "name", "input"]
        }
        "tool_result" => {
            text("toolUseId")?;
            block.get("content")?.as_array()?;
            &["type", "toolUseId", "content", "structuredContent", "isError"]
        }
        _ => return None,
    };
    let kept = keys.iter().filter_map(|key| Some(((*key).to_owned(), block.get(*key)?.clone())));
    Some(kept.collect::<Map<_, _>>().into())
}
