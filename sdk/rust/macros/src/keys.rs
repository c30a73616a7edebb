//! `key = value, flag, …` inside an attribute, and the values that more than one attribute knows.

use proc_macro2::Span;
use serde_json::Value;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Ident, Path, Result, Token};

use crate::value::{Literal, comma};

/// Reads all keys of an attribute. `take` gets each one that is known and stands there for the first time.
pub(crate) fn read(
    input: ParseStream<'_>,
    attribute: &str,
    known: &[&str],
    mut take: impl FnMut(&Ident, &str, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen: Vec<String> = Vec::new();
    while !input.is_empty() {
        let key = Ident::parse_any(input).map_err(|error| {
            Error::new(error.span(), format!("expected a key of #[{attribute}]: {}", known.join(", ")))
        })?;
        let name = key.to_string();
        if seen.contains(&name) {
            return Err(Error::new(key.span(), format!("`{name}` stands here twice")));
        }
        if !known.contains(&name.as_str()) {
            return Err(unknown(&key, &format!("#[{attribute}]"), known));
        }
        take(&key, &name, input)?;
        seen.push(name);
        comma(input)?;
    }
    Ok(())
}

/// Names the word that was meant, or all of them.
pub(crate) fn unknown(word: &Ident, place: &str, known: &[&str]) -> Error {
    let name = word.to_string();
    let nearest = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&name.replace('-', "_").to_lowercase(), known), known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 3);
    let hint = match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("{place} takes {}", known.join(", ")),
    };
    Error::new(word.span(), format!("`{name}` is unknown; {hint}"))
}

fn equals(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), format!("`{key}` needs a value: {key} = …")));
    }
    input.parse::<Token![=]>().map(drop)
}

/// `= literal`
pub(crate) fn value(key: &Ident, input: ParseStream<'_>) -> Result<Literal> {
    equals(key, input)?;
    input.parse()
}

/// `= path::to::something`
pub(crate) fn path(key: &Ident, input: ParseStream<'_>, what: &str) -> Result<Path> {
    equals(key, input)?;
    input.call(Path::parse_mod_style).map_err(|error| Error::new(error.span(), format!("expected {what}")))
}

/// `read_only`, `read_only = true`, `read_only = false`.
pub(crate) fn flag(name: &str, input: ParseStream<'_>) -> Result<Value> {
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

/// Text that says something.
pub(crate) fn text(literal: Literal, what: &str) -> Result<String> {
    match literal.value {
        Value::String(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(Error::new(literal.span, format!("expected {what}, in quotes"))),
    }
}

/// The interface's rule for tools and prompts: 1 to 64 characters of `[A-Za-z0-9_.-]`.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Roles, as the manifest takes them.
pub(crate) fn requires(literal: Literal) -> Result<Value> {
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

/// Nobody is named who may have it.
pub(crate) fn nobody(attribute: &str, what: &str) -> Error {
    Error::new(
        Span::call_site(),
        format!(
            "say who may {what}: #[{attribute}(requires = \"role\")], requires = [\"one\", \"two\"] for all of \
             them, or requires = \"any\" for everybody who was authenticated"
        ),
    )
}
