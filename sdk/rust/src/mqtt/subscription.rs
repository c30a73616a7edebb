//! Listening.

use std::time::Duration;

use serde::Serialize;

use super::{Message, MqttError, host};

/// How filters are listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscribeOptions {
    /// The most with which messages are delivered.
    pub qos: u8,
    /// Messages that the broker kept from before come first. False: none of those.
    pub retained: bool,
    /// How long the broker may take to acknowledge the filters, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for SubscribeOptions {
    /// QoS 1, with what is retained, 5 seconds.
    fn default() -> Self {
        Self { qos: 1, retained: true, timeout_ms: 5_000 }
    }
}

/// What a subscription has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// The next message.
    Message(Message),
    /// None came in time; the subscription stands.
    TimedOut,
    /// So many messages were not kept, since they came faster than they were read, or are larger than the operator lets
    /// in. 0: the connection broke meanwhile, and how many were missed is not known.
    Missed(u64),
}

/// Filters that are listened to until this is dropped, at the latest when the call ends.
#[derive(Debug)]
pub struct Subscription {
    host: host::Subscription,
}

impl Subscription {
    /// Subscribes, and answers when the broker has acknowledged all of the filters: what is published from then on is
    /// heard. Retained messages come first. `filters`: 1 to 16.
    ///
    /// # Errors
    /// `denied`, `invalid`, `too-much`, `credential`, `unreachable`, `timeout`, `dropped`, `cancelled`.
    pub fn open<F: AsRef<str>>(capability: &str, filters: &[F]) -> Result<Self, MqttError> {
        Self::open_with(capability, filters, &SubscribeOptions::default())
    }

    /// The same in another way than the default.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with<F: AsRef<str>>(
        capability: &str,
        filters: &[F],
        options: &SubscribeOptions,
    ) -> Result<Self, MqttError> {
        let filters: Vec<String> = filters.iter().map(|filter| filter.as_ref().to_owned()).collect();
        host::Subscription::open(capability, &filters, options).map(|host| Self { host })
    }

    /// The next message, waiting at most so long. A message that several filters match is heard once. At most 1,024
    /// messages and 4 MiB wait to be read; the oldest give way.
    ///
    /// # Errors
    /// `dropped`, `cancelled`, `closed`.
    pub fn read(&self, timeout: Duration) -> Result<Heard, MqttError> {
        self.host.read(timeout)
    }

    /// The first message of this kind, waiting at most so long. Others are read and left alone, and so is it when some
    /// were missed: without an answer in time, it is not known whether there was none. None: it did not come in time.
    ///
    /// An answer to a request is listened for before the request is published:
    ///
    /// ```no_run
    /// # use fleetgate_sdk::prelude::*;
    /// use std::time::Duration;
    /// use fleetgate_sdk::mqtt::{Publication, Subscription};
    ///
    /// # fn ping(command: &str, response: &str, id: &str) -> Result<(), Fault> {
    /// let answers = Subscription::open("mqtt.broker", &[response])?;
    /// Publication::json(command, &json!({ "id": id, "action": "ping" })).send("mqtt.broker")?;
    /// let wanted = |message: &fleetgate_sdk::mqtt::Message| {
    ///     !message.retained && message.json::<Value>().is_ok_and(|answer| answer["id"] == id)
    /// };
    /// let Some(answer) = answers.wait_for(wanted, Duration::from_secs(10))? else {
    ///     return Err(Fault::timeout("The device did not answer; it may still do what it was asked to."));
    /// };
    /// # drop(answer);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn wait_for(
        &self,
        mut wanted: impl FnMut(&Message) -> bool,
        timeout: Duration,
    ) -> Result<Option<Message>, MqttError> {
        let begin = self.host.clock();
        loop {
            let left = timeout.saturating_sub(self.host.clock().saturating_sub(begin));
            match self.host.read(left)? {
                Heard::Message(message) if wanted(&message) => return Ok(Some(message)),
                // Whoever talks without end does not make it wait without end.
                Heard::Message(_) | Heard::Missed(_) if !left.is_zero() => {}
                Heard::TimedOut if self.host.clock().saturating_sub(begin) < timeout => {}
                _ => return Ok(None),
            }
        }
    }
}
