//! The keys inside `#[tool(...)]`, checked.

use proc_macro2::Span;
use serde_json::{Map, Value};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, Result, Token};

use crate::value::{Literal, comma};

const KEYS: [&str; 15] = [
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
];

/// What stands in the attribute.
pub(crate) struct Options {
    /// Instead of the function's name.
    pub(crate) name: Option<String>,
    /// For people. Part of the tool list and not of the manifest.
    pub(crate) title: Option<String>,
    /// The manifest entry, without `name`. Holds the keys that were given and no others.
    pub(crate) entry: Map<String, Value>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self { name: None, title: None, entry: Map::new() };
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            let key = Ident::parse_any(input).map_err(|error| {
                Error::new(error.span(), format!("expected a key of #[tool]: {}", KEYS.join(", ")))
            })?;
            let name = key.to_string();
            if seen.contains(&name) {
                return Err(Error::new(key.span(), format!("`{name}` stands here twice")));
            }
            options.take(&key, &name, input)?;
            seen.push(name);
            comma(input)?;
        }
        options.finish()
    }
}

impl Options {
    fn take(&mut self, key: &Ident, name: &str, input: ParseStream<'_>) -> Result<()> {
        match name {
            "name" => self.name = Some(tool_name(value(key, input)?)?),
            "title" => self.title = Some(text(value(key, input)?, "a name for people")?),
            "requires" => self.put(name, requires(value(key, input)?)?),
            "read_only" | "destructive" | "idempotent" | "open_world" | "opt_in" | "verbatim"
            | "asks_first" => {
                self.put(name, flag(name, input)?);
            }
            "timeout" => self.put(name, timeout(value(key, input)?)?),
            "secret" | "audit" => self.put(name, pointers(name, value(key, input)?)?),
            "task" => self.put(name, task(value(key, input)?)?),
            "reach" => self.put(name, reach(value(key, input)?)?),
            _ => return Err(unknown(key, name)),
        }
        Ok(())
    }

    fn put(&mut self, key: &str, value: Value) {
        self.entry.insert(key.to_owned(), value);
    }

    fn finish(self) -> Result<Self> {
        if !self.entry.contains_key("requires") {
            return Err(Error::new(
                Span::call_site(),
                "say who may call this tool: #[tool(requires = \"role\")], requires = [\"one\", \"two\"] for all of \
                 them, or requires = \"any\" for everybody who was authenticated",
            ));
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

fn unknown(key: &Ident, name: &str) -> Error {
    let nearest = KEYS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&name.replace('-', "_").to_lowercase(), known), known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 3);
    let hint = match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("#[tool] takes {}", KEYS.join(", ")),
    };
    Error::new(key.span(), format!("`{name}` is unknown; {hint}"))
}

fn value(key: &Ident, input: ParseStream<'_>) -> Result<Literal> {
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), format!("`{key}` needs a value: {key} = …")));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

/// `read_only`, `read_only = true`, `read_only = false`.
fn flag(name: &str, input: ParseStream<'_>) -> Result<Value> {
    if !input.peek(Token![=]) {
        return Ok(Value::Bool(true));
    }
    input.parse::<Token![=]>()?;
    let literal = input.parse::<Literal>()?;
    match literal.value {
        Value::Bool(_) => Ok(literal.value),
        _ => Err(Error::new(literal.span, format!("`{name}` is a flag: write `{name}` or `{name} = false`"))),
    }
}

fn text(literal: Literal, what: &str) -> Result<String> {
    match literal.value {
        Value::String(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(Error::new(literal.span, format!("expected {what}, in quotes"))),
    }
}

/// The rule of the interface: 1 to 64 characters of `[A-Za-z0-9_.-]`.
pub(crate) fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn tool_name(literal: Literal) -> Result<String> {
    let span = literal.span;
    let name = text(literal, "a name for programs")?;
    if is_tool_name(&name) {
        return Ok(name);
    }
    Err(Error::new(span, "a tool's name has 1 to 64 characters, letters, digits, `_`, `.` and `-`"))
}

fn requires(literal: Literal) -> Result<Value> {
    let role = |role: &Value| {
        role.as_str().is_some_and(|role| {
            !role.is_empty() && !role.chars().any(|c| c.is_whitespace() || c.is_control())
        })
    };
    match &literal.value {
        Value::Array(roles) if roles.is_empty() => Err(Error::new(
            literal.span,
            "an empty list would let everybody in; write requires = \"any\" if that is meant",
        )),
        Value::Array(roles) if roles.iter().any(|role| role == "any") => {
            Err(Error::new(literal.span, "`any` stands alone: requires = \"any\""))
        }
        Value::Array(roles) if roles.iter().all(role) => Ok(literal.value),
        one if role(one) => Ok(literal.value),
        _ => Err(Error::new(
            literal.span,
            "expected a role: requires = \"role\", [\"one\", \"two\"] or \"any\"",
        )),
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
