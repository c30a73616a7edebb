//! What a request carries besides its path: query and body merged into one map, as Phoenix does it.
//!
//! Queries nest with brackets (`filters[tags]=a`, `list[]=a`), percent-encoded or not. A body counts only if
//! its content type is JSON or a form; where query and body name the same key, the body wins.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

/// The merged parameters of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(pub(crate) Map<String, Value>);

/// A query or body that cannot be read; answered 400 before anything else is looked at.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl Params {
    pub(crate) fn read(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Self, Unreadable> {
        let mut params = parse_form(query.unwrap_or_default())?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
            params.extend(parse_json(body)?);
        } else if kind == "application/x-www-form-urlencoded" {
            params.extend(parse_form(std::str::from_utf8(body).map_err(|_| Unreadable)?)?);
        }
        Ok(Self(params))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }
}

/// A document that is not an object arrives under `_json`.
fn parse_json(body: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body).map_err(|_| Unreadable)? {
        Value::Object(map) => Ok(map),
        other => Ok(Map::from_iter([("_json".to_owned(), other)])),
    }
}

fn parse_form(text: &str) -> Result<Map<String, Value>, Unreadable> {
    let mut root = Value::Object(Map::new());
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key)?, decode(value)?);
        insert(&mut root, &steps(&key), Value::String(value));
    }
    match root {
        Value::Object(map) => Ok(map),
        _ => Err(Unreadable),
    }
}

fn decode(text: &str) -> Result<String, Unreadable> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('%') {
        let digits = bytes.get(at + 1..at + 3).ok_or(Unreadable)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Unreadable);
        }
    }
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().map(|text| text.into_owned()).map_err(|_| Unreadable)
}

/// `filters[tags]` is `filters`, `tags`; `list[]` is `list` and an empty step; anything odd is one plain key.
fn steps(key: &str) -> Vec<&str> {
    let Some((head, rest)) = key.split_once('[') else { return vec![key] };
    let Some(rest) = rest.strip_suffix(']') else { return vec![key] };
    if head.is_empty() {
        return vec![key];
    }
    std::iter::once(head).chain(rest.split("][")).collect()
}

fn insert(at: &mut Value, steps: &[&str], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *at = value;
        return;
    };
    if step.is_empty() {
        if !at.is_array() {
            *at = Value::Array(Vec::new());
        }
        if let Value::Array(list) = at {
            list.push(Value::Null);
            if let Some(last) = list.last_mut() {
                insert(last, rest, value);
            }
        }
    } else {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        insert(&mut at[*step], rest, value);
    }
}

/// A segment of the path, decoded. The router only matches a route whose segments are all there.
pub(crate) fn segment<'a>(path: &'a HashMap<String, String>, name: &str) -> &'a str {
    path.get(name).map(String::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_nest_whether_percent_encoded_or_not() {
        let expected =
            json!({"filters": {"tags": "a,b c", "x": ""}, "list": ["1", "2"], "page": "3", "flag": ""});
        for query in [
            "filters[tags]=a,b+c&filters[x]=&list[]=1&list[]=2&page=3&flag",
            "filters%5Btags%5D=a%2Cb%20c&filters%5Bx%5D=&list%5B%5D=1&list%5B%5D=2&page=3&flag",
        ] {
            assert_eq!(Value::Object(parse_form(query).unwrap()), expected, "{query}");
        }
    }

    #[test]
    fn a_broken_percent_sequence_is_unreadable() {
        for query in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert!(parse_form(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_body_without_a_content_type_is_not_looked_at() {
        let params = Params::read(None, &HeaderMap::new(), br#"{"uuid":"x"}"#).unwrap();
        assert!(params.0.is_empty());
    }
}
