//! Changes that happen together.

use std::time::Duration;

use serde::Serialize;

use super::{Bucket, KeyValueError, bucket};

/// What must be there for a write to happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// Anything or nothing.
    #[default]
    Always,
    /// Nothing under that key.
    Absent,
    /// The entry with this revision.
    Revision(u64),
}

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This value.
    Set {
        /// What is kept.
        value: Vec<u8>,
        /// After how long it goes by itself. None: never.
        ttl: Option<Duration>,
    },
    /// It goes. Deleting what is not there changes nothing.
    Delete,
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Of which entry. Each key once in a batch.
    pub key: String,
    /// Only if this holds; else nothing of the batch happens.
    pub when: Condition,
    /// To what.
    pub change: Change,
}

/// Changes that are not written yet: all of them or none. At most 500, and 4 MiB of keys and values together. The first
/// mistake is kept and returned by [`Self::write`].
#[derive(Debug)]
#[must_use = "nothing is written without `.write()?`"]
pub struct Batch<'a> {
    bucket: &'a Bucket,
    writes: Result<Vec<Write>, KeyValueError>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(bucket: &'a Bucket) -> Self {
        Self { bucket, writes: Ok(Vec::new()) }
    }

    /// One more change.
    pub fn push(mut self, write: Write) -> Self {
        if let Ok(writes) = &mut self.writes {
            writes.push(write);
        }
        self
    }

    fn keep(self, key: &str, value: Vec<u8>, ttl: Option<Duration>) -> Self {
        let change = Change::Set { value, ttl };
        self.push(Write { key: key.to_owned(), when: Condition::Always, change })
    }

    fn keep_json(mut self, key: &str, value: &impl Serialize, ttl: Option<Duration>) -> Self {
        match bucket::json(key, value) {
            Ok(value) => self.keep(key, value, ttl),
            Err(error) => {
                self.writes = self.writes.and(Err(error));
                self
            }
        }
    }

    /// Keeps a value, whatever is there.
    pub fn set(self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        self.keep(key, value.into(), None)
    }

    /// Keeps a value for so long.
    pub fn set_for(self, key: &str, value: impl Into<Vec<u8>>, ttl: Duration) -> Self {
        self.keep(key, value.into(), Some(ttl))
    }

    /// Keeps a value as JSON.
    pub fn set_json(self, key: &str, value: &impl Serialize) -> Self {
        self.keep_json(key, value, None)
    }

    /// Keeps a value as JSON for so long.
    pub fn set_json_for(self, key: &str, value: &impl Serialize, ttl: Duration) -> Self {
        self.keep_json(key, value, Some(ttl))
    }

    /// Deletes an entry, if there is one.
    pub fn delete(self, key: &str) -> Self {
        self.push(Write { key: key.to_owned(), when: Condition::Always, change: Change::Delete })
    }

    fn only(mut self, when: Condition) -> Self {
        if let Ok(writes) = &mut self.writes
            && let Some(last) = writes.last_mut()
        {
            last.when = when;
        }
        self
    }

    /// The change before happens only if there is no entry; else nothing of the batch does.
    pub fn if_absent(self) -> Self {
        self.only(Condition::Absent)
    }

    /// The change before happens only if the entry is at this revision; else nothing of the batch does.
    pub fn if_at(self, revision: u64) -> Self {
        self.only(Condition::Revision(revision))
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.as_ref().map_or(0, Vec::len)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does all of it, and answers with the revision of each value that was set, in their order, once all is durable.
    /// A batch without changes does nothing.
    ///
    /// # Errors
    /// `conflict` when a condition does not hold, `invalid` (a key twice, a value that cannot be JSON), `too-much`, and
    /// as [`Bucket::set`].
    pub fn write(self) -> Result<Vec<u64>, KeyValueError> {
        match self.writes? {
            none if none.is_empty() => Ok(Vec::new()),
            writes => self.bucket.host.batch(writes),
        }
    }
}
