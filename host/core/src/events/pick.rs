//! What is handled next: in the order in which it was kept, but for what waits for another attempt and what stands
//! behind it in its own order.
//!
//! Of a device that failed last, one event is given in a run: should it fail again, those behind it would have been given
//! in vain. Where a handler crashed over it that one goes alone, and every other run at most is such a one while there is
//! anything else to do. With a device with which there is no more patience, no pause is waited out.

use std::collections::HashSet;
use std::sync::Arc;

use super::MAX_BATCH_BYTES;
use super::grant::EventBounds;
use super::queue::State;

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Picked {
    /// These, by number.
    Batch(Vec<u64>),
    /// Something at this moment, in Unix milliseconds.
    At(u64),
    /// Nothing.
    Nothing,
}

impl State {
    /// `longest`: the longest that one that failed may wait, in milliseconds.
    pub(super) fn pick(&mut self, bounds: EventBounds, now_ms: u64, longest: u64) -> Picked {
        let latest = now_ms.saturating_add(longest);
        while let Some(piece) = self.pieces.pop_front() {
            let batch = self.ready(&piece, now_ms);
            if !batch.is_empty() {
                return Picked::Batch(batch);
            }
        }
        let mut held: HashSet<Arc<str>> = HashSet::new();
        let mut batch = Vec::new();
        let mut alone = None;
        let (mut bytes, mut earliest) = (0, None);
        for (number, kept) in &mut self.waiting {
            let (order, tried) = (&kept.about.order, &mut kept.tried);
            if held.contains(order) {
                continue;
            }
            // The clock was set back since it failed: it waits no longer than if it had failed now.
            tried.not_before_ms = tried.not_before_ms.min(latest);
            if tried.not_before_ms > now_ms && self.patience.is_over(order, bounds.queue) {
                tried.not_before_ms = now_ms;
            }
            if tried.not_before_ms > now_ms {
                earliest = Some(earliest.map_or(tried.not_before_ms, |at: u64| at.min(tried.not_before_ms)));
                held.insert(order.clone());
                continue;
            }
            if tried.alone || self.patience.goes_alone(order) {
                if batch.is_empty() && alone.is_none() {
                    alone = Some(*number);
                    if !self.was_alone {
                        break;
                    }
                }
                held.insert(order.clone());
                continue;
            }
            bytes += kept.size();
            if !batch.is_empty() && bytes > MAX_BATCH_BYTES {
                break;
            }
            batch.push(*number);
            if batch.len() >= bounds.batch {
                break;
            }
            if self.patience.is_failing(order) {
                held.insert(order.clone());
            }
        }
        if batch.is_empty() {
            batch.extend(alone);
        }
        self.was_alone = alone.is_some_and(|alone| batch == [alone]);
        match earliest {
            _ if !batch.is_empty() => Picked::Batch(batch),
            Some(at) => Picked::At(at),
            None => Picked::Nothing,
        }
    }

    /// Of a part of a batch, what nothing stands before in its order: neither what waits for another attempt nor what
    /// another part of the batch holds.
    fn ready(&self, piece: &[u64], now_ms: u64) -> Vec<u64> {
        let Some(last) = piece.last() else { return Vec::new() };
        let mut held: HashSet<&Arc<str>> = HashSet::new();
        let mut batch = Vec::new();
        for (number, kept) in self.waiting.range(..=last) {
            let order = &kept.about.order;
            let due = kept.tried.not_before_ms <= now_ms;
            if due && !held.contains(order) && piece.binary_search(number).is_ok() {
                batch.push(*number);
            } else {
                held.insert(order);
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{About, Kept, Tried};
    use super::*;

    /// In milliseconds, as the moments here.
    const LONGEST: u64 = 100;

    fn state(events: &[(&str, Tried)]) -> State {
        let mut state = State::default();
        for (number, (order, tried)) in events.iter().enumerate() {
            let about = About {
                id: number.to_string().into(),
                subject: String::new(),
                order: (*order).into(),
                heard_ms: 0,
                attributes: "{}".into(),
            };
            state.insert(number as u64, Kept { about, data: vec![0; 10], tried: tried.clone() });
        }
        state
    }

    /// So many in a run, of ten that may wait.
    fn batch(batch: usize) -> EventBounds {
        EventBounds { batch, queue: 10, ..EventBounds::default() }
    }

    fn fine() -> Tried {
        Tried::default()
    }

    fn waits(until: u64) -> Tried {
        Tried { not_before_ms: until, failures: 1, ..Tried::default() }
    }

    #[test]
    fn what_stands_behind_one_that_waits_waits_too_and_others_go_on() {
        let mut state = state(&[("a", waits(50)), ("b", fine()), ("a", fine()), ("b", fine())]);
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![1, 3]));
        assert_eq!(state.pick(batch(10), 50, LONGEST), Picked::Batch(vec![0, 1, 3]));
    }

    #[test]
    fn of_one_that_failed_last_one_event_is_given_at_a_time_until_one_is_handled() {
        let mut state =
            state(&[("a", waits(20)), ("a", fine()), ("b", fine()), ("a", fine()), ("b", fine())]);
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![0, 2, 4]));
        // The first was set aside, and says nothing good of those behind it.
        state.remove(0);
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![1, 2, 4]));
        state.patience.handled("a");
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![1, 2, 3, 4]));
    }

    #[test]
    fn with_whom_there_is_no_more_patience_no_pause_is_waited_out() {
        let mut state = state(&[("a", waits(50)), ("a", fine()), ("a", fine()), ("b", waits(50))]);
        for _ in 0..4 {
            state.patience.handled("c");
            state.patience.failed("a", false);
        }
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::At(50), "there is room for others");
        let crowded = EventBounds { queue: 6, ..batch(10) };
        assert_eq!(state.pick(crowded, 20, LONGEST), Picked::Batch(vec![0]));
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![0]), "it stays due");
    }

    #[test]
    fn where_all_wait_the_earliest_says_when() {
        let mut state = state(&[("a", waits(50)), ("b", waits(40)), ("a", fine())]);
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::At(40));
        assert_eq!(State::default().pick(batch(10), 20, LONGEST), Picked::Nothing);
    }

    #[test]
    fn what_failed_before_the_clock_was_set_back_does_not_wait_until_it_is_that_late_again() {
        let day = 24 * 3_600_000;
        let mut state = state(&[("a", waits(day)), ("b", waits(50)), ("a", fine())]);
        assert_eq!(state.pick(batch(10), 40, LONGEST), Picked::At(50));
        state.remove(1);
        assert_eq!(state.pick(batch(10), 40, LONGEST), Picked::At(140), "as if it had failed now");
        assert_eq!(
            state.pick(batch(10), 100, LONGEST),
            Picked::At(140),
            "and looking at it holds it up no more"
        );
        assert_eq!(state.pick(batch(10), 140, LONGEST), Picked::Batch(vec![0]));
    }

    #[test]
    fn a_batch_has_no_more_events_and_no_more_bytes_than_it_may() {
        let mut few = state(&[("a", fine()), ("b", fine()), ("c", fine())]);
        assert_eq!(few.pick(batch(2), 0, LONGEST), Picked::Batch(vec![0, 1]));
        few.remove(1);
        let mut large = few.remove(2).expect("it waits");
        large.data = vec![0; MAX_BATCH_BYTES + 1];
        few.insert(2, large);
        assert_eq!(few.pick(batch(10), 0, LONGEST), Picked::Batch(vec![0]));
        few.remove(0);
        assert_eq!(few.pick(batch(10), 0, LONGEST), Picked::Batch(vec![2]), "a large one goes by itself");
    }

    #[test]
    fn one_over_which_a_handler_crashed_goes_alone() {
        let alone = Tried { alone: true, failures: 1, ..Tried::default() };
        let mut state = state(&[("a", fine()), ("b", alone), ("b", fine()), ("c", fine())]);
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![0, 3]));
        state.remove(0);
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![1]));
    }

    #[test]
    fn those_over_which_a_handler_crashed_leave_every_other_run_to_the_rest() {
        let alone = || Tried { alone: true, failures: 1, ..Tried::default() };
        let mut state = state(&[("a", alone()), ("a", fine()), ("b", alone()), ("c", fine()), ("d", fine())]);
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![0]));
        // It was set aside; what stood behind it may be no better.
        state.remove(0);
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![3, 4]));
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![1]));
        state.remove(3);
        state.remove(4);
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![1]), "nothing else is to be done");
        state.remove(1);
        assert_eq!(state.pick(batch(10), 0, LONGEST), Picked::Batch(vec![2]));
    }

    #[test]
    fn parts_of_a_batch_come_first_without_what_another_part_holds_up() {
        let mut state = state(&[("a", waits(50)), ("b", fine()), ("a", fine()), ("c", fine())]);
        state.pieces.extend([vec![2], vec![2, 3], vec![9]]);
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![3]));
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![1, 3]));
    }

    #[test]
    fn a_part_of_a_batch_does_not_overtake_what_its_other_part_left() {
        let mut state = state(&[("a", fine()), ("b", fine()), ("a", fine()), ("b", fine())]);
        // The first half was not handled, since the host could not run it.
        state.pieces.push_back(vec![2, 3]);
        assert_eq!(state.pick(batch(10), 20, LONGEST), Picked::Batch(vec![0, 1, 2, 3]));
    }
}
