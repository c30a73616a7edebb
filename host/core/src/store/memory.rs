//! A store that forgets when the process ends: for tests, and as the plainest statement of what a store does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{
    Batch, Change, Condition, Entry, Key, Listed, MAX_PAGE, MAX_PAGE_BYTES, Page, Space, Store, StoreError,
    Usage,
};

/// Entries in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<Space, Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// Of the last write of each part.
    revisions: BTreeMap<String, u64>,
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

    fn usage(&self, space: &Space, part: &str) -> BoxFuture<'static, Result<Usage, StoreError>> {
        ready(Ok(self.within(space, |contents| contents.usage(part)))).boxed()
    }

    fn spaces(&self, after: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>> {
        let spaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = spaces.iter().filter(|(space, _)| after.is_none_or(|after| *space > after));
        let found = behind.filter(|(_, contents)| !contents.entries.is_empty());
        ready(Ok(found.map(|(space, _)| space.clone()).take(MAX_PAGE).collect())).boxed()
    }
}

impl Contents {
    fn live(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| is_live(entry))
    }

    fn page(&self, page: &Page) -> Listed {
        let (limit, most) = (page.limit.min(MAX_PAGE), page.bytes.min(MAX_PAGE_BYTES));
        let (mut listed, mut bytes) = (Listed::default(), 0);
        let begun = |entry: &&Entry| entry.key.starts_with(&page.prefix) && is_live(entry);
        let behind = |entry: &&Entry| match &page.after {
            None => true,
            Some(after) if page.back => entry.key < *after,
            Some(after) => entry.key > *after,
        };
        let mut found: Vec<&Entry> = self.entries.values().filter(begun).filter(behind).collect();
        if page.back {
            found.reverse();
        }
        for entry in found {
            if listed.entries.len() == limit || bytes > most {
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
        // Before it is counted.
        self.entries.retain(|_, entry| is_live(entry));
        let mut growth: BTreeMap<&str, (Usage, Usage)> = BTreeMap::new();
        for write in batch.writes() {
            let new = match &write.change {
                Change::Put { value, .. } => size(&write.key, value),
                Change::Delete => Usage::default(),
            };
            let old =
                self.entries.get(&write.key).map_or_else(Usage::default, |old| size(&old.key, &old.value));
            for part in BTreeSet::from(["", write.key.part()]) {
                let (more, fewer) = growth.entry(part).or_default();
                *more = more.changed(new, Usage::default());
                *fewer = fewer.changed(old, Usage::default());
            }
        }
        for quota in batch.quotas() {
            let used = self.usage(&quota.part);
            let (more, fewer) = growth.get(&*quota.part).copied().unwrap_or_default();
            if used.is_over(used.changed(more, fewer), quota.most) {
                let (space, part, most) = (space.clone(), quota.part.clone(), quota.most);
                return Err(StoreError::OverQuota { space, part, used, most });
            }
        }
        let mut revisions = Vec::new();
        for write in batch.writes() {
            match &write.change {
                Change::Put { value, expires } => {
                    let revision = self.revisions.entry(write.key.part().to_owned()).or_default();
                    *revision += 1;
                    revisions.push(*revision);
                    let entry = Entry {
                        key: write.key.clone(),
                        value: value.clone(),
                        revision: *revision,
                        expires: expires.map(to_the_millisecond),
                    };
                    self.entries.insert(write.key.clone(), entry);
                }
                Change::Delete => {
                    self.entries.remove(&write.key);
                }
            }
        }
        Ok(revisions)
    }

    fn usage(&self, part: &str) -> Usage {
        let counted = self.entries.values().filter(|entry| part.is_empty() || entry.key.part() == part);
        counted.fold(Usage::default(), |sum, entry| {
            sum.changed(size(&entry.key, &entry.value), Usage::default())
        })
    }
}

fn size(key: &Key, value: &[u8]) -> Usage {
    Usage { entries: 1, bytes: (key.len() + value.len()) as u64 }
}

fn is_live(entry: &Entry) -> bool {
    entry.expires.is_none_or(|expires| expires > SystemTime::now())
}

fn to_the_millisecond(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_millis(since.as_millis().try_into().unwrap_or(u64::MAX))
}
