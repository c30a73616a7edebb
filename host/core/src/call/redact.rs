//! What of a call's arguments goes into the audit record: only what the manifest names.

use serde_json::{Map, Value};

/// The longest text that a record keeps of one argument.
const MAX_TEXT: usize = 1 << 10;
/// The largest list or object that a record keeps of one argument, as JSON text.
const MAX_JSON: usize = 4 << 10;

/// The named arguments, by pointer without its leading slash. What is absent is left out; what is large is cut and
/// says so.
pub(super) fn recorded(arguments: &Value, pointers: &[String]) -> Map<String, Value> {
    pointers
        .iter()
        .filter_map(|pointer| {
            let value = arguments.pointer(pointer)?;
            Some((pointer.trim_start_matches('/').to_owned(), bounded(value)))
        })
        .collect()
}

fn bounded(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let kept = &text[..text.floor_char_boundary(MAX_TEXT)];
            format!("{kept}… ({} bytes)", text.len()).into()
        }
        Value::Array(_) | Value::Object(_) => {
            let length = value.to_string().len();
            if length > MAX_JSON { format!("({length} bytes of JSON)").into() } else { value.clone() }
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_named_arguments_are_recorded() {
        let arguments = json!({"identifier": "sn-1", "password": "hunter2", "deep": {"er": [1]}});
        let pointers = ["/identifier".into(), "/deep/er".into(), "/absent".into()];
        assert_eq!(
            Value::from(recorded(&arguments, &pointers)),
            json!({"identifier": "sn-1", "deep/er": [1]})
        );
    }

    #[test]
    fn a_large_argument_is_cut_and_says_so() {
        let long = "ä".repeat(2_000);
        let kept = recorded(&json!({ "a": long }), &["/a".into()]);
        let text = kept["a"].as_str().expect("text");
        assert!(text.len() < 1_100 && text.ends_with("(4000 bytes)"), "{text}");
    }
}
