//! `[limits]`: the operator's ceilings and defaults.

use std::time::Duration;

/// Ceilings and defaults for every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall time of a call whose tool asks for none.
    pub timeout: Duration,
    /// The most wall time that a tool may ask for.
    pub max_timeout: Duration,
    /// Time in guest code of one call; waiting in the host does not count.
    pub cpu: Duration,
    /// Memory of one call whose plugin asks for none, in bytes.
    pub memory: u64,
    /// The most memory that a plugin may ask for, in bytes.
    pub max_memory: u64,
    /// Memory of all live calls of one binding, in bytes.
    pub binding_memory: u64,
    /// What one call may return, in bytes.
    pub result: u64,
    /// One upstream body, in bytes after decompression.
    pub response: u64,
    /// Calls at once, of one binding. Never more than a quarter of the pool.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_timeout: Duration::from_secs(15 * 60),
            cpu: Duration::from_secs(2),
            memory: 64 << 20,
            max_memory: 256 << 20,
            binding_memory: 1 << 30,
            result: 16 << 20,
            response: 32 << 20,
            concurrency: 64,
        }
    }
}
