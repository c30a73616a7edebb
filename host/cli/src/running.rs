//! A host, started: the one place where the parts of the program meet.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use fleetgate_auth::audit::AuditLog;
use fleetgate_core::asking::ClientCapability;
use fleetgate_core::capability::Capabilities;
use fleetgate_core::catalog::{Environment, Host, HostOptions, StartFailed};
use fleetgate_core::events::EventsCapability;
use fleetgate_core::holders::Holders;
use fleetgate_core::jobs::Stopping;
use fleetgate_core::sandbox::compile::CompileIn;
use fleetgate_core::sandbox::{Sandbox, SandboxOptions};
use fleetgate_core::settings;
use fleetgate_http::Http;
use fleetgate_keyvalue::KeyValue;
use fleetgate_mqtt::Mqtt;
use fleetgate_ssh::Ssh;
use fleetgate_store::{DutyLocks, StateStore, open_first_free};

use crate::failure::Failure;
use crate::progress;

/// Everything that this program's plugins may ask for. Adding a capability is adding a line here.
pub fn capabilities() -> Capabilities {
    Capabilities::new()
        .with(ClientCapability)
        .with(Http::default())
        .with(Ssh::default())
        .with(Mqtt::default())
        .with(KeyValue)
        .with(EventsCapability)
}

/// The ending of the files that say what jobs there are, beside the stores that hold them.
pub const JOBS: &str = "jobs.json";

/// A host and its audit log.
pub struct Running {
    pub host: Arc<Host>,
    pub audit: Arc<AuditLog>,
    state: StateStore,
}

/// How much of a host is wanted.
pub struct Wanted {
    /// `fleetgate.toml`
    pub settings: PathBuf,
    /// One binding or plugin alone.
    pub only: Option<String>,
    /// The environment variables that it may have where no table grants.
    pub environment: Environment,
    /// Who holds what when time has passed. None: what was held at the beginning.
    pub holders: Option<Arc<dyn Holders>>,
    /// Changes on disk are taken up.
    pub watch: bool,
}

impl Wanted {
    /// Everything in these settings, as it is now.
    pub fn all(settings: PathBuf) -> Self {
        Self {
            settings,
            only: None,
            environment: Environment::of_this_process(),
            holders: None,
            watch: false,
        }
    }

    /// As the core wants it.
    pub fn options(self) -> Result<HostOptions, Failure> {
        let compile = CompileIn::this_program().map_err(|error| {
            Failure::failed(format!("this program cannot find itself to compile plugins: {error}"))
        })?;
        let mut options = HostOptions::new(self.settings, compile);
        options.only_plugin = self.only;
        options.environment = self.environment;
        options.holders = self.holders;
        options.watch = self.watch;
        options.progress = progress::compiling();
        Ok(options)
    }

    /// Opens the audit log, loads every plugin, and serves. Nothing is kept but that log.
    pub async fn start(self) -> Result<Running, Failure> {
        self.start_with(None).await
    }

    /// The same with a store of this host's own, in which its jobs are kept.
    pub async fn start_keeping(self, role: &str) -> Result<Running, Failure> {
        self.start_with(Some(role)).await
    }

    async fn start_with(self, role: Option<&str>) -> Result<Running, Failure> {
        let state = settings::load(&self.settings)?.serve.state;
        let audit = AuditLog::open(&state)?;
        let capabilities = capabilities();
        let sandbox = sandbox(&capabilities)?;
        let mut options = self.options()?;
        let state_store = StateStore::new(&fleetgate_store::directory(&state));
        options.state = Arc::new(state_store.clone());
        if let Some(role) = role {
            options.duty = Arc::new(DutyLocks::new(&fleetgate_store::directory(&state)));
            let (directory, role) = (fleetgate_store::directory(&state), role.to_owned());
            // A file that was not closed is repaired first.
            let opened = tokio::task::spawn_blocking(move || open_first_free(&directory, &role)).await;
            let store = opened.map_err(Failure::failed)?.map_err(Failure::failed)?;
            options.jobs_file = Some(store.path().with_extension(JOBS));
            options.store = Some(store);
        }
        let host = Host::start(options, sandbox, capabilities, audit.clone()).await?;
        Ok(Running { host, audit, state: state_store })
    }
}

/// The engine with everything linked.
pub fn sandbox(capabilities: &Capabilities) -> Result<Arc<Sandbox>, Failure> {
    Ok(Sandbox::new(&SandboxOptions::default(), capabilities)?)
}

/// Runs to the end on a runtime with a worker for each core.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the workers cannot be started: {error}")))?;
    let result = runtime.block_on(work);
    // A guest that still runs must not keep the process.
    runtime.shutdown_background();
    result
}

impl Running {
    /// Ends what handles events.
    pub async fn end_events(&self, stopping: Stopping) {
        if let Some(events) = self.host.events() {
            events.stop(stopping).await;
        }
    }

    /// Brings the last records to the disk, and lets go of the store.
    pub async fn finish(&self) {
        self.state.close().await;
        if let Err(failed) = self.audit.flush() {
            eprintln!("error: {failed}");
        }
    }
}

impl From<StartFailed> for Failure {
    fn from(failed: StartFailed) -> Self {
        match failed {
            StartFailed::Settings(problems) => problems.into(),
            other => Self::failed(other),
        }
    }
}
