//! How much patience there is with a device (an order key) that fails.
//!
//! Each event may fail as often as the grant's `attempts` says, and what stands behind it waits: a device whose every
//! message fails would fill the queue with that, and then everybody waits for it. So what stands at and behind failing
//! heads is counted ([`Patience::is_crowded`]). While it takes more than half of the queue, there is no more patience
//! with a device that is **to blame**: what waits of it is given without a pause, and set aside when it fails again. Each
//! run takes one event out for each such device, until the others have their half again.
//!
//! To blame is a device that failed over and over while others were fine, and not one whose backend is down for all:
//!
//! - It failed [`AGAIN`] times more after it began to, with growing pauses in between, and none of its events was handled.
//! - Each time, since the time before, more events of others had been handled than had failed. Where no others wait,
//!   since it holds the queue alone, there was no way to see that: such a failure counts if one before it did.
//!
//! So a fleet of one device is never to blame, and no device is where all fail or where most of what is tried fails. What
//! fails of one that is to blame says nothing about the others' backend, and does not count there.
//!
//! All of this is in memory: a new host knows who was failing, and blames nobody yet. Only devices of which something
//! waits are known, so it is bounded as the queue is; each step costs one look at a table.

use std::collections::HashMap;
use std::sync::Arc;

use super::MAX_QUEUE_BYTES;
use super::record::Kept;

/// How often a device must fail again while others are fine. With the usual pauses that takes 15 seconds at least.
const AGAIN: u32 = 4;

/// What is known of the devices of which something waits.
#[derive(Debug, Default)]
pub(super) struct Patience {
    devices: HashMap<Arc<str>, Device>,
    /// What waits of those that fail.
    held: Room,
    /// Events that were handled since this host began.
    handled: u64,
    /// How often one failed and may be tried again, but for what is to blame.
    failed: u64,
}

#[derive(Debug, Default)]
struct Device {
    waits: Room,
    /// None: what was tried last was handled.
    trouble: Option<Trouble>,
}

/// A device that failed, and had nothing handled since.
#[derive(Debug, Default)]
struct Trouble {
    /// How often it failed again while others were fine.
    again: u32,
    /// What had been handled, and had failed, when it last failed.
    handled: u64,
    failed: u64,
    /// Its last failure was a crash of the handler.
    crashed: bool,
}

/// What something takes of the queue.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Room {
    events: usize,
    bytes: usize,
}

impl Patience {
    /// One waits that did not.
    pub(super) fn comes(&mut self, kept: &Kept) {
        let (handled, failed) = (self.handled, self.failed);
        let device = self.devices.entry(kept.about.order.clone()).or_default();
        if kept.tried.failures > 0 && device.trouble.is_none() {
            // As the host before this one left it.
            let crashed = kept.tried.alone;
            device.trouble = Some(Trouble { again: 0, handled, failed, crashed });
            self.held.add(device.waits);
        }
        let room = Room::of(kept);
        device.waits.add(room);
        if device.trouble.is_some() {
            self.held.add(room);
        }
    }

    /// One does not wait any more.
    pub(super) fn goes(&mut self, kept: &Kept) {
        let Some(device) = self.devices.get_mut(&kept.about.order) else { return };
        let room = Room::of(kept);
        device.waits.take(room);
        if device.trouble.is_some() {
            self.held.take(room);
        }
        if device.waits.events == 0 {
            self.devices.remove(&kept.about.order);
        }
    }

    /// One was handled: its device is fine.
    pub(super) fn handled(&mut self, order: &str) {
        self.handled += 1;
        if let Some(device) = self.devices.get_mut(order)
            && device.trouble.take().is_some()
        {
            self.held.take(device.waits);
        }
    }

    /// One failed, and may be tried again. `crashed`: the handler crashed over it.
    pub(super) fn failed(&mut self, order: &str, crashed: bool) {
        let holds_it_alone = self.devices.len() == 1;
        let Some(device) = self.devices.get_mut(order) else { return };
        let begins = Trouble { handled: self.handled, failed: self.failed, ..Trouble::default() };
        if device.trouble.is_none() {
            self.held.add(device.waits);
        }
        let trouble = device.trouble.get_or_insert(begins);
        let was_to_blame = trouble.is_to_blame();
        let (fine, bad) = (self.handled - trouble.handled, self.failed - trouble.failed);
        if fine > bad || (fine == bad && holds_it_alone && trouble.again > 0) {
            trouble.again = trouble.again.saturating_add(1);
        }
        if !was_to_blame {
            self.failed += 1;
        }
        (trouble.handled, trouble.failed, trouble.crashed) = (self.handled, self.failed, crashed);
    }

    /// Whether what was tried last of it failed: then one is given at a time, since all behind it may have to be given
    /// again.
    pub(super) fn is_failing(&self, order: &str) -> bool {
        self.trouble(order).is_some()
    }

    /// Whether a handler crashed over what was tried last of it: what comes next is not given together with what is of
    /// others.
    pub(super) fn goes_alone(&self, order: &str) -> bool {
        self.trouble(order).is_some_and(|trouble| trouble.crashed)
    }

    /// Whether there is no more patience with it. `most`: how many events may wait.
    pub(super) fn is_over(&self, order: &str, most: usize) -> bool {
        self.is_crowded(most) && self.trouble(order).is_some_and(Trouble::is_to_blame)
    }

    /// Whether those that fail have more than half of the queue.
    fn is_crowded(&self, most: usize) -> bool {
        self.held.events > most / 2 || self.held.bytes > MAX_QUEUE_BYTES / 2
    }

    fn trouble(&self, order: &str) -> Option<&Trouble> {
        self.devices.get(order)?.trouble.as_ref()
    }
}

impl Trouble {
    fn is_to_blame(&self) -> bool {
        self.again >= AGAIN
    }
}

impl Room {
    fn of(kept: &Kept) -> Self {
        Self { events: 1, bytes: kept.size() }
    }

    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }

    fn take(&mut self, other: Self) {
        self.events -= other.events;
        self.bytes -= other.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{About, Tried};
    use super::*;

    const MOST: usize = 10;

    fn of(order: &str, bytes: usize) -> Kept {
        let about = About {
            id: "id".into(),
            subject: String::new(),
            order: order.into(),
            heard_ms: 0,
            attributes: String::new(),
        };
        Kept { about, data: vec![0; bytes], tried: Tried::default() }
    }

    /// So many events wait of these.
    fn waiting(all: &[(&str, usize)]) -> Patience {
        let mut patience = Patience::default();
        for (order, count) in all {
            (0..*count).for_each(|_| patience.comes(&of(order, 1)));
        }
        patience
    }

    /// One of it comes and is handled.
    fn is_fine(patience: &mut Patience, order: &str) {
        patience.comes(&of(order, 1));
        patience.handled(order);
        patience.goes(&of(order, 1));
    }

    /// The first failure, and those after it, with one of another handled before each of them.
    fn to_blame(patience: &mut Patience, order: &str) {
        patience.failed(order, false);
        for _ in 0..AGAIN {
            is_fine(patience, "fine");
            patience.failed(order, false);
        }
    }

    #[test]
    fn patience_ends_with_a_device_that_fails_over_and_over_while_others_are_fine() {
        let mut patience = waiting(&[("bad", 6)]);
        patience.failed("bad", false);
        for _ in 0..AGAIN {
            assert!(!patience.is_over("bad", MOST));
            is_fine(&mut patience, "fine");
            patience.failed("bad", false);
        }
        assert!(patience.is_over("bad", MOST));
        assert!(!patience.is_over("fine", MOST) && !patience.is_over("unheard of", MOST));
        // It goes on so with what stands behind it, until the others have their half again.
        patience.goes(&of("bad", 1));
        assert!(!patience.is_over("bad", MOST));
        patience.comes(&of("bad", 1));
        assert!(patience.is_over("bad", MOST));
    }

    #[test]
    fn one_that_had_something_handled_has_all_patience_again() {
        let mut patience = waiting(&[("bad", 8)]);
        to_blame(&mut patience, "bad");
        assert!(patience.is_over("bad", MOST) && patience.is_failing("bad"));
        patience.handled("bad");
        assert!(!patience.is_over("bad", MOST) && !patience.is_failing("bad"));
        patience.failed("bad", false);
        assert!(!patience.is_over("bad", MOST) && patience.is_failing("bad"));
    }

    #[test]
    fn where_all_fail_nobody_is_to_blame_even_if_all_was_fine_a_moment_ago() {
        let mut patience = waiting(&[("a", 4), ("b", 4)]);
        patience.failed("a", false);
        is_fine(&mut patience, "c");
        for _ in 0..100 {
            for order in ["a", "b"] {
                patience.failed(order, false);
                assert!(!patience.is_over(order, MOST));
            }
        }
    }

    #[test]
    fn where_most_of_what_is_tried_fails_nobody_is_to_blame() {
        let mut patience = waiting(&[("a", 4), ("b", 4), ("c", 4)]);
        for _ in 0..100 {
            ["a", "b", "c"].iter().for_each(|order| patience.failed(order, false));
            is_fine(&mut patience, "d");
            assert!(["a", "b", "c"].iter().all(|order| !patience.is_over(order, MOST)));
        }
    }

    #[test]
    fn a_fleet_of_one_device_has_all_patience() {
        let mut patience = waiting(&[("only", 20)]);
        patience.handled("only");
        for _ in 0..100 {
            patience.failed("only", false);
            assert!(!patience.is_over("only", MOST));
        }
    }

    #[test]
    fn one_that_fills_the_queue_alone_does_not_go_free_since_no_others_can_be_tried() {
        let mut patience = waiting(&[("bad", 20)]);
        patience.failed("bad", false);
        is_fine(&mut patience, "fine");
        for _ in 0..AGAIN {
            assert!(!patience.is_over("bad", MOST));
            patience.failed("bad", false);
        }
        assert!(patience.is_over("bad", MOST));
    }

    #[test]
    fn several_that_fill_the_queue_together_are_to_blame_each_and_not_who_only_failed_once() {
        let mut patience = waiting(&[("a", 3), ("b", 3), ("new", 1)]);
        for _ in 0..=AGAIN {
            ["c", "d", "e"].iter().for_each(|order| is_fine(&mut patience, order));
            patience.failed("a", false);
            patience.failed("b", false);
        }
        patience.failed("new", false);
        assert!(patience.is_over("a", MOST) && patience.is_over("b", MOST));
        assert!(!patience.is_over("new", MOST));
        // What fails of those does not speak for a third that begins to.
        for _ in 0..AGAIN {
            (0..10).for_each(|_| patience.failed("a", false));
            is_fine(&mut patience, "c");
            patience.failed("new", false);
        }
        assert!(patience.is_over("new", MOST));
    }

    #[test]
    fn bytes_crowd_a_queue_as_events_do_and_what_waits_of_others_does_not() {
        let mut patience = waiting(&[("bad", 1), ("fine", 9)]);
        to_blame(&mut patience, "bad");
        assert!(!patience.is_over("bad", MOST));
        let large = of("bad", MAX_QUEUE_BYTES / 2);
        patience.comes(&large);
        assert!(patience.is_over("bad", MOST));
        patience.goes(&large);
        assert!(!patience.is_over("bad", MOST));
    }

    #[test]
    fn what_failed_before_this_host_began_is_failing_and_not_to_blame() {
        let mut patience = waiting(&[("bad", 3)]);
        let mut head = of("bad", 1);
        head.tried = Tried { failures: 9, alone: true, ..Tried::default() };
        patience.comes(&head);
        (0..6).for_each(|_| patience.comes(&of("bad", 1)));
        assert!(patience.is_failing("bad") && patience.goes_alone("bad"));
        assert!(patience.is_crowded(MOST) && !patience.is_over("bad", MOST));
    }

    #[test]
    fn nothing_is_known_any_more_of_devices_of_which_nothing_waits() {
        let mut patience = waiting(&[("bad", 1), ("fine", 2)]);
        to_blame(&mut patience, "bad");
        for order in ["bad", "fine", "fine"] {
            patience.goes(&of(order, 1));
        }
        assert!(patience.devices.is_empty());
        assert_eq!(patience.held, Room::default());
    }
}
