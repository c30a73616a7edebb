//! The JSON Schemas of this capability's tables, for editors. What they cannot say, the parsers check.

use fleetgate_core::capability::Schemas;
use serde_json::{Value, json};

use crate::filter::Filters;

pub(crate) fn schemas() -> Schemas {
    Schemas { request: request(), reach: reach(), grant: grant() }
}

fn filters(description: &str, most: usize) -> Value {
    json!({
        "type": "array",
        "description": format!("{description} Topic filters by MQTT's rules: + is one level, # at the end any number."),
        "items": { "type": "string", "minLength": 1, "maxLength": 4096 },
        "maxItems": most,
        "examples": [["site/+/state", "site/7/#"]]
    })
}

fn qos(description: &str) -> Value {
    json!({ "type": "integer", "description": description, "minimum": 0, "maximum": 2 })
}

fn request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "publish": filters("The most that the plugin publishes to; # is whatever the operator grants. By default nothing.", Filters::MOST_ASKED),
            "subscribe": filters("The most that it listens to. By default nothing.", Filters::MOST_ASKED)
        },
        "additionalProperties": false
    })
}

fn reach() -> Value {
    json!({
        "type": "object",
        "properties": {
            "publish": filters("What this tool publishes to of those; a read-only tool may publish to these and to nothing else.", Filters::MOST_ASKED),
            "subscribe": filters("What this tool, or this event, listens to of those.", Filters::MOST_ASKED),
            "qos": qos("The most for this tool or event. By default 1.")
        },
        "additionalProperties": false
    })
}

fn secret(what: &str) -> Value {
    json!({ "type": "string", "description": format!("{what}: a name from [secrets].") })
}

fn grant() -> Value {
    let duration = |description: &str| json!({ "type": "string", "description": description, "pattern": "^[0-9]+(ms|s|m|h)$" });
    let size = |description: &str| json!({ "type": "string", "description": description, "pattern": "^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)$" });
    json!({
        "type": "object",
        "properties": {
            "url": {
                "type": "string",
                "description": "The broker: mqtt, mqtts, ws or wss, a host, perhaps a port, and for a WebSocket a path (by default /mqtt).",
                "examples": ["mqtts://broker.example.com:8883"]
            },
            "version": { "enum": ["3.1.1", "5", "5.0"], "description": "Which MQTT is spoken. By default 3.1.1." },
            "plaintext": { "type": "boolean", "description": "mqtt:// and ws:// to a host that may be anywhere: every network on the way is trusted." },
            "networks": {
                "type": "array",
                "description": "Addresses beside public ones that the name may lead to: networks, addresses, or address and port, which alone opens loopback, link-local and metadata services.",
                "items": { "type": "string" },
                "examples": [["10.2.0.0/16"]]
            },
            "ca": { "type": "string", "description": "A PEM file of certificate authorities that are trusted beside those of the machine." },
            "client_cert": { "type": "string", "description": "A PEM file with the certificate that the host shows to the broker." },
            "client_key": secret("The private key of client_cert, in PEM form"),
            "credential": {
                "type": "object",
                "description": "Who the host is to the broker. The plugin never sees it.",
                "properties": {
                    "user": { "type": "string", "description": "The user's name.", "minLength": 1, "maxLength": 256 },
                    "password": secret("The password")
                },
                "required": ["user", "password"],
                "additionalProperties": false
            },
            "client_id": { "type": "string", "description": "What the names of the host's connections begin with, where a broker asks for it.", "pattern": "^[A-Za-z0-9_.:-]{1,64}$" },
            "publish": filters("What may be published to. By default nothing.", Filters::MOST),
            "subscribe": filters("What may be listened to. By default nothing.", Filters::MOST),
            "topics": { "enum": ["mqtt", "amqp"], "description": "As what the broker keeps topics. RabbitMQ and its kind do as AMQP does (amqp): they take . for / and * for +, so topics and filters with one are refused. By default mqtt." },
            "qos": qos("The most, for publications and subscriptions. By default 1."),
            "retain": { "type": "boolean", "description": "Publications may ask the broker to keep them for later subscribers." },
            "payload": size("The largest publication. By default 64KiB, at most 16MiB."),
            "message": size("The largest packet that is taken from the broker; a larger one ends the connection. By default 256KiB, at most 16MiB."),
            "rate": { "type": "string", "description": "Publications: so many per second, minute or hour. By default 50/s.", "pattern": "^[0-9]+/(s|m|h)$" },
            "subscriptions": { "type": "integer", "description": "Subscriptions of calls at once. By default 64.", "minimum": 1, "maximum": 1024 },
            "buffer": size("What waits to be read by all subscriptions of calls together; the oldest gives way. By default 32MiB."),
            "connect_timeout": duration("For name, connection and the broker's acknowledgement. By default 10s."),
            "idle": duration("How long the connection for calls is kept unused. By default 60s."),
            "keep_alive": duration("How often the connection is checked. By default 30s."),
            "session": duration("How long an MQTT 5 broker keeps what events would hear while the host is away. By default 24h.")
        },
        "required": ["url"],
        "additionalProperties": false
    })
}
