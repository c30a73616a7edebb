//! A message that is about to be published.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{MqttError, host};

/// Publishes a message with the defaults of [`Publication`].
///
/// # Errors
/// As [`Publication::send`].
pub fn publish(capability: &str, topic: &str, payload: impl Into<Vec<u8>>) -> Result<(), MqttError> {
    Publication::new(topic, payload).send(capability)
}

/// A message that is not published yet. The first mistake is kept and returned by [`Self::send`].
///
/// ```no_run
/// # use fleetgate_sdk::prelude::*;
/// use fleetgate_sdk::mqtt::{Publication, topic};
///
/// # fn reboot(tenant: &str, device: &str) -> Result<(), Fault> {
/// let topic = topic(["jettyd", tenant, device, "command"])?;
/// Publication::json(&topic, &json!({ "action": "reboot" })).qos(1).send("mqtt.broker")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is published without `.send(\"mqtt.broker\")?`"]
pub struct Publication {
    topic: String,
    payload: Result<Vec<u8>, MqttError>,
    options: Map<String, Value>,
}

impl Publication {
    /// This payload: QoS 1, not retained.
    pub fn new(topic: &str, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.to_owned(), payload: Ok(payload.into()), options: Map::new() }
    }

    /// This value as JSON: QoS 1, not retained.
    pub fn json(topic: &str, value: &impl Serialize) -> Self {
        let payload = serde_json::to_vec(value).map_err(|error| {
            MqttError::new("invalid", format!("the payload for {topic:?} cannot be JSON: {error}"))
        });
        Self { topic: topic.to_owned(), payload, options: Map::new() }
    }

    fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// 0: at most once; 1: at least once; 2: exactly once.
    pub fn qos(self, qos: u8) -> Self {
        self.option("qos", qos)
    }

    /// The broker keeps it for those who subscribe later. Where the grant says so.
    pub fn retain(self, retain: bool) -> Self {
        self.option("retain", retain)
    }

    /// How long the broker may take to acknowledge it. Without it: 5 seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.option("timeoutMs", u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
    }

    /// Its media type. MQTT 5; left out with 3.1.1, as all below.
    pub fn content_type(self, media_type: &str) -> Self {
        self.option("contentType", media_type)
    }

    /// Where the answer is wanted, within the granted subscriptions.
    pub fn response_topic(self, topic: &str) -> Self {
        self.option("responseTopic", topic)
    }

    /// What names this request in the answer.
    pub fn correlation_data(self, data: &[u8]) -> Self {
        self.option("correlationData", STANDARD.encode(data))
    }

    /// One more name and value.
    pub fn user_property(mut self, name: &str, value: &str) -> Self {
        let pairs = self.options.entry("userProperties").or_insert_with(|| json!([]));
        if let Value::Array(pairs) = pairs {
            pairs.push(json!([name, value]));
        }
        self
    }

    /// The broker drops it where it could not deliver it in time. In whole seconds.
    pub fn expires_after(self, time: Duration) -> Self {
        self.option("messageExpiryInterval", time.as_secs())
    }

    /// Publishes it and waits until the broker has it: for QoS 0 until it was written to the connection, for 1 its
    /// acknowledgement, for 2 the whole exchange. `capability`: the name of the request, like `mqtt.broker`.
    ///
    /// # Errors
    /// `denied`, `invalid`, `too-large`, `too-much`, `credential`, `unreachable`, `timeout`, `dropped`, `cancelled`.
    /// With [`MqttError::sent`] it may have reached the broker.
    pub fn send(self, capability: &str) -> Result<(), MqttError> {
        host::publish(capability, &self.topic, &self.payload?, &self.options)
    }
}
