//! Copies of one message, where several filters of a connection match it.
//!
//! A broker may then send the message once, or once for each of the filters (MQTT, section 3.3.5). MQTT 5 says with each
//! copy which filters it is for, and one of them is taken. MQTT 3.1.1 says nothing, and two copies of one message look
//! like two equal messages. So what a broker does is learned: as long as it is not known to send messages once, an equal
//! one that follows within a moment is taken for a copy, as often as there are further filters. The price is that of
//! equal messages that really were published twice within that moment, to a topic that two filters match, at a broker
//! that is not known yet, one is told.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// Copies follow each other at once.
const MOMENT: Duration = Duration::from_millis(500);
/// Messages that are remembered.
const MOST: usize = 1024;
/// So many messages without a copy, and the broker sends none.
const ENOUGH: u32 = 3;

/// What is known of one connection's broker.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    hasher: std::hash::RandomState,
    /// Digests of messages, how many copies of each may still come, and until when.
    awaited: HashMap<u64, Awaited>,
    without: u32,
}

#[derive(Debug)]
struct Awaited {
    left: usize,
    of: usize,
    until: Instant,
}

impl Copies {
    /// Whether this message is a copy of one that came before. `filters`: so many of the connection match its topic.
    pub(crate) fn is_one(&mut self, topic: &str, payload: &[u8], filters: usize) -> bool {
        if filters < 2 || self.without >= ENOUGH {
            return false;
        }
        let now = Instant::now();
        let message = self.hasher.hash_one((topic, payload));
        if let Some(awaited) = self.awaited.get_mut(&message)
            && now < awaited.until
            && awaited.left > 0
        {
            awaited.left -= 1;
            self.without = 0;
            return true;
        }
        let mut without = 0;
        self.awaited.retain(|_, awaited| {
            without += u32::from(now >= awaited.until && awaited.left == awaited.of);
            now < awaited.until
        });
        self.without += without;
        if self.awaited.len() < MOST {
            let awaited = Awaited { left: filters - 1, of: filters - 1, until: now + MOMENT };
            self.awaited.insert(message, awaited);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_as_many_as_there_are_further_filters() {
        let mut copies = Copies::default();
        let told: Vec<_> = (0..6).map(|_| !copies.is_one("a", b"1", 3)).collect();
        assert_eq!(told, [true, false, false, true, false, false], "each third is a message");
        assert!(!copies.is_one("a", b"2", 3) && !copies.is_one("b", b"1", 3), "others are no copies");
    }

    #[test]
    fn where_one_filter_matches_there_are_no_copies() {
        let mut copies = Copies::default();
        assert!((0..10).all(|_| !copies.is_one("a", b"1", 1)));
    }

    #[test]
    fn a_broker_that_sends_each_message_once_is_known_after_some() {
        let mut copies = Copies::default();
        for at in 0..=ENOUGH {
            assert!(!copies.is_one("a", &at.to_be_bytes(), 2));
            copies.awaited.values_mut().for_each(|awaited| awaited.until = Instant::now());
        }
        assert!((0..10).all(|_| !copies.is_one("a", b"equal", 2)), "equal messages are told each");
    }
}
