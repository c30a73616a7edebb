//! The host's MQTT in a test: the brokers of the harness that runs on this thread.
//!
//! No time passes. A wait for something that does not come counts as slept, so that deadlines are met as they would be.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use serde_json::{Map, Value};

use super::broker::{Broker, Published};
use super::harness::{State, current};
use crate::mqtt::topic::{check_filter, check_topic, covers, matches};
use crate::mqtt::{Heard, Message, MqttError, SubscribeOptions};

/// Limits of the interface.
const MOST_FILTERS: usize = 16;
const MOST_WAITING: usize = 1_024;
const MOST_BYTES: usize = 4 << 20;

type Result<T> = std::result::Result<T, MqttError>;

/// All brokers, and who listens.
#[derive(Default)]
pub(crate) struct Brokers {
    pub(crate) brokers: RefCell<BTreeMap<String, Broker>>,
    pub(crate) published: RefCell<Vec<Published>>,
    listeners: RefCell<Vec<Weak<Listener>>>,
}

struct Listener {
    capability: String,
    filters: Vec<String>,
    qos: u8,
    waiting: RefCell<Waiting>,
}

/// In the order in which they come: when, on the harness's clock of what was slept.
#[derive(Default)]
struct Waiting {
    messages: VecDeque<(Duration, Message)>,
    bytes: usize,
    missed: u64,
}

impl Waiting {
    fn push(&mut self, due: Duration, message: Message) {
        self.bytes += message.payload.len();
        let at = self.messages.partition_point(|(other, _)| *other <= due);
        self.messages.insert(at, (due, message));
        while self.messages.len() > MOST_WAITING || self.bytes > MOST_BYTES {
            let Some((_, oldest)) = self.messages.pop_front() else { break };
            self.bytes -= oldest.payload.len();
            self.missed += 1;
        }
    }
}

pub(crate) struct Subscription {
    state: Rc<State>,
    listener: Rc<Listener>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscription").field(&self.listener.filters).finish()
    }
}

fn denied(why: impl Into<String>) -> MqttError {
    MqttError::new("denied", why)
}

/// The broker of a granted request.
fn broker(capability: &str) -> Result<(Rc<State>, Broker)> {
    let Some(state) = current().filter(|state| state.granted.borrow().contains(capability)) else {
        return Err(denied("this is not granted"));
    };
    if state.cancelled.get() {
        return Err(MqttError::new("cancelled", "the call was cancelled"));
    }
    let broker = state.mqtt.brokers.borrow().get(capability).cloned();
    match broker {
        None => Err(MqttError::new("unreachable", "there is no connection to the broker").retryable()),
        Some(Broker { refuses: Some(error), .. }) => Err(error),
        Some(broker) => Ok((state, broker)),
    }
}

/// What the tool's reach allows besides. None: it does not say.
fn reach(state: &State, capability: &str, of: &str) -> Option<Vec<String>> {
    let policy = state.policy.borrow();
    let filters = policy.reach(capability)?.get(of).and_then(Value::as_array);
    Some(filters?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

pub(crate) fn publish(
    capability: &str,
    topic: &str,
    payload: &[u8],
    options: &Map<String, Value>,
) -> Result<()> {
    let (state, broker) = broker(capability)?;
    check_topic(topic)?;
    let qos = match options.get("qos").map_or(Some(1), Value::as_u64) {
        Some(qos @ 0..=2) => u8::try_from(qos).unwrap_or(2),
        _ => return Err(MqttError::new("invalid", "the QoS is 0, 1 or 2")),
    };
    let retain = options.get("retain") == Some(&Value::Bool(true));
    match reach(&state, capability, "publish") {
        Some(allowed) if !allowed.iter().any(|filter| matches(filter, topic)) => {
            return Err(denied("this topic is not granted to this tool"));
        }
        None if !state.policy.borrow().may_act(capability, "publish") => {
            return Err(denied("this call is read-only"));
        }
        _ => {}
    }
    if !broker.publish.iter().any(|filter| matches(filter, topic)) {
        return Err(denied("this topic is not granted"));
    }
    if qos > broker.qos || retain && !broker.retain {
        return Err(denied("this QoS, or retaining, is not granted"));
    }
    if payload.len() > broker.most_payload {
        let message = format!("the payload has {} bytes, of {}", payload.len(), broker.most_payload);
        return Err(MqttError::new("too-large", message));
    }
    let response = options.get("responseTopic").and_then(Value::as_str);
    let heard = reach(&state, capability, "subscribe");
    for allowed in [Some(&broker.subscribe), heard.as_ref()].into_iter().flatten() {
        if response.is_some_and(|topic| !allowed.iter().any(|filter| matches(filter, topic))) {
            return Err(denied("this response topic is not granted"));
        }
    }
    let published = Published {
        capability: capability.to_owned(),
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        qos,
        retain,
        options: options.clone(),
    };
    state.mqtt.published.borrow_mut().push(published.clone());
    let properties =
        options.iter().filter(|(name, _)| !["qos", "retain", "timeoutMs"].contains(&name.as_str()));
    let message = Message {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        qos,
        properties: properties.map(|(name, value)| (name.clone(), value.clone())).collect(),
        ..Message::default()
    };
    if retain {
        state.mqtt.keep(capability, &message);
    }
    state.says(capability, Duration::ZERO, message);
    let mut failed = Ok(());
    for (filter, reacts) in &broker.reactions {
        if !matches(filter, topic) {
            continue;
        }
        let reaction = reacts(&published);
        for (after, message) in reaction.says {
            state.says(capability, after, message);
        }
        failed = failed.and(reaction.fails.map_or(Ok(()), Err));
    }
    failed
}

impl Brokers {
    /// An empty payload deletes what is kept (MQTT 5.0, 3.3.1.3).
    fn keep(&self, capability: &str, message: &Message) {
        if let Some(broker) = self.brokers.borrow_mut().get_mut(capability) {
            match message.payload.is_empty() {
                true => drop(broker.retained.remove(&message.topic)),
                false => drop(broker.retained.insert(message.topic.clone(), message.clone())),
            }
        }
    }

    /// The filters that are listened to now.
    pub(crate) fn listened(&self) -> Vec<String> {
        let listeners = self.listeners.borrow();
        listeners.iter().filter_map(Weak::upgrade).flat_map(|listener| listener.filters.clone()).collect()
    }
}

impl State {
    /// Tells all whose filters match; each once.
    pub(crate) fn says(&self, capability: &str, after: Duration, message: Message) {
        let due = self.slept.get() + after;
        let mut listeners = self.mqtt.listeners.borrow_mut();
        listeners.retain(|listener| listener.strong_count() > 0);
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            let hears = |filter: &String| matches(filter, &message.topic);
            if listener.capability == capability && listener.filters.iter().any(hears) {
                let qos = message.qos.min(listener.qos);
                let message = Message { qos, ..message.clone() };
                listener.waiting.borrow_mut().push(due, message);
            }
        }
    }
}

impl Subscription {
    pub(crate) fn open(capability: &str, filters: &[String], options: &SubscribeOptions) -> Result<Self> {
        let (state, broker) = broker(capability)?;
        if !(1..=MOST_FILTERS).contains(&filters.len()) || options.qos > 2 {
            let message = format!("1 to {MOST_FILTERS} filters, with QoS 0, 1 or 2");
            return Err(MqttError::new("invalid", message));
        }
        let reach = reach(&state, capability, "subscribe");
        for filter in filters {
            check_filter(filter)?;
            for allowed in [Some(&broker.subscribe), reach.as_ref()].into_iter().flatten() {
                if !allowed.iter().any(|wide| covers(wide, filter)) {
                    return Err(denied("this filter is not granted"));
                }
            }
        }
        let listener = Rc::new(Listener {
            capability: capability.to_owned(),
            filters: filters.to_vec(),
            qos: options.qos.min(broker.qos),
            waiting: RefCell::default(),
        });
        if options.retained {
            for message in broker.retained.values() {
                if filters.iter().any(|filter| matches(filter, &message.topic)) {
                    let qos = message.qos.min(listener.qos);
                    let message = Message { qos, retained: true, ..message.clone() };
                    listener.waiting.borrow_mut().push(state.slept.get(), message);
                }
            }
        }
        state.mqtt.listeners.borrow_mut().push(Rc::downgrade(&listener));
        Ok(Self { state, listener })
    }

    /// What was slept: no other time passes.
    pub(crate) fn clock(&self) -> Duration {
        self.state.slept.get()
    }

    pub(crate) fn read(&self, timeout: Duration) -> Result<Heard> {
        if self.state.cancelled.get() {
            return Err(MqttError::new("cancelled", "the call was cancelled"));
        }
        let mut waiting = self.listener.waiting.borrow_mut();
        if waiting.missed > 0 {
            return Ok(Heard::Missed(std::mem::take(&mut waiting.missed)));
        }
        let now = self.state.slept.get();
        let patience = timeout.min(self.state.time_left());
        let due = waiting.messages.front().map(|(due, _)| *due).filter(|due| *due <= now + patience);
        let Some(due) = due else {
            self.state.slept.set(now + patience);
            if self.state.time_left().is_zero() {
                return Err(MqttError::new("cancelled", "the call's time is over"));
            }
            return Ok(Heard::TimedOut);
        };
        self.state.slept.set(now.max(due));
        let (_, mut message) = waiting.messages.pop_front().expect("it was there");
        waiting.bytes -= message.payload.len();
        if message.time_ms == 0 {
            message.time_ms = self.state.now_ms();
        }
        Ok(Heard::Message(message))
    }
}
