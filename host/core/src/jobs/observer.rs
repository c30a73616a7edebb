//! Who listens to a job: at first the client that still waits for an answer, and then its record.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::record::now_ms;
use crate::sandbox::{Level, Observer};

/// How often a job's progress is taken. A guest may report as often as it likes; who polls sees the newest one that
/// was taken.
const PACE: Duration = Duration::from_millis(100);

/// The listener of one job's runs.
pub(super) struct JobObserver {
    client: Arc<dyn Observer>,
    state: Mutex<State>,
}

struct State {
    /// A client waits for the answer of this very call.
    waiting: bool,
    told: Told,
    taken: Option<Instant>,
}

/// The last progress. Kept in memory alone: after a restart nothing is under way any more.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    pub(super) done: Option<f64>,
    pub(super) total: Option<f64>,
    pub(super) message: Option<String>,
    /// When, in Unix milliseconds.
    pub(super) at_ms: u64,
}

impl JobObserver {
    pub(super) fn new(client: Arc<dyn Observer>, waiting: bool) -> Arc<Self> {
        let state = State { waiting, told: Told::default(), taken: None };
        Arc::new(Self { client, state: Mutex::new(state) })
    }

    /// From now on nothing of this job belongs to the request that began it.
    pub(super) fn detach(&self) {
        self.lock().waiting = false;
    }

    pub(super) fn told(&self) -> Told {
        self.lock().told.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for JobObserver {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) {
        let waiting = {
            let mut state = self.lock();
            let complete = total.is_some_and(|total| done >= total);
            if complete || state.taken.is_none_or(|taken| taken.elapsed() >= PACE) {
                state.taken = Some(Instant::now());
                let message = message.clone().or_else(|| state.told.message.take());
                state.told = Told { done: Some(done), total, message, at_ms: now_ms() };
            }
            state.waiting
        };
        if waiting {
            self.client.progress(done, total, message);
        }
    }

    fn log(&self, level: Level, message: &str, data: Option<&Value>) {
        if self.lock().waiting {
            self.client.log(level, message, data);
        }
    }

    fn list_changed(&self, which: &'static str) {
        self.client.list_changed(which);
    }

    fn resource_updated(&self, uri: &str) {
        self.client.resource_updated(uri);
    }
}
