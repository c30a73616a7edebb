//! What is written in one step.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Key, Quota, StoreError};

/// The largest value, in bytes.
pub const MAX_VALUE: usize = 64 << 20;
/// The largest batch: its keys and values together, in bytes.
pub const MAX_BATCH_BYTES: usize = MAX_VALUE + (1 << 20);
/// Changes in one batch.
pub const MAX_CHANGES: usize = 1_000;

/// Changes that happen together, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Batch {
    writes: Vec<Write>,
    quotas: Vec<Quota>,
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Of which entry.
    pub key: Key,
    /// Only if this holds.
    pub when: Condition,
    /// To what.
    pub change: Change,
}

/// What must be under a key for a batch to happen. An entry that has expired is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Condition {
    /// Anything or nothing.
    #[default]
    Any,
    /// Nothing.
    Absent,
    /// What was written with this revision.
    Revision(u64),
}

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// This is kept, whatever was there before.
    Put {
        /// What is kept.
        #[serde(with = "super::bytes")]
        value: Vec<u8>,
        /// Until when; None: until it is deleted.
        expires: Option<SystemTime>,
    },
    /// It goes. Deleting what is not there changes nothing.
    Delete,
}

impl Batch {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a value, whatever was there before.
    pub fn put(self, key: Key, value: impl Into<Vec<u8>>, expires: Option<SystemTime>) -> Self {
        self.put_when(key, Condition::Any, value, expires)
    }

    /// Keeps a value, if a condition holds.
    pub fn put_when(
        mut self,
        key: Key,
        when: Condition,
        value: impl Into<Vec<u8>>,
        expires: Option<SystemTime>,
    ) -> Self {
        self.writes.push(Write { key, when, change: Change::Put { value: value.into(), expires } });
        self
    }

    /// Deletes an entry.
    pub fn delete(self, key: Key) -> Self {
        self.delete_when(key, Condition::Any)
    }

    /// Deletes an entry, if a condition holds.
    pub fn delete_when(mut self, key: Key, when: Condition) -> Self {
        self.writes.push(Write { key, when, change: Change::Delete });
        self
    }

    /// Adds a change.
    pub fn with(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Only if there is not too much then.
    pub fn within(mut self, quota: Quota) -> Self {
        self.quotas.push(quota);
        self
    }

    /// The changes, in the order in which they were added.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// What must hold altogether.
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// Keys and values together, in bytes.
    pub fn bytes(&self) -> usize {
        self.writes.iter().map(|write| write.key.len() + write.change.bytes()).sum()
    }

    /// Whether every engine takes it. Each implementation of [`super::Store`] asks first.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.writes.len() > MAX_CHANGES {
            return Err(StoreError::Batch { reason: format!("there are {} changes", self.writes.len()) });
        }
        let mut seen = BTreeSet::new();
        for write in &self.writes {
            if !seen.insert(&write.key) {
                return Err(StoreError::Batch { reason: format!("\"{}\" is there twice", write.key) });
            }
            let bytes = write.change.bytes();
            if bytes > MAX_VALUE {
                return Err(StoreError::TooLarge { bytes, max: MAX_VALUE });
            }
        }
        let bytes = self.bytes();
        if bytes > MAX_BATCH_BYTES {
            return Err(StoreError::TooLarge { bytes, max: MAX_BATCH_BYTES });
        }
        Ok(())
    }
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Put { value, .. } => value.len(),
            Self::Delete => 0,
        }
    }
}
