//! What a tool's input schema must say of the arguments that its manifest entry calls secret.
//!
//! A misspelled pointer would leave a password in the clear, and an `x-mcp-header` (MCP 2026-07-28, SEP-2243) has
//! clients repeat it in a header field, where proxies log it.

use serde_json::Value;

/// A secret that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretMisplaced {
    /// The schema has no such argument.
    #[error("{0}, which its input schema does not have")]
    Absent(String),
    /// It is something else.
    #[error("{0}, which is no text in its input schema: only text can be secret")]
    NotText(String),
    /// It would be a header field.
    #[error("{0}, which clients would repeat in a header field: remove its x-mcp-header")]
    Header(String),
    /// One cannot see whose header field it is.
    #[error(
        "{0}, and an x-mcp-header stands where one cannot see which argument it is for: put it below properties alone"
    )]
    HiddenHeader(String),
}

/// Schemas that refer to themselves end here.
const MOST_REFERENCES: usize = 32;
const HEADER: &str = "x-mcp-header";

/// Whether the pointers lead to texts that stay where they are.
pub(crate) fn check(schema: &Value, pointers: &[String]) -> Result<(), SecretMisplaced> {
    let Some(first) = pointers.first() else { return Ok(()) };
    for pointer in pointers {
        let Some(found) = find(schema, pointer)? else { continue };
        if !is_text(found) {
            return Err(SecretMisplaced::NotText(pointer.clone()));
        }
    }
    let mut headers = Vec::new();
    collect(schema, Some(String::new()), &mut headers);
    for header in headers {
        let Some(at) = header else { return Err(SecretMisplaced::HiddenHeader(first.clone())) };
        let near = |pointer: &&String| within(pointer, &at) || within(&at, pointer);
        if let Some(pointer) = pointers.iter().find(near) {
            return Err(SecretMisplaced::Header(pointer.clone()));
        }
    }
    Ok(())
}

fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The schema of one argument. None: the schema does not say which arguments there are.
fn find<'s>(schema: &'s Value, pointer: &str) -> Result<Option<&'s Value>, SecretMisplaced> {
    let mut at = schema;
    for name in pointer.split('/').skip(1) {
        let Some(resolved) = resolved(schema, at) else { return Ok(None) };
        let name = name.replace("~1", "/").replace("~0", "~");
        let known = resolved.get("properties").and_then(Value::as_object);
        match known.and_then(|known| known.get(&name)) {
            Some(inner) => at = inner,
            None if is_open(resolved) => return Ok(None),
            None => return Err(SecretMisplaced::Absent(pointer.to_owned())),
        }
    }
    Ok(resolved(schema, at))
}

/// What a reference leads to.
fn resolved<'s>(root: &'s Value, mut schema: &'s Value) -> Option<&'s Value> {
    for _ in 0..MOST_REFERENCES {
        match schema.get("$ref").and_then(Value::as_str) {
            None => return Some(schema),
            Some(to) => schema = root.pointer(to.strip_prefix('#')?)?,
        }
    }
    None
}

/// Whether other keywords may name arguments.
fn is_open(schema: &Value) -> bool {
    let others =
        ["allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas", "items", "prefixItems"];
    others.iter().any(|keyword| schema.get(keyword).is_some())
        || schema.get("additionalProperties").is_some_and(Value::is_object)
        || (schema.get("properties").is_none()
            && schema.get("additionalProperties") != Some(&Value::Bool(false)))
}

fn is_text(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == "string",
        Some(Value::Array(some)) => some.iter().any(|one| one == "string"),
        _ => true,
    }
}

/// Where the annotations stand, as pointers to arguments. None: below something else than `properties`.
fn collect(schema: &Value, at: Option<String>, found: &mut Vec<Option<String>>) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, inner) in keywords {
                match (keyword.as_str(), inner.as_object(), &at) {
                    (HEADER, _, _) => found.push(at.clone()),
                    ("properties", Some(properties), Some(at)) => {
                        for (name, inner) in properties {
                            let name = name.replace('~', "~0").replace('/', "~1");
                            collect(inner, Some(format!("{at}/{name}")), found);
                        }
                    }
                    // Examples and defaults are data.
                    ("default" | "const" | "enum" | "examples", _, _) => {}
                    _ => collect(inner, None, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, None, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(properties: Value) -> Result<(), SecretMisplaced> {
        let schema = json!({"type": "object", "properties": properties, "$defs": {
            "login": {"type": "object", "properties": {"password": {"type": "string"}}},
            "self": {"$ref": "#/$defs/self"}
        }});
        check(&schema, &["/password".to_owned()])
    }

    #[test]
    fn a_secret_is_a_text_that_the_schema_has() {
        for fine in [
            json!({"password": {"type": "string", "minLength": 1}}),
            json!({"password": {"type": ["string", "null"]}}),
            json!({"password": {"anyOf": [{"type": "string"}, {"type": "null"}]}}),
            json!({"password": {"$ref": "#/$defs/login/properties/password"}}),
            json!({"password": {"$ref": "#/$defs/self"}}),
            json!({"password": {"type": "string"}, "region": {"type": "string", "x-mcp-header": "Region"}}),
        ] {
            assert_eq!(checked(fine.clone()), Ok(()), "{fine}");
        }
        assert_eq!(
            checked(json!({"pasword": {"type": "string"}})),
            Err(SecretMisplaced::Absent("/password".into()))
        );
        for other in [
            json!({"type": "integer"}),
            json!({"type": ["object", "null"]}),
            json!({"$ref": "#/$defs/login"}),
        ] {
            let wrong = checked(json!({ "password": other }));
            assert_eq!(wrong, Err(SecretMisplaced::NotText("/password".into())), "{other}");
        }
    }

    #[test]
    fn a_secret_within_an_object_is_found_there() {
        let schema = json!({"type": "object", "properties": {"login": {"$ref": "#/$defs/login"}}, "$defs": {
            "login": {"type": "object", "properties": {"password": {"type": "string"}}}
        }});
        assert_eq!(check(&schema, &["/login/password".to_owned()]), Ok(()));
        let absent = check(&schema, &["/login/enable".to_owned()]);
        assert_eq!(absent, Err(SecretMisplaced::Absent("/login/enable".into())));
        assert_eq!(check(&json!({"type": "object"}), &["/anything".to_owned()]), Ok(()), "nobody can know");
    }

    #[test]
    fn no_client_repeats_a_secret_in_a_header_field() {
        let header = json!({"type": "string", "x-mcp-header": "Password"});
        assert_eq!(checked(json!({ "password": header })), Err(SecretMisplaced::Header("/password".into())));
        for hidden in [json!({"allOf": [header]}), json!({"items": header})] {
            let wrong = checked(json!({"password": {"type": "string"}, "other": hidden}));
            assert_eq!(wrong, Err(SecretMisplaced::HiddenHeader("/password".into())));
        }
        let data = json!({"password": {"type": "string"}, "o": {"default": {"x-mcp-header": "X"}}});
        assert_eq!(checked(data), Ok(()));
    }
}
