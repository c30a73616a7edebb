//! How much a space and its parts hold, and may hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Key;
use crate::units::format_size;

/// How much there is, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Entries.
    pub entries: u64,
    /// Of their keys and values together.
    pub bytes: u64,
}

/// What a batch may not make more of. A batch that adds nothing is taken where there is too much already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Which part of the space: what stands in front of the first `/` of its keys. Empty: the whole space.
    pub part: String,
    /// How much there may be.
    pub most: Usage,
}

impl Usage {
    /// Whether a change to `then` makes too much of something that it adds to.
    pub fn is_over(self, then: Self, most: Self) -> bool {
        (then.entries > self.entries && then.entries > most.entries)
            || (then.bytes > self.bytes && then.bytes > most.bytes)
    }

    /// With this many more, and this many fewer.
    pub fn changed(self, more: Self, fewer: Self) -> Self {
        Self {
            entries: (self.entries + more.entries).saturating_sub(fewer.entries),
            bytes: (self.bytes + more.bytes).saturating_sub(fewer.bytes),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries of {} together", self.entries, format_size(self.bytes))
    }
}

impl Key {
    /// The part of its space that it belongs to; empty: to none.
    pub fn part(&self) -> &str {
        self.split_once('/').map_or("", |(part, _)| part)
    }
}
