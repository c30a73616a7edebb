//! Masks what leaves a guest for the values of its call's secret arguments.
//!
//! A guest cannot have them from the host. But a caller may have said the same text in another argument, and an
//! upstream may have said it in a way that no mask finds on the way in.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::{Content, Fault, Outcome, Question, ToolResult};
use crate::mask::{MASKED, Mask};

/// A tool's outcome.
pub(crate) fn outcome(mask: &Mask, outcome: &mut Outcome) {
    match outcome {
        Outcome::Done(returned) => result(mask, returned),
        Outcome::Ask(asked) => question(mask, asked),
    }
}

fn result(mask: &Mask, result: &mut ToolResult) {
    result.content.iter_mut().for_each(|block| content(mask, block));
    [&mut result.meta, &mut result.extra].into_iter().flatten().for_each(|value| json(mask, value));
    if let Some(hidden) = result.structured.as_ref().and_then(|structured| structured_text(mask, structured))
    {
        result.structured = Some(hidden);
    }
}

/// JSON text without the values. None: it holds none, and is left as it is: number formats, order, spacing.
///
/// Any character can be written as `\u0063`, so that a text with a backslash in it is looked at as what it means.
fn structured_text(mask: &Mask, text: &RawValue) -> Option<Box<RawValue>> {
    let found = mask.finds(text.get().as_bytes());
    if !found && !text.get().contains('\\') {
        return None;
    }
    let hidden = match serde_json::from_str(text.get()) {
        Ok(mut value) if found || holds(mask, &value) => {
            json(mask, &mut value);
            serde_json::value::to_raw_value(&value).ok()
        }
        Ok(_) => return None,
        // Nested too deep to be looked at.
        Err(_) => None,
    };
    Some(hidden.unwrap_or_else(|| RawValue::NULL.to_owned()))
}

/// Whether a text or a name within is or has a value.
fn holds(mask: &Mask, value: &Value) -> bool {
    match value {
        Value::String(text) => mask.finds(text.as_bytes()),
        Value::Array(items) => items.iter().any(|item| holds(mask, item)),
        Value::Object(map) => map.iter().any(|(key, item)| mask.finds(key.as_bytes()) || holds(mask, item)),
        Value::Number(_) | Value::Null | Value::Bool(_) => false,
    }
}

fn content(mask: &Mask, block: &mut Content) {
    let Content { kind, text, data, mime_type, uri, meta, extra } = block;
    string(mask, kind);
    [text, mime_type, uri].into_iter().flatten().for_each(|text| string(mask, text));
    if let Some(data) = data
        && mask.finds(data)
    {
        *data = mask.replace_bytes(data);
    }
    [meta, extra].into_iter().flatten().for_each(|value| json(mask, value));
}

fn question(mask: &Mask, question: &mut Question) {
    for request in &mut question.requests {
        string(mask, &mut request.key);
        json(mask, &mut request.params);
    }
    if let Some(state) = &mut question.state
        && mask.finds(state)
    {
        *state = mask.replace_bytes(state);
    }
}

/// A fault.
pub(crate) fn fault(mask: &Mask, mut fault: Fault) -> Fault {
    string(mask, &mut fault.code);
    string(mask, &mut fault.message);
    if let Some(field) = &mut fault.field {
        string(mask, field);
    }
    if let Some(details) = &mut fault.details {
        json(mask, details);
    }
    fault
}

/// A text.
pub(crate) fn string(mask: &Mask, text: &mut String) {
    if mask.finds(text.as_bytes()) {
        *text = mask.replace(text);
    }
}

/// Texts and names within, and a number that is a value as a whole: parts of numbers are equal by chance.
pub(crate) fn json(mask: &Mask, value: &mut Value) {
    match value {
        Value::String(text) => string(mask, text),
        Value::Number(number) => {
            if mask.replace(&number.to_string()).as_bytes() == MASKED {
                *value = Value::String(String::from_utf8_lossy(MASKED).into_owned());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| json(mask, item)),
        Value::Object(map) => {
            map.values_mut().for_each(|item| json(mask, item));
            if map.keys().any(|key| mask.finds(key.as_bytes())) {
                *map =
                    std::mem::take(map).into_iter().map(|(key, item)| (mask.replace(&key), item)).collect();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::InputRequest;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    const VALUE: &str = "c4n4ry/p4ss w0rd";

    #[test]
    fn every_part_of_a_result_is_masked() {
        let mask = Mask::new([VALUE]).expect("long enough");
        let encoded = STANDARD.encode(format!("user:{VALUE}"));
        let said = json!({ "a": [VALUE, { VALUE: encoded }], "b": 1.5 });
        let block = Content {
            kind: VALUE.into(),
            text: Some(format!("it is {VALUE}")),
            data: Some(format!("\0{VALUE}\0").into_bytes()),
            mime_type: Some(VALUE.into()),
            uri: Some("x://c4n4ry%2Fp4ss%20w0rd".into()),
            meta: Some(said.clone()),
            extra: Some(said.clone()),
        };
        let mut done = Outcome::Done(ToolResult {
            content: vec![block],
            structured: Some(serde_json::value::to_raw_value(&said).expect("JSON")),
            is_error: true,
            meta: Some(said.clone()),
            extra: Some(said.clone()),
        });
        outcome(&mask, &mut done);
        let Outcome::Done(done) = done else { panic!("it was done") };
        let shown = format!("{done:?}{}", done.structured.as_ref().expect("structured").get());
        assert!(!mask.finds(shown.as_bytes()) && !shown.contains("c4n4ry"), "{shown}");
        assert_eq!(done.content[0].text.as_deref(), Some("it is [masked]"));
        assert_eq!(done.content[0].data.as_deref(), Some(&b"\0[masked]\0"[..]));

        let requests = vec![InputRequest { key: VALUE.into(), kind: "roots".into(), params: said.clone() }];
        let mut asked = Outcome::Ask(Question { requests, state: Some(VALUE.as_bytes().to_vec()) });
        outcome(&mask, &mut asked);
        assert!(!format!("{asked:?}").contains("c4n4ry"), "{asked:?}");
        let Outcome::Ask(Question { state, .. }) = asked else { panic!("it asked") };
        assert_eq!(state.as_deref(), Some(MASKED), "nor is it sealed");

        let told = Fault { details: Some(said), ..Fault::new(VALUE, VALUE).at(VALUE) };
        assert!(!format!("{:?}", fault(&mask, told)).contains("c4n4ry"));
    }

    #[test]
    fn a_value_that_is_written_with_escapes_is_found() {
        let mask = Mask::new([VALUE]).expect("long enough");
        let hidden = |text: &str| {
            let structured = RawValue::from_string(text.into()).expect("JSON");
            let mut done =
                Outcome::Done(ToolResult { structured: Some(structured), ..ToolResult::default() });
            outcome(&mask, &mut done);
            let Outcome::Done(done) = done else { panic!("it was done") };
            done.structured.expect("structured").get().to_owned()
        };
        let every: String = VALUE.chars().map(|c| format!("\\u{:04X}", c as u32)).collect();
        for written in [every.as_str(), r"c4n4ry\/p4ss w0rd", r"\u0063\u0034n4ry/p4ss\u0020w0rd", VALUE] {
            for text in [format!(r#"{{"a":["{written}"]}}"#), format!(r#"{{"{written}":1}}"#)] {
                let read = hidden(&text);
                assert!(
                    read.contains("[masked]") && !read.contains("4n4ry") && !read.contains("u0063"),
                    "{read}"
                );
            }
        }
        let harmless = r#"{ "line": "one\ntwo \u00e9", "n": 1.50 }"#;
        assert_eq!(hidden(harmless), harmless);
        let deep = format!("{}\"{every}\"{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(hidden(&deep), "null", "what cannot be looked at is not passed on");
    }

    #[test]
    fn json_that_holds_no_value_is_left_as_it_is() {
        let mask = Mask::new(["1234"]).expect("long enough");
        let mut done = Outcome::Done(ToolResult {
            structured: Some(RawValue::from_string(r#"{ "n": 1.50 }"#.into()).expect("JSON")),
            ..ToolResult::default()
        });
        outcome(&mask, &mut done);
        let Outcome::Done(done) = done else { panic!("it was done") };
        assert_eq!(done.structured.expect("structured").get(), r#"{ "n": 1.50 }"#);
        let mut value = json!({"port": 1234, "time": 17_123_456, "text": "x1234y"});
        super::json(&mask, &mut value);
        assert_eq!(value, json!({"port": "[masked]", "time": 17_123_456, "text": "x[masked]y"}));
    }
}
