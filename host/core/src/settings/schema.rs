//! The JSON Schema of `fleetgate.toml`, for editors. It says what a schema can say; [`super::parse`] and
//! [`super::Binding::grants`] say the rest (what a plugin asks for, which secrets there are).

use serde_json::{Map, Value, json};

use crate::asking;
use crate::capability::Capabilities;
use crate::manifest::schema::{ID, KEY, closed, duration, requirement, size};

/// The JSON Schema (2020-12) of `fleetgate.toml`, with the capabilities' own parts.
pub fn json_schema(capabilities: &Capabilities) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleetgate.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "serve": serve(),
            "secrets": {
                "description": "Where credentials are read from; each has one source.",
                "type": "object",
                "propertyNames": { "pattern": KEY },
                "additionalProperties": secret(),
            },
            "limits": limits("Ceilings and defaults for every call."),
            "jobs": jobs(),
            "plugins": {
                "description": "Bindings: one plugin bound to one backend each.",
                "type": "object",
                "propertyNames": { "pattern": ID },
                "additionalProperties": binding(capabilities),
            },
            "groups": {
                "description": "Bundles of roles.",
                "type": "object",
                "propertyNames": { "pattern": KEY },
                "additionalProperties": held_roles("What its members hold."),
            },
        }
    })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1 })
}

fn held_roles(description: &str) -> Value {
    json!({
        "description": description,
        "type": "array",
        "items": { "type": "string", "pattern": "^(\\*|[a-z][a-z0-9-]{0,31}):(\\*|[a-z][a-z0-9:_-]{0,63})$" }
    })
}

fn serve() -> Value {
    let mut public_url = text("The URL that clients use, behind a proxy; fixes allowed Host and Origin.");
    public_url["pattern"] = "^https?://".into();
    closed(
        json!({
            "listen": text("Address and port; by default 127.0.0.1:8080."),
            "public_url": public_url,
            "plugins": text("The drop directory, from the directory of this file; by default plugins."),
            "local_roles": held_roles("What a caller on loopback without a credential holds."),
            "unlisted": { "description": "What happens to a plugin without a table.", "enum": ["hold", "serve"] },
            "stream_max": duration("How long a call's stream stays open for clients of 2025-11-25, which come back for the rest; by default until the answer."),
            "state": text("Where the audit log and the compiled cache live; by default .fleetgate."),
        }),
        &[],
    )
}

fn secret() -> Value {
    json!({
        "oneOf": [
            closed(json!({ "file": text("A file that only the host's user can read.") }), &["file"]),
            closed(json!({ "systemd": text("A credential of LoadCredential=.") }), &["systemd"]),
            closed(json!({ "env": text("An environment variable of the host.") }), &["env"]),
        ]
    })
}

fn limits(description: &str) -> Value {
    let mut limits = closed(
        json!({
            "timeout": duration("Wall time of a call whose tool asks for none; by default 30s."),
            "max_timeout": duration("The most wall time that a tool may ask for; by default 15m."),
            "cpu": duration("Time in guest code of one call; waiting in the host does not count; by default 2s."),
            "memory": size("Memory of one call whose plugin asks for none; by default 64MiB."),
            "max_memory": size("The most memory that a plugin may ask for; by default 256MiB."),
            "binding_memory": size("Memory of all live calls of one binding; by default 1GiB."),
            "result": size("What one call may return; by default 16MiB."),
            "response": size("One upstream body after decompression; by default 32MiB."),
            "concurrency": {
                "description": "Calls at once, of one binding; by default 64.",
                "type": "integer", "minimum": 1, "maximum": 1024
            },
        }),
        &[],
    );
    limits["description"] = description.into();
    limits
}

fn jobs() -> Value {
    let count = |description: &str, most: u32| json!({ "description": description, "type": "integer", "minimum": 1, "maximum": most });
    let mut jobs = closed(
        json!({
            "ttl": duration("How long a job and its result are kept; by default 1h."),
            "max_ttl": duration("The most that a caller may ask for; by default 24h."),
            "concurrency": count("Jobs that run at once, of all bindings; by default 32.", 256),
            "binding_concurrency": count("Jobs that run at once, of one binding; by default 8.", 256),
            "queue": count("Jobs that wait for their turn; by default 256.", 10_000),
            "per_principal": count("Jobs of one principal that have not ended; by default 256. One binding takes a quarter of it.", 10_000),
            "kept_per_principal": count("Jobs of one principal that are kept; by default 1000.", 100_000),
            "kept": count("Jobs that are kept in all; by default 10000.", 100_000),
            "results": size("Results that are kept; by default 1GiB."),
        }),
        &[],
    );
    jobs["description"] = "Calls that run in the background.".into();
    jobs
}

fn binding(capabilities: &Capabilities) -> Value {
    let grants: Map<String, Value> = capabilities
        .iter()
        .map(|(kind, capability)| {
            if kind == asking::KIND {
                return (kind.to_owned(), asking::grant_schemas());
            }
            let named = json!({
                "type": "object",
                "propertyNames": { "pattern": ID },
                "additionalProperties": capability.schemas().grant,
            });
            (kind.to_owned(), named)
        })
        .collect();
    closed(
        json!({
            "use": { "description": "The plugin's id; by default the table's name.", "type": "string", "pattern": ID },
            "label": {
                "description": "Put before titles and descriptions, so that a model sees which fleet it acts on.",
                "type": "string", "minLength": 1, "maxLength": 64
            },
            "pin": {
                "description": "This file alone.",
                "type": "string", "pattern": "^sha256:[0-9a-f]{64}$"
            },
            "config": { "description": "The settings that the plugin declares.", "type": "object" },
            "tools": overrides("Tools switched on or off, or with more required."),
            "prompts": overrides("Prompts switched off, or with more required."),
            "resources": overrides("Resources, by a pattern of the manifest, switched off or with more required."),
            "grant": {
                "description": "Answers to what the plugin asks for: [plugins.<name>.grant.<kind>.<name>].",
                "type": "object",
                "additionalProperties": false,
                "properties": grants,
            },
            "limits": limits("Overrides of [limits] for this binding."),
        }),
        &[],
    )
}

fn overrides(description: &str) -> Value {
    json!({
        "description": description,
        "type": "object",
        "additionalProperties": closed(json!({
            "enabled": { "description": "false hides it, true shows a tool that is opt_in.", "type": "boolean" },
            "requires": requirement(),
        }), &[]),
    })
}
