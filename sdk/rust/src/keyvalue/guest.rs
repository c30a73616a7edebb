//! In a component: the imports of `fleetgate:keyvalue`.

use std::time::Duration;

use super::{Change, Condition, Entry, KeyValueError, Page, Write};
use crate::bindings::keyvalue::fleetgate::keyvalue::keyvalue;
use crate::capability;

#[derive(Debug)]
pub(crate) struct Bucket(keyvalue::Bucket);

/// Rounded up, so that what is kept for a moment is not kept for none.
fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn failed(failure: keyvalue::Failure) -> KeyValueError {
    KeyValueError {
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
        details: capability::details(failure.details),
    }
}

fn entry(entry: keyvalue::Entry) -> Entry {
    let keyvalue::Entry { key, value, revision, expires_ms } = entry;
    Entry { key, value, revision, expires_ms }
}

fn page(page: keyvalue::Page) -> Page {
    Page { entries: page.entries.into_iter().map(entry).collect(), more: page.more }
}

pub(crate) fn open(capability: &str) -> Result<Bucket, KeyValueError> {
    keyvalue::Bucket::open(capability).map(Bucket).map_err(failed)
}

impl Bucket {
    pub(crate) fn get(&self, key: &str) -> Result<Option<Entry>, KeyValueError> {
        self.0.get(key).map(|found| found.map(entry)).map_err(failed)
    }

    pub(crate) fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<u64, KeyValueError> {
        self.0.set(key, value, ttl.map(milliseconds)).map_err(failed)
    }

    pub(crate) fn delete(&self, key: &str) -> Result<bool, KeyValueError> {
        self.0.delete(key).map_err(failed)
    }

    pub(crate) fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, KeyValueError> {
        self.0.list(prefix, after, limit).map(page).map_err(failed)
    }

    pub(crate) fn list_back(
        &self,
        prefix: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page, KeyValueError> {
        self.0.list_back(prefix, before, limit).map(page).map_err(failed)
    }

    pub(crate) fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<u64, KeyValueError> {
        self.0.compare_and_swap(key, expected, value, ttl.map(milliseconds)).map_err(failed)
    }

    pub(crate) fn increment(&self, key: &str, by: i64) -> Result<i64, KeyValueError> {
        self.0.increment(key, by).map_err(failed)
    }

    pub(crate) fn batch(&self, writes: Vec<Write>) -> Result<Vec<u64>, KeyValueError> {
        let writes: Vec<_> = writes
            .into_iter()
            .map(|write| keyvalue::Write {
                key: write.key,
                when: match write.when {
                    Condition::Always => keyvalue::Condition::Always,
                    Condition::Absent => keyvalue::Condition::Absent,
                    Condition::Revision(revision) => keyvalue::Condition::Revision(revision),
                },
                change: match write.change {
                    Change::Set { value, ttl } => keyvalue::Change::Set((value, ttl.map(milliseconds))),
                    Change::Delete => keyvalue::Change::Delete,
                },
            })
            .collect();
        self.0.batch(&writes).map_err(failed)
    }
}
