//! A host with one plugin that handles events, over a store that may fail or be left behind as a crash leaves it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetgate_core::audit::{Audit, AuditFailed, Intent, Record};
use fleetgate_core::catalog::{Host, HostOptions};
use fleetgate_core::duty::OnDuty;
use fleetgate_core::events::{DeadEvent, EventStatus, Meant, Pace, dead, statuses};
use fleetgate_core::jobs::Stopping;
use fleetgate_core::store::{Batch, Entry, Key, Listed, Memory, Page, Space, Store, StoreError, Usage};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tokio_util::sync::CancellationToken;

use super::fake::capabilities;
use super::guest::packed;
use super::host::{Place, SANDBOX, in_time};
use super::radio::{Station, component, station};

/// What every plugin of these tests asks for, after `[plugin]`.
pub const ASKS: &str = r#"
[capabilities.radio.set]
why = "To hear"
optional = true
boxes = ["a", "b"]
[capabilities.events.news]
why = "To remember it"
optional = true
from = { "radio.set" = { boxes = ["a", "b"] } }
[capabilities.events.sweep]
why = "To tidy up"
optional = true
every = "1h"
"#;

/// The grants that most tests want.
pub const GRANTS: &str = "grant.radio.set = {}\ngrant.events.news = {}\n";

pub const PACE: Pace = Pace {
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(200),
    gather: Duration::ZERO,
    spread: Duration::ZERO,
    gone: Duration::from_secs(3_600),
    look: Duration::from_millis(20),
};

/// Keeps intents and outcomes.
#[derive(Default)]
pub struct Written {
    pub intents: Mutex<Vec<Intent>>,
    pub outcomes: Mutex<Vec<Record>>,
    pub full: AtomicBool,
}

impl Audit for Written {
    fn intent(&self, intent: &Intent) -> Result<(), AuditFailed> {
        if self.full.load(Ordering::Relaxed) {
            return Err(AuditFailed { reason: "no room".into() });
        }
        self.intents.lock().unwrap().push(intent.clone());
        Ok(())
    }
    fn outcome(&self, record: &Record) -> Result<(), AuditFailed> {
        self.outcomes.lock().unwrap().push(record.clone());
        Ok(())
    }
    fn hash(&self, arguments: &str) -> String {
        format!("hash of {arguments}")
    }
}

/// A store that can be told to fail, and counts its writes.
#[derive(Debug, Default)]
pub struct Disk {
    memory: Arc<Memory>,
    pub fails: AtomicBool,
    /// What cannot be read.
    pub unreadable: Mutex<Option<&'static str>>,
    pub writes: Mutex<usize>,
}

impl Disk {
    /// The same medium, seen by another process: what this one still wants to write does not reach it any more.
    pub fn after_a_crash(&self) -> Arc<Self> {
        self.fails.store(true, Ordering::SeqCst);
        self.of_another()
    }

    /// The same medium, as another process has it.
    pub fn of_another(&self) -> Arc<Self> {
        Arc::new(Self { memory: self.memory.clone(), ..Self::default() })
    }
}

impl Store for Disk {
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
        if self.unreadable.lock().unwrap().is_some_and(|prefix| key.starts_with(prefix)) {
            let broken = StoreError::Broken { place: "test".into(), reason: "unreadable".into() };
            return ready(Err(broken)).boxed();
        }
        self.memory.get(space, key)
    }
    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
        self.memory.list(space, page)
    }
    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        if self.fails.load(Ordering::SeqCst) {
            let full = StoreError::Full { place: "test".into(), reason: "no room".into() };
            return ready(Err(full)).boxed();
        }
        *self.writes.lock().unwrap() += 1;
        self.memory.write(space, batch)
    }
    fn usage(&self, space: &Space, part: &str) -> BoxFuture<'static, Result<Usage, StoreError>> {
        self.memory.usage(space, part)
    }
    fn spaces(&self, after: Option<&Space>) -> BoxFuture<'static, Result<Vec<Space>, StoreError>> {
        self.memory.spaces(after)
    }
}

pub struct World {
    pub name: &'static str,
    pub place: Place,
    pub host: Arc<Host>,
    pub disk: Arc<Disk>,
    pub audit: Arc<Written>,
    pub station: Station,
}

pub fn manifest(id: &str, version: &str, asks: &str) -> String {
    format!(
        "[plugin]\nid = \"{id}\"\nversion = \"{version}\"\ninterface = \"0.1\"\ntitle = \"A plugin\"\n\
         description = \"For tests.\"\nlicense = \"Apache-2.0\"\n{asks}"
    )
}

impl World {
    /// `name`: of the binding, and of no other test's. `settings`: its table.
    pub async fn new(name: &'static str, settings: &str) -> Self {
        Self::prepared(name, settings, |_| {}).await
    }

    /// The same, with the handler told what to do before anything runs.
    pub async fn prepared(name: &'static str, settings: &str, prepare: impl FnOnce(&Station)) -> Self {
        let place = Self::place(name, settings);
        prepare(&station(name));
        Self::over(name, place, Arc::default()).await
    }

    /// Where the plugin lies, granted so.
    pub fn place(name: &str, settings: &str) -> Place {
        let place = Place::new(&format!("[plugins.{name}]\n{settings}"));
        place.drop_file(name, &packed(component(), &manifest(name, "1.0.0", ASKS)));
        place
    }

    pub async fn over(name: &'static str, place: Place, disk: Arc<Disk>) -> Self {
        Self::paced(name, place, disk, PACE).await
    }

    /// The same with another pace.
    pub async fn paced(name: &'static str, place: Place, disk: Arc<Disk>, pace: Pace) -> Self {
        let audit = Arc::<Written>::default();
        let options = HostOptions { state: disk.clone(), duty: Arc::new(OnDuty), pace, ..place.options() };
        let host = in_time(Host::start(options, SANDBOX.clone(), capabilities(), audit.clone())).await;
        let host = host.unwrap_or_else(|failed| panic!("{failed}"));
        assert!(host.survey().is_fine(), "{:?}", host.survey());
        Self { name, place, host, disk, audit, station: station(name) }
    }

    /// As after `kill -9`: nothing of the old host is told to stop, and nothing that it still writes arrives.
    pub async fn crash(self) -> Self {
        let Self { name, place, host, disk, .. } = self;
        let disk = disk.after_a_crash();
        drop(host);
        Self::over(name, place, disk).await
    }

    /// After a proper end.
    pub async fn restart(self) -> Self {
        self.stop().await;
        let Self { name, place, disk, .. } = self;
        Self::over(name, place, disk).await
    }

    pub async fn stop(&self) {
        in_time(self.host.events().expect("it has events").stop(stopping())).await;
    }

    pub async fn status(&self, event: &str) -> Option<EventStatus> {
        let all = statuses(&*self.disk).await.unwrap();
        all.into_iter().find(|status| *status.binding == *self.name && *status.event == *event)
    }

    /// Waits until it stands so.
    pub async fn until(&self, event: &str, stands: impl Fn(&EventStatus) -> bool) -> EventStatus {
        until(async || self.status(event).await.filter(|status| stands(status))).await
    }

    /// Waits until the handler was given so many events.
    pub async fn given(&self, count: usize) {
        until(async || (self.station.events().len() >= count).then_some(())).await;
    }

    /// Which of its news the operator means: one, or all.
    pub fn meant(&self, id: Option<Arc<str>>) -> Meant {
        Meant { binding: self.name.into(), event: "news".into(), id }
    }

    /// What was set aside of it.
    pub async fn dead(&self) -> Vec<DeadEvent> {
        let mut all = dead(&*self.disk).await.unwrap();
        all.retain(|dead| *dead.binding == *self.name);
        all
    }

    pub fn settings(&self, settings: &str) {
        self.place.settings(&format!("[plugins.{}]\n{settings}", self.name));
    }
}

pub fn stopping() -> Stopping {
    Stopping { grace: Duration::from_secs(30), now: CancellationToken::new() }
}

/// So that what should not happen would have happened.
pub async fn quiet() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}

/// Waits until there is something.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    in_time(async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}
