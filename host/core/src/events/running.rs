//! One event of one binding that runs in this process.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::asked::Wish;
use super::engine::Means;
use super::keep::{Ask, DeadAsk, QueueSink, keep};
use super::live::{Comes, FoundEvent, LiveEvent};
use super::queue::Queue;
use super::record::{QueueName, to_json};
use super::recover::recover;
use super::schedule::tick;
use super::status::EventStatus;
use super::work::{Turn, Worker};
use crate::capability::{Listening, Sink, Standing};
use crate::sandbox::{BindingPermits, GRACE};
use crate::store::{Batch, StoreError};

/// Its tasks, and what listens for it.
pub(super) struct Running {
    queue: Arc<Queue>,
    current: Arc<ArcSwap<FoundEvent>>,
    asked: mpsc::UnboundedSender<Ask>,
    dead: mpsc::UnboundedSender<DeadAsk>,
    changed: Arc<Notify>,
    listening: Option<Box<dyn Listening>>,
    /// Why nothing can be listened to, as granted.
    cannot: Option<String>,
    /// None once it has ended.
    worker: Option<JoinHandle<()>>,
    others: TaskTracker,
    /// Nothing new is handled.
    stop: CancellationToken,
    /// Everything ends at once.
    cut: CancellationToken,
    said: Option<EventStatus>,
}

impl Running {
    /// Reads what is kept, and goes on with it.
    pub(super) async fn begin(
        means: &Means,
        name: QueueName,
        found: FoundEvent,
        places: BindingPermits,
        turn: Turn,
    ) -> Result<Self, StoreError> {
        let state = recover(&means.store, &name, &found.event, means.pace, &means.waiting).await?;
        let queue = Queue::new(name, means.store.clone(), means.pace, state);
        let (asked, asks) = mpsc::unbounded_channel();
        let (dead, deads) = mpsc::unbounded_channel();
        let current = Arc::new(ArcSwap::from_pointee(found));
        let changed = Arc::<Notify>::default();
        let stop = means.stop.child_token();
        let cut = means.cut.child_token();
        let others = TaskTracker::new();
        let worker = Worker {
            queue: queue.clone(),
            current: current.clone(),
            places,
            turn,
            audit: means.audit.clone(),
            unrecorded: means.unrecorded.clone(),
            stop: stop.clone(),
            cut: cut.clone(),
        };
        let worker = tokio::spawn(worker.work());
        let until = cut.clone();
        let keeping = keep(queue.clone(), current.clone(), asks, deads);
        others.spawn(async move { until.run_until_cancelled(keeping).await });
        let until = stop.clone();
        let ticking = tick(queue.clone(), current.clone(), asked.clone(), changed.clone());
        others.spawn(async move { until.run_until_cancelled(ticking).await });
        others.close();
        Ok(Self {
            queue,
            current,
            asked,
            dead,
            changed,
            listening: None,
            cannot: None,
            worker: Some(worker),
            others,
            stop,
            cut,
            said: None,
        })
    }

    /// Stops listening for an event that is another now. Its source keeps what comes until somebody listens again.
    pub(super) fn pause(&mut self, found: &FoundEvent) {
        if !Arc::ptr_eq(&self.current.load().event, &found.event) {
            self.silence();
        }
    }

    /// Stops listening, until [`Self::listen`].
    pub(super) fn silence(&mut self) {
        (self.listening, self.cannot) = (None, None);
    }

    /// Takes the event as it is live now.
    pub(super) fn update(&mut self, found: FoundEvent) {
        let before = self.current.swap(Arc::new(found.clone()));
        if !Arc::ptr_eq(&before.event, &found.event) {
            // The queue may have more room, the time another length.
            self.queue.room.notify_one();
            self.changed.notify_one();
        }
    }

    /// Listens, unless it does already. Whatever listens through the same request begins with it, without a pause in
    /// between: a source forgets what it kept for one that it does not hear of.
    pub(super) fn listen(&mut self, means: &Means) {
        if self.listening.is_some() || self.cannot.is_some() {
            return;
        }
        let found = self.current.load_full();
        let sink = QueueSink::new(self.asked.clone());
        match listen(means, &found.binding.name, &found.event, Arc::new(sink)) {
            None => {}
            Some(Ok(listening)) => self.listening = Some(listening),
            Some(Err(reason)) => {
                tracing::error!(event = %self.queue.name, %reason, "nothing can be heard for an event");
                self.cannot = Some(reason);
            }
        }
    }

    /// The event as it was last live.
    pub(super) fn event(&self) -> Arc<LiveEvent> {
        self.current.load().event.clone()
    }

    /// Has something done with what was set aside; the answer comes when it is.
    pub(super) fn dead(&self, wish: Wish, id: Option<Arc<str>>) -> oneshot::Receiver<()> {
        let (done, answer) = oneshot::channel();
        // Where nobody takes it any more, the answer says so.
        let _ = self.dead.send(DeadAsk { wish, id, done });
        answer
    }

    /// How it stands, if that is not what was said last. `granted`: it goes on.
    pub(super) fn news(&mut self, granted: bool) -> Option<Batch> {
        let trouble = self.cannot.clone().or_else(|| self.listening.as_ref()?.trouble());
        let status = EventStatus::of(&self.queue, granted, trouble);
        if self.said.as_ref().is_some_and(|said| status.is_still(said)) {
            return None;
        }
        let batch = Batch::new().put(self.queue.name.status(), to_json(&status), None);
        self.said = Some(status);
        Some(batch)
    }

    /// Ends it since it is not granted any more: its source need not keep anything for it. What waits stays kept.
    pub(super) async fn end(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.give_up();
        }
        self.let_go(Duration::ZERO).await;
    }

    /// Stops listening; what runs may go on.
    pub(super) fn hush(&mut self) {
        self.listening = None;
        self.stop.cancel();
    }

    /// Ends it since this process stops, or another one goes on with it. What runs has the grace.
    pub(super) async fn let_go(&mut self, grace: Duration) {
        self.hush();
        self.worker_ended(grace).await;
        self.cut.cancel();
        // A guest that is ended has a moment for its last word.
        self.worker_ended(GRACE).await;
        if let Some(worker) = &self.worker {
            worker.abort();
        }
        self.others.wait().await;
    }

    async fn worker_ended(&mut self, within: Duration) {
        if let Some(worker) = &mut self.worker
            && tokio::time::timeout(within, worker).await.is_ok()
        {
            self.worker = None;
        }
    }
}

/// Listens for an event. None: it is one that comes by itself.
pub(super) fn listen(
    means: &Means,
    binding: &str,
    event: &LiveEvent,
    sink: Arc<dyn Sink>,
) -> Option<Result<Box<dyn Listening>, String>> {
    let Comes::Heard { capability, name, reach, narrowed, bound } = &event.comes else { return None };
    Some(bound.listen(Standing {
        name: name.clone(),
        event: event.name.to_string(),
        reach: reach.clone(),
        narrowed: narrowed.clone(),
        client: means.client(binding, capability),
        sink,
    }))
}
