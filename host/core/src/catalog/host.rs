//! The running host: the current catalog, what keeps it current, and everybody who wants to know when it changes.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::bind::Workshop;
use super::environment::Environment;
use super::keeper::{self, Look};
use super::kept::Kept;
use super::reload::{Means, Reload, Running};
use super::{Catalog, FoundTool, Lock, LockFailed, Survey};
use crate::audit::Audit;
use crate::call::{self, Answered, Complete, PromptGet, Refused, ResourceList, ResourceRead, ToolCall};
use crate::capability::Capabilities;
use crate::diagnostic::{Diagnostics, Document};
use crate::domain::{Completion, Content, PromptMessage, ResourcePage};
use crate::duty::{Duty, OffDuty};
use crate::events::{Events, EventsOptions, Pace};
use crate::holders::Holders;
use crate::jobs::{Jobs, JobsFailed, JobsOptions, Tools};
use crate::principal::Principal;
use crate::sandbox::Sandbox;
use crate::sandbox::cache::{Cache, CacheFailed};
use crate::sandbox::compile::{CompileIn, CompileLimits, Compiler, Progress};
use crate::settings::{self, Settings};
use crate::store::{Memory, Store};

/// What changed, for `list_changed` notifications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The catalog's revision; the same as before where a plugin only says that its resources are others.
    pub revision: u64,
    /// The bindings whose tools are others now, sorted.
    pub tools: Vec<Arc<str>>,
    /// Those whose prompts are others.
    pub prompts: Vec<Arc<str>>,
    /// Those whose resources, templates or skills are others.
    pub resources: Vec<Arc<str>>,
}

/// Changes that wait for a slow listener; beyond, it is told that it missed some and lists again.
const CHANGES_KEPT: usize = 64;
/// Probes at the same time.
const PROBES: u32 = 8;

/// How a host is started.
#[derive(Clone)]
pub struct HostOptions {
    /// `fleetgate.toml`
    pub settings: PathBuf,
    /// Only this binding, or the bindings of this plugin. A plugin without a table is served too, with what those
    /// environment variables grant it that its manifest names and that it may have, until one comes that asks for more than the first:
    /// `fleetgate stdio --plugin ID`.
    pub only_plugin: Option<String>,
    /// Where plugins are compiled.
    pub compile: CompileIn,
    /// What compiling one may use.
    pub compile_limits: CompileLimits,
    /// Hears how far compiling is.
    pub progress: Option<Progress>,
    /// Whether changes on disk are taken up by themselves. Without, [`Host::reload`] takes them up.
    pub watch: bool,
    /// Whether [`Host::start`] waits until every plugin is compiled, and not only for those that need not be.
    pub wait: bool,
    /// Where the environment variables of `only_plugin` are read from.
    pub environment: Environment,
    /// Where jobs are kept. None: this host runs no jobs.
    pub store: Option<Arc<dyn Store>>,
    /// The file that says what jobs there are, for `fleetgate jobs`.
    pub jobs_file: Option<PathBuf>,
    /// Knows what callers hold when time has passed. None: what they held.
    pub holders: Option<Arc<dyn Holders>>,
    /// What plugins remember, and events: one store for all hosts of a configuration. By default one that forgets, for
    /// what is only looked at.
    pub state: Arc<dyn Store>,
    /// Which of the hosts of a configuration does a binding's standing work. By default never this one.
    pub duty: Arc<dyn Duty>,
    /// How patient events are.
    pub pace: Pace,
}

impl HostOptions {
    /// Everything in these settings, watched.
    pub fn new(settings: impl Into<PathBuf>, compile: CompileIn) -> Self {
        Self {
            settings: settings.into(),
            only_plugin: None,
            compile,
            compile_limits: CompileLimits::default(),
            progress: None,
            watch: true,
            wait: true,
            environment: Environment::of_this_process(),
            store: None,
            jobs_file: None,
            holders: None,
            state: Arc::new(Memory::new()),
            duty: Arc::new(OffDuty),
            pace: Pace::default(),
        }
    }
}

impl std::fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostOptions")
            .field("settings", &self.settings)
            .field("only_plugin", &self.only_plugin)
            .field("compile", &self.compile)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

/// A host that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFailed {
    /// `fleetgate.toml` is not valid.
    #[error("{0}")]
    Settings(Diagnostics),
    /// The lock cannot be read: what was approved is not known.
    #[error(transparent)]
    Lock(#[from] LockFailed),
    /// The compiled cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheFailed),
    /// The jobs that are kept cannot be read.
    #[error(transparent)]
    Jobs(#[from] JobsFailed),
    /// The system gives no more threads.
    #[error(
        "the threads on which events run cannot be started: {0}; `ulimit -u` or the unit's TasksMax may be too low"
    )]
    Threads(std::io::Error),
}

/// A running host. Shared by all transports.
pub struct Host {
    catalog: ArcSwap<Catalog>,
    survey: ArcSwap<Survey>,
    changes: broadcast::Sender<Change>,
    audit: Arc<dyn Audit>,
    jobs: Option<Arc<Jobs>>,
    /// None: nothing is read from disk, and nobody is on duty.
    events: Option<Events>,
    holders: Option<Arc<dyn Holders>>,
    looks: Option<mpsc::Sender<Look>>,
}

impl Host {
    /// A host that serves what is published by hand, and reads nothing from disk.
    pub fn new(audit: Arc<dyn Audit>) -> Arc<Self> {
        let nothing = settings::parse(&Arc::new(Document::new("fleetgate.toml", "")), "/".as_ref());
        Arc::new(Self::of(audit, None, None, None, None, nothing.expect("settings without a line are valid")))
    }

    fn of(
        audit: Arc<dyn Audit>,
        jobs: Option<Arc<Jobs>>,
        events: Option<Events>,
        holders: Option<Arc<dyn Holders>>,
        looks: Option<mpsc::Sender<Look>>,
        settings: Settings,
    ) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let survey = ArcSwap::from_pointee(Survey::nothing(settings));
        Self { catalog: ArcSwap::default(), survey, changes, audit, jobs, events, holders, looks }
    }

    /// Starts a host: reads the settings and the lock, loads every plugin, and goes on looking for changes until
    /// the last reference to the host is dropped. A plugin that cannot be served is no error: [`Host::survey`] and
    /// the log say why.
    pub async fn start(
        options: HostOptions,
        sandbox: Arc<Sandbox>,
        capabilities: Capabilities,
        audit: Arc<dyn Audit>,
    ) -> Result<Arc<Self>, StartFailed> {
        let (watch, wait, holders) = (options.watch, options.wait, options.holders.clone());
        let jobs = open_jobs(&options, &sandbox, &audit).await?;
        let known = jobs.as_ref().map_or_else(Weak::new, Arc::downgrade);
        let events = EventsOptions {
            store: options.state.clone(),
            duty: options.duty.clone(),
            audit: audit.clone(),
            room: sandbox.room_for_events(),
            pace: options.pace,
        };
        let reload = open(options, Some(sandbox), capabilities, true, known).await?;
        let (looks, asked) = mpsc::channel(8);
        let events = Some(Events::begin(events).map_err(StartFailed::Threads)?);
        let host = Arc::new(Self::of(audit, jobs, events, holders, Some(looks), (*reload.settings).clone()));
        if let Some(jobs) = &host.jobs {
            let live: Weak<Self> = Arc::downgrade(&host);
            jobs.serve(live);
        }
        tokio::spawn(keeper::keep(Arc::downgrade(&host), reload, asked, watch));
        host.look(false, wait).await;
        Ok(host)
    }

    /// The catalog of this moment. Take it once for a whole request.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// From now on, what changes.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Where calls are recorded.
    pub fn audit(&self) -> &Arc<dyn Audit> {
        &self.audit
    }

    /// The jobs; none where the host keeps none.
    pub fn jobs(&self) -> Option<&Arc<Jobs>> {
        self.jobs.as_ref()
    }

    /// The events; none where nothing is read from disk.
    pub fn events(&self) -> Option<&Events> {
        self.events.as_ref()
    }

    /// A caller with the roles that he holds at this moment.
    pub fn holding(&self, principal: &Principal) -> Principal {
        match &self.holders {
            Some(holders) => holders.holding(principal, &self.survey.load().settings),
            None => principal.clone(),
        }
    }

    /// How everything stood at the last look, with the settings that hold.
    pub fn survey(&self) -> Arc<Survey> {
        self.survey.load_full()
    }

    /// Looks for changes now, tries again what failed, and waits until nothing is left to do.
    pub async fn reload(&self) -> Arc<Survey> {
        self.look(true, true).await;
        self.survey()
    }

    async fn look(&self, again: bool, wait: bool) {
        let Some(looks) = &self.looks else { return };
        let (done, finished) = oneshot::channel();
        if looks.send(Look { again, wait, done }).await.is_ok() {
            // The keeper ends only with the host, or by a defect that is logged.
            let _ = finished.await;
        }
    }

    /// Makes a catalog the current one, in one step, and tells the listeners. The change's revision is the catalog's.
    pub fn publish(&self, catalog: Catalog, change: Change) {
        self.publish_shared(Arc::new(catalog), change);
    }

    pub(super) fn publish_shared(&self, catalog: Arc<Catalog>, change: Change) {
        let revision = catalog.revision;
        if let Some(events) = &self.events {
            events.take(&catalog);
        }
        self.catalog.store(catalog);
        self.tell(Change { revision, ..change });
    }

    /// Tells the listeners.
    pub(super) fn tell(&self, change: Change) {
        // No listener is no error.
        let _ = self.changes.send(change);
    }

    pub(super) fn note(&self, survey: Survey) {
        self.survey.store(Arc::new(survey));
    }

    /// Runs one call over one snapshot.
    pub async fn call_tool(&self, catalog: &Catalog, call: ToolCall) -> Result<Answered, Refused> {
        call::call_tool(catalog, &self.audit, call).await
    }

    /// Takes a page of a binding's resources over one snapshot.
    pub async fn list_resources(
        &self,
        catalog: &Catalog,
        list: ResourceList,
    ) -> Result<Answered<ResourcePage>, Refused> {
        call::list_resources(catalog, &self.audit, list).await
    }

    /// Reads one resource over one snapshot.
    pub async fn read_resource(
        &self,
        catalog: &Catalog,
        read: ResourceRead,
    ) -> Result<Answered<Vec<Content>>, Refused> {
        call::read_resource(catalog, &self.audit, read).await
    }

    /// Fills in a prompt over one snapshot.
    pub async fn get_prompt(
        &self,
        catalog: &Catalog,
        get: PromptGet,
    ) -> Result<Answered<Vec<PromptMessage>>, Refused> {
        call::get_prompt(catalog, &self.audit, get).await
    }

    /// Completes an argument over one snapshot.
    pub async fn complete(
        &self,
        catalog: &Catalog,
        complete: Complete,
    ) -> Result<Answered<Completion>, Refused> {
        call::complete(catalog, &self.audit, complete).await
    }
}

impl Survey {
    /// How everything stands on disk, without serving it and without writing the lock. With a sandbox, plugins are
    /// compiled and probed as a host would; without, what their files and tables say has to do.
    pub async fn of(
        options: HostOptions,
        sandbox: Option<Arc<Sandbox>>,
        capabilities: Capabilities,
    ) -> Result<Self, StartFailed> {
        let mut reload = open(options, sandbox, capabilities, false, Weak::new()).await?;
        reload.look().await;
        reload.plan().await;
        while !reload.is_settled() {
            reload.work().await;
            reload.plan().await;
        }
        Ok(reload.survey(None))
    }
}

impl Tools for Host {
    fn tool(&self, binding: &str, tool: &str) -> Option<FoundTool> {
        self.catalog().tool(binding, tool)
    }

    fn holding(&self, principal: &Principal) -> Principal {
        Self::holding(self, principal)
    }
}

/// Before any plugin is loaded: bindings know where their jobs are.
async fn open_jobs(
    options: &HostOptions,
    sandbox: &Sandbox,
    audit: &Arc<dyn Audit>,
) -> Result<Option<Arc<Jobs>>, StartFailed> {
    let Some(store) = options.store.clone() else { return Ok(None) };
    let settings = settings::load(&options.settings).map_err(StartFailed::Settings)?.jobs;
    let (room, mirror) = (sandbox.room_for_jobs(), options.jobs_file.clone());
    Ok(Some(Jobs::open(JobsOptions { store, audit: audit.clone(), settings, room, mirror }).await?))
}

pub(super) async fn open(
    options: HostOptions,
    sandbox: Option<Arc<Sandbox>>,
    capabilities: Capabilities,
    writes: bool,
    jobs: Weak<Jobs>,
) -> Result<Reload, StartFailed> {
    let opened = tokio::task::spawn_blocking(move || {
        let settings = settings::load(&options.settings).map_err(StartFailed::Settings)?;
        let lock = Lock::read(&Lock::path_beside(&options.settings))?;
        let running = match sandbox {
            Some(sandbox) => Some(running(sandbox, &options, &capabilities, &settings, writes, jobs)?),
            None => None,
        };
        let means = Means {
            settings_path: options.settings,
            only: options.only_plugin,
            capabilities,
            running,
            environment: options.environment,
        };
        Ok(Reload::new(means, settings, lock))
    });
    match opened.await {
        Ok(opened) => opened,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn running(
    sandbox: Arc<Sandbox>,
    options: &HostOptions,
    capabilities: &Capabilities,
    settings: &Settings,
    writes: bool,
    jobs: Weak<Jobs>,
) -> Result<Running, CacheFailed> {
    let state = settings.serve.state.clone();
    let cache = Cache::open(&state, sandbox.engine())?;
    let mut compiler = Compiler::new(options.compile.clone(), cache).limits(options.compile_limits);
    if let Some(progress) = &options.progress {
        compiler = compiler.progress(progress.clone());
    }
    let workshop = Workshop {
        capabilities: capabilities.clone(),
        permits: sandbox.permits().clone(),
        probes: sandbox.permits().binding(PROBES),
        jobs,
        store: options.state.clone(),
        lists: Arc::default(),
    };
    let kept = Kept::new(&state);
    Ok(Running { sandbox, compiler: Arc::new(compiler), workshop: Arc::new(workshop), kept, state, writes })
}
