//! The host's key-value store in a test: what the harness that runs on this thread keeps.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::rc::Rc;
use std::time::Duration;

use super::harness::{State, current};
use crate::keyvalue::{Change, Condition, Entry, KeyValueError, Page, Write};

/// Limits of the interface.
const LONGEST_KEY: usize = 256;
const LONGEST_PAGE: u32 = 1_000;
const LARGEST_PAGE: usize = 1 << 20;
const LONGEST_BATCH: usize = 500;
const LARGEST_BATCH: usize = 4 << 20;

type Result<T> = std::result::Result<T, KeyValueError>;

/// Everything that is kept.
#[derive(Default)]
pub(crate) struct Store {
    /// By capability and owner; that of a shared bucket is empty.
    parts: RefCell<BTreeMap<(String, String), BTreeMap<String, Entry>>>,
    pub(crate) shared: RefCell<BTreeSet<String>>,
    /// By capability: bytes and entries.
    pub(crate) quotas: RefCell<BTreeMap<String, (u64, u64)>>,
    /// With every part of that bucket.
    pub(crate) failures: RefCell<BTreeMap<String, KeyValueError>>,
    revision: Cell<u64>,
}

pub(crate) struct Bucket {
    state: Rc<State>,
    capability: String,
    owner: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.capability).field(&self.owner).finish()
    }
}

fn denied(why: &str) -> KeyValueError {
    KeyValueError::new("denied", why)
}

pub(crate) fn open(capability: &str) -> Result<Bucket> {
    let Some(state) = current().filter(|state| state.granted.borrow().contains(capability)) else {
        return Err(denied("this is not granted"));
    };
    let owner = match state.store.shared.borrow().contains(capability) {
        true => String::new(),
        false => match state.principal.borrow().as_str() {
            "" => return Err(denied("nobody calls, and each caller has a part of this bucket")),
            principal => principal.to_owned(),
        },
    };
    Ok(Bucket { state, capability: capability.to_owned(), owner })
}

fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > LONGEST_KEY || key.chars().any(char::is_control) {
        let message = format!("a key has 1 to {LONGEST_KEY} bytes and no control characters");
        return Err(KeyValueError::new("invalid", message).detail("key", key));
    }
    Ok(())
}

fn conflict(key: &str) -> KeyValueError {
    KeyValueError::new("conflict", format!("{key:?} is not at the revision that was expected"))
        .detail("key", key)
}

fn size(entry: &Entry) -> u64 {
    (entry.key.len() + entry.value.len()) as u64
}

impl Bucket {
    /// What is kept here and whose time is not over.
    fn with<T>(&self, of: impl FnOnce(&mut BTreeMap<String, Entry>) -> Result<T>) -> Result<T> {
        if let Some(failure) = self.state.store.failures.borrow().get(&self.capability) {
            return Err(failure.clone());
        }
        let now = self.state.now_ms();
        let mut parts = self.state.store.parts.borrow_mut();
        let part = parts.entry((self.capability.clone(), self.owner.clone())).or_default();
        part.retain(|_, entry| entry.expires_ms.is_none_or(|end| end > now));
        of(part)
    }

    fn check_write(&self) -> Result<()> {
        match self.state.policy.borrow().may_remember(&self.capability) {
            true => Ok(()),
            false => Err(denied("this call is read-only")),
        }
    }

    fn expires(&self, ttl: Option<Duration>) -> Result<Option<u64>> {
        match ttl {
            None => Ok(None),
            Some(ttl) if ttl.is_zero() => Err(KeyValueError::new("invalid", "nothing is kept for no time")),
            Some(ttl) => {
                let ttl = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
                Ok(Some(self.state.now_ms().saturating_add(ttl)))
            }
        }
    }

    /// All of it, if it fits.
    fn replace(&self, part: &mut BTreeMap<String, Entry>, changed: BTreeMap<String, Entry>) -> Result<()> {
        let quotas = self.state.store.quotas.borrow();
        let &(bytes, entries) = quotas.get(&self.capability).unwrap_or(&(u64::MAX, u64::MAX));
        let used = |part: &BTreeMap<String, Entry>| (part.values().map(size).sum::<u64>(), part.len() as u64);
        let (before, after) = (used(part), used(&changed));
        for (what, before, after, quota) in
            [("bytes", before.0, after.0, bytes), ("entries", before.1, after.1, entries)]
        {
            if after > quota && after > before {
                let message =
                    format!("the bucket is full: {before} of {quota} {what}; delete something first");
                return Err(KeyValueError::new("quota", message)
                    .detail("used", before)
                    .detail("quota", quota));
            }
        }
        *part = changed;
        Ok(())
    }

    fn revision(&self) -> u64 {
        let next = self.state.store.revision.get() + 1;
        self.state.store.revision.set(next);
        next
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Entry>> {
        check_key(key)?;
        self.with(|part| Ok(part.get(key).cloned()))
    }

    pub(crate) fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<u64> {
        self.one(key, Condition::Always, Change::Set { value: value.to_vec(), ttl })
    }

    pub(crate) fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<u64> {
        let when = expected.map_or(Condition::Absent, Condition::Revision);
        self.one(key, when, Change::Set { value: value.to_vec(), ttl })
    }

    fn one(&self, key: &str, when: Condition, change: Change) -> Result<u64> {
        let revisions = self.batch(vec![Write { key: key.to_owned(), when, change }])?;
        Ok(revisions.first().copied().unwrap_or_default())
    }

    pub(crate) fn delete(&self, key: &str) -> Result<bool> {
        self.check_write()?;
        check_key(key)?;
        self.with(|part| Ok(part.remove(key).is_some()))
    }

    pub(crate) fn increment(&self, key: &str, by: i64) -> Result<i64> {
        self.check_write()?;
        check_key(key)?;
        self.with(|part| {
            let before = part.get(key);
            let number = match before {
                None => 0,
                Some(entry) => entry.text().parse::<i64>().map_err(|_| {
                    KeyValueError::new("not-a-number", format!("{key:?} is no number")).detail("key", key)
                })?,
            };
            let sum = number.checked_add(by).ok_or_else(|| {
                KeyValueError::new("invalid", format!("the sum of {key:?} does not fit 64 bits"))
                    .detail("key", key)
            })?;
            let entry = Entry {
                key: key.to_owned(),
                value: sum.to_string().into_bytes(),
                revision: self.revision(),
                expires_ms: before.and_then(|entry| entry.expires_ms),
            };
            let mut changed = part.clone();
            changed.insert(key.to_owned(), entry);
            self.replace(part, changed)?;
            Ok(sum)
        })
    }

    pub(crate) fn batch(&self, writes: Vec<Write>) -> Result<Vec<u64>> {
        self.check_write()?;
        let mut keys = BTreeSet::new();
        let mut bytes = 0;
        for write in &writes {
            check_key(&write.key)?;
            if !keys.insert(&write.key) {
                let message = format!("{:?} stands twice in the batch", write.key);
                return Err(KeyValueError::new("invalid", message).detail("key", write.key.clone()));
            }
            bytes += write.key.len();
            if let Change::Set { value, .. } = &write.change {
                bytes += value.len();
            }
        }
        if writes.len() > LONGEST_BATCH || bytes > LARGEST_BATCH {
            let message = format!("a batch has at most {LONGEST_BATCH} changes and {LARGEST_BATCH} bytes");
            return Err(KeyValueError::new("too-much", message));
        }
        self.with(|part| {
            let mut changed = part.clone();
            let mut revisions = Vec::new();
            for Write { key, when, change } in writes {
                let found = part.get(&key).map(|entry| entry.revision);
                let holds = match when {
                    Condition::Always => true,
                    Condition::Absent => found.is_none(),
                    Condition::Revision(wanted) => found == Some(wanted),
                };
                if !holds {
                    return Err(conflict(&key));
                }
                match change {
                    Change::Delete => drop(changed.remove(&key)),
                    Change::Set { value, ttl } => {
                        let (revision, expires_ms) = (self.revision(), self.expires(ttl)?);
                        changed.insert(key.clone(), Entry { key, value, revision, expires_ms });
                        revisions.push(revision);
                    }
                }
            }
            self.replace(part, changed)?;
            Ok(revisions)
        })
    }

    pub(crate) fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page> {
        self.page(limit, |part| {
            let after = after.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = part.range::<str, _>((after, Bound::Unbounded));
            behind.map(|(_, entry)| entry).filter(|entry| entry.key.starts_with(prefix)).collect()
        })
    }

    pub(crate) fn list_back(&self, prefix: &str, before: Option<&str>, limit: u32) -> Result<Page> {
        self.page(limit, |part| {
            let before = before.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = part.range::<str, _>((Bound::Unbounded, before)).rev();
            behind.map(|(_, entry)| entry).filter(|entry| entry.key.starts_with(prefix)).collect()
        })
    }

    fn page(&self, limit: u32, of: impl FnOnce(&BTreeMap<String, Entry>) -> Vec<&Entry>) -> Result<Page> {
        if !(1..=LONGEST_PAGE).contains(&limit) {
            let message = format!("a page has 1 to {LONGEST_PAGE} entries");
            return Err(KeyValueError::new("invalid", message));
        }
        self.with(|part| {
            let (mut page, mut bytes) = (Page::default(), 0);
            for entry in of(part) {
                bytes += entry.value.len();
                let full = page.entries.len() == limit as usize || bytes > LARGEST_PAGE;
                if full && !page.entries.is_empty() {
                    page.more = true;
                    break;
                }
                page.entries.push(entry.clone());
            }
            Ok(page)
        })
    }
}
