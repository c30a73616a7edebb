//! A store that forgets when the process ends: for tests, and as the plainest statement of what a store does.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{
    Batch, Change, Condition, Entry, Key, Listed, MAX_PAGE, MAX_PAGE_BYTES, Page, Space, Store, StoreError,
};

/// Entries in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<Space, Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// Of the last write.
    revision: u64,
    entries: BTreeMap<Key, Entry>,
}

impl Memory {
    /// Nothing kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn within<T>(&self, space: &Space, work: impl FnOnce(&mut Contents) -> T) -> T {
        let mut spaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(spaces.entry(space.clone()).or_default())
    }
}

impl Store for Memory {
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
        let found = self.within(space, |contents| contents.live(key).cloned());
        ready(Ok(found)).boxed()
    }

    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
        ready(Ok(self.within(space, |contents| contents.page(&page)))).boxed()
    }

    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        let written =
            batch.check().and_then(|()| self.within(space, |contents| contents.write(space, batch)));
        ready(written).boxed()
    }
}

impl Contents {
    fn live(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| is_live(entry))
    }

    fn page(&self, page: &Page) -> Listed {
        let limit = page.limit.min(MAX_PAGE);
        let (mut listed, mut bytes) = (Listed::default(), 0);
        let start = match (&page.after, Key::new(page.prefix.as_str())) {
            (Some(after), Ok(prefix)) if *after < prefix => Bound::Included(prefix),
            (Some(after), _) => Bound::Excluded(after.clone()),
            (None, Ok(prefix)) => Bound::Included(prefix),
            (None, Err(_)) => Bound::Unbounded,
        };
        let from = self.entries.range((start, Bound::Unbounded)).map(|(_, entry)| entry);
        for entry in
            from.take_while(|entry| entry.key.starts_with(&page.prefix)).filter(|entry| is_live(entry))
        {
            if listed.entries.len() == limit || bytes > MAX_PAGE_BYTES {
                listed.more = true;
                break;
            }
            bytes += entry.value.len();
            listed.entries.push(entry.clone());
        }
        listed
    }

    fn write(&mut self, space: &Space, batch: Batch) -> Result<Vec<u64>, StoreError> {
        for write in batch.writes() {
            let found = self.live(&write.key).map(|entry| entry.revision);
            let holds = match write.when {
                Condition::Any => true,
                Condition::Absent => found.is_none(),
                Condition::Revision(revision) => found == Some(revision),
            };
            if !holds {
                return Err(StoreError::Conflict { space: space.clone(), key: write.key.clone() });
            }
        }
        let mut revisions = Vec::new();
        for write in batch.writes() {
            match &write.change {
                Change::Put { value, expires } => {
                    self.revision += 1;
                    revisions.push(self.revision);
                    let entry = Entry {
                        key: write.key.clone(),
                        value: value.clone(),
                        revision: self.revision,
                        expires: expires.map(to_the_millisecond),
                    };
                    self.entries.insert(write.key.clone(), entry);
                }
                Change::Delete => {
                    self.entries.remove(&write.key);
                }
            }
        }
        self.entries.retain(|_, entry| is_live(entry));
        Ok(revisions)
    }
}

fn is_live(entry: &Entry) -> bool {
    entry.expires.is_none_or(|expires| expires > SystemTime::now())
}

fn to_the_millisecond(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_millis(since.as_millis().try_into().unwrap_or(u64::MAX))
}
