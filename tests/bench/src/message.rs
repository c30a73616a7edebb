//! What the clients say, and whether the answers are right. Requests of protocol version 2026-07-28: no handshake, each
//! stands alone.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

/// The protocol version of every request.
pub const VERSION: &str = "2026-07-28";

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"fleetgate-bench","version":"0.1.0"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A call of the greeting tool.
pub fn call(id: u64, tool: &str, name: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{{"name":"{name}"}},{META}}}}}"#
    )
}

/// A call of a tool without arguments.
pub fn bare_call(id: u64, tool: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{{}},{META}}}}}"#
    )
}

/// A call of any tool.
pub fn any_call(id: u64, tool: &str, arguments: &Value) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},{META}}}}}"#
    )
}

/// The list of tools.
pub fn list(id: u64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{{META}}}}}"#)
}

#[derive(Deserialize)]
struct Answer<'a> {
    id: u64,
    #[serde(borrow)]
    result: Option<Outcome<'a>>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
    #[serde(default, rename = "isError")]
    is_error: bool,
    #[serde(borrow, default)]
    tools: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// Whether this is the answer to [`call`].
pub fn greets(body: &[u8], id: u64, name: &str) -> bool {
    let Some(Answer { id: answered, result: Some(outcome) }) = read(body) else { return false };
    let greeting =
        outcome.content.first().and_then(|block| block.text.strip_prefix("Hello, ")?.strip_suffix('!'));
    answered == id && !outcome.is_error && greeting == Some(name)
}

/// Whether this says that the tool of [`bare_call`] was ended.
pub fn ended(body: &[u8], id: u64) -> bool {
    matches!(read(body), Some(Answer { id: answered, result: Some(outcome) }) if answered == id && outcome.is_error)
}

/// Whether this is a list with exactly that tool.
pub fn lists(body: &[u8], id: u64, tool: &str) -> bool {
    let Some(Answer { id: answered, result: Some(outcome) }) = read(body) else { return false };
    answered == id && matches!(outcome.tools.as_slice(), [only] if only.name == tool)
}

/// The structured result of a tool that succeeded.
pub fn structured(body: &[u8]) -> Option<Value> {
    let text = last_message(body)?;
    let mut answer: Value = serde_json::from_str(text).ok()?;
    let result = answer.get_mut("result").filter(|result| result["isError"] != true)?;
    result.get_mut("structuredContent").map(Value::take)
}

/// A JSON body, or the last message of an event stream.
fn read(body: &[u8]) -> Option<Answer<'_>> {
    serde_json::from_str(last_message(body)?).ok()
}

fn last_message(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    if text.starts_with('{') {
        return Some(text);
    }
    let mut data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.rfind(|data| !data.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"Hello, Ada!"}],"isError":false}}"#;

    #[test]
    fn requests_are_json() {
        for text in
            [call(1, "greet", "Ada"), bare_call(1, "spin"), any_call(1, "read", &Value::Null), list(1)]
        {
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(value["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], VERSION);
        }
    }

    #[test]
    fn the_right_answer_is_known_as_json_and_as_an_event_stream() {
        assert!(greets(RIGHT.as_bytes(), 7, "Ada"));
        let stream = format!("data: \nid: 0\nretry: 3000\n\ndata: {RIGHT}\n\n");
        assert!(greets(stream.as_bytes(), 7, "Ada"));
    }

    #[test]
    fn another_id_another_name_an_error_or_nothing_is_a_wrong_answer() {
        assert!(!greets(RIGHT.as_bytes(), 8, "Ada"));
        assert!(!greets(RIGHT.as_bytes(), 7, "Bob"));
        assert!(!greets(RIGHT.replace("false", "true").as_bytes(), 7, "Ada"));
        assert!(!greets(br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no"}}"#, 7, "Ada"));
        assert!(!greets(b"", 7, "Ada"));
    }

    #[test]
    fn a_structured_result_is_that_of_a_tool_that_succeeded() {
        let said = |error: bool| {
            let answer =
                format!(r#"{{"id":1,"result":{{"structuredContent":{{"a":1}},"isError":{error}}}}}"#);
            format!("data: {answer}\n\n")
        };
        assert_eq!(structured(said(false).as_bytes()), Some(serde_json::json!({"a": 1})));
        assert_eq!(structured(said(true).as_bytes()), None);
    }

    #[test]
    fn a_list_has_exactly_the_tool() {
        let list = br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"greet","inputSchema":{}}]}}"#;
        assert!(lists(list, 1, "greet"));
        assert!(!lists(list, 1, "other"));
        assert!(!lists(br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#, 1, "greet"));
    }
}
