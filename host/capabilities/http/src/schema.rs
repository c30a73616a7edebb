//! The JSON Schemas of this capability's tables, for editors. What they cannot say, the parsers check.

use fleetgate_core::capability::Schemas;
use serde_json::{Value, json};

use crate::pattern::PathSet;

pub(crate) fn schemas() -> Schemas {
    Schemas { request: request(), reach: reach(), grant: grant() }
}

fn methods(description: &str) -> Value {
    json!({
        "type": "array",
        "description": description,
        "items": { "type": "string", "pattern": "^[A-Z][A-Z-]*$", "not": { "enum": ["CONNECT", "TRACE"] } },
        "minItems": 1,
        "examples": [["GET", "POST"]]
    })
}

fn paths(description: &str) -> Value {
    json!({
        "type": "array",
        "description": format!("{description} * is one segment, ** any number of them; a method before it (\"DELETE /a/*\") restricts it to that one."),
        "items": { "type": "string", "pattern": "^([A-Z][A-Z-]* )?/[^?#]*$" },
        "minItems": 1,
        "maxItems": PathSet::MOST,
        "examples": [["/v2/**", "DELETE /v2/jobs/*"]]
    })
}

fn hosts(description: &str) -> Value {
    json!({
        "type": "array",
        "description": description,
        "items": { "type": "string" },
        "minItems": 1,
        "maxItems": 16,
        "examples": [["api.weather.gov"]]
    })
}

fn from_call(description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "properties": {
            "body": {
                "type": "array",
                "description": "JSON pointers of JSON bodies where a text that is a placeholder is replaced.",
                "items": { "type": "string", "pattern": "^/" },
                "maxItems": 32
            },
            "basic": {
                "type": "boolean",
                "description": "The password of HTTP Basic, by the field \"fleetgate-basic: user:placeholder\"."
            }
        },
        "additionalProperties": false,
        "examples": [{ "body": ["/password", "/enable"], "basic": true }]
    })
}

fn request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "methods": methods("Methods that the plugin uses; GET brings HEAD with it. By default GET."),
            "paths": paths("Paths that the plugin uses, below the granted URL."),
            "hosts": hosts("Fixed public hosts, reached with https, instead of a URL that the operator gives."),
            "upstream": {
                "type": "boolean",
                "description": "The operator gives a URL. By default so, unless hosts are named."
            },
            "base": {
                "type": "string",
                "description": "Where the API begins: comes between the granted URL and every path, unless the URL ends with it already.",
                "pattern": "^(/[^/?#]+)+$",
                "examples": ["/v1"]
            },
            "from_call": from_call("Where secret arguments of calls go in requests, if the operator grants it.")
        },
        "required": ["paths"]
    })
}

fn reach() -> Value {
    json!({
        "type": "object",
        "properties": {
            "methods": methods("Methods that this tool uses of those; a read-only tool may use them as well."),
            "paths": paths("Paths that this tool uses of those.")
        },
        "additionalProperties": false
    })
}

fn grant() -> Value {
    let secret =
        |what: &str| json!({ "type": "string", "description": format!("{what}: a name from [secrets].") });
    json!({
        "type": "object",
        "properties": {
            "url": {
                "type": "string",
                "description": "Where it is. A path in it comes before every path.",
                "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^?#@]+$",
                "examples": ["https://api.example.com"]
            },
            "hosts": hosts("The fixed hosts that are granted. By default all that the plugin asks for."),
            "networks": {
                "type": "array",
                "description": "Addresses beside public ones that the names may lead to: networks, addresses, or address and port, which alone opens loopback, link-local and metadata services.",
                "items": { "type": "string" },
                "examples": [["10.2.0.0/16"], ["127.0.0.1:4000"]]
            },
            "methods": methods("Methods that are granted. By default all that the plugin asks for."),
            "paths": paths("Paths that are granted. By default all that the plugin asks for."),
            "credential": {
                "description": "What the host adds to each request. The plugin never sees it.",
                "oneOf": [
                    {
                        "type": "object",
                        "properties": { "bearer": secret("The token") },
                        "required": ["bearer"],
                        "additionalProperties": false
                    },
                    {
                        "type": "object",
                        "properties": {
                            "basic": {
                                "type": "object",
                                "properties": { "user": { "type": "string" }, "password": secret("The password") },
                                "required": ["user", "password"],
                                "additionalProperties": false
                            }
                        },
                        "required": ["basic"],
                        "additionalProperties": false
                    },
                    {
                        "type": "object",
                        "properties": {
                            "header": { "type": "string", "examples": ["X-Api-Key"] },
                            "secret": secret("The field's value")
                        },
                        "required": ["header", "secret"],
                        "additionalProperties": false
                    }
                ]
            },
            "from_call": from_call("Where secret arguments of calls may go. By default nowhere."),
            "ca": {
                "type": "string",
                "description": "A PEM file with certificate authorities that are trusted beside this machine's."
            },
            "client_cert": { "type": "string", "description": "A PEM file with a certificate to show." },
            "client_key": secret("The certificate's key, in PEM form"),
            "timeout": {
                "type": "string",
                "description": "For one request with its response. By default until the call's deadline.",
                "pattern": "^[0-9]+(ms|s|m|h)$"
            },
            "redirects": {
                "type": "boolean",
                "description": "Follow up to 5 redirects, each checked like a request of its own. By default the plugin gets the redirect."
            },
            "connections": {
                "type": "integer",
                "description": "Connections at once. By default 32.",
                "minimum": 1,
                "maximum": 1024
            },
            "plaintext": {
                "type": "boolean",
                "description": "Allow http:// to a host that may be anywhere. A credential is still not sent to a public address without TLS."
            }
        },
        "additionalProperties": false
    })
}
