//! How much a bucket may hold.

use std::fmt;

use fleetgate_core::diagnostic::TableReader;
use fleetgate_core::store::Usage;
use fleetgate_core::units::format_size;
use serde::{Deserialize, Serialize};

/// What a bucket may hold where neither the author nor the operator says: enough for settings and a day of readings.
const QUOTA: u64 = 16 << 20;
/// The least and the most that may be written.
const LEAST_QUOTA: u64 = 1 << 10;
const MOST_QUOTA: u64 = 1 << 40;
const MOST_ENTRIES: i64 = 1_000_000_000;
/// By default there may be an entry for so many bytes, and so many at least: small ones take room of their own.
const BYTES_OF_ONE: u64 = 256;
const LEAST_ENTRIES: u64 = 1_000;
/// Parts that are full make a bucket of scope `principal` full, where the operator does not say how much it may hold.
const PARTS: u64 = 16;

/// Bytes of keys and values, and entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Bytes.
    pub quota: u64,
    /// Entries.
    pub entries: u64,
}

impl Room {
    /// What a table says with these keys, where the rest is as it is by default.
    pub(crate) fn read(table: &mut TableReader<'_>, [quota, entries]: [&str; 2], otherwise: Self) -> Self {
        let said = table.spanned_size(quota);
        if let Some(said) = said.as_ref().filter(|said| !(LEAST_QUOTA..=MOST_QUOTA).contains(said.get_ref()))
        {
            let (least, most) = (format_size(LEAST_QUOTA), format_size(MOST_QUOTA));
            table.error_at(said, "so much cannot be a quota", format!("write \"{least}\" to \"{most}\""));
        }
        let said = said.map(|said| said.into_inner());
        let counted = table.integer_within(entries, 1, MOST_ENTRIES).map(i64::unsigned_abs);
        // Who gives other bytes and says nothing of entries gets as many as fit to them.
        let entries = counted.or_else(|| said.map(|quota| Self::of(quota).entries));
        Self { quota: said.unwrap_or(otherwise.quota), entries: entries.unwrap_or(otherwise.entries) }
    }

    fn of(quota: u64) -> Self {
        Self { quota, entries: (quota / BYTES_OF_ONE).max(LEAST_ENTRIES) }
    }

    /// Of all parts together.
    pub(crate) fn of_all(self) -> Self {
        Self { quota: self.quota.saturating_mul(PARTS), entries: self.entries.saturating_mul(PARTS) }
    }

    /// For the store.
    pub(crate) fn usage(self) -> Usage {
        Usage { entries: self.entries, bytes: self.quota }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::of(QUOTA)
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {} entries", format_size(self.quota), self.entries)
    }
}
