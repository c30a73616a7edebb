//! Which events run in this process at this moment: those that are granted, of the bindings whose standing work is
//! this process's.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, ready};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::asked::{Note, notes};
use super::engine::Means;
use super::live::{FoundEvent, LiveEvent};
use super::record::{QueueName, space};
use super::running::{Running, listen};
use super::work::Turn;
use crate::capability::{Heard, Sink, SinkClosed};
use crate::catalog::Catalog;
use crate::sandbox::{BindingPermits, GRACE};
use crate::store::{Batch, Key};

/// What runs, and whose standing work is ours.
pub(super) struct Assigned {
    means: Arc<Means>,
    running: HashMap<QueueName, Running>,
    duties: HashMap<Arc<str>, OnDuty>,
    places: HashMap<Arc<str>, BindingPermits>,
    /// Those of what runs, and of what ended while a run of it may still clean up.
    turns: HashMap<QueueName, Turn>,
    /// What ran of bindings that are not live any more.
    gone: HashMap<QueueName, Gone>,
    /// The operator's notes that are being done.
    asked: HashMap<Key, oneshot::Receiver<()>>,
    /// Something that should run could not be begun.
    behind: bool,
    /// The notes cannot be read or written: said once.
    blind: bool,
}

/// An event whose binding is not live any more.
struct Gone {
    since: Instant,
    event: Arc<LiveEvent>,
}

/// Nobody keeps anything.
struct Closed;

impl Sink for Closed {
    fn keep(&self, _: Vec<Heard>) -> BoxFuture<'static, Result<(), SinkClosed>> {
        ready(Err(SinkClosed)).boxed()
    }
}

/// An application for a binding's standing work.
struct OnDuty {
    ours: watch::Receiver<bool>,
    watching: JoinHandle<()>,
}

impl Drop for OnDuty {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Assigned {
    pub(super) fn new(means: Arc<Means>) -> Self {
        Self {
            means,
            running: HashMap::new(),
            duties: HashMap::new(),
            places: HashMap::new(),
            turns: HashMap::new(),
            gone: HashMap::new(),
            asked: HashMap::new(),
            behind: false,
            blind: false,
        }
    }

    /// Whether it is worth trying again.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Brings what runs in line with what is live.
    pub(super) async fn follow(&mut self, catalog: &Catalog) {
        let mut granted: HashMap<QueueName, FoundEvent> = HashMap::new();
        for binding in catalog.bindings() {
            for (name, event) in &binding.events {
                let name = QueueName { binding: binding.name.clone(), event: name.clone() };
                granted.insert(name, FoundEvent { binding: binding.clone(), event: event.clone() });
            }
        }
        self.end_what_is_over(catalog, &granted).await;
        // All of them stop before the first one listens anew: a source takes them for one.
        for (name, running) in &mut self.running {
            if let Some(found) = granted.get(name) {
                running.pause(found);
            }
        }
        let mut behind = HashSet::new();
        for (name, found) in &granted {
            if !self.is_ours(&name.binding) {
                if let Some(mut running) = self.running.remove(name) {
                    running.let_go(Duration::ZERO).await;
                }
                continue;
            }
            if let Some(running) = self.running.get_mut(name) {
                running.update(found.clone());
            } else if !self.begin(name, found).await {
                behind.insert(name.binding.clone());
            }
        }
        // All of a binding or none, and without a pause in between: what a source kept for one that does not listen yet
        // would be told to nobody, and be forgotten.
        for (name, running) in &mut self.running {
            match behind.contains(&name.binding) {
                true => running.silence(),
                false => running.listen(&self.means),
            }
        }
        self.turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        self.behind = !behind.is_empty();
        let left_over = self.forget(catalog);
        // What ran for them has ended by now.
        self.duties.retain(|binding, _| {
            left_over.contains(binding) || granted.keys().any(|name| name.binding == *binding)
        });
    }

    /// Tells sources that nobody listens any more to what was taken away while no host ran. The bindings of which
    /// something was left over.
    fn forget(&mut self, catalog: &Catalog) -> HashSet<Arc<str>> {
        let mut of = HashSet::new();
        for binding in catalog.bindings() {
            for bound in &binding.bounds {
                for name in bound.left_over() {
                    if binding.events.values().any(|event| event.is_heard_through(bound, &name)) {
                        continue;
                    }
                    of.insert(binding.name.clone());
                    // Another host may listen, and not know yet that it should not.
                    if self.is_ours(&binding.name) {
                        bound.forget(&name);
                    }
                }
            }
        }
        of
    }

    /// Ends what is not granted any more. Where its whole binding is gone, that may be for a moment (another file, a pin):
    /// its source keeps what it hears for a while.
    async fn end_what_is_over(&mut self, catalog: &Catalog, granted: &HashMap<QueueName, FoundEvent>) {
        let over: Vec<_> = self.running.keys().filter(|name| !granted.contains_key(name)).cloned().collect();
        for name in over {
            let Some(mut running) = self.running.remove(&name) else { continue };
            if catalog.binding(&name.binding).is_some() {
                running.end().await;
            } else {
                let gone = Gone { since: Instant::now(), event: running.event() };
                running.let_go(Duration::ZERO).await;
                self.gone.insert(name.clone(), gone);
            }
            let status = running.news(false);
            self.write(status).await;
            tracing::info!(event = %name, "an event is not granted any more; what waits of it is kept");
        }
        self.gone.retain(|name, _| !granted.contains_key(name));
        self.give_up(|name, _| catalog.binding(&name.binding).is_some());
    }

    /// Tells the sources of what is gone that nobody will listen any more.
    fn give_up(&mut self, which: impl Fn(&QueueName, &Gone) -> bool) {
        let means = &self.means;
        self.gone.retain(|name, gone| {
            let over = which(name, gone);
            if over && let Some(Ok(listening)) = listen(means, &name.binding, &gone.event, Arc::new(Closed)) {
                listening.give_up();
            }
            !over
        });
    }

    /// False: what is kept of it cannot be read now.
    async fn begin(&mut self, name: &QueueName, found: &FoundEvent) -> bool {
        let permits = &self.means.permits;
        let places = self.places.entry(name.binding.clone()).or_insert_with(|| permits.binding(u32::MAX));
        let turn = self.turns.entry(name.clone()).or_default().clone();
        let begun = match self.means.installed().await {
            Ok(()) => Running::begin(&self.means, name.clone(), found.clone(), places.clone(), turn).await,
            Err(error) => Err(error),
        };
        match begun {
            Ok(running) => {
                self.running.insert(name.clone(), running);
                true
            }
            Err(error) => {
                tracing::error!(event = %name, %error, "what is kept of an event cannot be read; it is tried again");
                false
            }
        }
    }

    /// Whether this process does a binding's standing work. Looks again by itself when that changes.
    fn is_ours(&mut self, binding: &Arc<str>) -> bool {
        let duty = match self.duties.entry(binding.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let ours = self.means.duty.of(binding);
                let (mut changes, look) = (ours.clone(), self.means.look.clone());
                let watching = tokio::spawn(async move {
                    while changes.changed().await.is_ok() {
                        look.notify_one();
                    }
                });
                new.insert(OnDuty { ours, watching })
            }
        };
        *duty.ours.borrow()
    }

    /// Says how everything stands, and does what the operator asked for.
    pub(super) async fn look(&mut self) {
        let said: Vec<Batch> = self.running.values_mut().filter_map(|running| running.news(true)).collect();
        for status in said {
            self.write(Some(status)).await;
        }
        let patience = self.means.pace.gone;
        self.give_up(|_, gone| gone.since.elapsed() >= patience);
        if self.running.is_empty() {
            return;
        }
        let notes = match notes(&*self.means.store).await {
            Ok(notes) => {
                self.blind = false;
                notes
            }
            Err(error) => {
                if !std::mem::replace(&mut self.blind, true) {
                    tracing::warn!(%error, "it cannot be read what the operator wants done with events");
                }
                return;
            }
        };
        for (key, Note { wish, meant }) in notes {
            // Done while this goes on with other things: it may take long.
            if let Some(done) = self.asked.get_mut(&key) {
                let done = done.try_recv();
                if matches!(done, Err(TryRecvError::Empty)) {
                    continue;
                }
                self.asked.remove(&key);
                // Else the note stays, and the next look finds it.
                if done.is_ok() {
                    self.write(Some(Batch::new().delete(key))).await;
                }
                continue;
            }
            let name = QueueName { binding: meant.binding, event: meant.event };
            if let Some(running) = self.running.get(&name) {
                tracing::info!(event = %name, ?wish, "the operator has something done with what was set aside");
                self.asked.insert(key, running.dead(wish, meant.id));
            }
        }
    }

    /// What is written here is worth one try: the next look writes it again.
    async fn write(&self, batch: Option<Batch>) {
        let Some(batch) = batch else { return };
        if let Err(error) = self.means.store.write(&space(), batch).await {
            tracing::warn!(%error, "how events stand cannot be written");
        }
    }

    /// Ends everything, and leaves to the sources what they keep.
    pub(super) async fn stop(mut self) {
        self.running.values_mut().for_each(Running::hush);
        // How long what runs may go on, `Events::stop` says: then everything is cut.
        let grace = Duration::from_secs(60);
        for running in self.running.values_mut() {
            let cut = self.means.cut.clone();
            tokio::select! {
                biased;
                () = cut.cancelled() => running.let_go(Duration::ZERO).await,
                () = running.let_go(grace) => {}
            }
        }
        // What was cut off may clean up before its binding's work is another process's. That ends by itself in time.
        let over = join_all(self.turns.values().map(|turn| turn.lock()));
        let _ = tokio::time::timeout(2 * GRACE, over).await;
        let said: Vec<Batch> = self.running.values_mut().filter_map(|running| running.news(true)).collect();
        for status in said {
            self.write(Some(status)).await;
        }
    }
}
