//! The schema of a form: flat, and with choices as an elicitation spells them.
//!
//! MCP 2025-11-25, `PrimitiveSchemaDefinition`: text, numbers, flags, and choices of one (`oneOf` of `const` and
//! `title` beside `type: "string"`) or several (`items.anyOf`).

use serde_json::{Map, Value, json};

/// Formats that an elicitation may name.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// From the schema of a struct.
pub(super) fn of(mut schema: Value) -> Value {
    let mut form = Map::from_iter([("type".to_owned(), Value::from("object"))]);
    let mut properties = schema.get_mut("properties").map_or_else(|| json!({}), Value::take);
    for (_, property) in properties.as_object_mut().into_iter().flatten() {
        let Value::Object(property) = property else { continue };
        if property.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
            property.shift_remove("format");
        }
        if let Some(choices) = property.get("oneOf").and_then(choices) {
            property.insert("type".to_owned(), Value::from("string"));
            property.insert("oneOf".to_owned(), choices);
        }
        if let Some(choices) = property.get("items").and_then(|items| items.get("oneOf")).and_then(choices) {
            property.insert("items".to_owned(), json!({ "anyOf": choices }));
        }
    }
    form.insert("properties".to_owned(), properties);
    if let Some(required) = schema.get_mut("required") {
        form.insert("required".to_owned(), required.take());
    }
    Value::Object(form)
}

/// The variants of an enum with doc comments: what the variant is to people is its title. Those without come first.
fn choices(cases: &Value) -> Option<Value> {
    let mut choices = Vec::new();
    for case in cases.as_array()? {
        let title = case.get("title").or_else(|| case.get("description")).and_then(Value::as_str);
        let values = match (case.get("const"), case.get("enum")) {
            (Some(one), None) => vec![one],
            (None, Some(several)) => several.as_array()?.iter().collect(),
            _ => return None,
        };
        for value in values {
            let value = value.as_str()?;
            choices.push(json!({ "const": value, "title": title.unwrap_or(value) }));
        }
    }
    Some(Value::from(choices))
}
