//! The JSON Schemas of this capability's tables, for editors. What they cannot say, the parsers check.

use fleetgate_core::capability::Schemas;
use serde_json::{Value, json};

pub(crate) fn schemas() -> Schemas {
    Schemas { request: request(), reach: reach(), grant: grant() }
}

fn quota(description: &str) -> Value {
    json!({ "type": "string", "description": description, "pattern": "^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)$", "examples": ["64MiB"] })
}

fn entries(description: &str) -> Value {
    json!({ "type": "integer", "description": description, "minimum": 1, "maximum": 1_000_000_000 })
}

fn request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "scope": {
                "enum": ["principal", "shared"],
                "description": "Whose the entries are: each caller's alone (principal, the default), or of all callers and of handlers of events (shared)."
            },
            "quota": quota("How much the plugin keeps, keys and values together: for each caller, or altogether where they share. By default 16MiB."),
            "entries": entries("How many entries. By default one for each 256 bytes of quota.")
        }
    })
}

fn reach() -> Value {
    json!({
        "type": "object",
        "properties": {
            "write": {
                "type": "boolean",
                "description": "Whether this tool changes entries. By default it may, unless it is read-only."
            }
        },
        "additionalProperties": false
    })
}

fn grant() -> Value {
    json!({
        "type": "object",
        "properties": {
            "quota": quota("How much may be kept, keys and values together: for each caller, or altogether where they share. By default what the plugin asks for."),
            "entries": entries("How many entries."),
            "total_quota": quota("How much all callers together may keep, where each has entries of its own. By default 16 times the quota."),
            "total_entries": entries("How many entries they may have together.")
        },
        "additionalProperties": false
    })
}
