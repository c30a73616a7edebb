//! What is kept of an event of a binding, when a host begins with it. What had been given to a handler and did not come
//! back counts as delivered: the next time is the next attempt.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde::de::DeserializeOwned;

use super::dead::{self, DeadEntry};
use super::engine::Pace;
use super::live::LiveEvent;
use super::origins;
use super::queue::{State, Taken};
use super::record::{Handling, Keeping, Kept, QueueName, Tried, millis, now_ms, space};
use super::settle::longest;
use crate::store::{Entry, Page, Store, StoreError};

/// `all`: what the queues of this host take.
pub(super) async fn recover(
    store: &Arc<dyn Store>,
    name: &QueueName,
    live: &LiveEvent,
    pace: Pace,
    all: &Arc<AtomicUsize>,
) -> Result<State, StoreError> {
    let mut state = State {
        taken: Taken::of(all),
        keeping: one::<Keeping>(store, name, "k").await?.unwrap_or_default(),
        handling: one::<Handling>(store, name, "w").await?.unwrap_or_default(),
        ..State::default()
    };
    for entry in every(store, name, "o/").await? {
        let Some(number) = number(&entry) else { continue };
        state.origins.add(number, origins::from_bytes(&entry.value));
        state.keeping.next_origins = state.keeping.next_origins.max(number + 1);
    }
    for entry in every(store, name, "d/").await? {
        let Some((dead, _)) = dead::from_bytes(&entry.value) else {
            tracing::warn!(key = %entry.key, "an event that was set aside and cannot be read is left out");
            continue;
        };
        state.dead.known(DeadEntry { id: dead.id, bytes: entry.value.len(), key: entry.key });
    }
    let mut tried: HashMap<u64, Tried> = HashMap::new();
    for entry in every(store, name, "t/").await? {
        if let (Some(number), Ok(read)) = (number(&entry), serde_json::from_slice(&entry.value)) {
            tried.insert(number, read);
        }
    }
    for (number, deliveries) in std::mem::take(&mut state.handling.begun) {
        let tried = tried.entry(number).or_default();
        tried.deliveries = tried.deliveries.max(deliveries);
        if let Some(pause) = live.pause() {
            // It has been given, and is not to be given more often than granted.
            tried.not_before_ms = tried.not_before_ms.max(state.last_ms().saturating_add(millis(pause)));
        }
    }
    let latest = now_ms().saturating_add(millis(longest(pace, live)));
    for entry in every(store, name, "q/").await? {
        let (Some(number), Some(mut kept)) = (number(&entry), Kept::from_bytes(&entry.value)) else {
            tracing::warn!(key = %entry.key, "an event that cannot be read is left out");
            continue;
        };
        kept.tried = tried.remove(&number).unwrap_or_default();
        // A clock that was ahead when it failed does not hold it up for ever.
        kept.tried.not_before_ms = kept.tried.not_before_ms.min(latest);
        state.insert(number, kept);
        state.keeping.next = state.keeping.next.max(number + 1);
    }
    Ok(state)
}

async fn one<T: DeserializeOwned>(
    store: &Arc<dyn Store>,
    name: &QueueName,
    rest: &str,
) -> Result<Option<T>, StoreError> {
    let entry = store.get(&space(), &name.key(rest)).await?;
    Ok(entry.and_then(|entry| serde_json::from_slice(&entry.value).ok()))
}

async fn every(store: &Arc<dyn Store>, name: &QueueName, rest: &str) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    let mut page = Page::of(format!("{}{rest}", name.prefix()));
    loop {
        let mut listed = store.list(&space(), page.clone()).await?;
        page.after = listed.entries.last().map(|entry| entry.key.clone());
        entries.append(&mut listed.entries);
        if !listed.more {
            return Ok(entries);
        }
    }
}

/// The number at the end of a key.
fn number(entry: &Entry) -> Option<u64> {
    let (_, number) = entry.key.rsplit_once('/')?;
    u64::from_str_radix(number, 16).ok()
}
