//! Spells a schema so that every client reads it the same.
//!
//! schemars writes what is legal; clients that map schemas onto a dialect with one `type` for each value (OpenAPI's,
//! for example) drop or refuse a part of it: lists of types, `true` for anything, formats of schemars' own. What is
//! written instead accepts the same values, with one exception: an argument that may be left out is not `null` as
//! well, since a missing key says the same with less.

use serde_json::{Map, Value, json};

use super::Direction;

type Object = Map<String, Value>;

/// Keywords whose value is one schema.
const ONE: [&str; 11] = [
    "items",
    "contains",
    "not",
    "propertyNames",
    "if",
    "then",
    "else",
    "contentSchema",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// Those of them that are written as `true` or `false` everywhere.
const FLAGS: [&str; 3] = ["additionalProperties", "unevaluatedProperties", "unevaluatedItems"];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is a table of schemas.
const TABLES: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// Keywords that say something about values of one type alone: they may move into a branch for that type.
const OF_ONE_TYPE: [&str; 26] = [
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "items",
    "prefixItems",
    "contains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "minProperties",
    "maxProperties",
];
/// The other keywords that exclude any value at all.
const CONSTRAINING: [&str; 7] = ["type", "$ref", "allOf", "anyOf", "oneOf", "not", "propertyNames"];

/// Rewrites the schema and everything in it.
pub(super) fn rewrite(schema: &mut Value, direction: Direction) {
    match schema {
        Value::Bool(true) => *schema = anything(),
        Value::Bool(false) => *schema = json!({ "not": anything() }),
        Value::Object(object) => rewrite_object(object, direction),
        _ => {}
    }
}

fn rewrite_object(schema: &mut Object, direction: Direction) {
    if direction == Direction::Input {
        leave_null_out(schema);
    }
    for key in ONE {
        match schema.get_mut(key) {
            Some(Value::Bool(_)) if FLAGS.contains(&key) => {}
            Some(inner) => rewrite(inner, direction),
            None => {}
        }
    }
    for key in LISTS {
        for inner in schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            rewrite(inner, direction);
        }
    }
    for key in TABLES {
        for (_, inner) in schema.get_mut(key).and_then(Value::as_object_mut).into_iter().flatten() {
            rewrite(inner, direction);
        }
    }
    numbers(schema);
    one_type_each(schema);
    if !schema.keys().any(|key| CONSTRAINING.contains(&key.as_str()) || OF_ONE_TYPE.contains(&key.as_str())) {
        schema.extend(anything().as_object().cloned().unwrap_or_default());
    }
}

fn anything() -> Value {
    let types = ["object", "array", "string", "number", "boolean", "null"];
    json!({ "anyOf": types.map(|one| json!({ "type": one })) })
}

/// Formats such as `uint32` are schemars' own: some clients refuse them. The bounds they stand for are portable.
fn numbers(schema: &mut Object) {
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
    schema.shift_remove("format");
    if let Some((least, most)) = bounds {
        for (key, bound) in [("minimum", least), ("maximum", most)] {
            schema.entry(key).or_insert_with(|| bound.into());
        }
    }
}

/// Properties that may be left out are not `null` too.
fn leave_null_out(schema: &mut Object) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, property) in properties.iter_mut() {
        if let Value::Object(property) = property
            && !required.iter().any(|one| one == name)
        {
            without_null(property);
        }
    }
}

fn without_null(property: &mut Object) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            property.insert("type".to_owned(), one);
        }
        if let Some(Value::Array(values)) = property.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    }
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(mut cases)) = property.get(key).cloned() else { continue };
        cases.retain(|case| case.get("type").and_then(Value::as_str) != Some("null"));
        match cases.as_slice() {
            [Value::Object(case)] if fits_into(case, property, key) => {
                property.shift_remove(key);
                for (inner, value) in case {
                    property.entry(inner.clone()).or_insert_with(|| value.clone());
                }
            }
            _ => drop(property.insert(key.to_owned(), Value::Array(cases))),
        }
    }
    if property.get("default").is_some_and(Value::is_null) {
        property.shift_remove("default");
    }
}

/// Whether the one case that is left can be said at the property itself. Words that stand there already are better.
fn fits_into(case: &Object, property: &Object, key: &str) -> bool {
    let words = ["description", "title"];
    case.keys().all(|inner| words.contains(&inner.as_str()) || inner == key || !property.contains_key(inner))
}

/// `"type": ["string", "null"]` as a choice between a string and null.
fn one_type_each(schema: &mut Object) {
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let types = types.clone();
    schema.shift_remove("type");
    let moved: Object =
        OF_ONE_TYPE.into_iter().filter_map(|key| Some((key.to_owned(), schema.shift_remove(key)?))).collect();
    let null_is_listed =
        |values: &Value| values.as_array().is_none_or(|values| values.contains(&Value::Null));
    let cases = types.into_iter().filter_map(|one| {
        let mut case = Object::from_iter([("type".to_owned(), one.clone())]);
        if one == "null" {
            return moved.get("enum").is_none_or(null_is_listed).then_some(Value::Object(case));
        }
        case.extend(moved.clone());
        if let Some(Value::Array(values)) = case.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        Some(Value::Object(case))
    });
    let cases = Value::Array(cases.collect());
    match schema.shift_remove("anyOf") {
        None => schema.insert("anyOf".to_owned(), cases),
        Some(before) => {
            let both = [json!({ "anyOf": before }), json!({ "anyOf": cases })];
            if let Some(all) = schema.entry("allOf").or_insert_with(|| json!([])).as_array_mut() {
                all.extend(both);
            }
            None
        }
    };
}
