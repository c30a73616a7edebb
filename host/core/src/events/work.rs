//! The runs of a handler: one at a time for each event of each binding. Before each there is one write, which forgets
//! what the last one handled and notes what this one is given; so handling costs a write for each batch, and a crash in
//! between delivers again what had begun, with its next attempt.
//!
//! A run that is cut off is told at once as what it is, while its guest may clean up for a moment more. The next run
//! waits for that too, whoever begins it: two of them would see each other's half-written state.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::live::FoundEvent;
use super::pick::Picked;
use super::queue::Queue;
use super::record::{millis, now_ms};
use super::settle::{Ran, longest};
use crate::audit::Audit;
use crate::call::{EventRun, handle_events};
use crate::domain::Event;
use crate::sandbox::{BindingPermits, Permit};
use crate::store::Batch;

/// How long to wait where the host itself could not run the handler.
const NOT_NOW: Duration = Duration::from_secs(1);

/// Runs in a row that may crash before they are slowed down: as many as it takes to find one event in the largest
/// batch. A handler that crashes over everything fills neither the log nor the machine.
const CRASHES: u32 = 9;

/// Held by a run of an event until nothing of it is left.
pub(super) type Turn = Arc<Mutex<()>>;

/// What handles a queue.
pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    /// The event as it is live at each moment.
    pub(super) current: Arc<ArcSwap<FoundEvent>>,
    /// Places for runs; none of the calls'.
    pub(super) places: BindingPermits,
    /// The same for all who handle this queue one after the other.
    pub(super) turn: Turn,
    /// For runs that may change something.
    pub(super) audit: Arc<dyn Audit>,
    /// For those that only read: they are counted.
    pub(super) unrecorded: Arc<dyn Audit>,
    /// Nothing new begins.
    pub(super) stop: CancellationToken,
    /// What runs is ended.
    pub(super) cut: CancellationToken,
}

impl Worker {
    /// Handles until it is stopped.
    pub(super) async fn work(self) {
        // What the last run came to, and is not written yet.
        let mut settled: Option<Batch> = None;
        let mut crashes = 0;
        let mut began: Option<Instant> = None;
        while !self.stop.is_cancelled() {
            let (bounds, longest) = {
                let live = &self.current.load().event;
                (live.bounds, millis(longest(self.queue.pace, live)))
            };
            if let Some(pause) = self.gathers(began, bounds.batch.min(bounds.queue)) {
                self.wait(Some(pause)).await;
                continue;
            }
            let picked = self.queue.state().pick(bounds, now_ms(), longest);
            match picked {
                Picked::Batch(numbers) => {
                    began = Some(Instant::now());
                    settled = self.run(&numbers, settled.take(), &mut crashes).await;
                }
                _ if settled.is_some() => self.finish(settled.take().unwrap_or_default()).await,
                Picked::At(at) => {
                    let pause = Duration::from_millis(at.saturating_sub(now_ms()).max(1));
                    self.wait(Some(pause)).await;
                }
                Picked::Nothing => self.wait(None).await,
            }
        }
        if let Some(settled) = settled {
            self.finish(settled).await;
        }
    }

    /// How much longer it gathers what comes, since the last run began a moment ago. None: there is enough for a run, or
    /// the moment is over.
    fn gathers(&self, began: Option<Instant>, most: usize) -> Option<Duration> {
        let left = self.queue.pace.gather.checked_sub(began?.elapsed())?;
        (!self.queue.state().has_batch(most)).then_some(left)
    }

    async fn wait(&self, pause: Option<Duration>) {
        let pause = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.queue.more.notified() => {}
            () = pause => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Writes what the last run came to, where no other run follows at once.
    async fn finish(&self, settled: Batch) {
        let batch = self.queue.with_handling(settled);
        self.write(batch).await;
    }

    /// Gives up where nothing can be written and the host stops: what was handled is given again then.
    async fn write(&self, batch: Batch) {
        tokio::select! {
            biased;
            () = self.queue.write(batch) => {}
            () = self.cut.cancelled() => {}
        }
    }

    /// One run. None: the host could not run it, and there is nothing to write.
    async fn run(&self, numbers: &[u64], settled: Option<Batch>, crashes: &mut u32) -> Option<Batch> {
        let (batch, events) = {
            let current = self.current.load();
            self.queue.begin(numbers, &current.event, settled.unwrap_or_default())
        };
        self.write(batch).await;
        let ready = async {
            // First, so that who waits for it keeps no other event of the binding from running.
            let turn = self.turn.clone().lock_owned().await;
            self.places.acquire().await.holding(turn)
        };
        let permit = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            permit = ready => permit,
        };
        let found = self.current.load_full();
        let ran = self.handle(&found, events, permit).await;
        let not_now = matches!(ran, Ran::Not);
        *crashes = if matches!(ran, Ran::Failed(_)) { *crashes + 1 } else { 0 };
        let settled = self.queue.settle(numbers, ran, &found.event);
        if not_now {
            self.finish(settled).await;
            self.wait_out(NOT_NOW).await;
            return None;
        }
        if *crashes > CRASHES {
            self.finish(settled).await;
            self.wait_out(self.queue.pace.first_pause).await;
            return None;
        }
        Some(settled)
    }

    async fn handle(&self, found: &FoundEvent, events: Vec<Event>, permit: Permit) -> Ran {
        let run = EventRun::new(found, events, self.cut.child_token());
        let audit = if found.event.may_act() { &self.audit } else { &self.unrecorded };
        let answered = handle_events(audit, found, run, permit).await;
        Ran::of(answered.map(|answered| answered.end))
    }

    async fn wait_out(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
