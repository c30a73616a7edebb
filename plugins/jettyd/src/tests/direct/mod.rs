//! Promises of the way without the platform. The harness plays the broker and the bucket; a device is what is delivered.

mod alerts;
mod bounds;
mod commands;
mod configuring;
mod fleet;
mod heard;
mod history;
mod matters;
mod sensors;
mod store;

use std::time::{Duration, SystemTime};

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Broker, Harness};

use super::played::{SCOPES, assert_fits, declared};
use crate::Exported;

pub const TOPIC: &str = "jettyd/acme/d1";

/// A broker, a bucket, and a host in between.
pub struct Direct {
    pub host: Harness,
}

/// What an operator would grant.
pub fn broker() -> Broker {
    Broker::new()
        .may_publish(&["jettyd/acme/+/command", "jettyd/acme/+/config", "jettyd/acme/+/shadow/desired"])
        .may_subscribe(&[
            "jettyd/acme/+/telemetry",
            "jettyd/acme/+/status",
            "jettyd/acme/+/shadow/report",
            "jettyd/acme/+/alert",
            "jettyd/acme/+/command/response",
            "jettyd/acme/+/config",
            "jettyd/acme/+/config/ack",
        ])
}

/// A host that grants the broker to somebody who may everything.
pub fn host(broker: Broker) -> Harness {
    Harness::new()
        .binding("jettyd")
        .principal("ann")
        .roles(SCOPES)
        .granted("mqtt.broker")
        .granted("keyvalue.history")
        .granted("events.telemetry")
        .shared("keyvalue.history")
        .broker("mqtt.broker", broker)
        .deadline(Duration::from_secs(120))
}

impl Direct {
    pub fn new() -> Self {
        Self { host: host(broker()) }
    }

    /// With a device of this id that was heard just now.
    pub fn with_device() -> Self {
        Self::beside(broker())
    }

    /// The same with another broker.
    pub fn beside(broker: Broker) -> Self {
        let direct = Self { host: host(broker) };
        direct.says("status", json!({ "status": "online" }));
        direct
    }

    /// d1 says something now.
    #[track_caller]
    pub fn says(&self, channel: &str, data: Value) {
        self.said(&format!("{TOPIC}/{channel}"), data, 0);
    }

    /// Something was said so many seconds ago.
    #[track_caller]
    pub fn said(&self, topic: &str, data: Value, ago: u64) {
        let answers = self.deliver(vec![event(topic, &data.to_string(), ago)]);
        assert_eq!(answers, [Ok(())], "{topic} {data}");
    }

    pub fn deliver(&self, batch: Vec<Event>) -> Vec<Result<(), Fault>> {
        self.host.deliver::<Exported>(batch)
    }

    /// Calls a tool by its name, and checks what holds for every call.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<ToolResult, Fault> {
        let outcome = self.host.run(|| testing::call_tool::<Exported>(tool, arguments));
        assert!(self.host.requests().is_empty(), "no API is granted");
        assert!(self.host.listened().is_empty(), "nothing is listened to after a call");
        let Outcome::Done(result) = outcome? else { panic!("{tool} asks") };
        assert_fits(tool, &declared(tool), &result);
        Ok(result)
    }

    #[track_caller]
    pub fn data(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).expect("the call succeeds");
        assert!(!result.is_error, "{}", result.all_text());
        result.structured.expect("the tool returns data")
    }

    #[track_caller]
    pub fn failure(&self, tool: &str, arguments: Value) -> (String, Value) {
        let result = self.call(tool, arguments).expect("the call has a result");
        assert!(result.is_error, "{:?}", result.structured);
        (result.all_text(), result.structured.expect("a failure has data"))
    }

    #[track_caller]
    pub fn fault(&self, tool: &str, arguments: Value) -> Fault {
        self.call(tool, arguments).expect_err("the call is refused")
    }

    /// What is kept under a prefix, by key.
    pub fn kept(&self, prefix: &str) -> Vec<(String, Value)> {
        self.host.run(|| {
            let bucket = fleetgate_sdk::keyvalue::Bucket::open("keyvalue.history").expect("it is granted");
            let entries = bucket.entries(prefix);
            entries
                .map(|entry| entry.expect("it can be read"))
                .map(|e| (e.key.clone(), e.json().expect("JSON")))
                .collect()
        })
    }
}

/// Unix milliseconds of so many seconds ago.
pub fn ms(ago: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_millis()).expect("they fit") - ago * 1000
}

/// An event with an id of its own.
pub fn event(topic: &str, data: &str, ago: u64) -> Event {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("e{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Event { time_ms: ms(ago), ..Event::new(&id, "events.telemetry", topic, data) }
}

/// Telemetry of d1.
pub fn telemetry(readings: Value) -> Value {
    json!({ "readings": readings })
}
