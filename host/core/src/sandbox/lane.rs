//! Fair time. A call's future is polled through [`Metered`], which counts the CPU time that the polls took: time in
//! guest code and in host functions, not time spent waiting.
//!
//! At each tick of the epoch a computing guest gives way (its future returns `Pending` and wakes itself). A call
//! that stays within its first few ticks never notices. One that goes on computing continues on the slow lane: it
//! is polled only while it holds one of few permits, and gives it back at each tick, so that guests that burn CPU
//! queue behind each other and not in front of everybody. Past its CPU budget the call ends. After its deadline or
//! cancellation, the first tick of computing ends it: cleaning up is waiting, not computing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, PollSemaphore};

use super::engine::TICK;

/// How much CPU a call may use before it changes to the slow lane.
const FAST_LANE: Duration = Duration::from_millis(3 * TICK.as_millis() as u64);

/// The few places for calls that compute for long.
#[derive(Debug)]
pub(super) struct SlowLane {
    places: Arc<Semaphore>,
}

impl SlowLane {
    pub(super) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { places: Arc::new(Semaphore::new(places.max(1))) })
    }
}

/// Set by the epoch callback: the guest gave way because of a tick, not because it waits for something.
#[derive(Debug, Clone, Default)]
pub(super) struct Ticked(Arc<AtomicBool>);

impl Ticked {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Why a call was ended while it computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Its CPU budget is used up.
    Budget,
    /// It was cancelled, or its deadline came, and it computed on.
    Cancelled,
}

/// A call's future, with its CPU time counted.
pub(super) struct Metered<F> {
    call: Pin<Box<F>>,
    used: Duration,
    budget: Duration,
    ticked: Ticked,
    cancel: CancellationToken,
    slow: PollSemaphore,
}

impl<F: Future> Metered<F> {
    pub(super) fn new(
        call: F,
        budget: Duration,
        ticked: Ticked,
        cancel: CancellationToken,
        lane: &Arc<SlowLane>,
    ) -> Self {
        let slow = PollSemaphore::new(lane.places.clone());
        Self { call: Box::pin(call), used: Duration::ZERO, budget, ticked, cancel, slow }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output, Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A place on the slow lane lasts for one poll: until the next tick, or until the call waits for something.
        let _place = if self.used < FAST_LANE { None } else { ready!(self.slow.poll_acquire(cx)) };
        let before = cpu_time();
        let polled = self.call.as_mut().poll(cx);
        self.used += cpu_time().saturating_sub(before);
        match polled {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending if self.used > self.budget => Poll::Ready(Err(Ended::Budget)),
            Poll::Pending if self.ticked.take() && self.cancel.is_cancelled() => {
                Poll::Ready(Err(Ended::Cancelled))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// CPU time of this thread. A poll stays on one thread from its start to its end, and other processes that push this
/// one aside do not count.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}
