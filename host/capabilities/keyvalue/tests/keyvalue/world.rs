//! A binding with its grants, and the calls that are made to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetgate_core::abi::log::LogGate;
use fleetgate_core::capability::{BindingParts, Capability, Grant, Reach, Request};
use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::sandbox::{CallInfo, CallLimits, CallPolicy, Nobody, Used};
use fleetgate_core::settings::{Limits, Secrets};
use fleetgate_core::store::{Memory, Store};
use fleetgate_keyvalue::testing::{Bucket, Found, KeyValueBinding, Session, Write};
use fleetgate_keyvalue::{Failure, KeyValue};

/// What an operator and an author wrote.
pub struct World {
    pub store: Arc<dyn Store>,
    request: String,
    grant: Option<String>,
}

type Wants = (Arc<dyn Request>, Option<Arc<dyn Grant>>);

impl World {
    /// `keyvalue.history` with this request, granted as it is asked for, in memory.
    pub fn new(request: &str) -> Self {
        Self::over(Arc::new(Memory::new()), request)
    }

    pub fn shared() -> Self {
        Self::new("scope = \"shared\"")
    }

    pub fn over(store: Arc<dyn Store>, request: &str) -> Self {
        Self { store, request: request.into(), grant: Some(String::new()) }
    }

    pub fn granting(self, grant: &str) -> Self {
        Self { grant: Some(grant.into()), ..self }
    }

    pub fn ungranted(self) -> Self {
        Self { grant: None, ..self }
    }

    pub fn read(&self) -> Result<Wants, Diagnostics> {
        let mut text = format!("[capabilities.keyvalue.history]\n{}\n", self.request);
        if let Some(grant) = &self.grant {
            text += &format!("[plugins.lab.grant.keyvalue.history]\n{grant}\n");
        }
        let document = Arc::new(Document::new("fleetgate.toml", text));
        let request = document
            .read_at(&["capabilities", "keyvalue", "history"], |table| KeyValue.parse_request(table))?;
        let secrets = Secrets::new(Path::new("/"), BTreeMap::new());
        let grant = match self.grant {
            None => None,
            Some(_) => {
                Some(document.read_at(&["plugins", "lab", "grant", "keyvalue", "history"], |table| {
                    KeyValue.parse_grant(table, &*request, &secrets)
                })?)
            }
        };
        Ok((request, grant))
    }

    /// What is wrong with the tables.
    pub fn problem(&self) -> String {
        match self.read() {
            Ok(_) => panic!("nothing is wrong"),
            Err(problems) => problems.to_string(),
        }
    }

    pub fn reach(&self, reach: &str) -> Arc<dyn Reach> {
        let (request, _) = self.read().unwrap_or_else(|problems| panic!("{problems}"));
        let document = Arc::new(Document::new("plugin.toml", reach.to_owned()));
        document
            .read(|table| KeyValue.parse_reach(table, &*request))
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The binding `lab`.
    pub fn bind(&self) -> KeyValueBinding {
        self.bind_as("lab")
    }

    /// The same plugin with the same grant, as another binding.
    pub fn bind_as(&self, name: &str) -> KeyValueBinding {
        let wants = self.read().unwrap_or_else(|problems| panic!("{problems}"));
        let wants = BTreeMap::from([("history".to_owned(), wants)]);
        let (secrets, limits) = (Secrets::new(Path::new("/"), BTreeMap::new()), Limits::default());
        let state = Path::new("/");
        let store = &self.store;
        KeyValue.bind_keyvalue(BindingParts { name, wants, secrets: &secrets, limits: &limits, state, store })
    }
}

/// One call to be made.
pub struct Call {
    principal: String,
    policy: CallPolicy,
    granted: bool,
}

/// A call of ann that may do all that is granted.
pub fn call() -> Call {
    Call { principal: "ann".into(), policy: CallPolicy::default(), granted: true }
}

impl Call {
    pub fn by(self, principal: &str) -> Self {
        Self { principal: principal.into(), ..self }
    }

    pub fn read_only(mut self) -> Self {
        self.policy.read_only = true;
        self
    }

    /// One that nobody made: a handler of events.
    pub fn handler(mut self) -> Self {
        self.policy.handler = Some("plugins.lab.grant.events.telemetry".into());
        self.by("").read_only()
    }

    pub fn reaching(mut self, reach: Arc<dyn Reach>) -> Self {
        self.policy.reach.insert("keyvalue.history".into(), reach);
        self
    }

    pub fn without_grants(self) -> Self {
        Self { granted: false, ..self }
    }

    pub fn to(self, binding: &KeyValueBinding) -> Caller {
        let timeout = Duration::from_secs(60);
        let granted =
            if self.granted { BTreeSet::from(["keyvalue.history".to_owned()]) } else { BTreeSet::new() };
        let call = Arc::new(CallInfo {
            id: "call-1".into(),
            binding: "lab".into(),
            plugin: "lab".into(),
            tool: "tool".into(),
            principal: self.principal.into(),
            roles: Vec::new(),
            session: String::new(),
            client_capabilities: "{}".into(),
            config: Arc::default(),
            granted: Arc::new(granted),
            policy: Arc::new(self.policy),
            limits: CallLimits {
                memory: 1 << 20,
                cpu: Duration::from_secs(1),
                timeout,
                result: 1 << 20,
                response: 1 << 20,
            },
            deadline: Instant::now() + timeout,
            cancel: Default::default(),
            log: LogGate::new(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::default(),
            jobs: Default::default(),
            secrets: Default::default(),
        });
        Caller { session: binding.session(&call), call }
    }
}

/// A call that is going on.
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
}

impl Caller {
    pub fn open(&self) -> Bucket {
        self.session.open("keyvalue.history").unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The code that the guest gets when it opens the bucket.
    pub fn refused(&self) -> &'static str {
        match self.session.open("keyvalue.history") {
            Ok(_) => panic!("it is opened"),
            Err(failure) => failure.guest().code,
        }
    }
}

/// The code of a failure.
pub fn code<T>(done: Result<T, Failure>) -> &'static str {
    match done {
        Ok(_) => "ok",
        Err(failure) => failure.guest().code,
    }
}

pub async fn set(bucket: &Bucket, key: &str, value: &str) -> Result<u64, Failure> {
    bucket.set(key.to_owned(), value.into(), None).await
}

pub async fn text(bucket: &Bucket, key: &str) -> Option<String> {
    let found = bucket.get(key).await.unwrap_or_else(|failure| panic!("{failure}"));
    found.map(|found| String::from_utf8(found.value).expect("text"))
}

pub async fn keys(bucket: &Bucket, prefix: &str) -> Vec<String> {
    let listed = bucket.list(prefix, None, 1000, false).await.unwrap_or_else(|failure| panic!("{failure}"));
    listed.entries.into_iter().map(|Found { key, .. }| key).collect()
}

pub fn put(key: &str, value: &str) -> Write {
    use fleetgate_core::store::Condition;
    Write { key: key.into(), when: Condition::Any, value: Some((value.into(), None)) }
}
