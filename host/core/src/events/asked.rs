//! What the operator wants done with what was set aside. The host that handles a binding's events holds them in memory,
//! so another process asks it through the store: `fleetgate events retry` and `drop` leave a note, and the host takes it
//! within a second. What is not granted any more nobody handles; that is dropped at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::record::{ASKED, QueueName, key, space, to_json};
use crate::store::{Batch, Key, MAX_CHANGES, Page, Store, StoreError};

/// How often a note is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// It is tried again, behind what waits.
    Retry,
    /// It goes.
    Drop,
}

/// Which of what was set aside is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    /// Whose.
    pub binding: Arc<str>,
    /// Which of its events: `telemetry`.
    pub event: Arc<str>,
    /// One alone. None: all.
    pub id: Option<Arc<str>>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) wish: Wish,
    #[serde(flatten)]
    pub(super) meant: Meant,
}

/// Leaves a note for the host that handles these events, and says under which key.
pub async fn ask(store: &dyn Store, wish: Wish, meant: Meant) -> Result<Key, StoreError> {
    let at = key(format!("{ASKED}{}", crate::call::new_event_id()));
    let note = to_json(&Note { wish, meant });
    store.write(&space(), Batch::new().put(at.clone(), note, None)).await?;
    Ok(at)
}

/// Waits until a host has taken a note. False: none did in this time; the next one does.
pub async fn is_taken(store: &dyn Store, note: &Key, within: Duration) -> Result<bool, StoreError> {
    let end = Instant::now() + within;
    loop {
        if store.get(&space(), note).await?.is_none() {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Every note.
pub(super) async fn notes(store: &dyn Store) -> Result<Vec<(Key, Note)>, StoreError> {
    let listed = store.list(&space(), Page::of(ASKED)).await?.entries;
    Ok(listed
        .into_iter()
        .filter_map(|entry| Some((entry.key, serde_json::from_slice(&entry.value).ok()?)))
        .collect())
}

/// Drops everything that is kept of an event that is not granted any more: what waits, what was set aside, and its
/// place in the list.
pub async fn forget(store: &dyn Store, binding: &str, event: &str) -> Result<(), StoreError> {
    let name = QueueName { binding: binding.into(), event: event.into() };
    loop {
        let page = Page { limit: MAX_CHANGES / 2, ..Page::of(name.prefix()) };
        let listed = store.list(&space(), page).await?;
        let batch = listed.entries.iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key.clone()));
        store.write(&space(), batch).await?;
        if !listed.more {
            break;
        }
    }
    store.write(&space(), Batch::new().delete(name.status())).await.map(|_| ())
}
