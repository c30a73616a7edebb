//! From a source to the store. Whatever waits to be kept is written in one step, and only then its source hears that it
//! may forget it; so a thousand messages a second are a few writes a second.

use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::asked::Wish;
use super::dead::{self, DeadEvent};
use super::live::{Comes, FoundEvent};
use super::origins::{self, Digested, digest};
use super::queue::Queue;
use super::record::{About, Kept, Tried, in_ms, now_ms, to_json};
use super::{MAX_BATCH_BYTES, MAX_DATA};
use crate::call::new_event_id;
use crate::capability::{Heard, Sink, SinkClosed};
use crate::domain::Fault;
use crate::store::Batch;
use crate::units::{format_duration, format_size};

/// Events that are written in one step.
const PIECE: usize = 250;
/// Of what is set aside, how much is dropped or tried again in one step.
const DEAD_AT_ONCE: usize = 100;
/// The longest subject and the longest attributes, in bytes. More does not come from any protocol that is spoken here.
const MAX_SUBJECT: usize = 64 << 10;
const MAX_ATTRIBUTES: usize = 16 << 10;
/// An order key that is longer is known by its digest.
const MAX_ORDER: usize = 512;

/// What the keeper is asked.
pub(super) enum Ask {
    /// Something was heard. It takes its room until it is kept, or nobody waits for that any more.
    Heard(Vec<Heard>, oneshot::Sender<()>, OwnedSemaphorePermit),
    /// The time has come. Answers whether it was kept: while one waits, no other comes.
    Tick(oneshot::Sender<bool>),
}

/// What the operator wants done with what was set aside: with one, by its id, or with all. The keeper does it also while
/// there is no room for anything new.
pub(super) struct DeadAsk {
    pub(super) wish: Wish,
    pub(super) id: Option<Arc<str>>,
    /// Dropped without a word where something could not be done yet.
    pub(super) done: oneshot::Sender<()>,
}

/// How much may be on its way to the keeper, in KiB: a source that comes and goes says it again each time.
const ON_THE_WAY: u32 = 8 << 10;

/// Where a source says what it heard.
pub(super) struct QueueSink {
    asked: mpsc::UnboundedSender<Ask>,
    room: Arc<Semaphore>,
}

impl QueueSink {
    pub(super) fn new(asked: mpsc::UnboundedSender<Ask>) -> Self {
        Self { asked, room: Arc::new(Semaphore::new(ON_THE_WAY as usize)) }
    }
}

impl Sink for QueueSink {
    fn keep(&self, heard: Vec<Heard>) -> BoxFuture<'static, Result<(), SinkClosed>> {
        let asked = self.asked.clone();
        let bytes: usize = heard.iter().map(|heard| heard.data.len() + heard.subject.len()).sum();
        let size = u32::try_from(bytes / 1024 + heard.len()).unwrap_or(ON_THE_WAY).clamp(1, ON_THE_WAY);
        let (answer, kept) = oneshot::channel();
        let ask = move |room| asked.send(Ask::Heard(heard, answer, room)).map_err(|_| SinkClosed);
        let room = self.room.clone().acquire_many_owned(size);
        let mut room = Box::pin(tokio::task::coop::unconstrained(room));
        // Asked now, and where there is no room has its place among those that wait for some: the order is that of the
        // calls.
        let asked = match room.as_mut().now_or_never() {
            Some(Ok(room)) => Ok(ask(room)),
            Some(Err(_)) => Ok(Err(SinkClosed)),
            None => Err((room, ask)),
        };
        async move {
            match asked {
                Ok(asked) => asked?,
                Err((room, ask)) => ask(room.await.map_err(|_| SinkClosed)?)?,
            }
            kept.await.map_err(|_| SinkClosed)
        }
        .boxed()
    }
}

/// Keeps until nobody asks any more.
pub(super) async fn keep(
    queue: Arc<Queue>,
    current: Arc<ArcSwap<FoundEvent>>,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    mut dead: mpsc::UnboundedReceiver<DeadAsk>,
) {
    let most = || current.load().event.bounds.queue;
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(ask) => Some(ask),
            None => tokio::select! {
                ask = asked.recv() => ask,
                Some(ask) = dead.recv() => {
                    settle_dead(&queue, ask).await;
                    continue;
                }
            },
        };
        match first {
            None => return,
            Some(Ask::Tick(answer)) => {
                let kept = tick(&queue, &current).await;
                // Whoever asked may have gone.
                let _ = answer.send(kept);
            }
            Some(Ask::Heard(heard, answer, room)) => {
                let mut group = Group::default();
                group.add(heard, answer, room);
                while next.is_none() && group.heard.len() < PIECE {
                    match asked.try_recv() {
                        Ok(Ask::Heard(more, answer, room)) => group.add(more, answer, room),
                        Ok(other) => next = Some(other),
                        Err(_) => break,
                    }
                }
                while !group.heard.is_empty() {
                    while !queue.has_room(most()) {
                        tokio::select! {
                            () = queue.room_again() => {}
                            Some(ask) = dead.recv() => settle_dead(&queue, ask).await,
                        }
                    }
                    Piece::of(&queue, &mut group.heard).keep(&queue).await;
                }
                for (answer, _) in group.answers {
                    let _ = answer.send(());
                }
            }
        }
    }
}

/// What is kept together.
#[derive(Default)]
struct Group {
    heard: VecDeque<Heard>,
    /// Who waits for it, with the room that it takes meanwhile.
    answers: Vec<(oneshot::Sender<()>, OwnedSemaphorePermit)>,
}

impl Group {
    /// What nobody waits for any more is left out: its source was not told that it is kept, and says it again.
    fn add(&mut self, heard: Vec<Heard>, answer: oneshot::Sender<()>, room: OwnedSemaphorePermit) {
        if !answer.is_closed() {
            self.heard.extend(heard);
            self.answers.push((answer, room));
        }
    }
}

/// What is written in one step.
#[derive(Default)]
struct Piece {
    batch: Batch,
    kept: Vec<(u64, Kept)>,
    digests: Vec<Digested>,
    changed: bool,
}

impl Piece {
    /// Takes from what was heard as much as fits.
    fn of(queue: &Queue, heard: &mut VecDeque<Heard>) -> Self {
        let mut piece = Self::default();
        let (mut count, mut bytes) = (0, 0);
        while count < PIECE && bytes < MAX_BATCH_BYTES {
            let Some(next) = heard.pop_front() else { break };
            count += 1;
            bytes += next.data.len() + next.subject.len();
            piece.add(queue, next);
        }
        piece.remember(queue);
        piece
    }

    fn add(&mut self, queue: &Queue, heard: Heard) {
        let mut state = queue.state();
        self.changed = true;
        if let Some(origin) = &heard.origin {
            let digested = digest(&origin.key);
            if origin.again && (state.origins.knows(&digested) || self.digests.contains(&digested)) {
                state.keeping.again += 1;
                return;
            }
            self.digests.push(digested);
        }
        state.keeping.heard += 1;
        let left_out = heard.left_out;
        let kept = kept(heard);
        if let Err(fault) = &kept.1 {
            let kept = &kept.0;
            let dead = DeadEvent {
                size: size(&kept.data, left_out),
                ..DeadEvent::of(&queue.name, kept, fault, now_ms())
            };
            let (key, bytes) = state.dead.add(&queue.name, &dead, &[]);
            state.handling.set_aside += 1;
            self.put(|batch| batch.put(key, bytes, None));
            tracing::warn!(event = %queue.name, id = %dead.id, size = dead.size, "an event was set aside: {fault}");
            return;
        }
        let number = state.keeping.next;
        state.keeping.next += 1;
        self.put(|batch| batch.put(queue.name.waiting(number), kept.0.to_bytes(), None));
        self.kept.push((number, kept.0));
    }

    fn put(&mut self, change: impl FnOnce(Batch) -> Batch) {
        self.batch = change(std::mem::take(&mut self.batch));
    }

    /// Which deliveries these are, and how far keeping is.
    fn remember(&mut self, queue: &Queue) {
        let mut state = queue.state();
        if !self.digests.is_empty() {
            let number = state.keeping.next_origins;
            state.keeping.next_origins += 1;
            let digests = std::mem::take(&mut self.digests);
            self.put(|batch| batch.put(queue.name.origins(number), origins::to_bytes(&digests), None));
            state.origins.add(number, digests);
            for forgotten in state.origins.forget() {
                self.put(|batch| batch.delete(queue.name.origins(forgotten)));
            }
        }
        for surplus in state.dead.trim() {
            self.put(|batch| batch.delete(surplus));
        }
        let keeping = to_json(&state.keeping);
        self.put(|batch| batch.put(queue.name.key("k"), keeping, None));
    }

    async fn keep(self, queue: &Queue) {
        if !self.changed {
            return;
        }
        queue.write(self.batch).await;
        let mut state = queue.state();
        for (number, kept) in self.kept {
            state.insert(number, kept);
        }
        drop(state);
        queue.more.notify_one();
    }
}

/// Bytes of a payload, also where its source left it out.
fn size(data: &[u8], left_out: Option<u64>) -> usize {
    left_out.map_or(data.len(), |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// An event of what was heard, or why it cannot be handled.
fn kept(heard: Heard) -> (Kept, Result<(), Fault>) {
    let Heard { mut subject, order, data, left_out, attributes, heard, .. } = heard;
    let mut right = Ok(());
    if let Some(bytes) = left_out {
        let message =
            format!("it has {bytes} bytes, more than its source takes (`message` in the grant of MQTT)");
        right = Err(Fault::new("limit", message));
    }
    if data.len() > MAX_DATA {
        let (size, most) = (data.len(), format_size(MAX_DATA as u64));
        right = Err(Fault::new("limit", format!("its payload has {size} bytes; at most {most} are handled")));
    }
    if subject.len() > MAX_SUBJECT {
        let message = format!("its subject has {} bytes; at most {MAX_SUBJECT} are handled", subject.len());
        right = Err(Fault::new("limit", message));
        subject.truncate(subject.floor_char_boundary(256));
    }
    let attributes = match &attributes {
        Value::Object(_) => attributes.to_string(),
        _ => "{}".to_owned(),
    };
    let attributes = if attributes.len() > MAX_ATTRIBUTES { "{}".to_owned() } else { attributes };
    let order = match order.len() {
        0..=MAX_ORDER => order.into(),
        _ => digest(&order).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    };
    let about = About { id: new_event_id(), subject, order, heard_ms: in_ms(heard), attributes };
    (Kept { about, data, tried: Tried::default() }, right)
}

/// Keeps that the time has come, unless the last time is still to be handled.
async fn tick(queue: &Queue, current: &ArcSwap<FoundEvent>) -> bool {
    let event = current.load().event.clone();
    let Comes::Every(every) = event.comes else { return false };
    let now = now_ms();
    let (number, kept, batch) = {
        let mut state = queue.state();
        if !state.waiting.is_empty() {
            return false;
        }
        let about = About {
            id: new_event_id(),
            subject: event.name.to_string(),
            order: "".into(),
            heard_ms: now,
            attributes: json!({ "every": format_duration(every) }).to_string(),
        };
        let kept = Kept { about, data: Vec::new(), tried: Tried::default() };
        let number = state.keeping.next;
        state.keeping.next += 1;
        state.keeping.heard += 1;
        state.keeping.ticked_ms = now;
        let batch = Batch::new().put(queue.name.waiting(number), kept.to_bytes(), None).put(
            queue.name.key("k"),
            to_json(&state.keeping),
            None,
        );
        (number, kept, batch)
    };
    queue.write(batch).await;
    queue.state().insert(number, kept);
    queue.more.notify_one();
    true
}

/// Drops what was set aside, or puts it behind what waits, as if it had just been heard. Where something was set aside a
/// moment ago and is not written yet, nobody is told that it is done: whoever asked asks again.
async fn settle_dead(queue: &Queue, ask: DeadAsk) {
    let DeadAsk { wish, id, done } = ask;
    let taken = queue.state().dead.take(id.as_deref());
    let mut left = Vec::new();
    let mut is_done = true;
    for some in taken.chunks(DEAD_AT_ONCE) {
        let mut batch = Batch::new();
        let mut again = Vec::new();
        for entry in some {
            let stored = match queue.store.get(&queue.space, &entry.key).await {
                Ok(Some(stored)) => stored.value,
                Ok(None) => {
                    is_done = false;
                    left.push(entry.clone());
                    continue;
                }
                Err(error) => {
                    tracing::error!(event = %queue.name, id = %entry.id, %error, "an event that was set aside cannot be read");
                    left.push(entry.clone());
                    continue;
                }
            };
            if wish == Wish::Retry {
                let Some(kept) = kept_again(queue, &stored) else {
                    left.push(entry.clone());
                    continue;
                };
                let mut state = queue.state();
                let number = state.keeping.next;
                state.keeping.next += 1;
                batch = batch.put(queue.name.waiting(number), kept.to_bytes(), None).put(
                    queue.name.tried(number),
                    to_json(&kept.tried),
                    None,
                );
                again.push((number, kept));
            }
            batch = batch.delete(entry.key.clone());
        }
        let keeping = to_json(&queue.state().keeping);
        queue.write(batch.put(queue.name.key("k"), keeping, None)).await;
        let mut state = queue.state();
        again.into_iter().for_each(|(number, kept)| state.insert(number, kept));
        drop(state);
        queue.more.notify_one();
    }
    let mut state = queue.state();
    left.into_iter().for_each(|entry| state.dead.known(entry));
    drop(state);
    if is_done {
        let _ = done.send(());
    }
}

/// One that was set aside, as it waits again. None: its payload was too large to be kept.
fn kept_again(queue: &Queue, stored: &[u8]) -> Option<Kept> {
    let (dead, data) = dead::from_bytes(stored)?;
    if dead.size != data.len() {
        tracing::warn!(event = %queue.name, id = %dead.id, "its payload was too large to be kept: it cannot be tried again");
        return None;
    }
    let tried = Tried { deliveries: dead.deliveries, ..Tried::default() };
    Some(Kept { about: dead.about(), data: data.to_vec(), tried })
}
