//! Listening to anything.

use std::time::{Duration, Instant};

use fleetgate_sdk::bindings::mqtt::fleetgate::mqtt::mqtt::{self, Heard, Subscription};
use fleetgate_sdk::prelude::*;
use serde_json::{Value, json};

use crate::publishing::{broker, failure};

/// What to listen to.
#[derive(Deserialize, JsonSchema)]
pub struct Listen {
    /// The capability.
    #[serde(default = "broker")]
    capability: String,
    /// Filters, or anything.
    filters: Vec<String>,
    /// As they are.
    options: Option<Value>,
    /// Messages to read.
    #[serde(default)]
    count: usize,
    /// Milliseconds to wait for each.
    #[serde(default)]
    wait: u32,
}

/// Listens to anything with what the plugin was granted.
#[tool(requires = "any", timeout = "60s")]
pub fn listen(args: Listen) -> Result<ToolResult, Fault> {
    ToolResult::structured(&args.run())
}

/// The same from a tool that claims to change nothing.
#[tool(requires = "any", read_only)]
pub fn listen_read_only(args: Listen) -> Result<ToolResult, Fault> {
    ToolResult::structured(&args.run())
}

/// The same from a tool with a reach of its own.
#[tool(requires = "any", read_only, reach = { "mqtt.broker" = { subscribe = ["granted/+/state"] } })]
pub fn listen_within_reach(args: Listen) -> Result<ToolResult, Fault> {
    ToolResult::structured(&args.run())
}

impl Listen {
    fn run(&self) -> Value {
        let options = self.options.as_ref().map(Value::to_string);
        match Subscription::open(&self.capability, &self.filters, options.as_deref()) {
            Ok(subscription) => json!({ "heard": self.heard(&subscription) }),
            Err(error) => json!({ "error": failure(&error) }),
        }
    }

    fn heard(&self, subscription: &Subscription) -> Vec<Value> {
        let mut heard = Vec::new();
        for _ in 0..self.count {
            heard.push(match subscription.read(self.wait) {
                Ok(Heard::Message(message)) => told(&message),
                Ok(Heard::TimedOut) => break,
                Ok(Heard::Missed(messages)) => json!({ "missed": messages }),
                Err(error) => json!({ "error": failure(&error) }),
            });
        }
        heard
    }
}

/// A message as it is told.
pub fn told(message: &mqtt::Message) -> Value {
    let start: String = String::from_utf8_lossy(&message.payload).chars().take(200).collect();
    json!({
        "topic": message.topic, "payload": start, "length": message.payload.len(), "qos": message.qos,
        "retained": message.retained, "time": message.time_ms, "properties": message.properties,
    })
}

/// A question and where its answer is.
#[derive(Deserialize, JsonSchema)]
pub struct Ask {
    /// Where the question goes.
    topic: String,
    /// The question.
    payload: String,
    /// Where the answer comes.
    answers: String,
    /// How it is asked.
    options: Option<Value>,
    /// Milliseconds to wait.
    wait: u32,
}

/// Listens, asks, and waits for the first answer that is not from before.
#[tool(requires = "any", timeout = "60s")]
pub fn ask(args: Ask) -> Result<ToolResult, Fault> {
    let answers = match Subscription::open("mqtt.broker", std::slice::from_ref(&args.answers), None) {
        Ok(answers) => answers,
        Err(error) => return ToolResult::structured(&json!({ "error": failure(&error) })),
    };
    let options = args.options.as_ref().map(Value::to_string);
    if let Err(error) = mqtt::publish("mqtt.broker", &args.topic, args.payload.as_bytes(), options.as_deref())
    {
        return ToolResult::structured(&json!({ "error": failure(&error) }));
    }
    let begin = Instant::now();
    loop {
        let left = Duration::from_millis(args.wait.into()).saturating_sub(begin.elapsed());
        if left.is_zero() {
            return ToolResult::structured(&json!({ "answer": null }));
        }
        match answers.read(u32::try_from(left.as_millis()).unwrap_or(u32::MAX)) {
            Ok(Heard::Message(message)) if !message.retained => {
                return ToolResult::structured(&json!({ "answer": told(&message) }));
            }
            Ok(_) => {}
            Err(error) => return ToolResult::structured(&json!({ "error": failure(&error) })),
        }
    }
}
