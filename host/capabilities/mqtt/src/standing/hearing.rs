//! One connection for events, from its beginning to its end.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use fleetgate_core::capability::{Heard, MAX_UNACKNOWLEDGED, Origin};
use fleetgate_core::mask::Mask;
use futures_util::future::join_all;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::record::Known;
use super::{Listener, Stand, lock};
use crate::copies::Copies;
use crate::filter::{Filter, Filters};
use crate::guard::shortened;
use crate::message::Arrived;
use crate::qos::Qos;
use crate::wire::{Broke, Client, Connected, Driver, NotDone, goodbye};

/// Messages that an MQTT 5 broker sends ahead of their acknowledgements. Well below what the core knows again.
const INFLIGHT: u16 = 256;
/// Messages that are made durable at once.
const BATCH: usize = 256;
/// What waits to be made durable, in bytes: of messages that must arrive, if no single one is larger, and of others.
///
/// While the first is full nothing is read, and no ping is sent either. So it has room for all that a broker sends ahead
/// of acknowledgements: MQTT 5 brokers are told how many, those of 3.1.1 send some twenty or thirty by themselves.
const MOST_SURE: u64 = 64 << 20;
const MOST_UNSURE: u64 = 8 << 20;
/// The least that a message counts: about a thousand of those that may get lost wait at most.
const LEAST: usize = 8 << 10;
/// Properties beyond this are left out.
const MOST_PROPERTIES: usize = 12 << 10;

/// A message that waits to be made durable.
struct Waiting {
    arrived: Arrived,
    when: SystemTime,
    /// Of another one, and only to be acknowledged.
    copy: bool,
    _room: OwnedSemaphorePermit,
}

/// So many messages of the largest size have room.
pub(super) fn inflight(message: u64) -> u16 {
    u16::try_from(MOST_SURE / message.max(1)).unwrap_or(u16::MAX).clamp(1, INFLIGHT)
}

/// Why a connection was left.
enum Left {
    Broke(Broke),
    /// Whoever listened does not any more.
    Asked,
    /// Somebody who listens keeps nothing.
    Unkept,
}

impl Stand {
    /// Hears until the connection ends. Why it broke; None: it was left on purpose.
    pub(super) async fn hear(
        &self,
        connected: Connected,
        mask: Option<Arc<Mask>>,
        client_id: &str,
        leave: &CancellationToken,
    ) -> Option<Broke> {
        let Connected { client, mut driver, resumed, offers } = connected;
        let subscribed = Mutex::new(Vec::new());
        let unacknowledged = Mutex::new(HashMap::new());
        let asking = Mutex::new(Vec::new());
        let (queue, queued) = mpsc::channel(2 * MAX_UNACKNOWLEDGED);
        let left = tokio::select! {
            biased;
            () = leave.cancelled() => Left::Asked,
            broke = self.read(&mut *driver, queue, &subscribed, &unacknowledged) => Left::Broke(broke),
            () = self.keep(queued, &*client, mask.as_deref(), &unacknowledged) => Left::Unkept,
            gone = self.subscribe(&*client, client_id, resumed, offers.qos, &subscribed, &asking) => match gone {},
        };
        match left {
            Left::Broke(broke) => Some(unanswered(broke, &lock(&asking))),
            Left::Asked | Left::Unkept => {
                goodbye(&*client, &mut *driver).await;
                // It is about to be dropped; until then its messages would come again at once.
                matches!(left, Left::Unkept).then_some(Broke::Closed)
            }
        }
    }

    /// Takes messages off the connection. One that must arrive waits for room, and everything behind it with it; one
    /// that may get lost does.
    async fn read(
        &self,
        driver: &mut dyn Driver,
        queue: mpsc::Sender<Waiting>,
        subscribed: &Mutex<Vec<Filter>>,
        unacknowledged: &Mutex<HashMap<u16, u64>>,
    ) -> Broke {
        let room = |most: u64| {
            let most = usize::try_from(most.max(self.limits.message)).unwrap_or(usize::MAX);
            Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
        };
        let (sure, unsure) = (room(MOST_SURE), room(MOST_UNSURE));
        let hasher = RandomState::new();
        let mut copies = Copies::default();
        let mut lost = 0u64;
        loop {
            let arrived = match driver.next().await {
                Ok(arrived) => arrived,
                Err(broke) => return broke,
            };
            if arrived.packet != 0 {
                let message = hasher.hash_one((&arrived.topic, &arrived.payload));
                match lock(unacknowledged).entry(arrived.packet) {
                    Entry::Vacant(free) => drop(free.insert(message)),
                    // Some brokers send again what is not acknowledged soon, and not all of them say so: it waits here
                    // already.
                    Entry::Occupied(waiting) if *waiting.get() == message => continue,
                    // Only one of the two could be acknowledged.
                    Entry::Occupied(_) => {
                        let why = "a message with the number of another one, which is not acknowledged yet";
                        return Broke::Protocol(why.into());
                    }
                }
            }
            let bytes = arrived.payload.len() + arrived.topic.len();
            let filters = lock(subscribed).iter().filter(|filter| filter.takes(&arrived.topic)).count();
            // What is sent again has no copies that are known.
            let copy = !arrived.again
                && !arrived.retained
                && copies.is_one(&arrived.topic, &arrived.payload, filters);
            let when = SystemTime::now();
            if arrived.qos == Qos::AtMostOnce {
                let full = match Arc::clone(&unsure).try_acquire_many_owned(permits(bytes.max(LEAST))) {
                    Ok(permit) => {
                        let waiting = Waiting { arrived, when, copy, _room: permit };
                        matches!(queue.try_send(waiting), Err(TrySendError::Full(_)))
                    }
                    Err(_) => true,
                };
                if full {
                    lost += 1;
                    if lost.is_power_of_two() {
                        tracing::warn!(broker = %self.dialling.broker, lost, "messages with QoS 0 come faster than they are kept");
                    }
                }
                continue;
            }
            let permit = Arc::clone(&sure).acquire_many_owned(permits(bytes.min(self.largest()))).await;
            let Ok(permit) = permit else { return Broke::Closed };
            if queue.send(Waiting { arrived, when, copy, _room: permit }).await.is_err() {
                return Broke::Closed;
            }
        }
    }

    fn largest(&self) -> usize {
        usize::try_from(self.limits.message.max(MOST_SURE)).unwrap_or(usize::MAX)
    }

    /// Has messages made durable, and acknowledges them then, in their order. Ends when somebody keeps nothing any more.
    async fn keep(
        &self,
        mut queued: mpsc::Receiver<Waiting>,
        client: &dyn Client,
        mask: Option<&Mask>,
        unacknowledged: &Mutex<HashMap<u16, u64>>,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut unasked = 0u64;
        while queued.recv_many(&mut batch, BATCH).await > 0 {
            let Some(listeners) = self.listeners() else { return };
            let mut keeping = Vec::new();
            for listener in &listeners {
                let mine =
                    |waiting: &&Waiting| !waiting.copy && listener.filters.take(&waiting.arrived.topic);
                let heard: Vec<_> =
                    batch.iter().filter(mine).map(|waiting| heard(waiting, listener, mask)).collect();
                if !heard.is_empty() {
                    keeping.push(listener.sink.keep(heard));
                }
            }
            if join_all(keeping).await.iter().any(Result::is_err) {
                return;
            }
            for Waiting { arrived, .. } in batch.drain(..) {
                if !listeners.iter().any(|listener| listener.filters.take(&arrived.topic)) {
                    unasked += 1;
                    if unasked.is_power_of_two() {
                        tracing::warn!(
                            broker = %self.dialling.broker, unasked,
                            "the broker's session brings messages that no event listens to"
                        );
                    }
                }
                if arrived.qos != Qos::AtMostOnce {
                    lock(unacknowledged).remove(&arrived.packet);
                    client.acknowledge(&arrived);
                }
            }
        }
    }

    /// Puts right what is subscribed, and does so again whenever it changes.
    async fn subscribe(
        &self,
        client: &dyn Client,
        client_id: &str,
        resumed: bool,
        most: Qos,
        subscribed: &Mutex<Vec<Filter>>,
        asking: &Mutex<Vec<Filter>>,
    ) -> std::convert::Infallible {
        let mut known = if resumed { self.record.read(client_id).await } else { Known::default() };
        loop {
            let wanted: BTreeMap<_, _> =
                self.wanted().into_iter().map(|(filter, qos)| (filter, qos.min(most))).collect();
            *lock(subscribed) = wanted.keys().cloned().collect();
            self.put_right(client, client_id, &mut known, &wanted, asking).await;
            self.changed.notified().await;
        }
    }

    async fn put_right(
        &self,
        client: &dyn Client,
        client_id: &str,
        known: &mut Known,
        wanted: &BTreeMap<Filter, Qos>,
        asking: &Mutex<Vec<Filter>>,
    ) {
        let before = known.clone();
        known.granted.retain(|filter, qos| wanted.get(filter) == Some(qos));
        let gone = before.granted.keys().chain(&before.asked).filter(|filter| !wanted.contains_key(*filter));
        let gone: BTreeSet<_> = gone.cloned().collect();
        let new: Vec<_> = wanted.iter().filter(|(filter, _)| !known.granted.contains_key(*filter)).collect();
        let mut wrong = BTreeMap::new();
        if !gone.is_empty() || !new.is_empty() {
            known.asked = gone.iter().chain(wanted.keys()).cloned().collect();
            self.record.write(client_id, known).await;
            *lock(asking) = new.iter().map(|(filter, _)| (*filter).clone()).collect();
            // Queued here in this order; a subscription that grows is there before the one that it replaces goes.
            let subscribing: Vec<_> =
                new.iter().map(|(filter, qos)| client.subscribe(&filter.to_string(), **qos, 0)).collect();
            let leaving: Vec<_> = gone.iter().map(|filter| client.unsubscribe(&filter.to_string())).collect();
            let (answers, left) = tokio::join!(join_all(subscribing), join_all(leaving));
            lock(asking).clear();
            for ((filter, qos), answer) in new.into_iter().zip(answers) {
                match answer {
                    Ok(granted) => {
                        known.granted.insert(filter.clone(), *qos);
                        if granted < *qos {
                            let why = format!(
                                "the broker grants {filter} with QoS {granted} alone: messages can get lost"
                            );
                            wrong.insert(filter.clone(), why);
                        }
                    }
                    Err(NotDone::Refused(reason) | NotDone::Unsure(reason)) => {
                        let why =
                            format!("the broker refuses the subscription to {filter} (reason {reason:#04x})");
                        wrong.insert(filter.clone(), why);
                    }
                    Err(NotDone::Gone) => return,
                }
            }
            let left = gone.into_iter().zip(left).filter(|(_, answer)| answer.is_err());
            known.asked = left.map(|(filter, _)| filter).collect();
            self.record.write(client_id, known).await;
        }
        self.told(wanted, &wrong);
    }

    /// Tells each event that listens through these filters what is wrong with one.
    fn told(&self, wanted: &BTreeMap<Filter, Qos>, wrong: &BTreeMap<Filter, String>) {
        let wanted = Filters::new(wanted.keys().cloned());
        for listener in self.listeners().unwrap_or_default() {
            if !listener.filters.iter().all(|own| wanted.cover(own)) {
                // It came meanwhile, and is subscribed next.
                continue;
            }
            let behind = |filter: &Filter| listener.filters.iter().any(|own| filter.and(own).is_some());
            let trouble = wrong.iter().find(|(filter, _)| behind(filter)).map(|(_, why)| why.clone());
            if let Some(why) = &trouble {
                tracing::warn!(broker = %self.dialling.broker, event = %listener.name, %why, "an event does not hear all");
            }
            *lock(&listener.trouble) = trouble;
        }
    }
}

/// Some brokers have no other answer to a subscription that they do not allow than to end the connection.
fn unanswered(broke: Broke, asking: &[Filter]) -> Broke {
    match broke {
        Broke::Lost(why) if !asking.is_empty() => {
            let mut what =
                asking.iter().take(3).map(|filter| shortened(&filter.to_string())).collect::<Vec<_>>();
            if asking.len() > what.len() {
                what.push(format!("{} more", asking.len() - what.len()));
            }
            Broke::Lost(format!(
                "{why}, when it was asked for {}; perhaps it does not allow that",
                what.join(", ")
            ))
        }
        other => other,
    }
}

/// A message as an event gets it.
fn heard(waiting: &Waiting, listener: &Listener, mask: Option<&Mask>) -> Heard {
    let Arrived { topic, payload, left_out, qos, retained, again, packet, properties, .. } = &waiting.arrived;
    let clean = |text: &str| mask.map_or_else(|| text.to_owned(), |mask| mask.hide(text).into_owned());
    let mut attributes = json!({ "qos": qos.number(), "retained": retained });
    if let Some(properties) = properties.json() {
        let text = clean(&properties.to_string());
        match serde_json::from_str(&text) {
            Ok(properties) if text.len() <= MOST_PROPERTIES => attributes["properties"] = properties,
            _ => attributes["propertiesLeftOut"] = true.into(),
        }
    }
    let device = listener.asked.iter().find(|filter| filter.takes(topic));
    let order = device.map_or_else(|| topic.clone(), |filter| filter.wild_levels(topic).into_owned());
    Heard {
        subject: clean(topic),
        order: clean(&order),
        data: mask.map_or_else(|| payload.to_vec(), |mask| mask.hide_bytes(payload).into_owned()),
        left_out: *left_out,
        attributes,
        heard: waiting.when,
        origin: (*packet != 0).then(|| Origin { key: origin(*packet, topic, payload), again: *again }),
    }
}

/// Names a delivery: the broker sends what was not acknowledged again in a packet of the same number.
fn origin(packet: u16, topic: &str, payload: &[u8]) -> String {
    let digest = Sha256::new().chain_update(topic).chain_update([0]).chain_update(payload).finalize();
    let digest: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{packet}-{digest}")
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.max(1)).unwrap_or(u32::MAX)
}
