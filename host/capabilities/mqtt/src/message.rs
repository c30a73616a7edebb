//! Messages, whichever version of MQTT brought them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::qos::Qos;

/// What MQTT 5 says beside a message. Empty with MQTT 3.1.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) content_type: Option<String>,
    pub(crate) response_topic: Option<String>,
    pub(crate) correlation_data: Option<Bytes>,
    pub(crate) user: Vec<(String, String)>,
    /// In seconds.
    pub(crate) expiry: Option<u32>,
}

impl Properties {
    /// As the guest gets them. None: there are none.
    pub(crate) fn json(&self) -> Option<Value> {
        let mut object = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(key.to_owned(), value);
            }
        };
        put("contentType", self.content_type.as_deref().map(Value::from));
        put("responseTopic", self.response_topic.as_deref().map(Value::from));
        put("correlationData", self.correlation_data.as_ref().map(|data| STANDARD.encode(data).into()));
        put("userProperties", (!self.user.is_empty()).then(|| json!(self.user)));
        put("messageExpiryInterval", self.expiry.map(Value::from));
        (!object.is_empty()).then_some(Value::Object(object))
    }

    /// About how many bytes they are.
    pub(crate) fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let user: usize = self.user.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        text(&self.content_type)
            + text(&self.response_topic)
            + self.correlation_data.as_ref().map_or(0, Bytes::len)
            + user
    }
}

/// A message on its way to the broker.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

/// A message as it came from the broker.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    /// The payload is larger than the grant takes, and was not read: so many bytes has the packet.
    pub(crate) left_out: Option<u64>,
    pub(crate) qos: Qos,
    /// The broker had kept it from before.
    pub(crate) retained: bool,
    /// The broker says that it may have sent it before.
    pub(crate) again: bool,
    /// Its packet, to acknowledge it by. 0: QoS 0.
    pub(crate) packet: u16,
    pub(crate) properties: Properties,
    /// The numbers of the subscriptions that it is for, where MQTT 5 says them.
    pub(crate) subscriptions: Vec<u32>,
}
