//! Text from plugins and upstreams is hostile: what it could hide or forge is made visible.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character can hide or reorder text, or steer a terminal: control characters but for tab and line
/// feed, bidi controls, zero-width and invisible characters, tag characters, and the line and paragraph separators
/// that some readers take for a line's end.
pub(crate) fn hostile(c: char) -> bool {
    match c {
        '\t' | '\n' => false,
        '\r' => true,
        c if c.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// The text with such characters as visible escapes (`\u{202e}`). `\r\n` becomes `\n`. Borrowed when nothing is to
/// be done.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hostile) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            c if hostile(c) => {
                // Writing to a string cannot fail.
                let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(c));
            }
            c => cleaned.push(c),
        }
    }
    Cow::Owned(cleaned)
}

/// The same for every text within a JSON value, keys too.
pub fn clean_json(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => {
            if let Cow::Owned(cleaned) = clean(text) {
                *text = cleaned;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean_json),
        Value::Object(map) => {
            if map.keys().any(|key| matches!(clean(key), Cow::Owned(_))) {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, value)| (clean(&key).into_owned(), value))
                    .collect();
            }
            map.values_mut().for_each(clean_json);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_in_any_language_is_left_alone() {
        for text in ["plain", "tab\tand\nlines", "Grüße, 東京, שלום, 👩‍🚀?".replace('\u{200d}', "").as_str()]
        {
            assert!(matches!(clean(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn what_hides_or_forges_becomes_visible() {
        for (text, seen) in [
            ("a\u{202e}b", "a\\u{202e}b"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("over\rwrite", "over\\u{d}write"),
            ("windows\r\nline", "windows\nline"),
            ("bom\u{feff}", "bom\\u{feff}"),
            ("c1\u{9b}31m", "c1\\u{9b}31m"),
        ] {
            assert_eq!(clean(text), seen);
        }
    }

    #[test]
    fn keys_and_values_of_json_are_cleaned() {
        let mut value = serde_json::json!({"k\u{200b}": ["v\u{202e}", {"n": 1}]});
        clean_json(&mut value);
        assert_eq!(value, serde_json::json!({"k\\u{200b}": ["v\\u{202e}", {"n": 1}]}));
    }
}
