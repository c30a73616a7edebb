//! `[limits]`: the operator's ceilings and defaults, for all bindings and for one.

use std::time::Duration;

use crate::diagnostic::TableReader;
use crate::manifest::RequestedLimits;
use crate::units::{format_duration, format_size};

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

/// The keys of a `[limits]` or `[plugins.<name>.limits]` table that are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitsTable {
    timeout: Option<Duration>,
    max_timeout: Option<Duration>,
    cpu: Option<Duration>,
    memory: Option<u64>,
    max_memory: Option<u64>,
    binding_memory: Option<u64>,
    result: Option<u64>,
    response: Option<u64>,
    concurrency: Option<u32>,
}

/// What a 32-bit guest can address.
const ADDRESSABLE: u64 = 4 << 30;

impl LimitsTable {
    /// Reads the table at `limits`, over the limits that hold without it.
    pub(super) fn read(parent: &mut TableReader<'_>, base: Limits) -> Self {
        let Some(mut table) = parent.table("limits") else { return Self::default() };
        let read = Self {
            timeout: duration(&mut table, "timeout"),
            max_timeout: duration(&mut table, "max_timeout"),
            cpu: duration(&mut table, "cpu"),
            memory: size(&mut table, "memory"),
            max_memory: size(&mut table, "max_memory"),
            binding_memory: size(&mut table, "binding_memory"),
            result: size(&mut table, "result"),
            response: size(&mut table, "response"),
            concurrency: table.integer_within("concurrency", 1, 1024).map(|calls| calls as u32),
        };
        table.finish();
        let limits = read.over(base);
        if limits.timeout > limits.max_timeout {
            let message =
                format!("timeout is more than max_timeout ({})", format_duration(limits.max_timeout));
            table.error_at(
                set(&table, "timeout", "max_timeout"),
                message,
                "raise max_timeout or lower timeout",
            );
        }
        if limits.memory > limits.max_memory {
            let message = format!("memory is more than max_memory ({})", format_size(limits.max_memory));
            table.error_at(set(&table, "memory", "max_memory"), message, "raise max_memory or lower memory");
        }
        if limits.max_memory > limits.binding_memory {
            let all = format_size(limits.binding_memory);
            let message = format!("max_memory of one call is more than binding_memory of all ({all})");
            let place = set(&table, "max_memory", "binding_memory");
            table.error_at(place, message, "raise binding_memory or lower max_memory");
        }
        if limits.max_memory > ADDRESSABLE {
            table.error_at("max_memory", "a guest cannot use more than 4GiB", "write at most \"4GiB\"");
        }
        read
    }

    /// The limits with what this table sets.
    pub fn over(&self, base: Limits) -> Limits {
        Limits {
            timeout: self.timeout.unwrap_or(base.timeout),
            max_timeout: self.max_timeout.unwrap_or(base.max_timeout),
            cpu: self.cpu.unwrap_or(base.cpu),
            memory: self.memory.unwrap_or(base.memory),
            max_memory: self.max_memory.unwrap_or(base.max_memory),
            binding_memory: self.binding_memory.unwrap_or(base.binding_memory),
            result: self.result.unwrap_or(base.result),
            response: self.response.unwrap_or(base.response),
            concurrency: self.concurrency.unwrap_or(base.concurrency),
        }
    }

    /// What one binding's calls get. A plugin gets what it asks for up to the ceilings: `max_memory`, `cpu` and
    /// `concurrency`. What this table, the binding's own, says of memory, CPU or concurrency is the last word.
    pub fn granted(&self, base: Limits, asked: &RequestedLimits) -> Limits {
        let limits = self.over(base);
        Limits {
            memory: self
                .memory
                .unwrap_or_else(|| asked.memory.unwrap_or(limits.memory).min(limits.max_memory)),
            cpu: self.cpu.unwrap_or_else(|| asked.cpu.unwrap_or(limits.cpu).min(limits.cpu)),
            concurrency: self
                .concurrency
                .unwrap_or_else(|| asked.concurrency.unwrap_or(limits.concurrency).min(limits.concurrency)),
            ..limits
        }
    }
}

/// The one of two keys that stands in the table.
fn set<'a>(table: &TableReader<'_>, first: &'a str, second: &'a str) -> &'a str {
    if table.has(first) { first } else { second }
}

fn duration(table: &mut TableReader<'_>, key: &str) -> Option<Duration> {
    let duration = table.duration(key)?;
    if duration.is_zero() {
        table.error_at(key, "with no time at all nothing runs", "write a duration, like \"30s\"");
        return None;
    }
    Some(duration)
}

fn size(table: &mut TableReader<'_>, key: &str) -> Option<u64> {
    let size = table.size(key)?;
    if size == 0 {
        table.error_at(key, "with no bytes at all nothing runs", "write a size, like \"16MiB\"");
        return None;
    }
    Some(size)
}
