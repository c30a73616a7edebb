//! A broker that a test plays.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::mqtt::{Message, MqttError};

/// A message as the plugin published it.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The name of the request (`mqtt.broker`).
    pub capability: String,
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Kept for those who subscribe later.
    pub retain: bool,
    /// All options, as the host gets them: `qos`, `retain`, `timeoutMs`, `contentType`, `responseTopic`, …
    pub options: Map<String, Value>,
}

impl Published {
    /// The payload as JSON.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("what was published is JSON")
    }
}

/// What follows when something is published.
#[derive(Debug, Clone, Default)]
pub struct Reaction {
    pub(crate) says: Vec<(Duration, Message)>,
    pub(crate) fails: Option<MqttError>,
    after: Duration,
}

impl Reaction {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody publishes this, with QoS 1.
    #[must_use]
    pub fn says(self, topic: &str, payload: impl Into<Vec<u8>>) -> Self {
        let message =
            Message { topic: topic.to_owned(), payload: payload.into(), qos: 1, ..Message::default() };
        self.message(message)
    }

    /// Somebody publishes this, with all that belongs to it.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.says.push((self.after, message));
        self
    }

    /// What is said from here on comes so much later. Nobody waits: the time counts as slept.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.after += time;
        self
    }

    /// Publishing fails. What is said is said all the same.
    #[must_use]
    pub fn fails(self, error: MqttError) -> Self {
        Self { fails: Some(error), ..self }
    }
}

type Reacts = Rc<dyn Fn(&Published) -> Reaction>;

/// A broker with its grant, for [`Harness::broker`](super::Harness::broker): what it keeps, and what happens when the
/// plugin publishes something.
///
/// ```
/// # use fleetgate_sdk::prelude::*;
/// # use std::time::Duration;
/// use fleetgate_sdk::mqtt::{Publication, Subscription};
/// use fleetgate_sdk::testing::{Broker, Harness, Reaction};
///
/// let broker = Broker::new()
///     .may_publish(&["lab/+/command"])
///     .may_subscribe(&["lab/#"])
///     .retains("lab/d1/status", "online")
///     .on("lab/+/command", |command| {
///         let answer = json!({ "id": command.json()["id"], "status": "acked" });
///         Reaction::new().after(Duration::from_secs(1)).says("lab/d1/response", answer.to_string())
///     });
/// let host = Harness::new().granted("mqtt.broker").broker("mqtt.broker", broker);
/// host.run(|| {
///     let answers = Subscription::open("mqtt.broker", &["lab/d1/response"]).unwrap();
///     Publication::json("lab/d1/command", &json!({ "id": "c1" })).send("mqtt.broker").unwrap();
///     let answer = answers.wait_for(|_| true, Duration::from_secs(10)).unwrap().unwrap();
///     assert_eq!(answer.json::<Value>().unwrap()["status"], "acked");
///     assert!(Publication::new("lab/d1/status", "off").send("mqtt.broker").unwrap_err().is("denied"));
/// });
/// assert_eq!(host.published()[0].topic, "lab/d1/command");
/// assert_eq!(host.slept(), Duration::from_secs(1));
/// ```
#[derive(Clone)]
pub struct Broker {
    pub(crate) refuses: Option<MqttError>,
    pub(crate) publish: Vec<String>,
    pub(crate) subscribe: Vec<String>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) most_payload: usize,
    pub(crate) retained: BTreeMap<String, Message>,
    pub(crate) reactions: Vec<(String, Reacts)>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("publish", &self.publish)
            .field("subscribe", &self.subscribe)
            .field("retained", &self.retained)
            .finish_non_exhaustive()
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self::new()
    }
}

impl Broker {
    /// One that keeps nothing and where nobody else is. Every topic is granted that does not begin with `$`; else it is
    /// granted as by a table that says nothing more: QoS up to 1, nothing retained, 64 KiB of payload.
    #[must_use]
    pub fn new() -> Self {
        Self {
            refuses: None,
            publish: vec!["#".to_owned()],
            subscribe: vec!["#".to_owned()],
            qos: 1,
            retain: false,
            most_payload: 64 * 1024,
            retained: BTreeMap::new(),
            reactions: Vec::new(),
        }
    }

    /// One that cannot be used: everything fails with this.
    #[must_use]
    pub fn refusing(error: MqttError) -> Self {
        Self { refuses: Some(error), ..Self::new() }
    }

    /// The topics that are granted for publishing, as filters.
    #[must_use]
    pub fn may_publish(self, filters: &[&str]) -> Self {
        Self { publish: filters.iter().map(|&filter| filter.to_owned()).collect(), ..self }
    }

    /// The filters that are granted for listening.
    #[must_use]
    pub fn may_subscribe(self, filters: &[&str]) -> Self {
        Self { subscribe: filters.iter().map(|&filter| filter.to_owned()).collect(), ..self }
    }

    /// The most that is granted.
    #[must_use]
    pub fn most_qos(self, qos: u8) -> Self {
        Self { qos, ..self }
    }

    /// Retaining is granted.
    #[must_use]
    pub fn retaining(self) -> Self {
        Self { retain: true, ..self }
    }

    /// The most bytes of a payload.
    #[must_use]
    pub fn most_payload(self, bytes: usize) -> Self {
        Self { most_payload: bytes, ..self }
    }

    /// It has kept this from before.
    #[must_use]
    pub fn retains(mut self, topic: &str, payload: impl Into<Vec<u8>>) -> Self {
        let message =
            Message { topic: topic.to_owned(), payload: payload.into(), qos: 1, ..Message::default() };
        self.retained.insert(topic.to_owned(), message);
        self
    }

    /// What follows when the plugin publishes to a topic in this filter. Of several that match, all.
    #[must_use]
    pub fn on(mut self, filter: &str, reacts: impl Fn(&Published) -> Reaction + 'static) -> Self {
        self.reactions.push((filter.to_owned(), Rc::new(reacts)));
        self
    }
}
