//! A tool as `#[tool]` describes it, and the way from its JSON arguments to its outcome.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;

use crate::outcome::ToolReturn;
use crate::schema::{self, Direction};
use crate::{Fault, IntoOutcome, JsonSchema, Outcome};

/// A tool. `#[tool]` implements it for a type that has the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    note = "put #[fleetgate_sdk::tool(requires = \"…\")] above the function"
)]
pub trait Tool {
    /// Unique within the plugin.
    const NAME: &'static str;
    /// For people.
    const TITLE: Option<&'static str>;
    /// The function's doc comment.
    const DESCRIPTION: &'static str;
    /// `_meta`, as JSON.
    const META: Option<&'static str>;
    /// Icons, as JSON.
    const EXTRA: Option<&'static str>;
    /// The manifest entry: one line of JSON and a line feed.
    const MANIFEST: &'static str;

    /// JSON Schema of the arguments.
    ///
    /// # Errors
    /// `internal` when the arguments are not an object.
    fn input_schema() -> Result<Value, Fault>;

    /// JSON Schema of the structured result, when the tool always returns one.
    ///
    /// # Errors
    /// `internal` when the author's own schema is not JSON.
    fn output_schema() -> Result<Option<Value>, Fault>;

    /// Runs it.
    ///
    /// # Errors
    /// `invalid-arguments` when the arguments do not fit, and whatever the tool answers.
    fn run(arguments: &str) -> Result<Outcome, Fault>;
}

/// The schema of a tool's arguments.
#[doc(hidden)]
pub fn input_schema<A: JsonSchema>() -> Result<Value, Fault> {
    let schema = schema::of::<A>(Direction::Input);
    if schema::is_object(&schema) {
        return Ok(schema);
    }
    let name = A::schema_name();
    Err(Fault::internal(format!(
        "`{name}` cannot be a tool's arguments: it is not an object in JSON. Use a struct."
    )))
}

/// A schema that its author wrote: JSON as text, or a function that makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no schema",
    note = "name a `const SCHEMA: &str` with JSON, or a `fn() -> Value`"
)]
pub trait RawSchema {
    /// The schema.
    ///
    /// # Errors
    /// `internal` when it is not JSON.
    fn into_schema(self) -> Result<Value, Fault>;
}

impl RawSchema for &str {
    fn into_schema(self) -> Result<Value, Fault> {
        serde_json::from_str(self).map_err(|error| Fault::internal(format!("A schema is not JSON: {error}")))
    }
}

impl<F: Fn() -> Value> RawSchema for F {
    fn into_schema(self) -> Result<Value, Fault> {
        Ok(self())
    }
}

#[doc(hidden)]
pub fn raw_schema(schema: impl RawSchema) -> Result<Value, Fault> {
    schema.into_schema()
}

/// The schema of no arguments.
#[doc(hidden)]
pub fn no_arguments() -> Result<Value, Fault> {
    Ok(json!({ "type": "object", "properties": {}, "additionalProperties": false }))
}

#[doc(hidden)]
pub fn output_schema_with<A, R: ToolReturn>(_: fn(A) -> R) -> Option<Value> {
    R::Ok::output_schema()
}

#[doc(hidden)]
pub fn output_schema_without<R: ToolReturn>(_: fn() -> R) -> Option<Value> {
    R::Ok::output_schema()
}

#[doc(hidden)]
pub fn run_with<A: DeserializeOwned, R: ToolReturn>(
    tool: fn(A) -> R,
    arguments: &str,
) -> Result<Outcome, Fault> {
    tool(parse(arguments)?).into_result()?.into_outcome()
}

#[doc(hidden)]
pub fn run_without<R: ToolReturn>(tool: fn() -> R, arguments: &str) -> Result<Outcome, Fault> {
    let given: serde_json::Map<String, Value> = parse(arguments)?;
    if let Some(name) = given.keys().next() {
        return Err(Fault::invalid(pointer([name.as_str()]), "This tool takes no arguments."));
    }
    tool().into_result()?.into_outcome()
}

/// The host has validated the arguments against the schema; what slipped through (a schema that says less than
/// serde) is a fault that names the field.
pub(crate) fn parse<A: DeserializeOwned>(arguments: &str) -> Result<A, Fault> {
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    // From bytes, as answers over HTTP are: types that are in both are compiled once.
    let mut deserializer = serde_json::Deserializer::from_slice(arguments.as_bytes());
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(unfit)?;
    match deserializer.end() {
        Ok(()) => Ok(parsed),
        Err(_) => Err(Fault::custom("invalid-arguments", "Something follows the object of arguments.")),
    }
}

/// Apart from [`parse`], which is compiled once for each tool.
pub(crate) fn unfit<E: std::fmt::Display>(error: serde_path_to_error::Error<E>) -> Fault {
    let mut path: Vec<String> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let message = error.into_inner().to_string();
    let message = message.rfind(" at line ").map_or(message.as_str(), |end| &message[..end]);
    // Serde reports these two at the object that holds the field.
    if let Some(rest) = message.strip_prefix("missing field `")
        && let Some(name) = rest.strip_suffix('`')
    {
        path.push(name.to_owned());
        return Fault::invalid(pointer(&path), format!("`{name}` is missing."));
    }
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((name, _)) = rest.split_once('`')
        && path.last().is_none_or(|last| last != name)
    {
        path.push(name.to_owned());
    }
    Fault::invalid(pointer(&path), format!("This argument cannot be used: {message}."))
}

/// RFC 6901.
fn pointer<S: AsRef<str>>(path: impl IntoIterator<Item = S>) -> String {
    path.into_iter().map(|part| format!("/{}", part.as_ref().replace('~', "~0").replace('/', "~1"))).collect()
}
