//! Forms: the `requestedSchema` of an elicitation, a flat object of primitive fields (specification 2026-07-28,
//! `client/elicitation`, "Requested Schema"). Read once into [`Form`], which knows whether an answer fits; what a
//! client gets is rebuilt from the keywords that MCP knows, in the order in which the plugin wrote them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use url::Url;

use super::secrets;
use crate::text::clean;

/// The most fields of a form.
const MAX_FIELDS: usize = 32;
/// The most choices of a field.
const MAX_CHOICES: usize = 256;
/// The longest name of a field, in bytes.
const MAX_NAME: usize = 128;
/// The longest title, description, choice or default, in bytes.
const MAX_TEXT: usize = 1 << 10;
/// The longest text that a person may answer with, in bytes.
const MAX_ANSWER: usize = 64 << 10;

/// A form that may be shown to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// In the order in which to ask for them.
    pub fields: Vec<Field>,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Must be given.
    pub required: bool,
    /// What is given where the person says nothing else.
    pub default: Option<Value>,
    /// What can be given.
    pub kind: FieldKind,
}

/// What can be given in a field.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum FieldKind {
    /// Text. Lengths in characters.
    Text { least: Option<u64>, most: Option<u64>, format: Option<TextFormat> },
    /// A number.
    Number { whole: bool, least: Option<f64>, most: Option<f64> },
    /// Yes or no.
    Flag,
    /// One of these.
    One(Vec<Choice>),
    /// Some of these, each once.
    Some { of: Vec<Choice>, least: Option<u64>, most: Option<u64> },
}

/// What a text must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TextFormat {
    Email,
    Uri,
    Date,
    DateTime,
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// For programs.
    pub value: String,
    /// For people; the value where there is none.
    pub title: String,
}

impl Form {
    /// The form of a request that passed the check. None: it is another kind of request.
    pub fn of(params: &Value) -> Option<Self> {
        Some(Self::read(params.get("requestedSchema")?).ok()?.0)
    }

    /// Reads a schema, and rebuilds it from what forms know. The error is the rest of a sentence.
    pub(super) fn read(schema: &Value) -> Result<(Self, Value), String> {
        let Value::Object(schema) = schema else { return Err("the form's schema is not an object".into()) };
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err("the form's schema is not of type object".into());
        }
        let known =
            ["$schema", "type", "title", "description", "properties", "required", "additionalProperties"];
        if let Some(key) = schema.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("a form's schema has no {}", shown(key)));
        }
        let empty = Map::new();
        let properties = match schema.get("properties") {
            None => &empty,
            Some(Value::Object(properties)) => properties,
            Some(_) => return Err("the form's properties are not an object".into()),
        };
        if properties.len() > MAX_FIELDS {
            return Err(format!("the form has {} fields; at most {MAX_FIELDS}", properties.len()));
        }
        let required = required(schema.get("required"), properties)?;
        let mut rebuilt = Map::new();
        let mut form = Self { fields: Vec::new() };
        for (name, schema) in properties {
            let (field, schema) = field(name, schema, required.contains(&name.as_str()))
                .map_err(|why| format!("the field {}: {why}", shown(name)))?;
            rebuilt.insert(name.clone(), schema.into());
            form.fields.push(field);
        }
        let mut whole = Map::new();
        whole.insert("type".into(), "object".into());
        for key in ["title", "description"] {
            if let Some(text) = text(schema, key)? {
                whole.insert(key.into(), text.into());
            }
        }
        whole.insert("properties".into(), rebuilt.into());
        if !required.is_empty() {
            whole.insert("required".into(), required.into());
        }
        Ok((form, whole.into()))
    }

    /// The words by which this form asks for a secret, if it does. Yes and no, and what is chosen among given things,
    /// are no secrets; but where something can be typed in, whatever stands above it counts too.
    pub(super) fn asks_for_secret(&self, above: &[&str]) -> Option<String> {
        let mut typed = self
            .fields
            .iter()
            .filter(|field| matches!(field.kind, FieldKind::Text { .. } | FieldKind::Number { .. }))
            .peekable();
        typed.peek()?;
        above.iter().find_map(|text| secrets::asked_for(text)).or_else(|| {
            typed.find_map(|field| {
                let texts = [Some(&field.name), field.title.as_ref(), field.description.as_ref()];
                texts.into_iter().flatten().find_map(|text| secrets::asked_for(text))
            })
        })
    }

    /// What of a person's answer is for the plugin: the fields of this form. None: it does not fit.
    pub fn fitting(&self, content: &Map<String, Value>) -> Option<Map<String, Value>> {
        let mut fitting = Map::new();
        for field in &self.fields {
            match content.get(&field.name) {
                None if field.required => return None,
                None => {}
                Some(value) if field.kind.allows(value) => {
                    fitting.insert(field.name.clone(), value.clone());
                }
                Some(_) => return None,
            }
        }
        Some(fitting)
    }
}

impl FieldKind {
    /// Whether a value can be given here.
    pub fn allows(&self, value: &Value) -> bool {
        match self {
            Self::Text { least, most, format } => value.as_str().is_some_and(|text| {
                let length = text.chars().count() as u64;
                text.len() <= MAX_ANSWER
                    && least.is_none_or(|least| length >= least)
                    && most.is_none_or(|most| length <= most)
                    && format.is_none_or(|format| format.fits(text))
            }),
            Self::Number { whole, least, most } => value.as_f64().is_some_and(|number| {
                (!whole || value.is_i64() || value.is_u64() || number.fract() == 0.0)
                    && least.is_none_or(|least| number >= least)
                    && most.is_none_or(|most| number <= most)
            }),
            Self::Flag => value.is_boolean(),
            Self::One(of) => value.as_str().is_some_and(|value| knows(of, value)),
            Self::Some { of, least, most } => value.as_array().is_some_and(|items| {
                let count = items.len() as u64;
                items.len() <= of.len()
                    && items.iter().all(|item| item.as_str().is_some_and(|value| knows(of, value)))
                    && items.iter().enumerate().all(|(at, item)| !items[..at].contains(item))
                    && least.is_none_or(|least| count >= least)
                    && most.is_none_or(|most| count <= most)
            }),
        }
    }
}

impl TextFormat {
    fn of(word: &str) -> Result<Self, String> {
        Ok(match word {
            "email" => Self::Email,
            "uri" => Self::Uri,
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "password" => return Err(SECRET.into()),
            other => {
                return Err(format!(
                    "forms know the formats email, uri, date and date-time, not {}",
                    shown(other)
                ));
            }
        })
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::Email => text.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            }),
            Self::Uri => Url::parse(text).is_ok(),
            Self::Date => text.parse::<Date>().is_ok(),
            Self::DateTime => text.parse::<Timestamp>().is_ok(),
        }
    }
}

/// Said of a field that hides what is typed in.
const SECRET: &str = "a form must not ask for a password or another secret";

fn knows(of: &[Choice], value: &str) -> bool {
    of.iter().any(|choice| choice.value == value)
}

fn shown(text: &str) -> String {
    crate::diagnostic::quoted(&clean(text))
}

fn required<'a>(list: Option<&'a Value>, properties: &Map<String, Value>) -> Result<Vec<&'a str>, String> {
    let names = match list {
        None => return Ok(Vec::new()),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        Some(_) => None,
    };
    let names = names.ok_or("the form's required is not a list of names")?;
    match names.iter().find(|name| !properties.contains_key(**name)) {
        Some(unknown) => Err(format!("the form requires {}, which is none of its fields", shown(unknown))),
        None if names.len() > properties.len() => Err("the form's required names a field twice".into()),
        None => Ok(names),
    }
}

/// A text of a schema, cleaned.
fn text(schema: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match schema.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_TEXT => Ok(Some(clean(text).into_owned())),
        Some(Value::String(_)) => Err(format!("its {key} is longer than 1 KiB")),
        Some(_) => Err(format!("its {key} is not text")),
    }
}

fn count(schema: &Map<String, Value>, key: &str) -> Result<Option<u64>, String> {
    match schema.get(key) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("its {key} is not a count")),
    }
}

fn number(schema: &Map<String, Value>, key: &str) -> Result<Option<f64>, String> {
    match schema.get(key) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("its {key} is not a number")),
    }
}

/// Reads one field, and rebuilds its schema.
fn field(name: &str, schema: &Value, required: bool) -> Result<(Field, Map<String, Value>), String> {
    if name.is_empty() || name.len() > MAX_NAME || clean(name) != name {
        return Err("a name has 1 to 128 bytes, none of them invisible".into());
    }
    let Value::Object(schema) = schema else { return Err("its schema is not an object".into()) };
    if schema.get("writeOnly") == Some(&Value::Bool(true)) {
        return Err(SECRET.into());
    }
    let (kind, keys) = kind(schema)?;
    // Written by generators of schemas, and nothing that a person would see.
    let passed_over =
        ["format", "uniqueItems", "writeOnly", "readOnly", "$comment", "examples", "deprecated"];
    let everywhere = ["type", "title", "description", "default"];
    let mut rebuilt = Map::new();
    for (key, value) in schema {
        if keys.contains(&key.as_str()) || everywhere.contains(&key.as_str()) {
            rebuilt.insert(key.clone(), value.clone());
        } else if !passed_over.contains(&key.as_str()) {
            return Err(format!("forms know no {} there", shown(key)));
        }
    }
    let (title, description) = (text(schema, "title")?, text(schema, "description")?);
    for (key, text) in [("title", &title), ("description", &description)] {
        if let Some(text) = text {
            rebuilt.insert(key.into(), text.as_str().into());
        }
    }
    rebuild_choices(&mut rebuilt, &kind);
    let default = schema.get("default").filter(|default| !default.is_null()).cloned();
    if default.as_ref().is_some_and(|default| !kind.allows(default) || default.to_string().len() > MAX_TEXT) {
        return Err("its default cannot be given".into());
    }
    // It stands in the form as if the person had written it.
    if default.as_ref().and_then(Value::as_str).is_some_and(|text| clean(text) != text) {
        return Err("its default holds what nobody would see".into());
    }
    if default.is_none() {
        rebuilt.shift_remove("default");
    }
    Ok((Field { name: name.to_owned(), title, description, required, default, kind }, rebuilt))
}

/// What can be given, and the keywords that say it.
fn kind(schema: &Map<String, Value>) -> Result<(FieldKind, &'static [&'static str]), String> {
    let word = match schema.get("type") {
        Some(Value::String(word)) => word.as_str(),
        Some(_) => return Err("a field has one type".into()),
        None => return Err("it has no type".into()),
    };
    Ok(match word {
        "string" if schema.contains_key("enum") => {
            let of = values(schema.get("enum"), schema.get("enumNames"))?;
            (FieldKind::One(of), &["enum", "enumNames"])
        }
        "string" if schema.contains_key("oneOf") => {
            (FieldKind::One(titled(schema.get("oneOf"))?), &["oneOf"])
        }
        "string" => {
            let (least, most) = (count(schema, "minLength")?, count(schema, "maxLength")?);
            in_order(least, most)?;
            let format = match schema.get("format") {
                None => None,
                Some(Value::String(word)) => Some(TextFormat::of(word)?),
                Some(_) => return Err("its format is not text".into()),
            };
            (FieldKind::Text { least, most, format }, &["minLength", "maxLength", "format"])
        }
        "number" | "integer" => {
            let (least, most) = (number(schema, "minimum")?, number(schema, "maximum")?);
            in_order(least, most)?;
            (FieldKind::Number { whole: word == "integer", least, most }, &["minimum", "maximum"])
        }
        "boolean" => (FieldKind::Flag, &[]),
        "array" => {
            let Some(Value::Object(items)) = schema.get("items") else {
                return Err("a list needs items to choose from".into());
            };
            let of = match items.get("anyOf") {
                Some(any) => titled(Some(any))?,
                None => values(items.get("enum"), None)?,
            };
            let (least, most) = (count(schema, "minItems")?, count(schema, "maxItems")?);
            in_order(least, most)?;
            (FieldKind::Some { of, least, most }, &["items", "minItems", "maxItems"])
        }
        other => {
            let known = "a field is a string, number, integer, boolean or a list of choices";
            return Err(format!("{known}, not {}", shown(other)));
        }
    })
}

fn in_order<T: PartialOrd>(least: Option<T>, most: Option<T>) -> Result<(), String> {
    match (least, most) {
        (Some(least), Some(most)) if least > most => Err("nothing is between its bounds".into()),
        _ => Ok(()),
    }
}

fn bounded(of: Vec<Choice>) -> Result<Vec<Choice>, String> {
    if of.is_empty() || of.len() > MAX_CHOICES {
        return Err(format!("1 to {MAX_CHOICES} things can be chosen from"));
    }
    let texts = || of.iter().flat_map(|choice| [&choice.value, &choice.title]);
    if texts().any(|text| text.len() > MAX_TEXT) {
        return Err("a choice is longer than 1 KiB".into());
    }
    // A value comes back as it was sent, so it cannot be made visible: it must be so by itself.
    if of.iter().any(|choice| clean(&choice.value) != choice.value) {
        return Err("a choice has characters that hide or reorder text".into());
    }
    Ok(of)
}

/// `enum`, with `enumNames` where there are any.
fn values(list: Option<&Value>, names: Option<&Value>) -> Result<Vec<Choice>, String> {
    let texts = |list: &Value| -> Option<Vec<String>> {
        list.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let values = list.and_then(texts).ok_or("its enum is not a list of texts")?;
    let titles = match names {
        None => values.clone(),
        Some(names) => texts(names)
            .filter(|names| names.len() == values.len())
            .ok_or("its enumNames are not one text for each choice")?,
    };
    let choice = |(value, title): (String, String)| Choice { value, title: clean(&title).into_owned() };
    bounded(values.into_iter().zip(titles).map(choice).collect())
}

/// `oneOf` and `anyOf`: `{ "const": …, "title": … }` each.
fn titled(list: Option<&Value>) -> Result<Vec<Choice>, String> {
    let choice = |item: &Value| {
        let value = item.get("const")?.as_str()?.to_owned();
        let title = item.get("title").or_else(|| item.get("description")).and_then(Value::as_str);
        let title = clean(title.unwrap_or(&value)).into_owned();
        Some(Choice { value, title })
    };
    let choices = list.and_then(|list| list.as_array()?.iter().map(choice).collect::<Option<Vec<_>>>());
    bounded(choices.ok_or("each of its choices needs a const and a title, both text")?)
}

/// Choices as they were read: cleaned, with a title each where there are titles, and nothing else.
fn rebuild_choices(schema: &mut Map<String, Value>, kind: &FieldKind) {
    let pairs = |of: &[Choice]| -> Value {
        of.iter().map(|choice| serde_json::json!({ "const": choice.value, "title": choice.title })).collect()
    };
    match kind {
        FieldKind::One(of) => {
            if let Some(one_of) = schema.get_mut("oneOf") {
                *one_of = pairs(of);
            }
            if let Some(names) = schema.get_mut("enumNames") {
                *names = of.iter().map(|choice| Value::from(choice.title.as_str())).collect();
            }
        }
        FieldKind::Some { of, .. } => {
            if let Some(items) = schema.get_mut("items") {
                *items = match items.get("anyOf") {
                    Some(_) => serde_json::json!({ "anyOf": pairs(of) }),
                    None => serde_json::json!({
                        "type": "string",
                        "enum": of.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>(),
                    }),
                };
            }
        }
        FieldKind::Text { .. } | FieldKind::Number { .. } | FieldKind::Flag => {}
    }
}
