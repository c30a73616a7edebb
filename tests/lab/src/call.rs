//! Calls that no guest makes.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleetgate_core::abi::log::LogGate;
use fleetgate_core::capability::Reach;
use fleetgate_core::sandbox::{CallInfo, CallLimits, CallPolicy, Nobody, Used};
use fleetgate_core::secret_arguments::Vault;

use crate::{Binding, Subject};

/// One call to be made. As it begins: ann's, who has a minute, and may do what is granted.
pub struct Call<S> {
    granted: BTreeSet<String>,
    principal: String,
    policy: CallPolicy,
    timeout: Duration,
    response: u64,
    secrets: Vault,
    subject: PhantomData<S>,
}

impl<S: Subject> Default for Call<S> {
    fn default() -> Self {
        Self::granted([S::CAPABILITY.to_owned()])
    }
}

impl<S: Subject> Call<S> {
    /// A call that may use these: `http.api`.
    pub(crate) fn granted(granted: impl IntoIterator<Item = String>) -> Self {
        Self {
            granted: granted.into_iter().collect(),
            principal: "ann".to_owned(),
            policy: CallPolicy::default(),
            timeout: Duration::from_secs(60),
            response: 1 << 20,
            secrets: Vault::default(),
            subject: PhantomData,
        }
    }

    /// Of a plugin to which nothing is granted.
    pub fn without_grants(mut self) -> Self {
        self.granted.clear();
        self
    }

    /// Of somebody else.
    pub fn by(mut self, principal: &str) -> Self {
        principal.clone_into(&mut self.principal);
        self
    }

    /// Its tool changes nothing.
    pub fn read_only(mut self) -> Self {
        self.policy.read_only = true;
        self
    }

    /// Nobody makes it: it handles the events of this grant.
    pub fn handling(mut self, grant: &str) -> Self {
        self.policy.handler = Some(grant.to_owned());
        self.by("").read_only()
    }

    /// Its tool does no more than that with what the tests are about.
    pub fn reaching(mut self, reach: Arc<dyn Reach>) -> Self {
        self.policy.reach.insert(S::CAPABILITY.to_owned(), reach);
        self
    }

    /// How long it may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How much one answer from the network may have, in bytes.
    pub fn response(mut self, bytes: u64) -> Self {
        self.response = bytes;
        self
    }

    /// With secret arguments of these values; their placeholders come back.
    pub fn with_secrets<const N: usize>(mut self, values: [&str; N]) -> (Self, [String; N]) {
        let placeholders;
        (self.secrets, placeholders) = Vault::for_tests(values);
        (self, placeholders.try_into().expect("one for each"))
    }

    /// Begins it.
    pub fn to(self, binding: &Binding<S>) -> S::Caller {
        S::caller(binding, Arc::new(self.info()))
    }

    fn info(self) -> CallInfo {
        CallInfo {
            id: "call-1".into(),
            binding: "lab".into(),
            plugin: "lab".into(),
            tool: "tool".into(),
            principal: self.principal.into(),
            roles: Vec::new(),
            session: String::new(),
            client_capabilities: "{}".into(),
            config: Arc::default(),
            granted: Arc::new(self.granted),
            policy: Arc::new(self.policy),
            limits: CallLimits {
                memory: 1 << 20,
                cpu: Duration::from_secs(1),
                timeout: self.timeout,
                result: 1 << 20,
                response: self.response,
            },
            deadline: Instant::now() + self.timeout,
            cancel: Default::default(),
            log: LogGate::new(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::hiding(self.secrets.mask().cloned()),
            jobs: Default::default(),
            secrets: self.secrets,
        }
    }
}
