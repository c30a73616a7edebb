//! The jobs of one host: where they are kept, whose turn it is, and how all of them are opened, swept and stopped.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Tools;
use super::dead::DeadJob;
use super::job::Status;
use super::mirror::{self, Mirrored, MirroredJob};
use super::record::{now_ms, space};
use super::recover::recover;
use super::table::{Entry, Table, Why};
use super::unknown::Unknowns;
use crate::audit::Audit;
use crate::catalog::FoundTool;
use crate::principal::Principal;
use crate::sandbox::{BindingPermits, GRACE, Permit, Permits};
use crate::settings::JobSettings;
use crate::store::{Space, Store, StoreError};

/// How often jobs are looked for whose time is over.
const SWEEP: Duration = Duration::from_secs(5);

/// The jobs of one host.
pub struct Jobs {
    pub(super) store: Arc<dyn Store>,
    pub(super) space: Space,
    pub(super) audit: Arc<dyn Audit>,
    pub(super) settings: JobSettings,
    permits: Arc<Permits>,
    turns: Mutex<HashMap<Arc<str>, BindingPermits>>,
    pub(super) unknowns: Unknowns,
    table: Mutex<Table>,
    pub(super) tasks: TaskTracker,
    mirror: Option<PathBuf>,
    pub(super) changed: Arc<Notify>,
    /// What is live; nothing before the host serves.
    live: OnceLock<Weak<dyn Tools>>,
}

/// How jobs are opened.
pub struct JobsOptions {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Where their runs are recorded.
    pub audit: Arc<dyn Audit>,
    /// `[jobs]`
    pub settings: JobSettings,
    /// How many can run at once beside the calls: [`crate::sandbox::Sandbox::room_for_jobs`].
    pub room: u32,
    /// The file that `fleetgate jobs` reads.
    pub mirror: Option<PathBuf>,
}

/// What is kept cannot be read, or cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
#[error("the jobs cannot be opened: {0}")]
pub struct JobsFailed(#[from] pub StoreError);

/// How the jobs of a host that stops are ended.
#[derive(Debug, Clone)]
pub struct Stopping {
    /// How long those that run may go on.
    pub grace: Duration,
    /// Ends the grace when it trips.
    pub now: CancellationToken,
}

impl Jobs {
    /// Reads what is kept, fails what had not ended when the host stopped, and goes on.
    pub async fn open(options: JobsOptions) -> Result<Arc<Self>, JobsFailed> {
        let JobsOptions { store, audit, settings, room, mirror } = options;
        let table = recover(&*store).await?;
        let jobs = Arc::new(Self {
            store,
            space: space(),
            audit,
            settings,
            permits: Permits::of(settings.concurrency.min(room), settings.binding_concurrency),
            turns: Mutex::default(),
            unknowns: Unknowns::default(),
            table: Mutex::new(table),
            tasks: TaskTracker::new(),
            mirror,
            changed: Arc::new(Notify::new()),
            live: OnceLock::new(),
        });
        tokio::spawn(sweep(Arc::downgrade(&jobs)));
        if let Some(path) = jobs.mirror.clone() {
            tokio::spawn(mirror::keep(Arc::downgrade(&jobs), path, jobs.changed.clone()));
            jobs.changed.notify_one();
        }
        Ok(jobs)
    }

    /// Says what is live, from now on and at each moment. Before it, and once it is gone, no job runs.
    pub fn serve(&self, live: Weak<dyn Tools>) {
        let _ = self.live.set(live);
    }

    /// A tool as it is live at this moment.
    pub(super) fn live_tool(&self, binding: &str, tool: &str) -> Option<FoundTool> {
        self.live.get()?.upgrade()?.tool(binding, tool)
    }

    /// Who began a job, with the roles of this moment.
    pub(super) fn holding(&self, principal: &Principal) -> Principal {
        let live = self.live.get().and_then(Weak::upgrade);
        live.map_or_else(|| principal.clone(), |live| live.holding(principal))
    }

    /// Ends the jobs of a host that stops. Those that run have the grace; what has not ended then is failed with
    /// `interrupted`, as after a restart. Nothing new begins meanwhile.
    pub async fn stop(&self, stopping: Stopping) {
        self.stop_where(|entry| entry.record.status != Status::Working);
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = tokio::time::sleep(stopping.grace) => {}
            () = stopping.now.cancelled() => {}
        }
        self.stop_where(|_| true);
        // A guest that is ended has a moment for its last word, and the store is to hear of it.
        let _ = tokio::time::timeout(GRACE * 2, self.tasks.wait()).await;
        self.record_unknown(true);
        if let Some(path) = &self.mirror {
            mirror::write_and_log(self.mirrored(), path.clone()).await;
        }
    }

    fn stop_where(&self, which: impl Fn(&Entry) -> bool) {
        let mut table = self.table();
        table.stopping = true;
        for entry in table.jobs.values_mut().filter(|entry| entry.is_known() && which(entry)) {
            if let Some(live) = &mut entry.live {
                live.stop(Why::Host);
            }
        }
    }

    pub(super) fn stop_one(&self, id: &str, why: Why) {
        if let Some(live) = self.table().jobs.get_mut(id).and_then(|entry| entry.live.as_mut()) {
            live.stop(why);
        }
    }

    pub(super) fn mirrored(&self) -> Mirrored {
        let table = self.table();
        let known = table.jobs.values().filter(|entry| entry.is_known());
        let mut jobs: Vec<_> = known.map(|entry| MirroredJob::of(&entry.record)).collect();
        jobs.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
        Mirrored { written_ms: now_ms(), jobs, dead: table.dead.iter().rev().cloned().collect() }
    }

    /// Those without a proper end, newest first.
    pub fn dead(&self) -> Vec<DeadJob> {
        self.table().dead.iter().rev().cloned().collect()
    }

    /// Its turn to run: one of the binding's places, then one of all.
    pub(super) async fn turn(&self, found: &FoundTool) -> Permit {
        self.turns(found).acquire().await
    }

    pub(super) fn turns(&self, found: &FoundTool) -> BindingPermits {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.settings.binding_concurrency;
        turns.entry(found.binding.name.clone()).or_insert_with(|| self.permits.binding(most)).clone()
    }

    fn sweep(&self) {
        self.record_unknown(false);
        let now = now_ms();
        let mut table = self.table();
        let before = table.jobs.len();
        table.jobs.retain(|_, entry| {
            let over = entry.record.expires_ms() <= now;
            match &mut entry.live {
                Some(live) if over => {
                    live.stop(Why::Expired);
                    true
                }
                Some(_) => true,
                None => !over,
            }
        });
        if table.jobs.len() != before {
            self.changed.notify_one();
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        // Whoever mirrors them sees that they are gone.
        self.changed.notify_one();
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs")
            .field("store", &self.store)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Ends what is not kept any longer, until the jobs are gone.
async fn sweep(jobs: Weak<Jobs>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(jobs) = jobs.upgrade() else { return };
        jobs.sweep();
    }
}
