//! Strict validation: each field of a body or a query by its type, and every complaint at once, as an array of
//! `{loc, msg, type, input, url}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::errors::ApiError;

/// An object that is being validated.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    complaints: Vec<Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(object: &'a Map<String, Value>) -> Self {
        Self { object, complaints: Vec::new() }
    }

    /// The complaints, if there are any.
    pub(crate) fn check(self) -> Result<(), ApiError> {
        if self.complaints.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.complaints)) }
    }

    pub(crate) fn complain(&mut self, loc: Value, kind: &str, message: &str, input: Value) {
        self.complaints.push(json!({
            "loc": loc,
            "msg": message,
            "type": kind,
            "input": input,
            "url": format!("https://errors.pydantic.dev/2.12/v/{kind}"),
        }));
    }

    /// A rule of the server's own.
    pub(crate) fn refuse(&mut self, name: &str, message: &str) {
        let input = self.object.get(name).cloned().unwrap_or_default();
        self.complain(json!([name]), "value_error", &format!("Value error, {message}"), input);
    }

    /// The value of a field that must be there. What is missing is told with the whole object around the hole,
    /// secrets and all, as the validator does it.
    fn required(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.object.get(name);
        if value.is_none() {
            let whole = Value::Object(self.object.clone());
            self.complain(json!([name]), "missing", "Field required", whole);
        }
        value
    }

    /// The value of a field that may be missing or null.
    fn optional(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn required_text(&mut self, name: &str) -> Option<String> {
        let value = self.required(name)?;
        self.text(json!([name]), value)
    }

    pub(crate) fn optional_text(&mut self, name: &str) -> Option<String> {
        let value = self.optional(name)?;
        self.text(json!([name]), value)
    }

    fn text(&mut self, loc: Value, value: &Value) -> Option<String> {
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.complain(loc, "string_type", "Input should be a valid string", value.clone());
        }
        text
    }

    pub(crate) fn required_texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.required(name)?;
        self.texts(name, value)
    }

    pub(crate) fn optional_texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.optional(name)?;
        self.texts(name, value)
    }

    fn texts(&mut self, name: &str, value: &Value) -> Option<Vec<String>> {
        let Some(list) = value.as_array() else {
            self.complain(json!([name]), "list_type", "Input should be a valid list", value.clone());
            return None;
        };
        let texts: Vec<_> =
            list.iter().enumerate().map(|(at, item)| self.text(json!([name, at]), item)).collect();
        texts.into_iter().collect()
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.object.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.complain(json!([name]), "bool_type", "Input should be a valid boolean", other.clone());
                false
            }
        }
    }

    /// An integer within limits, or the default.
    pub(crate) fn integer(&mut self, name: &str, default: i64, least: i64, most: i64) -> i64 {
        let Some(value) = self.object.get(name) else { return default };
        match value.as_i64() {
            None => {
                self.complain(json!([name]), "int_type", "Input should be a valid integer", value.clone());
                default
            }
            Some(number) => self.within(name, number, least, most, default),
        }
    }

    /// The same from the text of a query.
    pub(crate) fn parsed_integer(&mut self, name: &str, default: i64, least: i64, most: i64) -> i64 {
        let Some(value) = self.object.get(name) else { return default };
        match value.as_str().and_then(|text| text.trim().parse().ok()) {
            None => {
                let message = "Input should be a valid integer, unable to parse string as an integer";
                self.complain(json!([name]), "int_parsing", message, value.clone());
                default
            }
            Some(number) => self.within(name, number, least, most, default),
        }
    }

    fn within(&mut self, name: &str, number: i64, least: i64, most: i64, default: i64) -> i64 {
        let (kind, limit, words) = match number {
            low if low < least => ("greater_than_equal", least, "greater"),
            high if high > most => ("less_than_equal", most, "less"),
            _ => return number,
        };
        let input = self.object.get(name).cloned().unwrap_or_default();
        self.complain(
            json!([name]),
            kind,
            &format!("Input should be {words} than or equal to {limit}"),
            input,
        );
        default
    }

    /// Seconds, at least one.
    pub(crate) fn seconds(&mut self, name: &str, default: f64) -> f64 {
        let Some(value) = self.object.get(name) else { return default };
        match value.as_f64() {
            Some(number) if number >= 1.0 => number,
            Some(_) => {
                let message = "Input should be greater than or equal to 1";
                self.complain(json!([name]), "greater_than_equal", message, value.clone());
                default
            }
            None => {
                self.complain(json!([name]), "float_type", "Input should be a valid number", value.clone());
                default
            }
        }
    }

    /// One of some words.
    pub(crate) fn choice(&mut self, name: &str, choices: &[&str]) -> Option<String> {
        let value = self.optional(name)?;
        let text = value.as_str().filter(|text| choices.contains(text)).map(str::to_owned);
        if text.is_none() {
            let quoted: Vec<String> = choices.iter().map(|choice| format!("'{choice}'")).collect();
            let expected = match quoted.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                _ => quoted.concat(),
            };
            let message = format!("Input should be {expected}");
            self.complain(json!([name]), "literal_error", &message, value.clone());
        }
        text
    }

    pub(crate) fn optional_map(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let value = self.optional(name)?;
        let Some(map) = value.as_object() else {
            self.complain(json!([name]), "dict_type", "Input should be a valid dictionary", value.clone());
            return None;
        };
        let pairs: Vec<_> = map
            .iter()
            .map(|(key, value)| self.text(json!([name, key]), value).map(|text| (key.clone(), text)))
            .collect();
        pairs.into_iter().collect()
    }
}
