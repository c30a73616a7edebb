//! What a client says that it can be asked: its `capabilities`, as MCP's `ClientCapabilities`.

use serde_json::{Map, Value, json};

use super::Kind;
use crate::domain::InputRequest;

/// What these requests need of a client beyond what it declares, as `ClientCapabilities`. None: nothing.
pub fn undeclared(asked: &[InputRequest], declared: &Value) -> Option<Value> {
    let mut lacking = Map::new();
    for request in asked {
        let Some(kind) = Kind::of(&request.kind) else { continue };
        match kind {
            Kind::Form if !forms(declared) => need(&mut lacking, "elicitation", Some("form")),
            Kind::Website if declared.pointer("/elicitation/url").is_none() => {
                need(&mut lacking, "elicitation", Some("url"));
            }
            Kind::Sampling if !declared["sampling"].is_object() => need(&mut lacking, "sampling", None),
            Kind::Sampling
                if uses_tools(&request.params) && declared.pointer("/sampling/tools").is_none() =>
            {
                need(&mut lacking, "sampling", Some("tools"));
            }
            Kind::Roots if !declared["roots"].is_object() => need(&mut lacking, "roots", None),
            Kind::Form | Kind::Website | Kind::Sampling | Kind::Roots => {}
        }
    }
    (!lacking.is_empty()).then(|| lacking.into())
}

/// Whether what runs in the background can ask this client: it answers by `tasks/update`, which only clients know that
/// declare the tasks extension (SEP-2663).
pub fn knows_tasks(declared: &Value) -> bool {
    declared.pointer("/extensions/io.modelcontextprotocol~1tasks").is_some()
}

/// An empty `elicitation` means forms (specification 2025-11-25, `client/elicitation`, "Capabilities").
fn forms(declared: &Value) -> bool {
    match &declared["elicitation"] {
        Value::Object(modes) => modes.contains_key("form") || !modes.contains_key("url"),
        _ => false,
    }
}

fn uses_tools(params: &Value) -> bool {
    let in_message = |message: &Value| {
        let tool = |block: &Value| block["type"] == "tool_use" || block["type"] == "tool_result";
        match &message["content"] {
            Value::Array(blocks) => blocks.iter().any(tool),
            one => tool(one),
        }
    };
    params.get("tools").is_some()
        || params["messages"].as_array().is_some_and(|messages| messages.iter().any(in_message))
}

fn need(lacking: &mut Map<String, Value>, what: &str, part: Option<&str>) {
    let needed = lacking.entry(what).or_insert_with(|| json!({}));
    if let Some(part) = part {
        needed[part] = json!({});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &str, params: Value) -> InputRequest {
        InputRequest { key: "k".into(), kind: kind.into(), params }
    }

    #[test]
    fn what_a_client_does_not_declare_is_named() {
        let tool = json!({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]});
        for (request, declared, lacking) in [
            (asked("elicitation-form", json!({})), json!({"elicitation": {}}), None),
            (asked("elicitation-form", json!({})), json!({"elicitation": {"form": {}}}), None),
            (
                asked("elicitation-form", json!({})),
                json!({"elicitation": {"url": {}}}),
                Some(json!({"elicitation": {"form": {}}})),
            ),
            (asked("elicitation-form", json!({})), json!({}), Some(json!({"elicitation": {"form": {}}}))),
            (
                asked("elicitation-url", json!({})),
                json!({"elicitation": {}}),
                Some(json!({"elicitation": {"url": {}}})),
            ),
            (asked("elicitation-url", json!({})), json!({"elicitation": {"url": {}}}), None),
            (asked("sampling", json!({})), json!({"sampling": {}}), None),
            (asked("sampling", json!({})), json!({"sampling": null}), Some(json!({"sampling": {}}))),
            (
                asked("sampling", json!({"tools": []})),
                json!({"sampling": {}}),
                Some(json!({"sampling": {"tools": {}}})),
            ),
            (
                asked("sampling", tool.clone()),
                json!({"sampling": {}}),
                Some(json!({"sampling": {"tools": {}}})),
            ),
            (asked("sampling", tool), json!({"sampling": {"tools": {}}}), None),
            (asked("roots", json!({})), json!({"roots": {"listChanged": true}}), None),
            (asked("roots", json!({})), Value::Null, Some(json!({"roots": {}}))),
        ] {
            assert_eq!(
                undeclared(std::slice::from_ref(&request), &declared),
                lacking,
                "{request:?} of {declared}"
            );
        }
        let all =
            ["elicitation-form", "elicitation-url", "sampling", "roots"].map(|kind| asked(kind, json!({})));
        assert_eq!(
            undeclared(&all, &json!({})),
            Some(json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}))
        );
    }
}
