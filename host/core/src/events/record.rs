//! How events lie in the store, in the space `events`. Of each event of each binding, below `<binding>/<event>/`:
//!
//! - `q/<number>`: one that waits, by the order in which they were kept; `t/<number>`: what its deliveries came to
//! - `k`: how far keeping is; `w`: how far handling is, with the deliveries that have begun
//! - `o/<number>`: which deliveries of its source were kept ([`super::origins`])
//! - `d/<time>-<id>`: one that was set aside ([`super::dead`])
//!
//! Beside them, where no binding can be named so, `_host`, `_status/…` and `_asked/…`.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::Fault;
use crate::store::{Key, Space};

/// Where all of it is kept.
pub(super) fn space() -> Space {
    Space::new("events").expect("a good name")
}

/// Of which binding, and which of its events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct QueueName {
    pub(super) binding: Arc<str>,
    pub(super) event: Arc<str>,
}

impl QueueName {
    /// What all of its keys begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{}/{}/", self.binding, self.event)
    }

    pub(super) fn key(&self, rest: &str) -> Key {
        key(format!("{}{rest}", self.prefix()))
    }

    pub(super) fn waiting(&self, number: u64) -> Key {
        self.key(&format!("q/{number:016x}"))
    }

    pub(super) fn tried(&self, number: u64) -> Key {
        self.key(&format!("t/{number:016x}"))
    }

    pub(super) fn origins(&self, number: u64) -> Key {
        self.key(&format!("o/{number:016x}"))
    }

    pub(super) fn status(&self) -> Key {
        key(format!("{STATUS}{}/{}", self.binding, self.event))
    }
}

impl std::fmt::Display for QueueName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.binding, self.event)
    }
}

/// What the keys of [`super::status`] begin with.
pub(super) const STATUS: &str = "_status/";
/// What the keys of [`super::asked`] begin with.
pub(super) const ASKED: &str = "_asked/";

/// Names of bindings and events, numbers and ids are short and plain.
pub(super) fn key(name: String) -> Key {
    Key::new(name).expect("short and plain")
}

/// One event that waits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) about: About,
    pub(super) data: Vec<u8>,
    pub(super) tried: Tried,
}

/// What is known of an event, beside its payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) id: Arc<str>,
    pub(super) subject: String,
    /// What is handled in order.
    pub(super) order: Arc<str>,
    pub(super) heard_ms: u64,
    /// A JSON object, as text.
    pub(super) attributes: String,
}

/// What its deliveries came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Tried {
    /// How often it was given to a handler, to its end or not.
    pub(super) deliveries: u32,
    /// How often that failed by its own fault.
    pub(super) failures: u32,
    /// It is given alone, since a handler crashed over it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) alone: bool,
    /// Its last fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    /// Not before, in Unix milliseconds.
    #[serde(default)]
    pub(super) not_before_ms: u64,
}

/// How far keeping is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Keeping {
    /// The number of the next event.
    pub(super) next: u64,
    /// The number of the next entry of origins.
    pub(super) next_origins: u64,
    /// Events that were kept, ever.
    pub(super) heard: u64,
    /// Those of them that came again and were known.
    pub(super) again: u64,
    /// When it last came by itself, in Unix milliseconds.
    #[serde(default)]
    pub(super) ticked_ms: u64,
}

/// How far handling is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Handling {
    /// What was given to a handler and has not come back, by number, and with which delivery.
    pub(super) begun: Vec<(u64, u32)>,
    /// Events that were handled, ever.
    pub(super) handled: u64,
    /// Those that were set aside, ever.
    pub(super) set_aside: u64,
    /// Runs of the handler.
    pub(super) runs: u64,
    /// When the last of them began, in Unix milliseconds.
    #[serde(default)]
    pub(super) began_ms: u64,
}

impl Kept {
    /// What it takes of the queue's room.
    pub(super) fn size(&self) -> usize {
        let About { subject, order, attributes, .. } = &self.about;
        self.data.len() + subject.len() + order.len() + attributes.len()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        with_data(&self.about, &self.data)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (about, data) = apart(bytes)?;
        Some(Self { about, data: data.to_vec(), tried: Tried::default() })
    }
}

/// JSON, with bytes behind it.
pub(super) fn with_data(about: &impl Serialize, data: &[u8]) -> Vec<u8> {
    let json = to_json(about);
    let mut bytes = Vec::with_capacity(4 + json.len() + data.len());
    let length = u32::try_from(json.len()).expect("what is known of an event is short");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&json);
    bytes.extend_from_slice(data);
    bytes
}

/// What [`with_data`] put together. None: it is something else.
pub(super) fn apart<T: DeserializeOwned>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (json, data) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((serde_json::from_slice(json).ok()?, data))
}

pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with text keys")
}

/// Unix time in milliseconds.
pub(super) fn now_ms() -> u64 {
    in_ms(SystemTime::now())
}

pub(super) fn in_ms(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(super) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was_and_bytes_of_something_else_are_none() {
        let kept = Kept {
            about: About {
                id: "abc".into(),
                subject: "jettyd/a/telemetry".into(),
                order: "a".into(),
                heard_ms: 7,
                attributes: r#"{"qos":1}"#.into(),
            },
            data: vec![0, 255, b'{'],
            tried: Tried::default(),
        };
        let bytes = kept.to_bytes();
        assert_eq!(Kept::from_bytes(&bytes), Some(kept));
        for wrong in [&[][..], &[9; 3], &[255; 64], &bytes[..6]] {
            assert_eq!(Kept::from_bytes(wrong), None);
        }
    }
}
