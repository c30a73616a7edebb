//! What becomes of a batch. The answer that counts is the one in order: of events with one order key, what stands behind
//! one that is tried again is given again too, whatever its own answer was.

use std::collections::HashSet;
use std::time::Duration;

use super::dead::DeadEvent;
use super::engine::{Pace, at_most};
use super::grant::EventBounds;
use super::live::LiveEvent;
use super::queue::Queue;
use super::record::{Kept, Tried, millis, now_ms, to_json};
use crate::call::{End, Refused};
use crate::domain::{Event, Fault};
use crate::store::Batch;

/// How often at most it is said that there is no more patience with some devices, in milliseconds.
const SAID_OVER: u64 = 60_000;

/// How a run ended.
pub(super) enum Ran {
    /// With an answer for each event.
    Answered(Vec<Result<(), Fault>>),
    /// The handler failed with all of them.
    Failed(Fault),
    /// It did not run, or was ended by the host: that says nothing about the events.
    Not,
}

impl Ran {
    pub(super) fn of(end: Result<End<Vec<Result<(), Fault>>>, Refused>) -> Self {
        match end {
            Ok(End::Done(answers)) => Self::Answered(answers),
            Ok(End::Fault(fault)) if matches!(fault.code.as_str(), "unavailable" | "cancelled") => Self::Not,
            Ok(End::Fault(fault)) => Self::Failed(fault),
            Ok(End::Ask(_)) | Err(_) => Self::Not,
        }
    }
}

impl Queue {
    /// Gives these to a handler: what is to be written before it begins, and the events.
    pub(super) fn begin(&self, numbers: &[u64], live: &LiveEvent, settled: Batch) -> (Batch, Vec<Event>) {
        let mut state = self.state();
        let mut begun = Vec::with_capacity(numbers.len());
        let mut events = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(kept) = state.waiting.get_mut(number) else { continue };
            kept.tried.deliveries = kept.tried.deliveries.saturating_add(1);
            begun.push((*number, kept.tried.deliveries));
            events.push(event(kept, live));
        }
        state.handling.begun = begun;
        state.handling.runs += 1;
        state.handling.began_ms = now_ms();
        drop(state);
        (self.with_handling(settled), events)
    }

    /// With how far handling is.
    pub(super) fn with_handling(&self, settled: Batch) -> Batch {
        let handling = to_json(&self.state().handling);
        settled.put(self.name.key("w"), handling, None)
    }

    /// Takes what a run came to; what is to be written of it is the answer, but for how far handling is.
    pub(super) fn settle(&self, numbers: &[u64], ran: Ran, live: &LiveEvent) -> Batch {
        let mut settling =
            Settling { queue: self, live, batch: Batch::new(), now_ms: now_ms(), set_aside: 0, over: 0 };
        match ran {
            Ran::Answered(answers) => settling.answered(numbers, answers),
            Ran::Failed(fault) => settling.failed(numbers, fault),
            Ran::Not => settling.again(numbers),
        }
        let Settling { mut batch, set_aside, over, now_ms, .. } = settling;
        if set_aside + over > 0 {
            for surplus in self.state().dead.trim() {
                batch = batch.delete(surplus);
            }
        }
        if over > 0 && self.says_over(now_ms) {
            tracing::warn!(
                event = %self.name,
                "devices that fail over and over hold more than half of the queue: while they do, what fails of them is set \
                 aside at once; `fleetgate events dead` lists it"
            );
        }
        if set_aside > 0 {
            tracing::warn!(
                event = %self.name, events = set_aside,
                "events were set aside since they failed; `fleetgate events dead` lists them"
            );
        }
        self.state().handling.begun.clear();
        self.room.notify_one();
        batch
    }

    /// Whether it is time to say that patience is over: not each time, since there may be many in a second.
    fn says_over(&self, now_ms: u64) -> bool {
        let mut state = self.state();
        let is_time = now_ms.abs_diff(state.said_over_ms) >= SAID_OVER;
        if is_time {
            state.said_over_ms = now_ms;
        }
        is_time
    }
}

fn event(kept: &Kept, live: &LiveEvent) -> Event {
    Event {
        id: kept.about.id.clone(),
        source: live.source.clone(),
        subject: kept.about.subject.clone(),
        time_ms: kept.about.heard_ms,
        attempt: kept.tried.deliveries,
        data: kept.data.clone(),
        attributes: kept.about.attributes.clone(),
    }
}

struct Settling<'a> {
    queue: &'a Queue,
    live: &'a LiveEvent,
    batch: Batch,
    now_ms: u64,
    set_aside: usize,
    /// Set aside before their attempts, since there is no more patience with their devices.
    over: usize,
}

impl Settling<'_> {
    fn answered(&mut self, numbers: &[u64], answers: Vec<Result<(), Fault>>) {
        let mut held = HashSet::new();
        for (number, answer) in numbers.iter().zip(answers) {
            let order = self.queue.state().waiting.get(number).map(|kept| kept.about.order.clone());
            let Some(order) = order else { continue };
            if held.contains(&order) {
                self.note(*number);
                continue;
            }
            match answer {
                Ok(()) => self.done(*number),
                Err(fault) => {
                    if self.fault(*number, fault) {
                        held.insert(order);
                    }
                }
            }
        }
    }

    /// A handler that crashes or takes too long gives no answer to any of them: halves are tried until the one that it
    /// cannot take is alone.
    fn failed(&mut self, numbers: &[u64], fault: Fault) {
        if let [number] = numbers {
            if let Some(kept) = self.queue.state().waiting.get_mut(number) {
                kept.tried.alone = true;
            }
            self.fault(*number, fault.retryable());
            return;
        }
        tracing::warn!(event = %self.queue.name, events = numbers.len(), reason = %fault.message, "a handler failed over a batch, which is tried in halves");
        numbers.iter().for_each(|number| self.note(*number));
        let (first, second) = numbers.split_at(numbers.len().div_ceil(2));
        let mut state = self.queue.state();
        state.pieces.push_front(second.to_vec());
        state.pieces.push_front(first.to_vec());
    }

    fn again(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.note(*number));
    }

    fn put(&mut self, change: impl FnOnce(Batch) -> Batch) {
        self.batch = change(std::mem::take(&mut self.batch));
    }

    /// Keeps how often it was given.
    fn note(&mut self, number: u64) {
        let tried = self.queue.state().waiting.get(&number).map(|kept| to_json(&kept.tried));
        if let Some(tried) = tried {
            let key = self.queue.name.tried(number);
            self.put(|batch| batch.put(key, tried, None));
        }
    }

    fn done(&mut self, number: u64) {
        let mut state = self.queue.state();
        state.handling.handled += 1;
        let kept = state.remove(number);
        if let Some(kept) = &kept {
            state.patience.handled(&kept.about.order);
        }
        drop(state);
        self.gone(number, kept.as_ref());
    }

    fn gone(&mut self, number: u64, kept: Option<&Kept>) {
        let name = &self.queue.name;
        let (waiting, tried) = (name.waiting(number), name.tried(number));
        self.put(|batch| batch.delete(waiting));
        // One that was given once and never failed has nothing there.
        if kept.is_some_and(|kept| kept.tried.deliveries > 1 || kept.tried.failures > 0) {
            self.put(|batch| batch.delete(tried));
        }
    }

    /// It failed by itself. True: it is tried again.
    fn fault(&mut self, number: u64, mut fault: Fault) -> bool {
        let EventBounds { attempts, queue: most, .. } = self.live.bounds;
        let mut guard = self.queue.state();
        let state = &mut *guard;
        let Some(kept) = state.waiting.get_mut(&number) else { return false };
        let order = &kept.about.order;
        kept.tried.failures = kept.tried.failures.saturating_add(1);
        kept.tried.fault = Some(fault.clone());
        if fault.retryable {
            state.patience.failed(order, kept.tried.alone);
        }
        let has_attempts = fault.retryable && kept.tried.failures < attempts;
        let is_over = has_attempts && state.patience.is_over(order, most);
        if has_attempts && !is_over {
            let pause = pause(self.queue, self.live, &kept.tried, &fault);
            kept.tried.not_before_ms = self.now_ms.saturating_add(millis(pause));
            drop(guard);
            self.note(number);
            return true;
        }
        if is_over {
            fault.message = format!("{} ({})", fault.message, over(kept.tried.failures, attempts));
            self.over += 1;
        } else {
            self.set_aside += 1;
        }
        let Some(kept) = state.remove(number) else { return false };
        let dead = DeadEvent::of(&self.queue.name, &kept, &fault, self.now_ms);
        let (key, bytes) = state.dead.add(&self.queue.name, &dead, &kept.data);
        state.handling.set_aside += 1;
        drop(guard);
        self.gone(number, Some(&kept));
        self.put(|batch| batch.put(key, bytes, None));
        false
    }
}

/// Why one was set aside before its attempts.
fn over(failures: u32, attempts: u32) -> String {
    format!(
        "set aside after {failures} of {attempts} attempts: its device fails over and over while others are fine, and \
         devices that fail hold more than half of the queue"
    )
}

/// The longest that one that failed may wait.
pub(super) fn longest(pace: Pace, live: &LiveEvent) -> Duration {
    live.pause().unwrap_or(pace.longest_pause + pace.longest_pause / 4)
}

/// How long one that failed waits: twice as long each time, up to a quarter of it more at random so that those that failed
/// together do not come back together, and as long as it says itself.
fn pause(queue: &Queue, live: &LiveEvent, tried: &Tried, fault: &Fault) -> Duration {
    if let Some(pause) = live.pause() {
        return pause;
    }
    let pace = queue.pace;
    let doublings = tried.failures.saturating_sub(1).min(16);
    let doubled = pace.first_pause.saturating_mul(1 << doublings).min(pace.longest_pause);
    let said = fault.retry_after_ms.map_or(Duration::ZERO, |ms| Duration::from_millis(ms.into()));
    let pause = doubled.max(said.min(pace.longest_pause));
    pause + at_most(pause / 4)
}
