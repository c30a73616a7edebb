//! What is done with a bucket.
//!
//! Everything that a guest asks for is bounded and checked here, and becomes one step of the store: what must hold
//! together (a value, its room, who it belongs to) is one batch. Only [`Bucket::increment`] is two steps, and those of
//! one key take turns within the host, so that many at once do not keep each other from coming through; what another
//! process wrote in between makes it begin again.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleetgate_core::store::{self, Batch, Change, Condition, Entry, Key, Page};
use fleetgate_core::units::format_size;

use crate::failure::Failure;
use crate::guard::Permit;
use crate::part::{self, MOST_KEY};
use crate::session::Session;

/// Changes of one batch.
pub const MOST_BATCH: usize = 500;
/// Keys and values of one batch, in bytes.
const MOST_BATCH_BYTES: usize = 4 << 20;
/// Values of one page, in bytes.
const MOST_PAGE_BYTES: usize = 1 << 20;
/// A hundred years, in milliseconds: what is to stay longer needs no time.
const MOST_TTL: u64 = 100 * 365 * 24 * 3600 * 1000;
/// How often an increment begins again, because other processes wrote in between.
const TRIES: usize = 64;

/// A bucket, as one call sees it.
pub struct Bucket {
    permit: Permit,
    session: Session,
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As the guest named it.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
    /// Never 0.
    pub revision: u64,
    /// Unix milliseconds.
    pub expires_ms: Option<u64>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// In their order.
    pub entries: Vec<Found>,
    /// There are more behind the last one.
    pub more: bool,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// As the guest names it.
    pub key: String,
    /// Only if this holds.
    pub when: Condition,
    /// The value and, in milliseconds, after how long it goes. None: it is deleted.
    pub value: Option<(Vec<u8>, Option<u64>)>,
}

impl Bucket {
    pub(crate) fn new(permit: Permit, session: Session) -> Self {
        Self { permit, session }
    }

    /// The entry under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Found>, Failure> {
        self.said("get", self.find(key).await)
    }

    /// Keeps a value, and answers with its revision.
    pub async fn set(&self, key: String, value: Vec<u8>, ttl: Option<u64>) -> Result<u64, Failure> {
        let write = Write { key, when: Condition::Any, value: Some((value, ttl)) };
        self.said("set", self.put(write).await)
    }

    /// Deletes an entry, and says whether there was one.
    pub async fn delete(&self, key: String) -> Result<bool, Failure> {
        let deleted = self.remove(key).await;
        self.said("delete", deleted)
    }

    /// Keeps a value if the entry is at this revision, or is none where it is none.
    pub async fn compare_and_swap(
        &self,
        key: String,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl: Option<u64>,
    ) -> Result<u64, Failure> {
        let when = expected.map_or(Condition::Absent, Condition::Revision);
        self.said("compare-and-swap", self.put(Write { key, when, value: Some((value, ttl)) }).await)
    }

    /// All of these changes, or none; answers with the revision of each that keeps a value.
    pub async fn batch(&self, writes: Vec<Write>) -> Result<Vec<u64>, Failure> {
        self.said("batch", self.write(writes).await)
    }

    /// Adds to a number, and answers with the sum.
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, Failure> {
        self.said("increment", self.add(key, by).await)
    }

    /// A page of the entries that begin so, behind a key or in front of it.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        back: bool,
    ) -> Result<Listing, Failure> {
        self.said(if back { "list-back" } else { "list" }, self.page(prefix, after, limit, back).await)
    }

    async fn find(&self, key: &str) -> Result<Option<Found>, Failure> {
        let found = self.entry(&self.key(key)?).await?;
        Ok(found.map(found_entry))
    }

    async fn entry(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        self.session.begin(key.len())?;
        let route = &self.permit.route;
        let found = self.session.call().waiting(route.store.get(&route.space, key)).await?;
        let found = found.map_err(Failure::of)?;
        self.session.moved(found.as_ref().map_or(0, |entry| entry.value.len()))?;
        Ok(found)
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        back: bool,
    ) -> Result<Listing, Failure> {
        if !(1..=store::MAX_PAGE as u32).contains(&limit) {
            return Err(Failure::Invalid(format!(
                "a page has 1 to {} entries, not {limit}",
                store::MAX_PAGE
            )));
        }
        if prefix.len() > MOST_KEY || prefix.contains(char::is_control) {
            return Err(Failure::Invalid(format!(
                "a prefix has at most {MOST_KEY} bytes without control characters"
            )));
        }
        self.session.begin(prefix.len())?;
        let page = Page {
            after: after.map(|after| self.key(after)).transpose()?,
            limit: limit as usize,
            bytes: MOST_PAGE_BYTES,
            back,
            ..Page::of(format!("{}/{prefix}", self.permit.part))
        };
        let route = &self.permit.route;
        let listed = self.session.call().waiting(route.store.list(&route.space, page)).await?;
        let listed = listed.map_err(Failure::of)?;
        let bytes = listed.entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        self.session.moved(bytes)?;
        Ok(Listing { more: listed.more, entries: listed.entries.into_iter().map(found_entry).collect() })
    }

    async fn put(&self, write: Write) -> Result<u64, Failure> {
        let revisions = self.write(vec![write]).await?;
        // The store answers with one for each value.
        Ok(revisions.into_iter().next().unwrap_or_default())
    }

    async fn remove(&self, key: String) -> Result<bool, Failure> {
        for _ in 0..TRIES {
            let Some(entry) = self.entry(&self.key(&key)?).await? else {
                self.may_write()?;
                return Ok(false);
            };
            let when = Condition::Revision(entry.revision);
            match self.write(vec![Write { key: key.clone(), when, value: None }]).await {
                // Another wrote it or deleted it meanwhile.
                Err(Failure::Conflict(_)) => {}
                deleted => return deleted.map(|_| true),
            }
        }
        Err(crowded())
    }

    async fn add(&self, name: &str, by: i64) -> Result<i64, Failure> {
        self.may_write()?;
        let key = self.key(name)?;
        let _turn = self.session.call().waiting(self.permit.route.turn(&key)).await?;
        for _ in 0..TRIES {
            let found = self.entry(&key).await?;
            let (number, when, expires) = match &found {
                None => (0, Condition::Absent, None),
                Some(entry) => {
                    let text = str::from_utf8(&entry.value).ok();
                    let number = text.and_then(|text| text.parse::<i64>().ok());
                    let number = number.ok_or_else(|| Failure::NotANumber(name.to_owned()))?;
                    (number, Condition::Revision(entry.revision), entry.expires)
                }
            };
            let sum = number
                .checked_add(by)
                .ok_or_else(|| Failure::Invalid("the sum would not fit into 64 bits".into()))?;
            let change = Change::Put { value: sum.to_string().into_bytes(), expires };
            match self.apply(vec![store::Write { key: key.clone(), when, change }]).await {
                Err(Failure::Conflict(_)) => {}
                written => return written.map(|_| sum),
            }
        }
        Err(crowded())
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<u64>, Failure> {
        self.may_write()?;
        if writes.len() > MOST_BATCH {
            return Err(Failure::TooMuch(format!(
                "a batch has at most {MOST_BATCH} changes, not {}",
                writes.len()
            )));
        }
        let now = SystemTime::now();
        let (mut seen, mut bytes) = (BTreeSet::new(), 0);
        for write in &writes {
            if !seen.insert(&*write.key) {
                return Err(Failure::Invalid("a batch changes each key once".into()));
            }
            bytes += write.key.len() + write.value.as_ref().map_or(0, |(value, _)| value.len());
        }
        if bytes > MOST_BATCH_BYTES {
            let most = format_size(MOST_BATCH_BYTES as u64);
            return Err(Failure::TooMuch(format!(
                "{bytes} bytes of keys and values are too many at once: at most {most}"
            )));
        }
        let writes = writes.into_iter().map(|write| {
            let key = self.key(&write.key)?;
            let change = match write.value {
                None => Change::Delete,
                Some((value, ttl)) => {
                    Change::Put { value, expires: ttl.map(|ttl| expiry(now, ttl)).transpose()? }
                }
            };
            Ok(store::Write { key, when: write.when, change })
        });
        let writes = writes.collect::<Result<Vec<_>, Failure>>()?;
        self.session.begin(bytes)?;
        self.apply(writes).await
    }

    /// What has been begun is waited for, also by a call that is cancelled: it is to know what was written.
    async fn apply(&self, writes: Vec<store::Write>) -> Result<Vec<u64>, Failure> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let Permit { route, part, owner, .. } = &self.permit;
        let puts = writes.iter().filter(|write| matches!(write.change, Change::Put { .. })).count();
        let mut batch = writes.into_iter().fold(Batch::new(), Batch::with);
        let mut notes = false;
        if puts > 0 {
            (batch, notes) = route.note(batch, part, owner.as_deref());
        }
        batch = route.bound(batch, part);
        let mut revisions = route.store.write(&route.space, batch).await.map_err(Failure::of)?;
        if notes {
            route.noted(part);
        }
        revisions.truncate(puts);
        Ok(revisions)
    }

    fn may_write(&self) -> Result<(), Failure> {
        self.permit.write().map_err(Failure::Refused)
    }

    fn key(&self, name: &str) -> Result<Key, Failure> {
        let key = part::key(&self.permit.part, name).ok().filter(|_| (1..=MOST_KEY).contains(&name.len()));
        key.ok_or_else(|| {
            Failure::Invalid(format!("a key has 1 to {MOST_KEY} bytes of text without control characters"))
        })
    }

    /// For the record.
    fn said<T>(&self, verb: &'static str, done: Result<T, Failure>) -> Result<T, Failure> {
        let end = done.as_ref().map_or_else(Failure::code, |_| "ok");
        self.session.call().used.tally(&format!("{} {verb} {end}", self.permit.route.capability));
        done.map_err(|failure| self.session.noted(failure))
    }
}

fn found_entry(entry: Entry) -> Found {
    let expires = entry.expires.and_then(|expires| expires.duration_since(UNIX_EPOCH).ok());
    Found {
        key: part::name(&entry.key).to_owned(),
        value: entry.value,
        revision: entry.revision,
        expires_ms: expires.map(|since| since.as_millis().try_into().unwrap_or(u64::MAX)),
    }
}

fn expiry(now: SystemTime, ttl: u64) -> Result<SystemTime, Failure> {
    let time = (1..=MOST_TTL).contains(&ttl).then(|| now.checked_add(Duration::from_millis(ttl))).flatten();
    time.ok_or_else(|| {
        Failure::Invalid(format!(
            "an entry goes by itself after 1 ms to 100 years, not after {ttl} ms; without a time it stays"
        ))
    })
}

fn crowded() -> Failure {
    let why = "an entry was changed by others again and again".to_owned();
    Failure::Unavailable { unknown: false, why }
}
