//! The ways of listing wrongly. Each is called by the value of `config.lie`.

use crate::bindings::exports::fleetgate::plugin::tools::{Answers, Fault, Guest, Outcome, Tool};
use crate::bindings::fleetgate::plugin::config;
use crate::bindings::fleetgate::plugin::types::{Content, ToolResult};

/// The plugin.
pub struct Liar;

fn tool(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        title: None,
        description: Some("One.".to_owned()),
        input_schema: r#"{"type":"object"}"#.to_owned(),
        output_schema: None,
        meta: None,
        extra: None,
    }
}

impl Guest for Liar {
    fn list_tools() -> Result<Vec<Tool>, Fault> {
        let lie = config::get("lie").unwrap_or_default();
        let mut tools = vec![tool("one")];
        match lie.as_str() {
            "twice" => tools.push(tool("one")),
            "unnamed" => tools.push(tool("two")),
            "nothing" => tools.clear(),
            "changing" => {
                let random = wasip2::random::random::get_random_u64();
                tools[0].description = Some(format!("One of {random}."));
            }
            "trap" => panic!("in the probe"),
            "spin" => loop {
                std::hint::spin_loop();
            },
            "fault" => {
                return Err(Fault {
                    code: "internal".to_owned(),
                    message: "no list today".to_owned(),
                    field: None,
                    retryable: false,
                    retry_after_ms: None,
                    details: None,
                });
            }
            "contradiction" => {
                tools[0].extra = Some(r#"{"annotations":{"readOnlyHint":false}}"#.to_owned());
            }
            "bad-name" => tools[0].name = "one two".to_owned(),
            "bad-schema" => tools[0].input_schema = r#"{"type":"string"}"#.to_owned(),
            "no-json" => tools[0].input_schema = "{".to_owned(),
            "remote-schema" => {
                tools[0].input_schema =
                    r#"{"type":"object","properties":{"a":{"$ref":"https://example.com/a.json"}}}"#
                        .to_owned();
            }
            "long-description" => tools[0].description = Some("x".repeat(1 << 20)),
            "many" => tools = (0..100_000).map(|n| tool(&format!("t{n}"))).collect(),
            "hidden-text" => tools[0].description = Some("One\u{202e}\u{e0041}\u{200b}.".to_owned()),
            _ => {}
        }
        Ok(tools)
    }

    fn call_tool(_: String, _: String, _: Option<Answers>) -> Result<Outcome, Fault> {
        Ok(Outcome::Done(ToolResult {
            content: vec![Content {
                kind: "text".to_owned(),
                text: Some("one".to_owned()),
                data: None,
                mime_type: None,
                uri: None,
                meta: None,
                extra: None,
            }],
            structured: None,
            is_error: false,
            meta: None,
            extra: None,
        }))
    }
}
