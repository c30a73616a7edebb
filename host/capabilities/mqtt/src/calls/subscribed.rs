//! The filters of the connection for calls: how many read each, what the broker answered, and what it had kept.
//!
//! A broker tells what it kept when a filter is subscribed, and only then. Whoever comes to a filter that is subscribed
//! already gets what was told, as long as nothing was published since: a message that comes later does not say whether
//! it was kept in the place of the one before, or is the first. From then on what was told is not known to be true, and
//! the next reader who wants it has the filter subscribed once more; the broker takes that for the same subscription
//! and tells anew (MQTT 3.1.1, section 3.8.4).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::copies::Copies;
use crate::filter::Filter;
use crate::inbox::Message;
use crate::message::Arrived;
use crate::wire::NotDone;

/// Retained messages of one filter that are remembered, and the bytes of all filters' together. Beyond, the broker is
/// asked again.
const MOST_RETAINED: usize = 1024;
const MOST_BYTES: u64 = 8 << 20;

/// What the broker said to a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing yet.
    Asked,
    /// It acknowledged it.
    Granted,
    /// It refused it, with this code.
    Refused(u8),
}

/// Every filter that somebody reads or read a moment ago.
#[derive(Default)]
pub(super) struct Subscribed {
    entries: BTreeMap<Filter, Entry>,
    next_number: u32,
    /// Counts subscriptions, so that a late answer is known.
    turn: u64,
    copies: Copies,
    /// The broker says which filters a message is for.
    numbers: bool,
}

struct Entry {
    /// Of this connection, for MQTT 5.
    number: u32,
    turn: u64,
    phase: watch::Sender<Phase>,
    readers: usize,
    unread: Option<Instant>,
    retained: BTreeMap<String, Arc<Message>>,
    bytes: u64,
    /// Something was published since the broker told what it kept, or there was no room for it.
    stale: bool,
}

impl Entry {
    /// What the broker told is not known any more.
    fn forget(&mut self) {
        self.retained.clear();
        self.bytes = 0;
    }
}

impl Subscribed {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn filters(&self) -> Vec<Filter> {
        self.entries.keys().cloned().collect()
    }

    /// A new connection, which knows of nothing yet. What nobody reads is left out.
    pub(super) fn begin(&mut self, numbers: bool) {
        self.entries.retain(|_, entry| entry.readers > 0);
        self.numbers = numbers;
        self.copies = Copies::default();
    }

    /// The connection is gone, and what was asked with it.
    pub(super) fn broke(&mut self) {
        for entry in self.entries.values_mut() {
            self.turn += 1;
            entry.turn = self.turn;
            entry.phase.send_replace(Phase::Asked);
        }
    }

    /// One more reader. The number of its entry, and what the broker kept, if that is known and wanted; None: the filter has to be subscribed.
    #[allow(clippy::type_complexity)]
    pub(super) fn enter(
        &mut self,
        filter: &Filter,
        retained: bool,
    ) -> (u32, Option<Vec<Arc<Message>>>, watch::Receiver<Phase>) {
        let known = self.entries.contains_key(filter);
        let entry = self.entries.entry(filter.clone()).or_insert_with(|| {
            self.next_number += 1;
            Entry {
                number: self.next_number,
                turn: 0,
                phase: watch::Sender::new(Phase::Asked),
                readers: 0,
                unread: None,
                retained: BTreeMap::new(),
                bytes: 0,
                stale: false,
            }
        });
        entry.readers += 1;
        entry.unread = None;
        let kept = match (known, retained) {
            (true, false) => Some(Vec::new()),
            (true, true) if !entry.stale => Some(entry.retained.values().cloned().collect()),
            _ => None,
        };
        if kept.is_none() {
            // Who comes now waits for the answer to what is asked next.
            entry.phase.send_replace(Phase::Asked);
        }
        (entry.number, kept, entry.phase.subscribe())
    }

    /// One reader less of the entry with this number.
    pub(super) fn leave(&mut self, filter: &Filter, number: u32) {
        if let Some(entry) = self.entries.get_mut(filter).filter(|entry| entry.number == number) {
            entry.readers = entry.readers.saturating_sub(1);
            if entry.readers == 0 {
                entry.unread = Some(Instant::now());
            }
        }
    }

    /// Those that nobody reads for so long, which are forgotten here.
    pub(super) fn unread(&mut self, since: Duration) -> Vec<Filter> {
        let over = |entry: &Entry| entry.unread.is_some_and(|unread| unread.elapsed() >= since);
        let unread: Vec<_> =
            self.entries.iter().filter(|(_, entry)| over(entry)).map(|(filter, _)| filter.clone()).collect();
        unread.iter().for_each(|filter| drop(self.entries.remove(filter)));
        unread
    }

    /// A filter is about to be subscribed: its number, and the turn of its answer.
    pub(super) fn ask(&mut self, filter: &Filter) -> Option<(u32, u64)> {
        let entry = self.entries.get_mut(filter)?;
        self.turn += 1;
        entry.turn = self.turn;
        entry.phase.send_replace(Phase::Asked);
        entry.forget();
        entry.stale = false;
        Some((entry.number, entry.turn))
    }

    /// The broker answered. Its code where it refused; the filter is forgotten then.
    pub(super) fn answered(&mut self, filter: &Filter, turn: u64, answer: Result<(), NotDone>) -> Option<u8> {
        let entry = self.entries.get_mut(filter).filter(|entry| entry.turn == turn)?;
        match answer {
            Ok(()) => {
                entry.phase.send_replace(Phase::Granted);
                None
            }
            Err(NotDone::Refused(reason) | NotDone::Unsure(reason)) => {
                entry.phase.send_replace(Phase::Refused(reason));
                self.entries.remove(filter);
                Some(reason)
            }
            // The connection is gone; the next one asks again.
            Err(NotDone::Gone) => None,
        }
    }

    /// Whether this message is for anybody: some filter takes it, and it is no copy of one that came before. What is
    /// neither was not asked for.
    pub(super) fn takes(&mut self, arrived: &Arrived) -> bool {
        let mut matching: Vec<_> = self
            .entries
            .iter_mut()
            .filter(|(filter, _)| filter.takes(&arrived.topic))
            .map(|(_, entry)| entry)
            .collect();
        if matching.is_empty() || arrived.retained {
            return !matching.is_empty();
        }
        for entry in &mut matching {
            entry.forget();
            entry.stale = true;
        }
        let mut granted = matching.iter().filter(|entry| *entry.phase.borrow() == Phase::Granted);
        if self.numbers && !arrived.subscriptions.is_empty() {
            // Of several copies, the one for the first of the filters.
            return granted.next().is_none_or(|first| arrived.subscriptions.contains(&first.number));
        }
        let filters = granted.count();
        !self.copies.is_one(&arrived.topic, &arrived.payload, filters)
    }

    /// A message that the broker had kept.
    pub(super) fn remember(&mut self, message: &Arc<Message>) {
        let mut all: u64 = self.entries.values().map(|entry| entry.bytes).sum();
        let matching = self.entries.iter_mut().filter(|(filter, _)| filter.takes(&message.topic));
        for (_, entry) in matching.filter(|(_, entry)| !entry.stale) {
            let cost = message.cost();
            let before = entry.retained.insert(message.topic.clone(), Arc::clone(message));
            all -= entry.bytes;
            entry.bytes = entry.bytes + cost - before.map_or(0, |before| before.cost());
            all += entry.bytes;
            if entry.retained.len() > MOST_RETAINED || all > MOST_BYTES {
                all -= entry.bytes;
                entry.forget();
                entry.stale = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_a_filter_that_was_refused_takes_nothing_from_who_came_later() {
        let filter = Filter::parse("a/+").unwrap();
        let mut subscribed = Subscribed::default();
        let (first, ..) = subscribed.enter(&filter, true);
        let (_, turn) = subscribed.ask(&filter).unwrap();
        assert_eq!(subscribed.answered(&filter, turn, Err(NotDone::Refused(0x80))), Some(0x80));
        let (second, ..) = subscribed.enter(&filter, true);
        subscribed.leave(&filter, first);
        assert!(subscribed.unread(Duration::ZERO).is_empty(), "somebody reads it");
        subscribed.leave(&filter, second);
        assert_eq!(subscribed.unread(Duration::ZERO), [filter]);
    }
}
