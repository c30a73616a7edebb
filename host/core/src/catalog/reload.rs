//! From what lies on disk to the next catalog, again and again.
//!
//! `look → plan → jobs → plan → …`, until nothing is left to do:
//! - [`look`](Reload::look) reads what has changed: `fleetgate.toml`, the lock, the drop directory.
//! - [`plan`](Reload::plan) decides for each plugin which version may be served, and for each binding what it
//!   should be made of. It keeps what is live already, adopts what is ready, and starts what is missing. It waits
//!   for the disk at most, so that a grant that was taken away is gone although a plugin compiles for minutes.
//! - Jobs compile a plugin or make a binding. Each belongs to what it was started for; if that changes, it is
//!   dropped.
//!
//! Whatever fails leaves what is live as it is. What failed is not tried again until one of its inputs changes, or
//! somebody asks for it.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::bind::{Made, Workshop};
use super::drop_directory::Stamp;
use super::inputs::Inputs;
use super::kept::Kept;
use super::load::Candidate;
use super::lock::Approved;
use super::{Catalog, Change, LiveBinding, LivePlugin, Lock, Problem, Version};
use crate::artifact::Digest;
use crate::capability::Capabilities;
use crate::diagnostic::Diagnostics;
use crate::sandbox::compile::Compiler;
use crate::sandbox::{Lists, Sandbox};
use crate::settings::Settings;

mod look;
mod names;
mod plan;
mod record;
mod relist;
mod report;

pub(super) use plan::Next;
use relist::Relists;

/// How soon a file that is being written is looked at again.
const CHANGING: Duration = Duration::from_millis(100);

/// What does not change while the host runs.
pub(super) struct Means {
    /// `fleetgate.toml`
    pub(super) settings_path: PathBuf,
    /// Only this plugin, and without a table too.
    pub(super) only: Option<String>,
    pub(super) capabilities: Capabilities,
    /// None: look and compare, but run nothing and write nothing.
    pub(super) running: Option<Running>,
    /// Environment variables, for `only` without a table.
    pub(super) environment: super::environment::Environment,
}

/// What serving takes.
pub(super) struct Running {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) compiler: Arc<Compiler>,
    pub(super) workshop: Arc<Workshop>,
    pub(super) kept: Kept,
    /// The state directory, which stays the same until the host is restarted.
    pub(super) state: PathBuf,
    /// Whether the lock is written. Not by a survey.
    pub(super) writes: bool,
}

/// All that is known, from look to look.
pub(super) struct Reload {
    pub(super) means: Means,
    pub(super) settings: Arc<Settings>,
    settings_stamp: Option<Stamp>,
    refused: Option<Arc<Diagnostics>>,
    /// Of the bindings that have a table.
    inputs: BTreeMap<String, Arc<Inputs>>,
    lock: Lock,
    lock_stamp: Option<Stamp>,
    files: BTreeMap<String, File>,
    /// The first version that was seen of the plugin that this host is for alone. Without a table, what comes later
    /// is compared with it.
    first: Option<Arc<Version>>,
    problems: Problems,
    plugins: BTreeMap<String, Plugin>,
    bindings: BTreeMap<String, Slot>,
    jobs: JoinSet<Done>,
    /// Bindings whose lists are taken again.
    relists: Relists,
    relisting: JoinSet<Done>,
    /// What guests said of their lists and clients were not told yet.
    told: Change,
    catalog: Arc<Catalog>,
    /// When to look again although nothing was heard: a file is being written.
    pub(super) again: Option<Instant>,
    /// What was logged of each plugin, so that each change is logged once.
    logged: HashMap<String, String>,
}

/// What concerns no single plugin, each from its last look.
#[derive(Default)]
struct Problems {
    lock: Option<Arc<Problem>>,
    directory: Option<Arc<Problem>>,
    misnamed: Vec<Arc<Problem>>,
}

/// A file of the drop directory.
struct File {
    path: PathBuf,
    /// None: it has to be read again.
    stamp: Option<Stamp>,
    read: Result<Arc<Candidate>, Arc<Problem>>,
}

/// What is known of a plugin's versions, by digest.
#[derive(Default)]
struct Plugin {
    ready: Vec<Arc<LivePlugin>>,
    failed: Vec<(Digest, Arc<Problem>)>,
    loading: Option<(Digest, AbortHandle)>,
    /// The copy of what was approved, once it was looked for.
    kept: Option<(Digest, Option<Arc<Candidate>>)>,
}

/// What is known of a binding.
#[derive(Default)]
struct Slot {
    live: Option<(Made, Arc<Inputs>)>,
    /// Made, and waiting to be adopted.
    ready: Option<(Made, Arc<Inputs>)>,
    failed: Vec<(Digest, Arc<Inputs>, Arc<Problem>)>,
    making: Option<(Digest, Arc<Inputs>, AbortHandle)>,
}

/// A job that has ended.
pub(super) enum Done {
    Plugin { id: String, digest: Digest, result: Result<Arc<LivePlugin>, Arc<Problem>> },
    Binding { name: String, digest: Digest, inputs: Arc<Inputs>, result: Result<Made, Arc<Problem>> },
    Lists { name: String, of: Arc<LiveBinding>, said: Lists, result: Result<Made, Arc<Problem>> },
}

impl Reload {
    /// With these settings, and nothing known yet.
    pub(super) fn new(means: Means, settings: Settings, lock: Lock) -> Self {
        Self {
            means,
            settings: Arc::new(settings),
            settings_stamp: None,
            refused: None,
            inputs: BTreeMap::new(),
            lock,
            lock_stamp: None,
            files: BTreeMap::new(),
            first: None,
            problems: Problems::default(),
            plugins: BTreeMap::new(),
            bindings: BTreeMap::new(),
            jobs: JoinSet::new(),
            relists: Relists::new(),
            relisting: JoinSet::new(),
            told: Change::default(),
            catalog: Arc::default(),
            again: None,
            logged: HashMap::new(),
        }
    }

    /// A file of the drop directory, as the last look found it.
    pub(super) fn candidate(&self, id: &str) -> Option<Result<Arc<Candidate>, Arc<Problem>>> {
        self.files.get(id).map(|file| file.read.clone())
    }

    /// The plugins whose files the last look found.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Why the drop directory is not used.
    pub(super) fn directory_refused(&self) -> Option<&Arc<Problem>> {
        self.problems.directory.as_ref()
    }

    /// What is approved of a plugin.
    pub(super) fn approved(&self, id: &str) -> Option<&Approved> {
        self.lock.plugins.get(id)
    }

    /// Whether no job runs.
    pub(super) fn is_settled(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Waits for a job's end, and takes in all that have ended. Never ready when there is none.
    pub(super) async fn work(&mut self) {
        let first = tokio::select! {
            Some(done) = self.jobs.join_next() => done,
            Some(done) = self.relisting.join_next() => done,
            else => return std::future::pending().await,
        };
        let mut ended = Some(first);
        while let Some(done) = ended {
            // A job that was dropped has nothing to say; one that panicked has said so in its result.
            if let Ok(done) = done {
                self.absorb(done);
            }
            ended = self.jobs.try_join_next().or_else(|| self.relisting.try_join_next());
        }
    }

    fn absorb(&mut self, done: Done) {
        match done {
            Done::Plugin { id, digest, result } => {
                let plugin = self.plugins.entry(id).or_default();
                plugin.loading.take_if(|(loading, _)| *loading == digest);
                match result {
                    Ok(live) => plugin.ready.push(live),
                    Err(why) => plugin.failed.push((digest, why)),
                }
            }
            Done::Lists { name, of, said, result } => self.relisted(name, of, said, result),
            Done::Binding { name, digest, inputs, result } => {
                let slot = self.bindings.entry(name).or_default();
                slot.making.take_if(|(making, of, _)| *making == digest && *of == inputs);
                match result {
                    Ok(made) => slot.ready = Some((made, inputs)),
                    Err(why) => slot.failed.push((digest, inputs, why)),
                }
            }
        }
    }

    /// Deletes what nobody uses from the compiled cache, in the background.
    pub(super) fn prune_cache(&self) {
        let Some(running) = self.means.running.as_ref().filter(|running| running.writes) else { return };
        let cache = running.compiler.cache().clone();
        tokio::task::spawn_blocking(move || match cache.prune() {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "old entries of the compiled cache were deleted"),
            Err(error) => tracing::warn!(%error, "the compiled cache could not be looked through"),
        });
    }

    /// Forgets what failed, so that it is tried again.
    pub(super) fn forget_failures(&mut self) {
        self.plugins.values_mut().for_each(|plugin| plugin.failed.clear());
        self.bindings.values_mut().for_each(|slot| slot.failed.clear());
    }
}

/// A job's work; a panic of it is its result and not the end of the host's reloading.
async fn guarded<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Arc<Problem>> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result.map_err(Arc::new),
        Err(_) => Err(Arc::new(Problem::Host("a defect; the log has its message".into()))),
    }
}
