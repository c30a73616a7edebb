//! The JSON Schemas of events' tables, for editors. What is listened to is its capability's to say.

use serde_json::json;

use super::grant::EventBounds;
use super::{MAX_BATCH, MAX_QUEUE};
use crate::capability::Schemas;
use crate::manifest::schema::{closed, duration};

pub(super) fn schemas() -> Schemas {
    let from = |description: &str| {
        json!({
            "description": description,
            "type": "object", "minProperties": 1, "maxProperties": 1,
            "additionalProperties": { "type": "object" }
        })
    };
    let mut request = closed(
        json!({
            "from": from("What is listened to, by the capability that it is heard from: { \"mqtt.broker\" = { … } }, \
                          written like a tool's reach into it."),
            "every": duration("How often the handler runs by itself, from 1s to 24h."),
        }),
        &[],
    );
    request["oneOf"] = json!([{ "required": ["from"] }, { "required": ["every"] }]);
    let EventBounds { batch, attempts, queue } = EventBounds::default();
    let grant = closed(
        json!({
            "from": from("Less than what the plugin listens to."),
            "every": duration("Longer than what the plugin asks for."),
            "may": {
                "description": "What the handler may change beyond the host; by default it only reads and remembers.",
                "type": "array",
                "items": { "type": "string", "pattern": "^[a-z][a-z0-9-]*\\.[a-z][a-z0-9-]*(:[a-z]+)?$" }
            },
            "batch": {
                "description": "Events in one run of the handler.",
                "type": "integer", "minimum": 1, "maximum": MAX_BATCH, "default": batch
            },
            "attempts": {
                "description": "How often an event may fail before it is set aside.",
                "type": "integer", "minimum": 1, "maximum": 100, "default": attempts
            },
            "queue": {
                "description": "Events that wait; when there are as many, their source waits.",
                "type": "integer", "minimum": 1, "maximum": MAX_QUEUE, "default": queue
            },
        }),
        &[],
    );
    Schemas { request, reach: json!({ "not": {} }), grant }
}
