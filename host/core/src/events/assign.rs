//! Which events run in this process at this moment: those that are granted, of the bindings whose standing work is
//! this process's.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::asked::{Note, notes};
use super::engine::Means;
use super::live::FoundEvent;
use super::record::{QueueName, space};
use super::running::Running;
use crate::catalog::Catalog;
use crate::sandbox::BindingPermits;
use crate::store::Batch;

/// What runs, and whose standing work is ours.
pub(super) struct Assigned {
    means: Arc<Means>,
    running: HashMap<QueueName, Running>,
    duties: HashMap<Arc<str>, OnDuty>,
    places: HashMap<Arc<str>, BindingPermits>,
    /// Something that should run could not be begun.
    behind: bool,
    /// The notes cannot be read or written: said once.
    blind: bool,
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
        self.behind = false;
        let mut granted: HashMap<QueueName, FoundEvent> = HashMap::new();
        for binding in catalog.bindings() {
            for (name, event) in &binding.events {
                let name = QueueName { binding: binding.name.clone(), event: name.clone() };
                granted.insert(name, FoundEvent { binding: binding.clone(), event: event.clone() });
            }
        }
        self.duties.retain(|binding, _| granted.keys().any(|name| name.binding == *binding));
        let over: Vec<_> = self.running.keys().filter(|name| !granted.contains_key(name)).cloned().collect();
        for name in over {
            if let Some(mut running) = self.running.remove(&name) {
                running.end().await;
                let status = running.news(false);
                self.write(status).await;
                tracing::info!(event = %name, "an event is not granted any more; what waits of it is kept");
            }
        }
        // All of them stop before the first one listens anew: a source takes them for one.
        for (name, running) in &mut self.running {
            if let Some(found) = granted.get(name) {
                running.pause(found);
            }
        }
        for (name, found) in granted {
            if !self.is_ours(&name.binding) {
                if let Some(mut running) = self.running.remove(&name) {
                    running.let_go(Duration::ZERO).await;
                }
                continue;
            }
            match self.running.get_mut(&name) {
                Some(running) => running.update(&self.means, found),
                None => self.begin(name, found).await,
            }
        }
    }

    async fn begin(&mut self, name: QueueName, found: FoundEvent) {
        let permits = &self.means.permits;
        let places = self.places.entry(name.binding.clone()).or_insert_with(|| permits.binding(u32::MAX));
        let begun = match self.means.installed().await {
            Ok(()) => Running::begin(&self.means, name.clone(), found, places.clone()).await,
            Err(error) => Err(error),
        };
        match begun {
            Ok(running) => {
                self.running.insert(name, running);
            }
            Err(error) => {
                self.behind = true;
                tracing::error!(event = %name, %error, "what is kept of an event cannot be read; it is tried again");
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
            let name = QueueName { binding: meant.binding, event: meant.event };
            let Some(running) = self.running.get(&name) else { continue };
            if running.dead(wish, meant.id).await {
                tracing::info!(event = %name, ?wish, "the operator had something done with what was set aside");
                self.write(Some(Batch::new().delete(key))).await;
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
        let said: Vec<Batch> = self.running.values_mut().filter_map(|running| running.news(true)).collect();
        for status in said {
            self.write(Some(status)).await;
        }
    }
}
