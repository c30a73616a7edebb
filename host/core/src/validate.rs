//! Are the arguments right, and is the result what was promised? JSON Schema 2020-12, compiled once at load.
//!
//! Schemas come from plugins and are hostile: no reference leaves the document, patterns run on an engine without
//! backtracking, and size and depth are bounded.

mod budget;

use std::collections::HashSet;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{Draft, JsonType, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::domain::Fault;

/// The largest schema, as JSON text.
pub const MAX_SCHEMA: usize = 256 << 10;
/// How deep a schema, arguments or a result may nest.
pub const MAX_DEPTH: usize = 64;
/// What a compiled pattern may take, in bytes.
const MAX_PATTERN: usize = 1 << 20;
/// How many wrong places one message names.
const NAMED: usize = 5;
/// How many wrong places are looked at for a null.
const NULLS: usize = 1_000;

/// Places of a schema times values that are checked against it.
const MAX_WORK: u64 = 100_000_000;

/// A schema that was compiled.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    /// How many places checking one value visits, at most.
    places: u64,
    /// The arguments that need not be given.
    optional: Vec<String>,
}

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaRefused {
    /// Over [`MAX_SCHEMA`].
    #[error("is {0} bytes long; at most {MAX_SCHEMA} are allowed")]
    Long(usize),
    /// Over [`MAX_DEPTH`].
    #[error("nests deeper than {MAX_DEPTH} levels")]
    Deep,
    /// A reference must begin with `#`.
    #[error("has a reference that leaves the document: \"{0}\" (it must begin with #)")]
    Leaves(String),
    /// Parts with an `$id` are documents of their own.
    #[error("has an \"$id\" below its root, which makes a document of its own")]
    Resource,
    /// Checking one value could take very long.
    #[error("costs too much to check: unfolded, with its references followed, it has over 10,000 places")]
    Costly,
    /// It refers to itself more than once, or without entering a part of the value.
    #[error("refers to itself in a circle; one reference to itself is allowed, below a property or an item")]
    Circular,
    /// Arguments are always an object.
    #[error("must have \"type\": \"object\" at its root")]
    NotObject,
    /// Not a valid schema, or one with a reference that leaves the document.
    #[error("is not a usable JSON Schema: {0}")]
    Invalid(String),
}

impl Schema {
    /// Compiles the schema of a tool's arguments.
    pub fn of_arguments(schema: &Value) -> Result<Self, SchemaRefused> {
        if schema.get("type") != Some(&Value::from("object")) {
            return Err(SchemaRefused::NotObject);
        }
        Self::compile(schema)
    }

    /// Compiles any schema.
    pub fn compile(schema: &Value) -> Result<Self, SchemaRefused> {
        if !shallow(schema, MAX_DEPTH) {
            return Err(SchemaRefused::Deep);
        }
        let length = schema.to_string().len();
        if length > MAX_SCHEMA {
            return Err(SchemaRefused::Long(length));
        }
        let places = budget::check(schema)?;
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
            .build(schema)
            .map(|validator| Self { validator, places, optional: optional(schema) })
            .map_err(|error| SchemaRefused::Invalid(error.to_string()))
    }

    /// Takes out arguments that are null where they need not be given and may not be null, and says whether there were
    /// any: many clients say null for what is not given. Whatever else is wrong stays wrong.
    pub fn drop_nulls(&self, arguments: &mut Value) -> bool {
        let Some(given) = arguments.as_object() else { return false };
        let is_null = |name: &&String| given.get(name.as_str()) == Some(&Value::Null);
        let nulls: Vec<&String> = self.optional.iter().filter(is_null).collect();
        if nulls.is_empty() || !shallow(arguments, MAX_DEPTH) || self.too_much(arguments) {
            return false;
        }
        // Where it may be null, nothing is said of it.
        let wrong: HashSet<String> = self
            .validator
            .iter_errors(arguments)
            .take(NULLS)
            .map(|error| error.instance_path().as_str().to_owned())
            .collect();
        let refused = nulls.into_iter().filter(|name| wrong.contains(&at(name)));
        let refused: Vec<String> = refused.cloned().collect();
        if let Some(given) = arguments.as_object_mut() {
            given.retain(|name, _| !refused.contains(name));
        }
        !refused.is_empty()
    }

    /// Checks arguments. The fault names the first wrong field as a JSON pointer and describes up to five.
    pub fn check_arguments(&self, arguments: &Value) -> Result<(), Fault> {
        if !shallow(arguments, MAX_DEPTH) {
            return Err(Fault::new(
                "invalid-arguments",
                format!("the arguments nest deeper than {MAX_DEPTH} levels"),
            ));
        }
        if self.too_much(arguments) {
            return Err(Fault::new(
                "invalid-arguments",
                "the arguments hold more values than can be checked",
            ));
        }
        let wrong = self.wrong(arguments);
        let Some((field, _)) = wrong.first() else { return Ok(()) };
        let said: Vec<_> = wrong.iter().map(|(field, why)| describe(field, why)).collect();
        Err(Fault::new("invalid-arguments", said.join("; ")).at(field.clone()))
    }

    /// Checks a structured result. The text is for the operator and the author.
    pub fn check_result(&self, result: &Value) -> Result<(), String> {
        if !shallow(result, MAX_DEPTH) {
            return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        if self.too_much(result) {
            return Err("it holds more values than can be checked".into());
        }
        match self.wrong(result).first() {
            None => Ok(()),
            Some((field, why)) => Err(describe(field, why)),
        }
    }

    fn too_much(&self, value: &Value) -> bool {
        self.places.saturating_mul(values(value)) > MAX_WORK
    }

    fn wrong(&self, value: &Value) -> Vec<(String, String)> {
        // Most values are right, and `is_valid` makes no list.
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        self.validator
            .iter_errors(value)
            .take(NAMED)
            .map(|error| (field(&error), crate::text::clean(&why(&error)).into_owned()))
            .collect()
    }
}

/// The properties that a schema describes and does not require.
fn optional(schema: &Value) -> Vec<String> {
    let required = schema["required"].as_array();
    let is_required =
        |name: &String| required.is_some_and(|names| names.iter().any(|one| one == name.as_str()));
    let described = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
    described.filter(|name| !is_required(name)).cloned().collect()
}

/// An argument's place, as errors name it.
fn at(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn describe(field: &str, why: &str) -> String {
    if field.is_empty() { why.to_owned() } else { format!("{field}: {why}") }
}

/// Where the error is: for a missing or surplus property that property, not the object around it.
fn field(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().as_str();
    let property = match error.kind() {
        Kind::Required { property } => property.as_str(),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.first().map(String::as_str)
        }
        _ => None,
    };
    match property {
        Some(name) => format!("{path}{}", at(name)),
        None => path.to_owned(),
    }
}

/// What is wrong, without the value: it may be a secret.
fn why(error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Required { .. } => "is required".into(),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "is not an argument of this tool".into()
        }
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => match words(context) {
            Some(words) => format!("the value is none of {words}"),
            None => error.masked_with("the value").to_string(),
        },
        _ => error.masked_with("the value").to_string(),
    }
}

/// What may be said, where a schema lists it: each alternative is one value (so are enumerations described whose values
/// are documented) or a type that the value is not of.
fn words(alternatives: &[Vec<ValidationError<'static>>]) -> Option<String> {
    let mut words = Vec::new();
    for errors in alternatives {
        let listed = errors.iter().find_map(|error| match error.kind() {
            Kind::Constant { expected_value } => Some(expected_value.to_string()),
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } => self::words(context),
            Kind::Type { kind: TypeKind::Single(JsonType::Null) } => Some("null".into()),
            _ => None,
        })?;
        words.push(listed);
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// How many values there are, itself and within.
fn values(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(map) => map.values().map(values).sum(),
        _ => 0,
    }
}

/// Whether a value nests at most `levels` deep.
fn shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| shallow(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|item| shallow(item, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::of_arguments(&json!({
            "type": "object",
            "properties": {"org": {"type": "string"}, "page": {"type": "integer", "minimum": 1},
                           "filters": {"$ref": "#/$defs/filters"}},
            "required": ["org"],
            "additionalProperties": false,
            "$defs": {"filters": {"type": "object", "properties": {"updates": {"enum": ["enabled", "disabled"]}}}}
        }))
        .expect("a valid schema")
    }

    fn fault(arguments: Value) -> Fault {
        schema().check_arguments(&arguments).expect_err("these arguments are wrong")
    }

    #[test]
    fn right_arguments_pass() {
        schema().check_arguments(&json!({"org": "acme", "page": 2})).expect("right");
    }

    #[test]
    fn a_missing_argument_is_named() {
        let fault = fault(json!({}));
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/org")));
        assert!(fault.message.contains("/org: is required"), "{}", fault.message);
    }

    #[test]
    fn a_surplus_argument_is_named() {
        assert_eq!(fault(json!({"org": "a", "orgs": 1})).field.as_deref(), Some("/orgs"));
    }

    #[test]
    fn a_nested_wrong_value_is_named_by_pointer_and_not_repeated() {
        let fault = fault(json!({"org": "a", "filters": {"updates": "hunter2"}}));
        assert_eq!(fault.field.as_deref(), Some("/filters/updates"));
        assert!(!fault.message.contains("hunter2"), "{}", fault.message);
    }

    #[test]
    fn a_value_that_is_none_of_a_few_is_answered_with_those() {
        let word = |word: &str| json!({"const": word, "type": "string", "description": "a word"});
        let schema = Schema::of_arguments(&json!({
            "type": "object",
            "properties": {
                "step": {"$ref": "#/$defs/step"}, "maybe": {"anyOf": [{"$ref": "#/$defs/step"}, {"type": "null"}]},
                "open": {"oneOf": [word("raw"), {"type": "integer"}]}
            },
            "$defs": {"step": {"oneOf": [word("raw"), word("1m")]}}
        }))
        .unwrap();
        let said = |arguments: Value| schema.check_arguments(&arguments).unwrap_err().message;
        assert_eq!(said(json!({"step": "7m"})), "/step: the value is none of \"raw\", \"1m\"");
        assert_eq!(said(json!({"step": 7})), "/step: the value is none of \"raw\", \"1m\"");
        assert_eq!(said(json!({"maybe": "7m"})), "/maybe: the value is none of \"raw\", \"1m\", null");
        assert!(said(json!({"open": "7m"})).contains("'oneOf'"), "not all that it may be can be listed");
    }

    #[test]
    fn null_for_what_need_not_be_given_means_not_given() {
        let schema = Schema::of_arguments(&json!({
            "type": "object",
            "properties": {
                "host": {"type": "string"}, "page": {"type": "integer"}, "kind": {"enum": ["a", "b"]},
                "filters": {"$ref": "#/$defs/filters"}, "either": {"anyOf": [{"type": "string"}, {"const": 1}]},
                "a/b~c": {"type": "string"}, "note": {"type": ["string", "null"]}, "any": {},
                "maybe": {"anyOf": [{"$ref": "#/$defs/filters"}, {"type": "null"}]}
            },
            "required": ["host"],
            "additionalProperties": false,
            "$defs": {"filters": {"type": "object", "properties": {"up": {"type": "boolean"}}}}
        }))
        .unwrap();
        let dropped = |mut arguments: Value| {
            let changed = schema.drop_nulls(&mut arguments);
            (changed, arguments)
        };
        let all =
            json!({"host": "h", "page": null, "kind": null, "filters": null, "either": null, "a/b~c": null});
        assert_eq!(dropped(all), (true, json!({"host": "h"})));
        // Where null means something, or nothing is said of it, or it must be given, it stays.
        for stays in [
            json!({"host": "h", "note": null, "any": null, "maybe": null}),
            json!({"host": null}),
            json!({"host": "h", "other": null}),
            json!({"host": "h", "filters": {"up": null}}),
            json!({"host": "h", "page": 7}),
            json!([null]),
        ] {
            assert_eq!(dropped(stays.clone()), (false, stays));
        }
        let mixed = json!({"host": null, "page": null, "note": null});
        let (changed, left) = dropped(mixed);
        assert_eq!((changed, &left), (true, &json!({"host": null, "note": null})));
        assert_eq!(schema.check_arguments(&left).unwrap_err().field.as_deref(), Some("/host"));
    }

    #[test]
    fn a_rule_over_several_arguments_is_no_reason_to_drop_one() {
        let schema = Schema::of_arguments(&json!({
            "type": "object", "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]
        }))
        .unwrap();
        let mut arguments = json!({"a": null, "b": null});
        assert!(!schema.drop_nulls(&mut arguments));
        assert!(schema.check_arguments(&arguments).is_err());
    }

    #[test]
    fn a_reference_that_leaves_the_document_is_refused() {
        for reference in ["https://example.com/schema.json", "file:///etc/passwd", "other.json"] {
            let refused =
                Schema::of_arguments(&json!({"type": "object", "properties": {"a": {"$ref": reference}}}));
            assert!(matches!(refused, Err(SchemaRefused::Leaves(_))), "{reference}");
        }
    }

    #[test]
    fn a_pattern_that_would_backtrack_is_answered_at_once_or_refused() {
        let schema = Schema::of_arguments(&json!({
            "type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}
        }))
        .expect("a regular pattern");
        let long = format!("{}!", "a".repeat(50_000));
        assert!(schema.check_arguments(&json!({ "a": long })).is_err());
    }

    #[test]
    fn a_pattern_that_needs_backtracking_is_refused() {
        let look = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)\\1"}}});
        assert!(matches!(Schema::of_arguments(&look), Err(SchemaRefused::Invalid(_))));
    }

    #[test]
    fn a_schema_that_is_no_object_too_deep_or_too_long_is_refused() {
        assert_eq!(Schema::of_arguments(&json!({"type": "string"})).unwrap_err(), SchemaRefused::NotObject);
        let deep = (0..100).fold(
            json!({"type": "object"}),
            |inner, _| json!({"type": "object", "properties": {"a": inner}}),
        );
        assert_eq!(Schema::of_arguments(&deep).unwrap_err(), SchemaRefused::Deep);
        let long = json!({"type": "object", "description": "x".repeat(MAX_SCHEMA)});
        assert!(matches!(Schema::of_arguments(&long), Err(SchemaRefused::Long(_))));
    }

    #[test]
    fn arguments_that_nest_too_deep_are_refused() {
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        assert!(fault(json!({ "org": deep })).message.contains("deeper than"));
    }
}
