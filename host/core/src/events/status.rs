//! How the events of each binding stand, for the operator: written beside them by the host that handles them, and read
//! by `fleetgate events list`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::queue::Queue;
use super::record::{STATUS, now_ms, space};
use crate::store::{Page, Store, StoreError};

/// How one event of one binding stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventStatus {
    /// Whose it is.
    pub binding: Arc<str>,
    /// Which: `telemetry`.
    pub event: Arc<str>,
    /// False: it is not granted any more, and what waits is kept until it is granted again or dropped.
    pub granted: bool,
    /// Events that were heard and kept, ever.
    pub heard: u64,
    /// What its source said once more and was known.
    pub again: u64,
    /// Events that were handled, ever.
    pub handled: u64,
    /// Runs of the handler, ever.
    pub runs: u64,
    /// Events that wait.
    pub waiting: usize,
    /// Those of them that failed and wait for another attempt.
    pub failing: usize,
    /// Events that are set aside.
    pub dead: usize,
    /// Events that were set aside, ever.
    pub set_aside: u64,
    /// When the one that waits longest was heard, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<u64>,
    /// Why nothing is heard or kept now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When this was written, in Unix milliseconds.
    pub written_ms: u64,
}

impl EventStatus {
    pub(super) fn of(queue: &Queue, granted: bool, trouble: Option<String>) -> Self {
        let failing = queue.is_failing().then(|| "events cannot be written: the log says why".to_owned());
        let state = queue.state();
        Self {
            binding: queue.name.binding.clone(),
            event: queue.name.event.clone(),
            granted,
            heard: state.keeping.heard,
            again: state.keeping.again,
            handled: state.handling.handled,
            runs: state.handling.runs,
            waiting: state.waiting.len(),
            failing: state.failing(),
            dead: state.dead.len(),
            set_aside: state.handling.set_aside,
            oldest_ms: state.oldest_ms(),
            trouble: failing.or(trouble),
            written_ms: now_ms(),
        }
    }

    /// Whether it says the same, at another time.
    pub(super) fn is_still(&self, before: &Self) -> bool {
        *self == Self { written_ms: self.written_ms, ..before.clone() }
    }
}

/// How every event stands that this configuration ever had, by binding and event.
pub async fn statuses(store: &dyn Store) -> Result<Vec<EventStatus>, StoreError> {
    let mut all = Vec::new();
    let mut page = Page::of(STATUS);
    loop {
        let listed = store.list(&space(), page.clone()).await?;
        page.after = listed.entries.last().map(|entry| entry.key.clone());
        all.extend(listed.entries.iter().filter_map(|entry| serde_json::from_slice(&entry.value).ok()));
        if !listed.more {
            return Ok(all);
        }
    }
}
