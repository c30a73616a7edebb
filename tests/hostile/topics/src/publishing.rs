//! Publications, to the letter.

use fleetgate_sdk::bindings::mqtt::fleetgate::mqtt::mqtt;
use fleetgate_sdk::prelude::*;
use serde_json::{Value, json};

pub fn broker() -> String {
    "mqtt.broker".into()
}

/// A message for a broker.
#[derive(Deserialize, JsonSchema)]
pub struct Publish {
    /// The capability.
    #[serde(default = "broker")]
    capability: String,
    /// A topic, or anything.
    topic: String,
    /// The payload. None: `size` bytes.
    payload: Option<String>,
    /// Bytes of the payload.
    #[serde(default)]
    size: usize,
    /// As they are: an object, or anything.
    options: Option<Value>,
    /// Instead of them: text that may be no JSON.
    options_text: Option<String>,
}

/// Publishes anything with what the plugin was granted.
#[tool(requires = "any", timeout = "30s")]
pub fn publish(args: Publish) -> Result<ToolResult, Fault> {
    ToolResult::structured(&args.run())
}

/// The same from a tool that claims to change nothing.
#[tool(requires = "any", read_only)]
pub fn publish_read_only(args: Publish) -> Result<ToolResult, Fault> {
    ToolResult::structured(&args.run())
}

/// The same from a tool with a reach of its own.
#[tool(requires = "any", read_only, reach = {
    "mqtt.broker" = { publish = ["granted/+/get"], subscribe = ["granted/+/state"] }
})]
pub fn publish_within_reach(args: Publish) -> Result<ToolResult, Fault> {
    ToolResult::structured(&args.run())
}

/// Publishes where no text can name it.
#[tool(requires = "any")]
pub fn publish_broken_text() -> Result<String, Fault> {
    // SAFETY: nothing here looks at it as text.
    let broken = unsafe { String::from_utf8_unchecked(b"granted/\xff\xfe".to_vec()) };
    Ok(format!("{:?}", mqtt::publish("mqtt.broker", &broken, b"x", None)))
}

impl Publish {
    fn run(&self) -> Value {
        let options = self.options_text.clone().or_else(|| self.options.as_ref().map(Value::to_string));
        let payload = self.payload.clone().map_or_else(|| vec![b'x'; self.size], String::into_bytes);
        match mqtt::publish(&self.capability, &self.topic, &payload, options.as_deref()) {
            Ok(()) => json!({ "published": true }),
            Err(error) => json!({ "error": failure(&error) }),
        }
    }
}

/// Everything that a guest learns of a failure.
pub fn failure(error: &mqtt::Failure) -> Value {
    let mqtt::Failure { code, message, retryable, sent, details } = error;
    let details = details.as_deref().map(|details| serde_json::from_str::<Value>(details).ok());
    json!({ "code": code, "message": message, "retryable": retryable, "sent": sent, "details": details })
}
