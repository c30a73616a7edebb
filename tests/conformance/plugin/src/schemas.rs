//! Schemas that must reach the client as they were written: `json-schema-2020-12`, and
//! `http-custom-header-server-validation`, for which one argument also travels as a header.

use std::borrow::Cow;

use fleetgate_sdk::prelude::*;
use schemars::{Schema, SchemaGenerator, json_schema};

/// A contact, with a schema that uses what 2020-12 added: nothing that derives would write it.
#[derive(Deserialize)]
pub struct Contact {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

impl JsonSchema for Contact {
    fn schema_name() -> Cow<'static, str> {
        "Contact".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {
                "address": {
                    "$anchor": "addressDef",
                    "type": "object",
                    "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
                },
            },
            "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                "phone": { "type": "string" },
                "email": { "type": "string" },
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
            "then": { "required": ["phone"] },
            "else": { "required": ["email"] },
            "additionalProperties": false,
        })
    }
}

/// Says how somebody is reached.
#[tool(requires = "any", read_only)]
pub fn json_schema_2020_12_tool(args: Contact) -> Result<String, Fault> {
    let name = args.name.as_deref().unwrap_or("Somebody");
    match args.phone.or(args.email) {
        Some(way) => Ok(format!("{name} is reached at {way}.")),
        None => Err(Fault::invalid("/phone", "Neither a phone number nor an address for mail.")),
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct Mirrored {
    /// What is repeated. Clients send it as the header `Mcp-Param-Value` too.
    #[schemars(extend("x-mcp-header" = "Value"))]
    value: String,
}

/// Repeats what it is given.
#[tool(requires = "any", read_only)]
pub fn test_custom_header(args: Mirrored) -> Result<String, Fault> {
    Ok(args.value)
}
