//! The host's part in a test.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Device, Jobs, Request, Response, Submitted, Visit};
use crate::{Answers, Fault, ToolResult};

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
        // Cloned, so that a responder may look at the harness.
        let responder = self.responder.borrow().clone();
        match responder {
            Some(responder) => responder(&request),
            None => Response::fails(super::Failure::Denied),
        }
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

    /// How long the tool would have waited in [`crate::call::sleep`] and for devices.
    #[must_use]
    pub fn slept(&self) -> Duration {
        self.state.slept.get()
    }
}
