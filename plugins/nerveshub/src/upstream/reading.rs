//! Lenient reading of what NervesHub answers.
//!
//! Servers differ: the published OpenAPI document says that `online` is a boolean and `tags` a string, the code
//! says a word and a list; older and newer versions leave fields out or add some. So every field is read by
//! itself: what is missing, null or of another type is "not known" and never a failure of the whole answer.

use serde_json::Value;

/// A text that is there and not empty. Numbers are taken as their decimal text.
pub fn text(object: &Value, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A boolean, also when it is written as a word.
pub fn flag(object: &Value, key: &str) -> Option<bool> {
    match object.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) if word == "true" => Some(true),
        Value::String(word) if word == "false" => Some(false),
        _ => None,
    }
}

/// A count, also when it is written as a text.
pub fn count(object: &Value, key: &str) -> Option<u64> {
    match object.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// A list of words: an array, a text with commas, or nothing.
pub fn words(object: &Value, key: &str) -> Vec<String> {
    match object.get(key) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(list)) => {
            list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// An object inside an object.
pub fn inner<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| value.is_object())
}

/// An instant as RFC 3339 text. NervesHub writes some with a space in the middle, and `never` for none.
pub fn instant(object: &Value, key: &str) -> Option<String> {
    let text = text(object, key)?;
    if text == "never" {
        return None;
    }
    let mut characters: Vec<char> = text.chars().collect();
    if characters.len() > 10 && characters[10] == ' ' {
        characters[10] = 'T';
    }
    Some(characters.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_read_from_a_list_a_text_and_null() {
        assert_eq!(words(&json!({"tags": ["a", "b"]}), "tags"), ["a", "b"]);
        assert_eq!(words(&json!({"tags": "a, b,"}), "tags"), ["a", "b"]);
        assert!(words(&json!({"tags": null}), "tags").is_empty());
        assert!(words(&json!({}), "tags").is_empty());
        assert_eq!(words(&json!({"tags": ["a", 7, null]}), "tags"), ["a"]);
    }

    #[test]
    fn a_field_of_another_type_is_not_known_instead_of_an_error() {
        let odd = json!({"name": {"x": 1}, "deleted": 3, "count": "many", "group": []});
        assert_eq!(text(&odd, "name"), None);
        assert_eq!(flag(&odd, "deleted"), None);
        assert_eq!(count(&odd, "count"), None);
        assert!(inner(&odd, "group").is_none());
    }

    #[test]
    fn numbers_and_words_stand_for_each_other_where_servers_differ() {
        assert_eq!(text(&json!({"id": 12}), "id").as_deref(), Some("12"));
        assert_eq!(count(&json!({"n": "12"}), "n"), Some(12));
        assert_eq!(flag(&json!({"f": "true"}), "f"), Some(true));
        assert_eq!(flag(&json!({"f": "false"}), "f"), Some(false));
    }

    #[test]
    fn instants_become_rfc_3339_and_never_becomes_none() {
        let read = |value| instant(&json!({ "at": value }), "at");
        assert_eq!(
            read(json!("2026-08-20 10:11:12.123456Z")).as_deref(),
            Some("2026-08-20T10:11:12.123456Z")
        );
        assert_eq!(read(json!("2026-08-20T10:11:12Z")).as_deref(), Some("2026-08-20T10:11:12Z"));
        assert_eq!(read(json!("never")), None);
        assert_eq!(read(json!(null)), None);
    }
}
