//! What a call may use up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Tables of one call, in elements over all of them; the pool's slots have as many.
const TABLE_ELEMENTS: usize = 20_000;

/// The limits of one call.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// Memory, summed over all memories of the store, in bytes.
    pub memory: u64,
    /// Time in guest code.
    pub cpu: Duration,
    /// Wall time.
    pub timeout: Duration,
    /// What it may return, in bytes.
    pub result: u64,
    /// One upstream body, in bytes after decompression.
    pub response: u64,
}

/// Which limit ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitHit {
    /// The call's own memory.
    Memory,
    /// The memory of all calls of its binding.
    BindingMemory,
    /// Table elements.
    Table,
}

/// Memory in use by all live calls of one binding.
#[derive(Debug)]
pub struct BindingMemory {
    used: AtomicU64,
    limit: u64,
}

impl BindingMemory {
    /// Nothing used, at most `limit` bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), limit })
    }

    /// Bytes in use now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.limit)
            })
            .is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// wasmtime asks it before each growth. wasmtime's own `StoreLimits` bounds each memory by itself; a component
/// may have many, so the sum is what counts here.
#[derive(Debug)]
pub(super) struct Limiter {
    memory: u64,
    memory_limit: u64,
    tables: usize,
    binding: Arc<BindingMemory>,
    /// Set when growth was refused, so that the trap that usually follows can be explained.
    pub(super) hit: Option<LimitHit>,
}

impl Limiter {
    pub(super) fn new(memory_limit: u64, binding: Arc<BindingMemory>) -> Self {
        Self { memory: 0, memory_limit, tables: 0, binding, hit: None }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.binding.give_back(self.memory);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if self.memory.saturating_add(more) > self.memory_limit {
            self.hit = Some(LimitHit::Memory);
            return Ok(false);
        }
        if !self.binding.take(more) {
            self.hit = Some(LimitHit::BindingMemory);
            return Ok(false);
        }
        self.memory += more;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if self.tables.saturating_add(more) > TABLE_ELEMENTS {
            self.hit = Some(LimitHit::Table);
            return Ok(false);
        }
        self.tables += more;
        Ok(true)
    }
}
