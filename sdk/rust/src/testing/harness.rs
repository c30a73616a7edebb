//! The host's part in a test.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::listening::Brokers;
use super::policy::{self, Policy};
use super::store::Store;
use super::{Broker, Device, Jobs, Published, Request, Response, Submitted, Visit};
use crate::keyvalue::KeyValueError;
use crate::mqtt::Message;
use crate::{Answers, Event, Fault, Plugin, ToolResult, plugin};

/// A line that the tool logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// `debug`, `info`, `notice`, `warning`, `error`.
    pub level: String,
    /// The line.
    pub message: String,
    /// What came with it.
    pub data: Option<Value>,
}

/// A report of the tool's.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How far.
    pub done: f64,
    /// Of how much.
    pub total: Option<f64>,
    /// What is going on.
    pub message: Option<String>,
}

type Responder = Box<dyn Fn(&Request) -> Response>;

/// Everything that an import can ask for, and everything that it leaves behind.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) principal: RefCell<String>,
    pub(crate) roles: RefCell<Vec<String>>,
    pub(crate) session: RefCell<String>,
    pub(crate) binding: RefCell<String>,
    pub(crate) client_capabilities: RefCell<Option<Value>>,
    pub(crate) deadline: Cell<Option<Duration>>,
    pub(crate) cancelled: Cell<bool>,
    pub(crate) config: RefCell<BTreeMap<String, String>>,
    pub(crate) granted: RefCell<BTreeSet<String>>,
    pub(crate) answers: RefCell<Answers>,
    pub(crate) job: RefCell<Option<String>>,
    pub(crate) jobs: Jobs,
    pub(crate) devices: RefCell<BTreeMap<String, Device>>,
    pub(crate) visits: RefCell<Vec<Visit>>,
    pub(crate) store: Store,
    pub(crate) mqtt: Brokers,
    pub(crate) policy: RefCell<Policy>,
    may: RefCell<Vec<String>>,
    /// None: the time is what it is.
    begins: Cell<Option<SystemTime>>,
    passed: Cell<Duration>,
    responder: RefCell<Option<Rc<Responder>>>,
    requests: RefCell<Vec<Request>>,
    pub(crate) logs: RefCell<Vec<Log>>,
    pub(crate) progress: RefCell<Vec<Progress>>,
    pub(crate) changes: RefCell<Vec<String>>,
    pub(crate) slept: Cell<Duration>,
}

impl State {
    pub(crate) fn answer(&self, request: Request) -> Response {
        self.requests.borrow_mut().push(request.clone());
        if request.upstream().is_some_and(|name| !self.granted.borrow().contains(&format!("http.{name}"))) {
            return Response::fails(super::Failure::Denied);
        }
        if let Some(name) = request.upstream() {
            let (capability, policy) = (format!("http.{name}"), self.policy.borrow());
            let safe = ["GET", "HEAD", "OPTIONS"].contains(&request.method());
            if !safe && policy.reach(&capability).is_none() && !policy.may_act(&capability, "write") {
                return Response::fails(super::Failure::Denied);
            }
        }
        // Cloned, so that a responder may look at the harness.
        let responder = self.responder.borrow().clone();
        match responder {
            Some(responder) => responder(&request),
            None => Response::fails(super::Failure::Denied),
        }
    }

    /// The time by the host's clock, in Unix milliseconds: what was slept has passed.
    pub(crate) fn now_ms(&self) -> u64 {
        let now = self.begins.get().unwrap_or_else(SystemTime::now) + self.slept.get() + self.passed.get();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// 30 s when the test says nothing, which is also the host's default.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.get().unwrap_or(Duration::from_secs(30)).saturating_sub(self.slept.get())
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<State>>> = const { RefCell::new(None) };
}

pub(crate) fn current() -> Option<Rc<State>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Cancels the call that runs on this thread's harness, as a client that gives up does. For responders.
pub fn cancel() {
    if let Some(state) = current() {
        state.cancelled.set(true);
    }
}

/// Plays the host. See the [module](super).
#[derive(Default)]
pub struct Harness {
    state: Rc<State>,
}

impl Harness {
    /// Nobody calls, nothing is configured or granted, every request is denied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Who calls.
    #[must_use]
    pub fn principal(self, name: &str) -> Self {
        self.state.principal.replace(name.to_owned());
        self
    }

    /// The roles that the caller holds.
    #[must_use]
    pub fn roles<R: Into<String>>(self, roles: impl IntoIterator<Item = R>) -> Self {
        self.state.roles.replace(roles.into_iter().map(Into::into).collect());
        self
    }

    /// The session's key.
    #[must_use]
    pub fn session(self, key: &str) -> Self {
        self.state.session.replace(key.to_owned());
        self
    }

    /// The name of the binding.
    #[must_use]
    pub fn binding(self, name: &str) -> Self {
        self.state.binding.replace(name.to_owned());
        self
    }

    /// What the client can do.
    #[must_use]
    pub fn client_capabilities(self, capabilities: Value) -> Self {
        self.state.client_capabilities.replace(Some(capabilities));
        self
    }

    /// How long the call has. [`crate::call::sleep`] uses it up without waiting.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        self.state.deadline.set(Some(deadline));
        self
    }

    /// The call is cancelled from the beginning. See also [`cancel`].
    #[must_use]
    pub fn cancelled(self) -> Self {
        self.state.cancelled.set(true);
        self
    }

    /// The call runs in the job of this id.
    #[must_use]
    pub fn job(self, id: &str) -> Self {
        self.state.job.replace(Some(id.to_owned()));
        self
    }

    /// A setting, as the host writes it: a duration as `500ms`, a list as JSON.
    #[must_use]
    pub fn config(self, key: &str, value: impl ToString) -> Self {
        self.state.config.borrow_mut().insert(key.to_owned(), value.to_string());
        self
    }

    /// A capability is granted (`http.api`).
    #[must_use]
    pub fn granted(self, name: &str) -> Self {
        self.state.granted.borrow_mut().insert(name.to_owned());
        self
    }

    /// An answer to a question that was asked before. `value` as MCP defines it for that kind (for a form:
    /// `{"action": "accept", "content": {…}}`).
    #[must_use]
    pub fn answer(self, key: &str, value: Value) -> Self {
        self.state.answers.borrow_mut().items.push((key.to_owned(), value));
        self
    }

    /// A form filled in.
    #[must_use]
    pub fn accept(self, key: &str, content: Value) -> Self {
        self.answer(key, json!({ "action": "accept", "content": content }))
    }

    /// The state of the question that was asked before.
    #[must_use]
    pub fn answered_state(self, state: Option<Vec<u8>>) -> Self {
        self.state.answers.borrow_mut().state = state;
        self
    }

    /// Answers every HTTP request to a granted upstream or a fixed URL.
    #[must_use]
    pub fn respond(self, responder: impl Fn(&Request) -> Response + 'static) -> Self {
        self.state.responder.replace(Some(Rc::new(Box::new(responder))));
        self
    }

    /// A device at this name or address, on every port. `ssh.<name>` must be granted too.
    #[must_use]
    pub fn device(self, host: &str, device: Device) -> Self {
        self.state.devices.borrow_mut().insert(host.to_owned(), device);
        self
    }

    /// A broker with what the grant says of it. `mqtt.<name>` must be granted too.
    #[must_use]
    pub fn broker(self, capability: &str, broker: Broker) -> Self {
        self.state.mqtt.brokers.borrow_mut().insert(capability.to_owned(), broker);
        self
    }

    /// A bucket is of scope `shared`. Others have a part for each principal.
    #[must_use]
    pub fn shared(self, capability: &str) -> Self {
        self.state.store.shared.borrow_mut().insert(capability.to_owned());
        self
    }

    /// How much a bucket's part may hold. Without it: as much as there is.
    #[must_use]
    pub fn quota(self, capability: &str, bytes: u64, entries: u64) -> Self {
        self.state.store.quotas.borrow_mut().insert(capability.to_owned(), (bytes, entries));
        self
    }

    /// What a handler of events may change: `mqtt.broker:publish`, `http.api:write`, `ssh.devices`.
    #[must_use]
    pub fn may(self, act: &str) -> Self {
        self.state.may.borrow_mut().push(act.to_owned());
        self
    }

    /// The call may change nothing. Tools that say `read_only` are called so by [`call`](super::call) without this.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.state.policy.replace(Policy::reading());
        self
    }

    /// The host's clock begins here. Without it: it is now.
    #[must_use]
    pub fn begins(self, time: SystemTime) -> Self {
        self.state.begins.set(Some(time));
        self
    }

    /// Time passes by the host's clock; no call waits for it.
    pub fn passes(&self, time: Duration) {
        self.state.passed.set(self.state.passed.get() + time);
    }

    /// From now on a bucket cannot be used: everything fails with this. None: it can be used again.
    pub fn break_bucket(&self, capability: &str, failure: Option<KeyValueError>) {
        let mut failures = self.state.store.failures.borrow_mut();
        match failure {
            Some(failure) => drop(failures.insert(capability.to_owned(), failure)),
            None => drop(failures.remove(capability)),
        }
    }

    /// Somebody publishes a message now: who listens hears it.
    pub fn says(&self, capability: &str, message: Message) {
        self.state.says(capability, Duration::ZERO, message);
    }

    /// Says how each job ends, at the moment when it is submitted. `None`: it goes on until [`Self::end_job`].
    #[must_use]
    pub fn run_jobs(self, runs: impl Fn(&Submitted) -> Option<Result<ToolResult, Fault>> + 'static) -> Self {
        self.state.jobs.runs(Rc::new(runs));
        self
    }

    /// Refuses every job that is submitted.
    #[must_use]
    pub fn refuse_jobs(self, fault: Fault) -> Self {
        self.state.jobs.refuse(fault);
        self
    }

    /// Ends a job that the plugin submitted before. What it submits is kept, and runs nowhere.
    ///
    /// # Panics
    /// When there is none of this id.
    #[track_caller]
    pub fn end_job(&self, id: &str, end: Result<ToolResult, Fault>) {
        self.state.jobs.end(id, end).expect("the job was submitted before");
    }

    /// The jobs that were submitted so far.
    #[must_use]
    pub fn submitted(&self) -> Vec<Submitted> {
        self.state.jobs.submitted()
    }

    /// Runs it with this host. May be called several times; what is recorded adds up.
    pub fn run<T>(&self, test: impl FnOnce() -> T) -> T {
        struct Restore(Option<Rc<State>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.replace(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(Rc::clone(&self.state))));
        test()
    }

    /// Runs it as somebody else calls, with all else as it is.
    pub fn run_as<T>(&self, principal: &str, test: impl FnOnce() -> T) -> T {
        struct Restore<'a>(&'a State, String);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.principal.replace(std::mem::take(&mut self.1));
            }
        }
        let _restore = Restore(&self.state, self.state.principal.replace(principal.to_owned()));
        self.run(test)
    }

    /// Brings events to the plugin's handler as the host does: nobody calls, and what it may change stands in
    /// [`Self::may`].
    ///
    /// # Panics
    /// When the handler does not answer for each event; the host takes all of them as failed then.
    #[track_caller]
    pub fn deliver<P: Plugin>(&self, batch: Vec<Event>) -> Vec<Result<(), Fault>> {
        let events = batch.len();
        let (roles, session) = (self.state.roles.take(), self.state.session.take());
        let handled = self.run_as("", || {
            let _policy = policy::under(Policy::handling(self.state.may.borrow().clone()));
            plugin::handle_events::<P>(batch)
        });
        self.state.roles.replace(roles);
        self.state.session.replace(session);
        assert_eq!(handled.len(), events, "the handler answers for each event");
        handled
    }

    /// The messages that were published so far.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        self.state.mqtt.published.borrow().clone()
    }

    /// The filters that are listened to now.
    #[must_use]
    pub fn listened(&self) -> Vec<String> {
        self.state.mqtt.listened()
    }

    /// The HTTP requests so far, those that were denied too.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.borrow().clone()
    }

    /// What was done on devices so far: one for each time that the plugin connected to one.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        self.state.visits.borrow().clone()
    }

    /// What was logged so far.
    #[must_use]
    pub fn logs(&self) -> Vec<Log> {
        self.state.logs.borrow().clone()
    }

    /// The reports of progress so far.
    #[must_use]
    pub fn progress(&self) -> Vec<Progress> {
        self.state.progress.borrow().clone()
    }

    /// What was announced so far: `tools`, `prompts`, `resources`, or the URI of a resource.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        self.state.changes.borrow().clone()
    }

    /// How long the tool would have waited in [`crate::call::sleep`] and for devices and
    /// brokers.
    #[must_use]
    pub fn slept(&self) -> Duration {
        self.state.slept.get()
    }
}
