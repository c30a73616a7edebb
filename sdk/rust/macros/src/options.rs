//! The keys inside `#[tool(...)]`, checked.

use proc_macro2::Span;
use serde_json::{Map, Value};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, Path, Result};

use crate::about::About;
use crate::keys::{self, flag, requires, text, value};
use crate::value::Literal;

const KEYS: [&str; 19] = [
    "requires",
    "title",
    "name",
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "opt_in",
    "verbatim",
    "timeout",
    "secret",
    "audit",
    "task",
    "asks_first",
    "reach",
    "input_schema",
    "output_schema",
    "icons",
    "meta",
];

/// What stands in the attribute.
#[derive(Default)]
pub(crate) struct Options {
    /// Part of the tool list and not of the manifest.
    pub(crate) about: About,
    /// Instead of the schema of the argument.
    pub(crate) input_schema: Option<Path>,
    /// Instead of the schema of what is returned.
    pub(crate) output_schema: Option<Path>,
    /// The manifest entry, without the name. Holds the keys that were given and no others.
    pub(crate) entry: Map<String, Value>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        keys::read(input, "tool", &KEYS, |key, name, input| options.take(key, name, input))?;
        options.finish()
    }
}

impl Options {
    fn take(&mut self, key: &Ident, name: &str, input: ParseStream<'_>) -> Result<()> {
        const SCHEMA: &str =
            "the name of a schema: a constant with JSON or a function that returns a `Value`";
        match name {
            "requires" => self.put(name, requires(value(key, input)?)?),
            "read_only" | "destructive" | "idempotent" | "open_world" | "opt_in" | "verbatim"
            | "asks_first" => {
                self.put(name, flag(name, input)?);
            }
            "timeout" => self.put(name, timeout(value(key, input)?)?),
            "secret" | "audit" => self.put(name, pointers(name, value(key, input)?)?),
            "task" => self.put(name, task(value(key, input)?)?),
            "reach" => self.put(name, reach(value(key, input)?)?),
            "input_schema" => self.input_schema = Some(keys::path(key, input, SCHEMA)?),
            "output_schema" => self.output_schema = Some(keys::path(key, input, SCHEMA)?),
            _ => self.about.take("tool", name, value(key, input)?)?,
        }
        Ok(())
    }

    fn put(&mut self, key: &str, value: Value) {
        self.entry.insert(key.to_owned(), value);
    }

    fn finish(self) -> Result<Self> {
        if !self.entry.contains_key("requires") {
            return Err(keys::nobody("tool", "call this tool"));
        }
        let is = |key: &str| self.entry.get(key) == Some(&Value::Bool(true));
        if is("read_only") && is("destructive") {
            return Err(Error::new(
                Span::call_site(),
                "a tool cannot be `read_only` and `destructive`: what changes nothing destroys nothing",
            ));
        }
        Ok(self)
    }
}

fn timeout(literal: Literal) -> Result<Value> {
    let span = literal.span;
    let wrong = || {
        Error::new(span, "expected a duration with its unit: timeout = \"500ms\", \"330s\", \"5m\" or \"1h\"")
    };
    let text = text(literal, "a duration").map_err(|_| wrong())?;
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - unit.len()];
    if !matches!(unit, "ms" | "s" | "m" | "h") || !digits.bytes().any(|digit| digit != b'0') {
        return Err(wrong());
    }
    Ok(Value::String(text))
}

fn pointers(name: &str, literal: Literal) -> Result<Value> {
    let pointer = |pointer: &Value| {
        pointer.as_str().is_some_and(|pointer| pointer.starts_with('/') && pointer.len() > 1)
    };
    match literal.value {
        Value::Array(pointers) if !pointers.is_empty() && pointers.iter().all(pointer) => {
            Ok(Value::Array(pointers))
        }
        one if pointer(&one) => Ok(Value::Array(vec![one])),
        _ => Err(Error::new(
            literal.span,
            format!("expected JSON pointers to arguments: {name} = [\"/host\"]"),
        )),
    }
}

fn task(literal: Literal) -> Result<Value> {
    match literal.value.as_str() {
        Some("optional" | "required") => Ok(literal.value),
        _ => Err(Error::new(literal.span, "expected task = \"optional\" or task = \"required\"")),
    }
}

/// What a capability understands is the host's to check; here it is only a table for each.
fn reach(literal: Literal) -> Result<Value> {
    let wrong = "expected a table for each capability: reach = { \"http.api\" = { methods = [\"POST\"], paths = [\"/v2/**\"] } }";
    match &literal.value {
        Value::Object(capabilities)
            if !capabilities.is_empty()
                && capabilities.iter().all(|(name, table)| name.contains('.') && table.is_object()) =>
        {
            Ok(literal.value)
        }
        _ => Err(Error::new(literal.span, wrong)),
    }
}
