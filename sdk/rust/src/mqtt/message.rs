//! A message that was heard.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::MqttError;

/// A message, as it came from the broker. Everything in it is what a stranger says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Where it was published.
    pub topic: String,
    /// What was published.
    pub payload: Vec<u8>,
    /// 0, 1 or 2, as the broker delivered it.
    pub qos: u8,
    /// The broker had kept it from before.
    pub retained: bool,
    /// When the host heard it, in Unix milliseconds.
    pub time_ms: u64,
    /// What MQTT 5 says beside it, as the host writes it: `contentType`, `responseTopic`, `correlationData` (Base64),
    /// `userProperties` (pairs), `messageExpiryInterval`. Empty with MQTT 3.1.1.
    pub properties: Map<String, Value>,
}

impl Message {
    /// The payload as JSON.
    ///
    /// # Errors
    /// `malformed` when it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, MqttError> {
        serde_json::from_slice(&self.payload).map_err(|error| {
            let message = format!("the payload at {:?} is not what was expected: {error}", self.topic);
            MqttError::new("malformed", message)
        })
    }

    /// The payload as text. Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str)
    }

    /// Its media type, where the sender says one (MQTT 5).
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.property("contentType")
    }

    /// Where the sender wants its answer (MQTT 5).
    #[must_use]
    pub fn response_topic(&self) -> Option<&str> {
        self.property("responseTopic")
    }

    /// What names the request that it answers (MQTT 5).
    #[must_use]
    pub fn correlation_data(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.property("correlationData")?).ok()
    }

    /// What the sender adds (MQTT 5): names and values, in their order.
    #[must_use]
    pub fn user_properties(&self) -> Vec<(&str, &str)> {
        let pairs = self.properties.get("userProperties").and_then(Value::as_array);
        pairs
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)))
            .collect()
    }
}
