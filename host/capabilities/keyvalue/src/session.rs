//! One call: what it opened, and how much it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fleetgate_core::capability::Refusals;
use fleetgate_core::sandbox::CallInfo;
use fleetgate_core::units::format_size;

use crate::bucket::Bucket;
use crate::failure::Failure;
use crate::guard::{Asker, Routes};

/// Operations of one call.
pub const MOST_OPERATIONS: u64 = 10_000;
/// Bytes of keys and values that one call reads and writes.
pub const MOST_BYTES: u64 = 64 << 20;

/// What a call uses buckets with.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    routes: Arc<Routes>,
    call: Arc<CallInfo>,
    refusals: Refusals,
    operations: AtomicU64,
    bytes: AtomicU64,
}

impl Session {
    pub(crate) fn new(routes: Arc<Routes>, call: Arc<CallInfo>) -> Self {
        Self(Arc::new(Inner {
            routes,
            call,
            refusals: Refusals::default(),
            operations: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }))
    }

    /// A bucket by the name of the request.
    pub fn open(&self, capability: &str) -> Result<Bucket, Failure> {
        let permit = Asker(&self.0.call).bucket(&self.0.routes, capability);
        let permit = permit.map_err(|refusal| self.noted(Failure::Refused(refusal)))?;
        Ok(Bucket::new(permit, self.clone()))
    }

    pub(crate) fn call(&self) -> &CallInfo {
        &self.0.call
    }

    /// One more operation, which sends so many bytes.
    pub(crate) fn begin(&self, bytes: usize) -> Result<(), Failure> {
        if self.0.operations.fetch_add(1, Ordering::Relaxed) >= MOST_OPERATIONS {
            return Err(Failure::TooMuch(format!(
                "one call does at most {MOST_OPERATIONS} key-value operations; put several changes into a batch"
            )));
        }
        self.moved(bytes)
    }

    /// So many bytes more.
    pub(crate) fn moved(&self, bytes: usize) -> Result<(), Failure> {
        let bytes = bytes as u64;
        if self.0.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > MOST_BYTES {
            let most = format_size(MOST_BYTES);
            return Err(Failure::TooMuch(format!(
                "one call reads and writes at most {most} of keys and values"
            )));
        }
        Ok(())
    }

    /// Tells the operator of what the guest is not told.
    pub(crate) fn noted(&self, failure: Failure) -> Failure {
        match &failure {
            Failure::Refused(refusal) => {
                self.0.refusals.note(&self.0.call, refusal, "a key-value operation was refused");
            }
            Failure::Unavailable { why, .. } => {
                tracing::warn!(call = %self.0.call.id, binding = %self.0.call.binding, %why, "a key-value operation failed");
            }
            _ => {}
        }
        failure
    }
}
