//! A bucket.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Batch, Entries, Entry, KeyValueError, Page, host};

/// A bucket, as this call sees it: its binding's, and, of scope `principal`, its caller's alone.
#[derive(Debug)]
pub struct Bucket {
    pub(crate) host: host::Bucket,
}

impl Bucket {
    /// A bucket by the name of the request, like `keyvalue.history`.
    ///
    /// # Errors
    /// `denied`: it is not granted, or its scope is `principal` and nobody calls.
    pub fn open(capability: &str) -> Result<Self, KeyValueError> {
        host::open(capability).map(|host| Self { host })
    }

    /// The entry under a key. None: there is none, or its time is over.
    ///
    /// # Errors
    /// `invalid`, `unavailable`, `too-much`, `cancelled`.
    pub fn get(&self, key: &str) -> Result<Option<Entry>, KeyValueError> {
        self.host.get(key)
    }

    /// The value under a key as JSON.
    ///
    /// # Errors
    /// `malformed` when it is something else, and as [`Self::get`].
    pub fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, KeyValueError> {
        self.get(key)?.map(|entry| entry.json()).transpose()
    }

    /// Keeps a value, whatever was there, and answers with its revision once it is durable. `key`: 1 to 256 bytes
    /// without control characters.
    ///
    /// # Errors
    /// `denied` in a call that is read-only, `quota`, and as [`Self::get`].
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<u64, KeyValueError> {
        self.host.set(key, value.as_ref(), None)
    }

    /// Keeps a value for so long; then it goes by itself.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn set_for(&self, key: &str, value: impl AsRef<[u8]>, ttl: Duration) -> Result<u64, KeyValueError> {
        self.host.set(key, value.as_ref(), Some(ttl))
    }

    /// Keeps a value as JSON.
    ///
    /// # Errors
    /// `invalid` when it cannot be JSON, and as [`Self::set`].
    pub fn set_json(&self, key: &str, value: &impl Serialize) -> Result<u64, KeyValueError> {
        self.set(key, json(key, value)?)
    }

    /// Keeps a value as JSON for so long.
    ///
    /// # Errors
    /// As [`Self::set_json`].
    pub fn set_json_for(
        &self,
        key: &str,
        value: &impl Serialize,
        ttl: Duration,
    ) -> Result<u64, KeyValueError> {
        self.set_for(key, json(key, value)?, ttl)
    }

    /// Deletes an entry, and says whether there was one.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn delete(&self, key: &str) -> Result<bool, KeyValueError> {
        self.host.delete(key)
    }

    /// The entries whose keys begin with `prefix`, behind the key `after`: at most `limit` (1 to 1,000), and fewer where
    /// their values are over 1 MiB together.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, KeyValueError> {
        self.host.list(prefix, after, limit)
    }

    /// The same from the last key to the first: the newest of keys that begin with a time. `before`: only keys in front
    /// of this one.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn list_back(&self, prefix: &str, before: Option<&str>, limit: u32) -> Result<Page, KeyValueError> {
        self.host.list_back(prefix, before, limit)
    }

    /// All entries whose keys begin with `prefix`, in the order of the keys, page by page as they are taken.
    pub fn entries<'a>(&'a self, prefix: &'a str) -> Entries<'a> {
        Entries::new(self, prefix, false)
    }

    /// The same from the last key to the first.
    pub fn entries_back<'a>(&'a self, prefix: &'a str) -> Entries<'a> {
        Entries::new(self, prefix, true)
    }

    /// Keeps a value if the entry is at this revision (none: if there is no entry), and answers with the new revision.
    ///
    /// # Errors
    /// `conflict` when it is at another one, and as [`Self::set`].
    pub fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        value: impl AsRef<[u8]>,
    ) -> Result<u64, KeyValueError> {
        self.host.compare_and_swap(key, expected, value.as_ref(), None)
    }

    /// The same for so long.
    ///
    /// # Errors
    /// As [`Self::compare_and_swap`].
    pub fn compare_and_swap_for(
        &self,
        key: &str,
        expected: Option<u64>,
        value: impl AsRef<[u8]>,
        ttl: Duration,
    ) -> Result<u64, KeyValueError> {
        self.host.compare_and_swap(key, expected, value.as_ref(), Some(ttl))
    }

    /// Adds to a number and answers with the sum; nothing there counts as 0. The value is its decimal text. Keeps the
    /// entry's expiry.
    ///
    /// # Errors
    /// `not-a-number` when something else is there, `invalid` when the sum would not fit, and as [`Self::set`].
    pub fn increment(&self, key: &str, by: i64) -> Result<i64, KeyValueError> {
        self.host.increment(key, by)
    }

    /// Changes that happen together or not at all.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }
}

/// The value as JSON.
pub(super) fn json(key: &str, value: &impl Serialize) -> Result<Vec<u8>, KeyValueError> {
    serde_json::to_vec(value).map_err(|error| {
        KeyValueError::new("invalid", format!("what is to be kept under {key:?} cannot be JSON: {error}"))
            .detail("key", key)
    })
}
