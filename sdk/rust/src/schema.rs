//! JSON Schema (2020-12) of arguments and results.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform as _};
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
    finish(generator(direction).into_root_schema_for::<T>(), &T::schema_name())
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
fn finish(mut schema: Schema, type_name: &str) -> Value {
    RecursiveTransform(portable_numbers).transform(&mut schema);
    // The name of a Rust type says nothing to a model; a title that the author wrote does.
    if schema.get("title").and_then(Value::as_str) == Some(type_name) {
        schema.remove("title");
    }
    if schema.get("type").is_none() && every_case_is_an_object(&schema) {
        schema.insert("type".to_owned(), Value::from("object"));
    }
    schema.to_value()
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

/// Formats such as `uint32` are schemars' own: some clients refuse them. The bounds they stand for are portable.
fn portable_numbers(schema: &mut Schema) {
    let Some(format) = schema.get("format").and_then(Value::as_str) else { return };
    let bounds: Option<(i64, i64)> = match format {
        "int8" => Some((i8::MIN.into(), i8::MAX.into())),
        "int16" => Some((i16::MIN.into(), i16::MAX.into())),
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "uint8" => Some((0, u8::MAX.into())),
        "uint16" => Some((0, u16::MAX.into())),
        "uint32" => Some((0, u32::MAX.into())),
        "int64" | "int128" | "int" | "uint64" | "uint128" | "uint" | "float" | "double" => None,
        _ => return,
    };
    schema.remove("format");
    if let Some((least, most)) = bounds {
        for (key, bound) in [("minimum", least), ("maximum", most)] {
            if schema.get(key).is_none() {
                schema.insert(key.to_owned(), Value::from(bound));
            }
        }
    }
}
