//! The JSON Schema of a manifest, for editors. It says what a schema can say; [`super::parse`] says the rest
//! (declared roles, cycles, what a capability itself checks).

use serde_json::{Map, Value, json};

use super::config::KINDS;
use super::entries::TASKS;
use crate::asking;
use crate::capability::Capabilities;
use crate::events;

/// The JSON Schema (2020-12) of `plugin.toml` and of the manifest section, with the capabilities' own parts.
pub fn json_schema(capabilities: &Capabilities) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fleetgate plugin manifest",
        "type": "object",
        "additionalProperties": false,
        "required": ["plugin"],
        "properties": {
            "plugin": plugin(),
            "roles": {
                "description": "Roles; `includes` makes an order.",
                "type": "object",
                "propertyNames": { "pattern": ROLE, "not": { "const": "any" } },
                "additionalProperties": closed(json!({
                    "includes": { "description": "Lesser roles that it holds too.", "type": "array", "items": { "type": "string" } }
                }), &[]),
            },
            "config": {
                "description": "Plain settings, never secrets.",
                "type": "object",
                "propertyNames": { "pattern": KEY },
                "additionalProperties": setting(),
            },
            "capabilities": requests(capabilities),
            "client": asking::manifest_schema(),
            "limits": closed(json!({
                "memory": size("Memory of one call; granted up to the operator's max_memory."),
                "cpu": duration("Time in guest code of one call; granted up to the operator's cpu."),
                "concurrency": {
                    "description": "Calls at once; granted up to the operator's concurrency.",
                    "type": "integer", "minimum": 1, "maximum": 1024
                },
            }), &[]),
            "session": closed(json!({
                "header": {
                    "description": "The request header by which conversations are told apart; the plugin gets a keyed hash of it.",
                    "type": "string", "pattern": "^[Xx]-[A-Za-z0-9][A-Za-z0-9-]{0,61}$"
                },
            }), &["header"]),
            "tools": {
                "description": "What each tool requires. A tool without an entry is not exposed.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9_.-]{1,64}$" },
                "additionalProperties": tool(capabilities),
            },
            "resources": exposed("What resources require, by URI pattern; the longest match wins.", "^[a-z][a-z0-9+.-]*:."),
            "prompts": exposed("What each prompt requires.", "^[A-Za-z0-9_.-]{1,64}$"),
        }
    })
}

const ROLE: &str = "^[a-z][a-z0-9:_-]{0,63}$";
pub(crate) const KEY: &str = "^[a-z][a-z0-9_-]{0,63}$";
pub(crate) const ID: &str = "^[a-z][a-z0-9-]{0,31}$";

/// A table that knows these keys and no others.
pub(crate) fn closed(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

pub(crate) fn duration(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" })
}

pub(crate) fn size(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)$" })
}

/// `requires`.
pub(crate) fn requirement() -> Value {
    json!({
        "description": "A role, a list of roles (each is needed), or \"any\": whoever was authenticated.",
        "oneOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "items": { "type": "string", "not": { "const": "any" } } },
            { "const": ["any"] }
        ]
    })
}

fn line(description: &str, most: u32) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1, "maxLength": most })
}

fn flag(description: &str) -> Value {
    json!({ "description": description, "type": "boolean" })
}

fn plugin() -> Value {
    closed(
        json!({
            "id": { "description": "The file is <id>.wasm.", "type": "string", "pattern": ID },
            "version": { "description": "Semantic version.", "type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+" },
            "interface": { "description": "Version of the plugin interface.", "type": "string", "enum": ["0.1"] },
            "title": line("A name for people.", 128),
            "description": line("What it is, in a sentence.", 1024),
            "license": line("SPDX expression.", 128),
            "homepage": { "description": "Where to read more.", "type": "string", "pattern": "^https?://" },
        }),
        &["id", "version", "interface", "title", "description"],
    )
}

fn variables(description: &str) -> Value {
    let name = json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$" });
    json!({ "description": description, "oneOf": [name, { "type": "array", "items": name }] })
}

/// Variables, perhaps with what counts where none is set.
fn with_default() -> Value {
    let mut either = variables("The first that is set.");
    let table = closed(
        json!({
            "variables": variables("The first that is set."),
            "default": {
                "description": "Counts where none of them is set and another variable of this plugin is.",
                "type": "string"
            },
        }),
        &["variables"],
    );
    if let Some(forms) = either["oneOf"].as_array_mut() {
        forms.push(table);
    }
    either
}

fn setting() -> Value {
    let value = |kind: &str| match kind {
        "string" => json!({ "type": "string" }),
        "bool" => json!({ "type": "boolean" }),
        "integer" => json!({ "type": "integer" }),
        "number" => json!({ "type": "number" }),
        "duration" => duration("A duration."),
        "size" => size("A size."),
        _ => json!({ "type": "array", "items": { "type": "string" } }),
    };
    let mut setting = closed(
        json!({
            "type": { "description": "What values look like.", "enum": KINDS.map(|(word, _)| word) },
            "default": { "description": "Used where the operator sets nothing." },
            "description": line("For the operator.", 512),
            "required": flag("Must be set; not together with a default."),
            "env": variables("Read only by `fleetgate stdio --plugin ID` when nothing is granted."),
        }),
        &["type", "description"],
    );
    let fits = KINDS.map(|(word, _)| {
        json!({
            "if": { "properties": { "type": { "const": word } } },
            "then": { "properties": { "default": value(word) } }
        })
    });
    setting["allOf"] = fits.to_vec().into();
    setting
}

/// `[capabilities.<kind>.<name>]`: what the capability says, and what is the same for all.
fn requests(capabilities: &Capabilities) -> Value {
    let kinds: Map<String, Value> = capabilities
        .iter()
        .filter(|(kind, _)| *kind != asking::KIND)
        .map(|(kind, capability)| {
            let mut request = capability.schemas().request;
            add(&mut request, "why", line("For the operator who grants it.", 256), true);
            add(&mut request, "optional", flag("The plugin works without it."), false);
            let env = json!({
                "description": "Environment variables by the key of the grant that they fill; read only by \
                                `fleetgate stdio --plugin ID` when nothing is granted.",
                "type": "object",
                "additionalProperties": with_default(),
            });
            if kind != events::KIND {
                add(&mut request, "env", env, false);
            }
            let named = json!({
                "type": "object",
                "propertyNames": { "pattern": ID },
                "additionalProperties": request,
            });
            (kind.to_owned(), named)
        })
        .collect();
    json!({
        "description": "What the plugin asks for: [capabilities.<kind>.<name>].",
        "type": "object",
        "additionalProperties": false,
        "properties": kinds,
    })
}

/// Adds a key to a table's schema.
fn add(table: &mut Value, key: &str, schema: Value, required: bool) {
    table["properties"][key] = schema;
    if required {
        match table["required"].as_array_mut() {
            Some(keys) => keys.push(key.into()),
            None => table["required"] = json!([key]),
        }
    }
}

fn tool(capabilities: &Capabilities) -> Value {
    let reach: Map<String, Value> = capabilities
        .iter()
        .filter(|(kind, _)| *kind != asking::KIND)
        .map(|(kind, capability)| (format!("^{kind}\\.[a-z][a-z0-9-]*$"), capability.schemas().reach))
        .collect();
    let pointers = |description: &str| {
        json!({
            "description": description,
            "type": "array",
            "items": { "type": "string", "pattern": "^/", "maxLength": 256 }
        })
    };
    let mut tool = closed(
        json!({
            "requires": requirement(),
            "read_only": flag("It changes nothing. Enforced: only GET and HEAD, no publish, no SSH, no key-value \
                               write, unless reach says more."),
            "destructive": flag("What it changes may be lost."),
            "idempotent": flag("Calling it twice is like calling it once."),
            "open_world": flag("It reaches beyond a closed set of things."),
            "timeout": duration("Wall time that it may need, up to the operator's max_timeout."),
            "secret": pointers("Arguments that the guest never sees, as JSON pointers."),
            "audit": pointers("Arguments that go into the audit record, as JSON pointers."),
            "reach": {
                "description": "This tool's part of what the plugin was granted, by \"kind.name\".",
                "type": "object",
                "additionalProperties": false,
                "patternProperties": reach,
            },
            "opt_in": flag("Not registered unless the operator enables it."),
            "verbatim": flag("Its results are not cleaned of control characters."),
            "asks_first": flag("As a task it may ask before it begins its work."),
            "task": { "description": "Whether it may run as a task.", "enum": TASKS.map(|(word, _)| word) },
        }),
        &["requires"],
    );
    tool["not"] = json!({
        "required": ["read_only", "destructive"],
        "properties": { "read_only": { "const": true }, "destructive": { "const": true } }
    });
    tool
}

fn exposed(description: &str, name: &str) -> Value {
    json!({
        "description": description,
        "type": "object",
        "propertyNames": { "pattern": name },
        "additionalProperties": closed(json!({ "requires": requirement() }), &["requires"]),
    })
}
