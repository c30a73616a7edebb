//! What a plugin's code says of its tools, resources and prompts: lines of JSON that the SDK leaves in a custom
//! section, each the keys of a table of the manifest and that table's name. Merged with the `plugin.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;
use toml::{Table, Value};

use super::PackError;
use crate::diagnostic::{Diagnostics, Document, quoted};
use crate::units::parse_duration;
use crate::uri::UriPattern;

/// The first key of a line says what it is about; the manifest's section has its plural.
const KINDS: [(&str, &str); 3] = [("tool", "tools"), ("resource", "resources"), ("prompt", "prompts")];

/// Section and name of each entry, with its keys.
pub(super) type Declared = BTreeMap<(&'static str, String), Table>;

/// Reads the section's lines. One entry may stand there twice if both say the same.
pub(super) fn entries(lines: &[u8]) -> Result<Declared, PackError> {
    let mut entries = Declared::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let (kind, key, table) = entry(line)?;
        match entries.get(&key) {
            Some(before) if *before != table => return Err(PackError::Twice { kind, name: key.1 }),
            _ => entries.insert(key, table),
        };
    }
    Ok(entries)
}

type Entry = (&'static str, (&'static str, String), Table);

fn entry(line: &[u8]) -> Result<Entry, PackError> {
    let unreadable = |reason: String| {
        let line = quoted(&String::from_utf8_lossy(line));
        PackError::Line { line, reason }
    };
    let json: Json = serde_json::from_slice(line).map_err(|error| unreadable(error.to_string()))?;
    let Ok(Value::Table(mut table)) = Value::try_from(json) else {
        return Err(unreadable("not an object of plain values".into()));
    };
    for (kind, section) in KINDS {
        match table.remove(kind) {
            None => {}
            // Entries of resources are patterns, and in messages they stand in quotes.
            Some(Value::String(name)) if section != "resources" || name.parse::<UriPattern>().is_ok() => {
                return Ok((kind, (section, name), table));
            }
            Some(_) => return Err(unreadable(format!("no name of a {kind}"))),
        }
    }
    Err(unreadable("neither a tool nor a resource nor a prompt".into()))
}

/// The manifest's text: `plugin.toml` and what the code says. What stands in both must agree.
pub(super) fn merge(plugin_toml: &Arc<Document>, declared: &Declared) -> Result<String, PackError> {
    let mut manifest: Table = plugin_toml.text.parse().map_err(|_| PackError::Merge)?;
    let mut disagree = Vec::new();
    let mut added = false;
    for ((section, name), declared) in declared {
        let entries = manifest.entry(*section).or_insert_with(|| Value::Table(Table::new()));
        let entries = entries.as_table_mut().ok_or(PackError::Merge)?;
        let entry = entries.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        let entry = entry.as_table_mut().ok_or(PackError::Merge)?;
        for (key, value) in declared {
            match entry.get(key) {
                Some(restated) if agree(key, restated, value) => {}
                Some(_) => disagree.push((*section, name.as_str(), key.as_str(), value)),
                None => {
                    entry.insert(key.clone(), value.clone());
                    added = true;
                }
            }
        }
    }
    if !disagree.is_empty() {
        return Err(PackError::Disagree(disagreement(plugin_toml, &disagree)));
    }
    if !added {
        // With its author's comments.
        return Ok(plugin_toml.text.to_string());
    }
    toml::to_string(&manifest).map_err(|_| PackError::Merge)
}

/// Whether two values mean the same: a list of one role is that role, 60s is 1m, and the order of roles and
/// pointers says nothing.
fn agree(key: &str, one: &Value, other: &Value) -> bool {
    let words = |value: &Value| -> Option<BTreeSet<String>> {
        match value {
            Value::String(word) => Some(BTreeSet::from([word.clone()])),
            Value::Array(words) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
            _ => None,
        }
    };
    let duration = |value: &Value| value.as_str().and_then(|text| parse_duration(text).ok());
    one == other
        || match key {
            "requires" | "secret" | "audit" => words(one).is_some() && words(one) == words(other),
            "timeout" => duration(one).is_some() && duration(one) == duration(other),
            _ => false,
        }
}

fn disagreement(document: &Arc<Document>, keys: &[(&str, &str, &str, &Value)]) -> Diagnostics {
    let mut all = Diagnostics::default();
    for (section, name, key, in_code) in keys {
        let said = document.read_at(&[section, name], |table| {
            table.leave_rest();
            let message = format!("the plugin's code says {key} = {in_code}");
            table.error_at(
                *key,
                message,
                "what stands in both must agree: correct one, or leave it to the code",
            );
            Some(())
        });
        all.extend(said.err().unwrap_or_default());
    }
    all
}
