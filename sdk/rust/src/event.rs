//! What happened in the fleet, and who handles it.

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Fault;

/// Something that happened: a message that a standing subscription heard, or the time of a schedule.
///
/// Everything in `subject` and `data` is what a stranger says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// Stable across deliveries: storing an event under its id twice is storing it once.
    pub id: String,
    /// The capability request that it comes from (`events.telemetry`).
    pub source: String,
    /// An MQTT topic, for example.
    pub subject: String,
    /// When the host heard it, in Unix milliseconds.
    pub time_ms: u64,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// The payload.
    pub data: Vec<u8>,
    /// Whatever else is known (`retained`, `qos`).
    pub attributes: Map<String, Value>,
}

impl Event {
    /// An event as it is delivered first, for tests: `Event::new("e1", "events.telemetry", "jettyd/a/d1/telemetry",
    /// "{}")`.
    #[must_use]
    pub fn new(id: &str, source: &str, subject: &str, data: impl Into<Vec<u8>>) -> Self {
        Self {
            id: id.to_owned(),
            source: source.to_owned(),
            subject: subject.to_owned(),
            attempt: 1,
            data: data.into(),
            ..Self::default()
        }
    }

    /// The payload as JSON.
    ///
    /// # Errors
    /// `malformed` when it is something else: not retryable, for it will be the same again.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.data).map_err(|error| {
            Fault::custom("malformed", format!("What came from {:?} is malformed: {error}.", self.subject))
        })
    }

    /// The payload as text. Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }

    /// When the host heard it.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.time_ms)
    }

    /// The broker had kept it from before.
    #[must_use]
    pub fn retained(&self) -> bool {
        self.attributes.get("retained") == Some(&Value::Bool(true))
    }
}

/// What handles events. `#[events]` implements it for a type beside the function.
pub trait Events {
    /// One answer for each event, in their order.
    fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>>;
}
