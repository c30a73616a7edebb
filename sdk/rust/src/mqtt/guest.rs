//! In a component: the imports of `fleetgate:mqtt`.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{Heard, Message, MqttError, SubscribeOptions};
use crate::bindings::mqtt::fleetgate::mqtt::mqtt;
use crate::capability;

#[derive(Debug)]
pub(crate) struct Subscription {
    host: mqtt::Subscription,
    opened: Instant,
}

fn failed(failure: mqtt::Failure) -> MqttError {
    MqttError {
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
        sent: failure.sent,
        details: capability::details(failure.details),
    }
}

pub(crate) fn publish(
    capability: &str,
    topic: &str,
    payload: &[u8],
    options: &Map<String, Value>,
) -> Result<(), MqttError> {
    let options = serde_json::to_string(options)
        .map_err(|error| MqttError::new("invalid", format!("the options: {error}")))?;
    mqtt::publish(capability, topic, payload, Some(&options)).map_err(failed)
}

impl Subscription {
    pub(crate) fn open(
        capability: &str,
        filters: &[String],
        options: &SubscribeOptions,
    ) -> Result<Self, MqttError> {
        let options = serde_json::to_string(options)
            .map_err(|error| MqttError::new("invalid", format!("the options: {error}")))?;
        let host = mqtt::Subscription::open(capability, filters, Some(&options)).map_err(failed)?;
        Ok(Self { host, opened: Instant::now() })
    }

    /// Time that passed since it was opened.
    pub(crate) fn clock(&self) -> Duration {
        self.opened.elapsed()
    }

    pub(crate) fn read(&self, timeout: Duration) -> Result<Heard, MqttError> {
        let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        Ok(match self.host.read(milliseconds).map_err(failed)? {
            mqtt::Heard::Message(message) => Heard::Message(Message {
                topic: message.topic,
                payload: message.payload,
                qos: message.qos,
                retained: message.retained,
                time_ms: message.time_ms,
                properties: message
                    .properties
                    .and_then(|json| serde_json::from_str(&json).ok())
                    .unwrap_or_default(),
            }),
            mqtt::Heard::TimedOut => Heard::TimedOut,
            mqtt::Heard::Missed(messages) => Heard::Missed(messages),
        })
    }
}
