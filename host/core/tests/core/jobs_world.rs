//! A host that keeps jobs, with a plugin whose tools end in every way, and its callers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleetgate_core::call::{CallContext, End, Refused, ToolCall};
use fleetgate_core::catalog::{Catalog, Host, HostOptions, Scope};
use fleetgate_core::domain::Fault;
use fleetgate_core::holders::Holders;
use fleetgate_core::jobs::{Access, Begun, Job, Jobs, Stopping};
use fleetgate_core::principal::{HeldRole, Principal};
use fleetgate_core::sandbox::Nobody;
use fleetgate_core::settings::Settings;
use fleetgate_core::store::{Batch, Entry, Key, Listed, Memory, Page, Space, Store, StoreError, Usage};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::fake::capabilities;
use super::guest::packed;
use super::host::{Place, SANDBOX, in_time};
use super::jobs_guest::component;
use super::written::Written;

pub const TOOLS: [&str; 11] =
    ["ask", "done", "loop", "trap", "fault", "s-ask", "s-done", "s-loop", "s-nothing", "go", "c"];

pub const MANIFEST: &str = r#"
[plugin]
id = "lab"
version = "1.0.0"
interface = "0.1"
title = "A plugin"
description = "For tests."
license = "Apache-2.0"
[roles]
operator = {}
[client]
elicitation = "To ask who"
[tools]
ask = { requires = "any", task = "optional" }
s-ask = { requires = "any" }
done = { requires = "any", task = "optional", audit = ["/device"] }
loop = { requires = "operator", task = "required" }
trap = { requires = "any", task = "optional" }
fault = { requires = "any", task = "optional", read_only = true }
s-done = { requires = "any" }
s-loop = { requires = "any", read_only = true }
s-nothing = { requires = "any" }
go = { requires = "any" }
c = { requires = "any", read_only = true }
"#;

/// `local` holds what the settings say, everybody else what they held.
struct AsConfigured;

impl Holders for AsConfigured {
    fn holding(&self, principal: &Principal, settings: &Settings) -> Principal {
        match principal.name() {
            "local" => Principal::new("local", settings.serve.local_roles.iter().cloned()),
            _ => principal.clone(),
        }
    }
}

/// A store that refuses what begins so.
#[derive(Debug, Default)]
pub struct Refusing {
    memory: Memory,
    pub prefix: Mutex<Option<&'static str>>,
}

impl Store for Refusing {
    fn get(&self, space: &Space, key: &Key) -> BoxFuture<'static, Result<Option<Entry>, StoreError>> {
        self.memory.get(space, key)
    }
    fn list(&self, space: &Space, page: Page) -> BoxFuture<'static, Result<Listed, StoreError>> {
        self.memory.list(space, page)
    }
    fn write(&self, space: &Space, batch: Batch) -> BoxFuture<'static, Result<Vec<u64>, StoreError>> {
        let refused = *self.prefix.lock().unwrap();
        if refused.is_some_and(|prefix| batch.writes().iter().any(|write| write.key.starts_with(prefix))) {
            let full = StoreError::Full { place: "test".into(), reason: "no room".into() };
            return ready(Err(full)).boxed();
        }
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
    pub place: Place,
    pub host: Arc<Host>,
    pub audit: Arc<Written>,
    pub store: Arc<Refusing>,
}

impl World {
    pub async fn new() -> Self {
        Self::with("").await
    }

    pub async fn with(settings: &str) -> Self {
        let place = Place::new(&format!("[limits]\ncpu = \"10m\"\n[plugins.lab]\n{settings}"));
        place.drop_file("lab", &packed(component(&TOOLS), MANIFEST));
        Self::over(place, Arc::default()).await
    }

    pub async fn over(place: Place, store: Arc<Refusing>) -> Self {
        let audit = Arc::<Written>::default();
        let options = HostOptions {
            store: Some(store.clone()),
            jobs_file: Some(place.path("test.jobs.json")),
            holders: Some(Arc::new(AsConfigured)),
            ..place.options()
        };
        let host = in_time(Host::start(options, SANDBOX.clone(), capabilities(), audit.clone())).await;
        let host = host.unwrap_or_else(|failed| panic!("{failed}"));
        assert!(host.survey().is_fine(), "{:?}", host.survey());
        Self { place, host, audit, store }
    }

    /// As after `kill -9`: nothing of the old host is told to stop.
    pub async fn again(self) -> Self {
        let Self { place, store, .. } = self;
        Self::over(place, store).await
    }

    pub fn jobs(&self) -> &Arc<Jobs> {
        self.host.jobs().expect("it keeps jobs")
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        self.host.catalog()
    }

    pub async fn begin(&self, who: &Principal, tool: &str) -> Result<Begun, Refused> {
        in_time(self.jobs().begin(&self.catalog(), call(who, tool))).await
    }

    pub async fn job(&self, who: &Principal, tool: &str) -> Job {
        match self.begin(who, tool).await {
            Ok(Begun::Job(job)) => job,
            other => panic!("{other:?}"),
        }
    }

    pub async fn fault(&self, who: &Principal, tool: &str) -> Fault {
        match self.begin(who, tool).await {
            Ok(Begun::Ended(answered)) => match answered.end {
                End::Fault(fault) => fault,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub fn within<T>(&self, who: &Principal, scope: &Scope, ask: impl FnOnce(&Jobs, &Access<'_>) -> T) -> T {
        ask(self.jobs(), &Access { principal: who, scope, tools: &*self.catalog() })
    }

    pub fn get(&self, who: &Principal, id: &str) -> Option<Job> {
        self.within(who, &Scope::Shared, |jobs, access| jobs.get(access, id))
    }

    pub fn cancel(&self, who: &Principal, id: &str) -> Option<Job> {
        self.within(who, &Scope::Shared, |jobs, access| jobs.cancel(access, id))
    }

    pub async fn over_with(&self, who: &Principal, id: &str) -> Job {
        self.until(who, id, |job| job.status.is_over()).await
    }

    pub async fn until(&self, who: &Principal, id: &str, done: impl Fn(&Job) -> bool) -> Job {
        in_time(async {
            loop {
                let job = self.get(who, id).expect("it is kept");
                if done(&job) {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }

    /// What stands in the store.
    pub async fn stored(&self, key: &str) -> Option<Vec<u8>> {
        let (space, key) = (Space::new("jobs").unwrap(), Key::new(key).unwrap());
        self.store.get(&space, &key).await.unwrap().map(|entry| entry.value)
    }

    /// What a tool that submits or cancels says: the job's id or the fault's code.
    pub async fn said(&self, who: &Principal, tool: &str) -> String {
        self.said_of(call(who, tool)).await
    }

    pub async fn said_of(&self, call: ToolCall) -> String {
        let answered = in_time(self.host.call_tool(&self.catalog(), call)).await.unwrap();
        let End::Done(result) = answered.end else { panic!("{:?}", answered.end) };
        let said: Value = serde_json::from_str(result.structured.unwrap().get()).unwrap();
        said["said"].as_str().unwrap().to_owned()
    }

    pub async fn stop(&self) {
        in_time(self.jobs().stop(Stopping { grace: Duration::ZERO, now: CancellationToken::new() })).await;
    }
}

pub fn call(who: &Principal, tool: &str) -> ToolCall {
    ToolCall {
        context: CallContext {
            principal: who.clone(),
            scope: Scope::Binding("lab".into()),
            session: String::new(),
            client_capabilities: "{}".into(),
            cancel: CancellationToken::new(),
            observer: Arc::new(Nobody),
        },
        tool: tool.into(),
        arguments: "{}".into(),
        answers: None,
    }
}

pub fn ann() -> Principal {
    Principal::new("ann", [HeldRole::parse("lab:operator").unwrap()])
}

pub fn bob() -> Principal {
    Principal::new("bob", [HeldRole::parse("lab:operator").unwrap()])
}
