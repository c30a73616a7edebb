//! Permits: an exhausted pool answers with an error at once, so calls wait here, before instantiation. One binding
//! never holds more than a quarter, so that a plugin with a thousand slow calls leaves the others their share.

use std::sync::Arc;

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// The pool's permits.
#[derive(Debug)]
pub struct Permits {
    all: Arc<Semaphore>,
    share: u32,
}

/// One binding's permits.
#[derive(Debug, Clone)]
pub struct BindingPermits {
    own: Arc<Semaphore>,
    all: Arc<Permits>,
}

/// The right to run one call. Dropped with its instance.
#[derive(Debug)]
pub struct Permit {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Permit {
    /// The same, with a lock that is held for as long as the instance lives: also while a run that was cut off cleans up.
    pub(crate) fn holding(self, turn: OwnedMutexGuard<()>) -> Self {
        Self { _turn: Some(turn), ..self }
    }
}

impl Permits {
    pub(super) fn new(calls: u32) -> Arc<Self> {
        let calls = calls.max(4);
        Self::of(calls, calls / 4)
    }

    /// So many in all, and `share` for one binding at most.
    pub fn of(all: u32, share: u32) -> Arc<Self> {
        Arc::new(Self { all: Arc::new(Semaphore::new(all as usize)), share: share.clamp(1, all.max(1)) })
    }

    /// A binding's permits: `wanted` of them, but at most its share.
    pub fn binding(self: &Arc<Self>, wanted: u32) -> BindingPermits {
        let share = wanted.clamp(1, self.share);
        BindingPermits { own: Arc::new(Semaphore::new(share as usize)), all: self.clone() }
    }
}

impl BindingPermits {
    /// Waits for a permit. The binding's own comes first: who waits for that holds nothing of the pool.
    pub async fn acquire(&self) -> Permit {
        // Neither semaphore is ever closed.
        let own = self.own.clone().acquire_owned().await.expect("the semaphore stays open");
        let all = self.all.all.clone().acquire_owned().await.expect("the semaphore stays open");
        Permit { _own: own, _all: all, _turn: None }
    }

    /// A permit, if there is one at once.
    pub fn try_acquire(&self) -> Option<Permit> {
        let own = self.own.clone().try_acquire_owned().ok()?;
        let all = self.all.all.clone().try_acquire_owned().ok()?;
        Some(Permit { _own: own, _all: all, _turn: None })
    }

    /// Calls that could start now.
    pub fn free(&self) -> usize {
        self.own.available_permits().min(self.all.all.available_permits())
    }
}
