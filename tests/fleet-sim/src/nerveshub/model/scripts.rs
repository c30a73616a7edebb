//! Support scripts, with what a simulated device makes of them.

use std::time::Duration;

use jiff::Timestamp;

use super::Id;

/// A support script.
#[derive(Debug, Clone)]
pub struct Script {
    /// Row number; usable in place of the name.
    pub id: Id,
    /// Its product.
    pub product: Id,
    /// Name.
    pub name: String,
    /// Tags, or none ever set.
    pub tags: Option<Vec<String>>,
    /// The Elixir that the device runs.
    pub text: String,
    /// Who wrote it.
    pub created_by: Id,
    /// Created, and never changed since.
    pub inserted_at: Timestamp,
    /// How long a device takes to answer.
    pub takes: Duration,
    /// What a device prints.
    pub prints: Prints,
}

/// The output of a script on a device.
#[derive(Debug, Clone)]
pub enum Prints {
    /// This text; `{identifier}` and `{version}` are the device's.
    Text(String),
    /// So many lines of system log.
    Log {
        /// Lines.
        lines: usize,
    },
}
