//! What waits of one event of one binding. One task keeps ([`super::keep`]) and one handles ([`super::work`]); here is
//! what they share. All of it is in the store; what is here in memory is never ahead of it in what was kept, and never
//! behind in what was handled.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::dead::DeadList;
use super::engine::Pace;
use super::origins::Origins;
use super::patience::Patience;
use super::record::{Handling, Keeping, Kept, QueueName, space};
use super::{MAX_ALL_BYTES, MAX_BATCH_BYTES, MAX_QUEUE_BYTES};
use crate::store::{Batch, Space, Store};

/// How often it is looked for room that another queue gave back.
const LOOK: Duration = Duration::from_millis(250);

/// The pauses after which a write that failed is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// One queue.
pub(super) struct Queue {
    pub(super) name: QueueName,
    pub(super) store: Arc<dyn Store>,
    pub(super) space: Space,
    pub(super) pace: Pace,
    state: Mutex<State>,
    /// There is more room than before.
    pub(super) room: Notify,
    /// There may be more to handle than before.
    pub(super) more: Notify,
    /// Writes that fail at this moment.
    failing: AtomicU64,
}

/// What is known of it.
#[derive(Default)]
pub(super) struct State {
    /// By number: the order in which they were kept.
    pub(super) waiting: BTreeMap<u64, Kept>,
    /// What they take.
    pub(super) taken: Taken,
    /// How much there is with those of them that fail.
    pub(super) patience: Patience,
    /// The last run was of one over which a handler crashed.
    pub(super) was_alone: bool,
    /// When it was last said that patience is over, in Unix milliseconds.
    pub(super) said_over_ms: u64,
    /// Parts of a batch that failed as a whole: each is given by itself, before anything else.
    pub(super) pieces: VecDeque<Vec<u64>>,
    pub(super) keeping: Keeping,
    pub(super) handling: Handling,
    pub(super) origins: Origins,
    pub(super) dead: DeadList,
}

impl Queue {
    pub(super) fn new(name: QueueName, store: Arc<dyn Store>, pace: Pace, state: State) -> Arc<Self> {
        Arc::new(Self {
            name,
            store,
            space: space(),
            pace,
            state: Mutex::new(state),
            room: Notify::new(),
            more: Notify::new(),
            failing: AtomicU64::new(0),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until it is written: whoever waits for it goes on with nothing before. Every change of it may happen
    /// twice.
    pub(super) async fn write(&self, batch: Batch) {
        let mut pause = PAUSES.0;
        let mut failed = false;
        loop {
            let Err(error) = self.store.write(&self.space, batch.clone()).await else { break };
            if !failed {
                failed = true;
                self.failing.fetch_add(1, Ordering::Relaxed);
                tracing::error!(event = %self.name, %error, "events cannot be written: their source waits, and nothing is lost");
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        if failed {
            self.failing.fetch_sub(1, Ordering::Relaxed);
            tracing::info!(event = %self.name, "events can be written again");
        }
    }

    /// Whether a write fails at this moment.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed) > 0
    }

    /// Whether something more may be kept. `most`: how many may wait.
    pub(super) fn has_room(&self, most: usize) -> bool {
        self.state().has_room(most)
    }

    /// Waits until that may be otherwise.
    pub(super) async fn room_again(&self) {
        // Room that another queue gave back is found by looking.
        let _ = tokio::time::timeout(LOOK, self.room.notified()).await;
    }
}

impl State {
    /// Whether there is room for a little more: what is kept in one step may go over it. What the queues of others hold
    /// never stops one in which nothing waits.
    fn has_room(&self, most: usize) -> bool {
        let own = self.waiting.len() < most && self.taken.bytes < MAX_QUEUE_BYTES;
        own && (self.waiting.is_empty() || self.taken.of_all.load(Ordering::Relaxed) < MAX_ALL_BYTES)
    }

    /// Whether so much waits that one run cannot hold more. `most`: events in one batch.
    pub(super) fn has_batch(&self, most: usize) -> bool {
        self.waiting.len() >= most || self.taken.bytes >= MAX_BATCH_BYTES
    }

    pub(super) fn insert(&mut self, number: u64, kept: Kept) {
        self.taken.take(kept.size());
        self.patience.comes(&kept);
        if let Some(before) = self.waiting.insert(number, kept) {
            self.taken.give_back(before.size());
            self.patience.goes(&before);
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Kept> {
        let kept = self.waiting.remove(&number)?;
        self.taken.give_back(kept.size());
        self.patience.goes(&kept);
        Some(kept)
    }

    /// Events that failed and wait for their next attempt.
    pub(super) fn failing(&self) -> usize {
        self.waiting.values().filter(|kept| kept.tried.failures > 0).count()
    }

    /// When the one that waits longest was heard.
    pub(super) fn oldest_ms(&self) -> Option<u64> {
        self.waiting.values().map(|kept| kept.about.heard_ms).min()
    }

    /// When it last came by itself, or was last handled, whichever was later, by the clock at that time. Zero: never.
    pub(super) fn last_ms(&self) -> u64 {
        self.keeping.ticked_ms.max(self.handling.began_ms)
    }
}

/// Bytes in memory, counted for one queue and for all of a host.
#[derive(Default)]
pub(super) struct Taken {
    bytes: usize,
    of_all: Arc<AtomicUsize>,
}

impl Taken {
    /// Nothing yet, of what all take.
    pub(super) fn of(all: &Arc<AtomicUsize>) -> Self {
        Self { bytes: 0, of_all: all.clone() }
    }

    fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.of_all.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.of_all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{About, Tried};
    use super::*;

    fn kept(bytes: usize) -> Kept {
        let about = About {
            id: "a".into(),
            subject: String::new(),
            order: "".into(),
            heard_ms: 0,
            attributes: String::new(),
        };
        Kept { about, data: vec![0; bytes], tried: Tried::default() }
    }

    #[test]
    fn a_queue_has_room_for_so_many_and_for_so_many_bytes() {
        let mut state = State::default();
        assert!(state.has_room(1));
        state.insert(0, kept(10));
        assert!(!state.has_room(1) && state.has_room(2));
        state.insert(1, kept(MAX_QUEUE_BYTES));
        assert!(!state.has_room(10));
        state.remove(1);
        assert!(state.has_room(10));
    }

    #[test]
    fn all_queues_together_have_room_for_so_many_bytes_and_an_empty_one_for_a_little_always() {
        let all = Arc::<AtomicUsize>::default();
        let queue = || State { taken: Taken::of(&all), ..State::default() };
        let mut full: Vec<_> = (0..MAX_ALL_BYTES / MAX_QUEUE_BYTES).map(|_| queue()).collect();
        full.iter_mut().for_each(|state| state.insert(0, kept(MAX_QUEUE_BYTES)));
        let mut one = queue();
        assert!(one.has_room(10), "nothing waits in it");
        one.insert(0, kept(10));
        assert!(!one.has_room(10));
        drop(full);
        assert!(one.has_room(10));
        assert_eq!(all.load(Ordering::Relaxed), 10);
    }
}
