//! What checking one value against a schema may cost.
//!
//! A schema of two kilobytes can cost hours: `l0 = allOf [l1, l1]`, `l1 = allOf [l2, l2]`, and so on doubles with each
//! step, and a long chain of references eats the stack. So a schema is unfolded once, when it is loaded: every place
//! is counted as often as it is reached, references are followed, and what costs or nests too much is refused.
//!
//! A schema may refer to itself (a tree of objects does), but only once, and only below the value that it started at:
//! two such references can double with every level of the value.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::SchemaRefused;

/// Places that checking one value may visit, unfolded.
const MAX_PLACES: u64 = 10_000;
/// How deep the unfolded schema may nest, references included.
const MAX_UNFOLDED: usize = 128;

/// Keywords with one schema that applies to the value itself.
const HERE: [&str; 4] = ["not", "if", "then", "else"];
/// Keywords with a list of schemas that apply to the value itself.
const HERE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords with a map of schemas that apply to the value itself.
const HERE_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Keywords with one schema (or, in older drafts, a list) that applies to parts of the value.
const BELOW: [&str; 8] = [
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "contentSchema",
];
/// Keywords with a list of schemas that apply to parts of the value.
const BELOW_LISTS: [&str; 1] = ["prefixItems"];
/// Keywords with a map of schemas that apply to parts of the value.
const BELOW_MAPS: [&str; 2] = ["properties", "patternProperties"];

/// How many places checking one value visits. Refuses a schema whose check could cost or nest too much.
pub(super) fn check(schema: &Value) -> Result<u64, SchemaRefused> {
    within_one_document(schema, true)?;
    let mut unfolding =
        Unfolding { root: schema, known: HashMap::new(), open: Vec::new(), back: HashSet::new() };
    let places = unfolding.places(schema, false)?;
    if places > MAX_PLACES {
        return Err(SchemaRefused::Costly);
    }
    Ok(places)
}

/// Every reference must begin with `#`, and no part may have an `$id`, which would give such references another root:
/// so they lead where they seem to.
fn within_one_document(value: &Value, root: bool) -> Result<(), SchemaRefused> {
    match value {
        Value::Object(map) => {
            let leaves = |key: &str| {
                map.get(key).and_then(Value::as_str).filter(|reference| !reference.starts_with('#'))
            };
            if let Some(reference) = leaves("$ref").or_else(|| leaves("$dynamicRef")) {
                let reference =
                    crate::text::clean(&reference[..reference.floor_char_boundary(128)]).into_owned();
                return Err(SchemaRefused::Leaves(reference));
            }
            if !root && map.get("$id").is_some_and(Value::is_string) {
                return Err(SchemaRefused::Resource);
            }
            map.values().try_for_each(|value| within_one_document(value, false))
        }
        Value::Array(items) => items.iter().try_for_each(|value| within_one_document(value, false)),
        _ => Ok(()),
    }
}

struct Unfolding<'a> {
    root: &'a Value,
    /// Places below a schema that was unfolded before, by its address in the document.
    known: HashMap<*const Value, u64>,
    /// The schemas that are being unfolded, and whether each was reached through a part of the value.
    open: Vec<(*const Value, bool)>,
    /// Where a schema refers back to one that is open.
    back: HashSet<*const Value>,
}

impl<'a> Unfolding<'a> {
    fn places(&mut self, schema: &'a Value, below: bool) -> Result<u64, SchemaRefused> {
        let Value::Object(keywords) = schema else { return Ok(1) };
        let address: *const Value = schema;
        if let Some(at) = self.open.iter().position(|(open, _)| *open == address) {
            // Around again: only if a part of the value was entered on the way, and only once.
            let descends = below || self.open[at + 1..].iter().any(|(_, below)| *below);
            return if descends && self.back.insert(address) { Ok(1) } else { Err(SchemaRefused::Circular) };
        }
        if let Some(known) = self.known.get(&address) {
            return Ok(*known);
        }
        if self.open.len() >= MAX_UNFOLDED {
            return Err(SchemaRefused::Deep);
        }
        self.open.push((address, below));
        // Each word of an enum is compared with the value.
        let words = keywords.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        let mut places = 1 + words as u64 / 64;
        for (schema, below) in self.parts(keywords) {
            places = places.saturating_add(self.places(schema, below)?);
            if places > MAX_PLACES {
                return Err(SchemaRefused::Costly);
            }
        }
        self.open.pop();
        self.known.insert(address, places);
        Ok(places)
    }

    /// The schemas that a schema applies, and whether to parts of the value.
    fn parts(&self, keywords: &'a Map<String, Value>) -> Vec<(&'a Value, bool)> {
        let mut parts = Vec::new();
        for (keyword, value) in keywords {
            let keyword = keyword.as_str();
            let below =
                BELOW.contains(&keyword) || BELOW_LISTS.contains(&keyword) || BELOW_MAPS.contains(&keyword);
            match value {
                Value::String(reference) if keyword == "$ref" || keyword == "$dynamicRef" => {
                    parts.extend(self.targets(reference).into_iter().map(|target| (target, false)));
                }
                Value::Array(list)
                    if HERE_LISTS.contains(&keyword)
                        || BELOW_LISTS.contains(&keyword)
                        || BELOW.contains(&keyword) =>
                {
                    parts.extend(list.iter().map(|schema| (schema, below)));
                }
                Value::Object(map) if HERE_MAPS.contains(&keyword) || BELOW_MAPS.contains(&keyword) => {
                    parts.extend(map.values().map(|schema| (schema, below)));
                }
                Value::Object(_) if HERE.contains(&keyword) || BELOW.contains(&keyword) => {
                    parts.push((value, below));
                }
                _ => {}
            }
        }
        parts
    }

    /// Where a reference may lead: a pointer from the root, or every place with that anchor. References that do not
    /// begin with `#` were refused before.
    fn targets(&self, reference: &str) -> Vec<&'a Value> {
        let fragment = reference.trim_start_matches('#');
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.root.pointer(&fragment).into_iter().collect();
        }
        let mut found = Vec::new();
        anchored(self.root, &fragment, &mut found);
        found
    }
}

fn anchored<'a>(value: &'a Value, anchor: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            if ["$anchor", "$dynamicAnchor"]
                .iter()
                .any(|key| map.get(*key).and_then(Value::as_str) == Some(anchor))
            {
                found.push(value);
            }
            map.values().for_each(|value| anchored(value, anchor, found));
        }
        Value::Array(items) => items.iter().for_each(|value| anchored(value, anchor, found)),
        _ => {}
    }
}

/// A JSON pointer in a URI fragment is percent-encoded (RFC 6901, section 6).
fn percent_decoded(fragment: &str) -> String {
    let bytes = fragment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = fragment.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_of_every_day_are_within_the_budget() {
        for schema in [
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/b"}]}},
                   "$defs": {"b": {"type": "object", "properties": {"c": {"items": {"type": "integer"}}}}}}),
            // A tree.
            json!({"type": "object", "properties": {"name": {"type": "string"}, "children": {"items": {"$ref": "#"}}}}),
            json!({"type": "object", "$ref": "#/$defs/node", "$defs": {"node": {"$anchor": "node",
                   "properties": {"next": {"$ref": "#node"}}}}}),
        ] {
            assert!(check(&schema).is_ok_and(|places| places < 20), "{schema}");
        }
    }

    #[test]
    fn references_that_double_with_each_step_are_refused() {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let mut defs = serde_json::Map::new();
            for n in 0..30 {
                let next = json!({"$ref": format!("#/$defs/l{}", n + 1)});
                defs.insert(format!("l{n}"), json!({keyword: [next, next]}));
            }
            defs.insert("l30".into(), json!({"type": "object"}));
            let schema = json!({"type": "object", "$ref": "#/$defs/l0", "$defs": defs});
            assert_eq!(check(&schema), Err(SchemaRefused::Costly), "{keyword}");
        }
    }

    #[test]
    fn references_and_ids_that_could_lead_elsewhere_are_refused() {
        for reference in ["https://example.com/a", "a.json", "a#/b", ""] {
            let schema = json!({"type": "object", "properties": {"a": {"$ref": reference}}});
            assert_eq!(check(&schema), Err(SchemaRefused::Leaves(reference.into())));
        }
        let schema =
            json!({"type": "object", "$id": "https://example.com/root", "$defs": {"a": {"$id": "b"}}});
        assert_eq!(check(&schema), Err(SchemaRefused::Resource));
    }

    #[test]
    fn a_long_chain_of_references_is_refused() {
        let mut defs = serde_json::Map::new();
        for n in 0..2_500 {
            defs.insert(format!("l{n}"), json!({"anyOf": [{"$ref": format!("#/$defs/l{}", n + 1)}]}));
        }
        defs.insert("l2500".into(), json!({"type": "object"}));
        let schema = json!({"type": "object", "$ref": "#/$defs/l0", "$defs": defs});
        assert_eq!(check(&schema), Err(SchemaRefused::Deep));
    }

    #[test]
    fn a_schema_that_turns_in_a_circle_or_doubles_itself_is_refused() {
        for schema in [
            json!({"type": "object", "$ref": "#"}),
            json!({"type": "object", "allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}),
            json!({"type": "object", "patternProperties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}),
            json!({"type": "object", "$ref": "#%2F%24defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}),
        ] {
            assert_eq!(check(&schema), Err(SchemaRefused::Circular), "{schema}");
        }
    }
}
