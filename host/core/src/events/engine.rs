//! The events of one host: what all of them share, how they follow the catalog, and how they end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Notify, OnceCell, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::assign::Assigned;
use super::record::{key, space};
use super::threads::Threads;
use crate::audit::{Audit, Unrecorded};
use crate::call::new_event_id;
use crate::catalog::Catalog;
use crate::duty::Duty;
use crate::jobs::Stopping;
use crate::sandbox::Permits;
use crate::store::{Batch, Condition, Store, StoreError};

/// Runs of one binding at the same time, over all of its events.
const RUNS_OF_A_BINDING: u32 = 4;

/// How patient events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long an event that failed for the first time waits; then twice as long each time.
    pub first_pause: Duration,
    /// How long one waits at most.
    pub longest_pause: Duration,
    /// How far apart a handler's runs begin at least, where less waits than a batch may hold. What comes one by one is
    /// handled together, so that a thousand messages a second are ten runs a second and not hundreds.
    pub gather: Duration,
    /// Over how much time what is due when a host starts is spread.
    pub spread: Duration,
    /// How long a source keeps what it hears for a binding that is gone and may be back.
    pub gone: Duration,
    /// How often the operator's notes are looked for, and how everything stands is written.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(5 * 60),
            gather: Duration::from_millis(100),
            spread: Duration::from_secs(10),
            gone: Duration::from_secs(10 * 60),
            look: Duration::from_secs(1),
        }
    }
}

/// How the events of a host are begun.
pub(crate) struct EventsOptions {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) duty: Arc<dyn Duty>,
    pub(crate) audit: Arc<dyn Audit>,
    /// How many handlers can run at once beside the calls: [`crate::sandbox::Sandbox::room_for_events`].
    pub(crate) room: u32,
    pub(crate) pace: Pace,
}

/// The events of one host. Dropped, they end at once, as after a crash.
pub struct Events {
    live: watch::Sender<Option<Arc<Catalog>>>,
    means: Arc<Means>,
    tasks: TaskTracker,
    _cut: DropGuard,
    _threads: Threads,
}

/// What all events of a host share.
pub(super) struct Means {
    pub(super) store: Arc<dyn Store>,
    pub(super) duty: Arc<dyn Duty>,
    pub(super) audit: Arc<dyn Audit>,
    pub(super) unrecorded: Arc<dyn Audit>,
    pub(super) permits: Arc<Permits>,
    pub(super) pace: Pace,
    /// Bytes of what waits in all queues.
    pub(super) waiting: Arc<AtomicUsize>,
    /// Nothing new begins.
    pub(super) stop: CancellationToken,
    /// Everything ends.
    pub(super) cut: CancellationToken,
    /// Something may be assigned otherwise now.
    pub(super) look: Arc<Notify>,
    /// By what sources tell this configuration from others.
    installation: OnceCell<String>,
}

impl Events {
    /// Begins with nothing live.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn begin(options: EventsOptions) -> io::Result<Self> {
        let EventsOptions { store, duty, audit, room, pace } = options;
        let threads = Threads::start()?;
        let cut = CancellationToken::new();
        let means = Arc::new(Means {
            store,
            duty,
            audit,
            unrecorded: Unrecorded::shared(),
            permits: Permits::of(room, RUNS_OF_A_BINDING),
            pace,
            waiting: Arc::default(),
            stop: cut.child_token(),
            cut: cut.clone(),
            look: Arc::default(),
            installation: OnceCell::new(),
        });
        let (live, catalogs) = watch::channel(None);
        let tasks = TaskTracker::new();
        tasks.spawn_on(follow(means.clone(), catalogs), threads.handle());
        tasks.close();
        Ok(Self { live, means, tasks, _cut: cut.drop_guard(), _threads: threads })
    }

    /// Follows what is live from now on.
    pub(crate) fn take(&self, catalog: &Arc<Catalog>) {
        self.live.send_replace(Some(catalog.clone()));
    }

    /// Ends the events of a host that stops: nothing more is listened to, and what runs has the grace. What was not
    /// handled is kept, and handled by the next host.
    pub async fn stop(&self, stopping: Stopping) {
        self.means.stop.cancel();
        tokio::select! {
            () = self.tasks.wait() => return,
            () = tokio::time::sleep(stopping.grace) => {}
            () = stopping.now.cancelled() => {}
        }
        self.means.cut.cancel();
        self.tasks.wait().await;
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("store", &self.means.store).finish_non_exhaustive()
    }
}

impl Means {
    /// Makes sure that sources can be told who listens.
    pub(super) async fn installed(&self) -> Result<(), StoreError> {
        self.installation.get_or_try_init(|| installation(&*self.store)).await.map(|_| ())
    }

    /// The name under which a binding listens through one of its requests: short letters and digits, which every
    /// broker takes (MQTT 3.1.1, section 3.1.3.1).
    pub(super) fn client(&self, binding: &str, capability: &str) -> String {
        let installation = self.installation.get().map_or("", String::as_str);
        let digest: [u8; 32] = Sha256::digest(format!("{installation}/{binding}/{capability}")).into();
        let digits: String = digest[..10].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("fg{digits}")
    }
}

/// The name of this configuration, made when the first event of it is listened for. Two hosts that begin at the same
/// time agree.
async fn installation(store: &dyn Store) -> Result<String, StoreError> {
    let at = key("_host".into());
    let read = || async { Ok(store.get(&space(), &at).await?.map(|entry| text(&entry.value))) };
    if let Some(known) = read().await? {
        return Ok(known);
    }
    let new = new_event_id().to_string();
    let batch = Batch::new().put_when(at.clone(), Condition::Absent, new.as_bytes(), None);
    match store.write(&space(), batch).await {
        Ok(_) => Ok(new),
        Err(StoreError::Conflict { .. }) => Ok(read().await?.unwrap_or(new)),
        Err(error) => Err(error),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Follows the catalog until the host is gone.
async fn follow(means: Arc<Means>, mut catalogs: watch::Receiver<Option<Arc<Catalog>>>) {
    let mut assigned = Assigned::new(means.clone());
    let mut looks = tokio::time::interval(means.pace.look);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = means.cut.cancelled() => break,
            () = means.stop.cancelled() => break,
            changed = catalogs.changed() => if changed.is_err() { break },
            () = means.look.notified() => {}
            _ = looks.tick() => {
                assigned.look().await;
                if !assigned.is_behind() {
                    continue;
                }
            }
        }
        let catalog = catalogs.borrow_and_update().clone();
        if let Some(catalog) = catalog {
            assigned.follow(&catalog).await;
        }
    }
    assigned.stop().await;
}

/// A time up to this one, at random.
pub(super) fn at_most(longest: Duration) -> Duration {
    let mut random = [0; 4];
    // Without randomness the host cannot work at all (keys, sessions).
    getrandom::fill(&mut random).expect("the operating system has randomness");
    longest.mul_f64(f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX))
}
