//! What was set aside: an event that failed as often as it may, that its handler called hopeless, or that is too large.
//! The newest are kept until the operator drops them or has them tried again.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record::{About, Kept, QueueName, apart, space, with_data};
use super::status::statuses;
use crate::domain::Fault;
use crate::store::{Key, Page, Store, StoreError};

/// How many of one event are kept.
pub(super) const MOST: usize = 1_000;
/// And how many bytes.
const MOST_BYTES: usize = 16 << 20;
/// The most that give way in one step: a large one may take the place of hundreds of small ones, and what is written
/// with it has bounds of its own ([`crate::store::MAX_CHANGES`]). More than are set aside in a step, so that the rest
/// follows with the next ones.
const TRIMMED: usize = 300;

/// One that was set aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadEvent {
    /// Its id.
    pub id: Arc<str>,
    /// Whose it is.
    pub binding: Arc<str>,
    /// Which of its events: `telemetry`.
    pub event: Arc<str>,
    /// What it is about: an MQTT topic.
    pub subject: String,
    /// What it was handled in order with.
    pub order: Arc<str>,
    /// When it was heard, in Unix milliseconds.
    pub heard_ms: u64,
    /// When it was set aside, in Unix milliseconds.
    pub set_aside_ms: u64,
    /// How often a handler had it.
    pub deliveries: u32,
    /// Its last fault's code.
    pub code: String,
    /// What the fault says.
    pub message: String,
    /// Bytes of its payload.
    pub size: usize,
    /// A JSON object, as text.
    pub attributes: String,
}

impl DeadEvent {
    pub(super) fn of(name: &QueueName, kept: &Kept, fault: &Fault, now_ms: u64) -> Self {
        let About { id, subject, order, heard_ms, attributes } = kept.about.clone();
        Self {
            id,
            binding: name.binding.clone(),
            event: name.event.clone(),
            subject,
            order,
            heard_ms,
            set_aside_ms: now_ms,
            deliveries: kept.tried.deliveries,
            code: fault.code.clone(),
            message: fault.message.clone(),
            size: kept.data.len(),
            attributes,
        }
    }

    pub(super) fn about(&self) -> About {
        About {
            id: self.id.clone(),
            subject: self.subject.clone(),
            order: self.order.clone(),
            heard_ms: self.heard_ms,
            attributes: self.attributes.clone(),
        }
    }
}

/// Which are kept of one event, oldest first.
#[derive(Debug, Default)]
pub(super) struct DeadList {
    entries: VecDeque<DeadEntry>,
    bytes: usize,
}

/// Where one is kept.
#[derive(Debug, Clone)]
pub(super) struct DeadEntry {
    pub(super) key: Key,
    pub(super) id: Arc<str>,
    pub(super) bytes: usize,
}

impl DeadList {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes one, and says under which key it is put, with what. `data`: nothing where it would not have room.
    pub(super) fn add(&mut self, name: &QueueName, dead: &DeadEvent, data: &[u8]) -> (Key, Vec<u8>) {
        let key = name.key(&format!("d/{:015}-{}", dead.set_aside_ms, dead.id));
        let bytes = with_data(dead, data);
        self.known(DeadEntry { key: key.clone(), id: dead.id.clone(), bytes: bytes.len() });
        (key, bytes)
    }

    /// Takes one that is in the store.
    pub(super) fn known(&mut self, entry: DeadEntry) {
        self.bytes += entry.bytes;
        self.entries.push_back(entry);
    }

    /// The oldest, beyond what is kept: once in each step in which something is set aside.
    pub(super) fn trim(&mut self) -> Vec<Key> {
        let mut surplus = Vec::new();
        while surplus.len() < TRIMMED && (self.entries.len() > MOST || self.bytes > MOST_BYTES) {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes;
            surplus.push(oldest.key);
        }
        surplus
    }

    /// Takes out those that are meant: one by its id, or all.
    pub(super) fn take(&mut self, id: Option<&str>) -> Vec<DeadEntry> {
        let (taken, left): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| id.is_none_or(|id| *entry.id == *id));
        self.entries = left;
        self.bytes -= taken.iter().map(|entry| entry.bytes).sum::<usize>();
        taken.into()
    }
}

pub(super) fn from_bytes(bytes: &[u8]) -> Option<(DeadEvent, &[u8])> {
    apart(bytes)
}

/// What was set aside of every binding, newest first.
pub async fn dead(store: &dyn Store) -> Result<Vec<DeadEvent>, StoreError> {
    let mut found = Vec::new();
    for status in statuses(store).await? {
        let name = QueueName { binding: status.binding, event: status.event };
        let mut page = Page::of(format!("{}d/", name.prefix()));
        loop {
            let listed = store.list(&space(), page.clone()).await?;
            page.after = listed.entries.last().map(|entry| entry.key.clone());
            found.extend(listed.entries.iter().filter_map(|entry| Some(from_bytes(&entry.value)?.0)));
            if !listed.more {
                break;
            }
        }
    }
    found.sort_by_key(|dead| std::cmp::Reverse(dead.set_aside_ms));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_one_takes_the_place_of_many_small_ones_a_few_at_a_time() {
        let entry = |number: usize, bytes| DeadEntry {
            key: Key::new(format!("d/{number:04}")).unwrap(),
            id: number.to_string().into(),
            bytes,
        };
        let mut list = DeadList::default();
        (0..MOST).for_each(|number| list.known(entry(number, 100)));
        assert!(list.trim().is_empty());
        list.known(entry(MOST, MOST_BYTES));
        let mut gone = Vec::new();
        loop {
            let some = list.trim();
            assert!(some.len() <= TRIMMED);
            gone.push(some.len());
            if some.is_empty() {
                break;
            }
        }
        assert_eq!(
            gone,
            [300, 300, 300, 100, 0],
            "the oldest go, and never more at once than can be written"
        );
        assert_eq!((list.len(), list.bytes), (1, MOST_BYTES));
    }
}
