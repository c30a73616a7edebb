//! What waits of one event of one binding. One task keeps ([`super::keep`]) and one handles ([`super::work`]); here is
//! what they share. All of it is in the store; what is here in memory is never ahead of it in what was kept, and never
//! behind in what was handled.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::MAX_QUEUE_BYTES;
use super::dead::DeadList;
use super::engine::Pace;
use super::origins::Origins;
use super::record::{Handling, Keeping, Kept, QueueName, now_ms, space};
use crate::store::{Batch, Space, Store};

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
    pub(super) bytes: usize,
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

    /// Waits until something more may be kept. `most`: how many may wait.
    pub(super) async fn has_room(&self, most: impl Fn() -> usize) {
        loop {
            let room = self.room.notified();
            if self.state().has_room(most()) {
                return;
            }
            room.await;
        }
    }
}

impl State {
    /// Whether there is room for a little more: what is kept in one step may go over it.
    fn has_room(&self, most: usize) -> bool {
        self.waiting.len() < most && self.bytes < MAX_QUEUE_BYTES
    }

    pub(super) fn insert(&mut self, number: u64, kept: Kept) {
        self.bytes += kept.size();
        if let Some(before) = self.waiting.insert(number, kept) {
            self.bytes -= before.size();
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Kept> {
        let kept = self.waiting.remove(&number)?;
        self.bytes -= kept.size();
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

    /// When it last came by itself. A clock that was ahead does not keep it from coming again.
    pub(super) fn ticked_ms(&self) -> u64 {
        self.keeping.ticked_ms.min(now_ms())
    }
}
