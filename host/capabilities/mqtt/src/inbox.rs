//! What one subscription of a call has to read.
//!
//! Messages wait here, and never the connection for a reader: where there is no room the oldest gives way, and is
//! counted. Memory is bounded for each subscription and for all of a grant together.

use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::failure::Failure;
use crate::filter::Filter;
use crate::options::Opening;
use crate::qos::Qos;

/// Messages of one subscription that wait to be read, and their bytes.
const MOST_MESSAGES: usize = 1024;
const MOST_BYTES: u64 = 4 << 20;
/// Topics of which a subscription knows that it heard something. Retained messages of others are not taken then.
const MOST_TOPICS: usize = 16_384;
/// What a message takes beside its texts.
const EACH: u64 = 128;

/// A message that waits to be read, shared by all who will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: Qos,
    pub(crate) retained: bool,
    /// When the host heard it, in Unix milliseconds.
    pub(crate) time_ms: u64,
    /// JSON.
    pub(crate) properties: Option<String>,
    /// It is larger than the grant takes, and its payload was not read.
    pub(crate) left_out: bool,
}

impl Message {
    /// About how many bytes it is.
    pub(crate) fn cost(&self) -> u64 {
        let properties = self.properties.as_ref().map_or(0, String::len);
        (self.topic.len() + self.payload.len() + properties) as u64 + EACH
    }
}

/// What a subscription says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The next message.
    Message(HeardMessage),
    /// None came in time.
    TimedOut,
    /// So many were not kept. 0: the connection broke, and how many were missed is not known.
    Missed(u64),
}

/// A message as its reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardMessage {
    /// Where it was published.
    pub topic: String,
    /// What was published.
    pub payload: Vec<u8>,
    /// 0, 1 or 2, as the subscription has it at most.
    pub qos: u8,
    /// The broker had kept it from before.
    pub retained: bool,
    /// When the host heard it, in Unix milliseconds.
    pub time_ms: u64,
    /// What MQTT 5 says beside it, as JSON.
    pub properties: Option<String>,
}

/// What all subscriptions of a grant keep together, in bytes.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicU64,
    most: u64,
}

impl Budget {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), most })
    }

    fn take(&self, bytes: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// One subscription's messages.
pub(crate) struct Inbox {
    pub(crate) filters: Vec<Filter>,
    how: Opening,
    budget: Arc<Budget>,
    hasher: std::hash::RandomState,
    queue: Mutex<Queue>,
    arrived: Notify,
}

#[derive(Default)]
struct Queue {
    entries: VecDeque<Entry>,
    bytes: u64,
    /// Gave way, and nobody was told yet.
    missed: u64,
    /// Digests of the topics of which something was heard.
    topics: HashSet<u64>,
    /// Nothing comes any more, for this reason.
    end: Option<Failure>,
}

enum Entry {
    Message(Arc<Message>),
    /// The connection broke.
    Gap,
}

impl Inbox {
    pub(crate) fn new(filters: Vec<Filter>, how: Opening, budget: Arc<Budget>) -> Self {
        let hasher = std::hash::RandomState::new();
        Self { filters, how, budget, hasher, queue: Mutex::default(), arrived: Notify::new() }
    }

    /// Whether it listens to this topic.
    pub(crate) fn wants(&self, topic: &str) -> bool {
        self.filters.iter().any(|filter| filter.takes(topic))
    }

    /// Whether it wants what the broker kept from before.
    pub(crate) fn wants_retained(&self) -> bool {
        self.how.retained
    }

    /// A message on a topic that it listens to.
    ///
    /// A retained one says what was said last before it listened. So it is taken where nothing was heard of its topic
    /// yet: the broker sends it again for every filter that it matches, and for every other reader.
    pub(crate) fn push(&self, message: &Arc<Message>) {
        let mut queue = self.lock();
        if queue.end.is_some() {
            return;
        }
        if self.how.retained {
            let topic = self.hasher.hash_one(&message.topic);
            let room = queue.topics.len() < MOST_TOPICS;
            let new = if room { queue.topics.insert(topic) } else { !queue.topics.contains(&topic) };
            if message.retained && !new {
                return;
            }
            if message.retained && !room {
                queue.missed += 1;
                return self.arrived.notify_one();
            }
        } else if message.retained {
            return;
        }
        if message.left_out {
            queue.missed += 1;
            return self.arrived.notify_one();
        }
        let cost = message.cost();
        while !queue.entries.is_empty()
            && (queue.entries.len() >= MOST_MESSAGES || queue.bytes + cost > MOST_BYTES)
        {
            queue.give_way(&self.budget);
        }
        // What others have is theirs: here the oldest of this one's own gives way.
        let mut taken = self.budget.take(cost);
        while !taken && !queue.entries.is_empty() {
            queue.give_way(&self.budget);
            taken = self.budget.take(cost);
        }
        if taken {
            queue.bytes += cost;
            queue.entries.push_back(Entry::Message(Arc::clone(message)));
        } else {
            queue.missed += 1;
        }
        self.arrived.notify_one();
    }

    /// The connection broke: messages may be missing, and retained ones are told again when it is there again.
    pub(crate) fn gap(&self) {
        let mut queue = self.lock();
        queue.topics.clear();
        if !matches!(queue.entries.back(), Some(Entry::Gap)) {
            queue.entries.push_back(Entry::Gap);
        }
        self.arrived.notify_one();
    }

    /// Nothing comes any more. What waits is still read.
    pub(crate) fn end(&self, why: Failure) {
        self.lock().end.get_or_insert(why);
        self.arrived.notify_one();
    }

    /// The next one. The time for it is bounded by whoever waits.
    pub(crate) async fn next(&self) -> Result<Heard, Failure> {
        loop {
            if let Some(heard) = self.ready() {
                return heard;
            }
            self.arrived.notified().await;
        }
    }

    /// The next one that is there.
    pub(crate) fn ready(&self) -> Option<Result<Heard, Failure>> {
        let mut queue = self.lock();
        if queue.missed > 0 {
            return Some(Ok(Heard::Missed(std::mem::take(&mut queue.missed))));
        }
        match queue.entries.pop_front() {
            Some(Entry::Gap) => Some(Ok(Heard::Missed(0))),
            Some(Entry::Message(message)) => {
                let cost = message.cost();
                queue.bytes -= cost;
                self.budget.give(cost);
                drop(queue);
                let message = Arc::unwrap_or_clone(message);
                let Message { topic, payload, qos, retained, time_ms, properties, .. } = message;
                let qos = qos.min(self.how.qos).number();
                Some(Ok(Heard::Message(HeardMessage { topic, payload, qos, retained, time_ms, properties })))
            }
            None => queue.end.clone().map(Err),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The oldest goes, and is counted.
    fn give_way(&mut self, budget: &Budget) {
        if let Some(Entry::Message(message)) = self.entries.pop_front() {
            let cost = message.cost();
            self.bytes -= cost;
            budget.give(cost);
        }
        // A gap counts as one: something was missed there.
        self.missed += 1;
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.budget.give(self.lock().bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn inbox(retained: bool, budget: u64) -> Inbox {
        let how = Opening { qos: Qos::AtLeastOnce, retained, timeout: Duration::ZERO };
        Inbox::new(vec![Filter::parse("#").unwrap()], how, Budget::new(budget))
    }

    fn message(topic: &str, size: usize, retained: bool) -> Arc<Message> {
        Arc::new(Message {
            topic: topic.into(),
            payload: vec![b'x'; size],
            qos: Qos::ExactlyOnce,
            retained,
            time_ms: 0,
            properties: None,
            left_out: false,
        })
    }

    fn topics(inbox: &Inbox) -> Vec<String> {
        let told = std::iter::from_fn(|| inbox.ready());
        told.map(|heard| match heard.unwrap() {
            Heard::Message(message) => message.topic,
            Heard::Missed(count) => format!("missed {count}"),
            Heard::TimedOut => "timed out".into(),
        })
        .collect()
    }

    #[test]
    fn the_oldest_gives_way_and_is_counted() {
        let inbox = inbox(false, u64::MAX);
        (0..MOST_MESSAGES + 10).for_each(|at| inbox.push(&message(&at.to_string(), 1, false)));
        let told = topics(&inbox);
        assert_eq!((told.len(), told[0].as_str(), told[1].as_str()), (MOST_MESSAGES + 1, "missed 10", "10"));
    }

    #[test]
    fn bytes_are_bounded_for_one_and_for_all_together() {
        let one = inbox(false, u64::MAX);
        (0..9).for_each(|_| one.push(&message("a", 1 << 20, false)));
        assert_eq!(topics(&one), ["missed 6", "a", "a", "a"], "a little less than four fit");

        let budget = Budget::new(3 << 20);
        let how = Opening { qos: Qos::AtMostOnce, retained: false, timeout: Duration::ZERO };
        let [first, second] =
            [(); 2].map(|()| Inbox::new(vec![Filter::parse("#").unwrap()], how, Arc::clone(&budget)));
        (0..2).for_each(|_| first.push(&message("a", 1 << 20, false)));
        (0..3).for_each(|_| second.push(&message("b", (1 << 20) - 512, false)));
        assert_eq!(topics(&first), ["a", "a"], "nothing of the first gave way for the second");
        assert_eq!(topics(&second), ["missed 2", "b"]);
        drop((first, second));
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_retained_message_is_told_once_and_not_after_something_newer() {
        let inbox = inbox(true, u64::MAX);
        inbox.push(&message("a", 1, true));
        inbox.push(&message("a", 1, true));
        inbox.push(&message("b", 1, false));
        inbox.push(&message("b", 1, true));
        inbox.push(&message("a", 1, false));
        assert_eq!(topics(&inbox), ["a", "b", "a"]);
        inbox.gap();
        inbox.push(&message("a", 1, true));
        assert_eq!(topics(&inbox), ["missed 0", "a"], "after a gap it is told what is so now");
    }

    #[test]
    fn what_was_larger_than_granted_is_counted_once_for_each_who_would_have_heard_it() {
        let large = |retained| {
            let mut large = (*message("a", 0, retained)).clone();
            large.left_out = true;
            Arc::new(large)
        };
        let (all, new) = (inbox(true, u64::MAX), inbox(false, u64::MAX));
        for inbox in [&all, &new] {
            inbox.push(&large(true));
            inbox.push(&large(true));
        }
        assert_eq!((topics(&all), topics(&new)), (vec!["missed 1".to_owned()], vec![]));
        new.push(&large(false));
        new.push(&message("b", 1, false));
        assert_eq!(topics(&new), ["missed 1", "b"]);
    }

    #[test]
    fn who_wants_none_from_before_gets_none() {
        let inbox = inbox(false, u64::MAX);
        inbox.push(&message("a", 1, true));
        inbox.push(&message("b", 1, false));
        assert_eq!(topics(&inbox), ["b"]);
    }

    #[test]
    fn what_waits_is_read_before_the_end() {
        let inbox = inbox(false, u64::MAX);
        inbox.push(&message("a", 1, false));
        inbox.end(Failure::Closed);
        inbox.push(&message("b", 1, false));
        assert!(matches!(inbox.ready(), Some(Ok(Heard::Message(HeardMessage { qos: 1, .. })))));
        assert!(matches!(inbox.ready(), Some(Err(Failure::Closed))));
    }
}
