//! JSON Schema (2020-12) of arguments, results and forms.

mod form;
mod portable;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// Whether the value comes in or goes out; serde's defaults and renames differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Input,
    Output,
}

/// The schema of `T`, whole in itself: subschemas stand where they are used, and only recursive ones in `$defs`.
pub(crate) fn of<T: JsonSchema>(direction: Direction) -> Value {
    finish(generator(direction).into_root_schema_for::<T>(), &T::schema_name(), direction)
}

/// The schema of a form with the fields of `T`, as an elicitation wants it.
pub(crate) fn of_form<T: JsonSchema>() -> Value {
    form::of(of::<T>(Direction::Input))
}

fn generator(direction: Direction) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    let settings = match direction {
        Direction::Input => settings.for_deserialize(),
        Direction::Output => settings.for_serialize(),
    };
    settings.into_generator()
}

/// Apart from [`of`], which is compiled once for each type.
fn finish(mut schema: Schema, type_name: &str, direction: Direction) -> Value {
    // The name of a Rust type says nothing to a model; a title that the author wrote does.
    if schema.get("title").and_then(Value::as_str) == Some(type_name) {
        schema.remove("title");
    }
    if schema.get("type").is_none() && every_case_is_an_object(&schema) {
        schema.insert("type".to_owned(), Value::from("object"));
    }
    let mut schema = schema.to_value();
    portable::rewrite(&mut schema, direction);
    schema
}

/// Whether values are objects, as far as the root says.
pub(crate) fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}

/// An enum whose variants are all objects has no `type` at its root, and clients want one.
fn every_case_is_an_object(schema: &Schema) -> bool {
    ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| schema.get(key)?.as_array())
        .any(|cases| !cases.is_empty() && cases.iter().all(is_object))
}
