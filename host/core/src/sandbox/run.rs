//! One run of a guest, from a fresh instance to its answer.
//!
//! The deadline is one timer around the whole run. When it comes, or the client gives up, the run's token trips:
//! every import that waits ends at once, and the guest has a moment to answer for itself. Who asked is told then,
//! while the guest may go on cleaning up for [`GRACE`]; after that its future is dropped.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use wasmtime::component::InstancePre;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline};

use super::info::CallInfo;
use super::lane::{Ended, Metered, SlowLane, Ticked};
use super::limits::{BindingMemory, LimitHit};
use super::pool::Permit;
use super::state::{CallState, MAX_HANDLES};
use super::work::{CallTool, Work};
use crate::abi::v0_1::{Exported, Exports};
use crate::domain::{Answers, Fault, Outcome};

/// How long imports still work for cleaning up, once a call was cancelled or its deadline came.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long the caller waits for the guest's own answer then.
const LAST_WORD: Duration = Duration::from_millis(40);
/// What one host call may carry beside a result of full size.
const HOST_CALL_MARGIN: u64 = 2 << 20;

/// A component that is ready for calls. Cheap to clone.
#[derive(Clone)]
pub struct Guest(Arc<Parts>);

struct Parts {
    pre: InstancePre<CallState>,
    exports: Exports,
    lane: Arc<SlowLane>,
}

/// What one run needs.
pub struct Run {
    /// The call it is for.
    pub call: Arc<CallInfo>,
    /// What all calls of the binding use together.
    pub memory: Arc<BindingMemory>,
    /// Each linked capability's state of this call.
    pub slots: Vec<Box<dyn Any + Send>>,
    /// The right to run.
    pub permit: Permit,
}

/// A run that ended without the guest's own answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunFailed {
    /// It used more memory or table elements than it may.
    #[error("{}", match .0 {
        LimitHit::Memory => "it needed more memory than one call may use",
        LimitHit::BindingMemory => "all calls of this plugin together used up its memory",
        LimitHit::Table => "it needed more table elements than one call may use",
    })]
    Limit(LimitHit),
    /// Its CPU budget is used up.
    #[error("it used up its CPU time")]
    Cpu,
    /// Its deadline came.
    #[error("it took longer than its time limit")]
    Deadline,
    /// The client gave up.
    #[error("it was cancelled")]
    Cancelled,
    /// Its stack is full.
    #[error("it used up its stack")]
    Stack,
    /// It passed or returned more data than it may.
    #[error("it passed or returned more data than allowed")]
    Data,
    /// No slot for its instances is free, although a permit was: the component has many memories or instances.
    #[error("the host has no room for another instance now")]
    Full,
    /// It crashed. The text is for the operator's log.
    #[error("it crashed")]
    Trap(String),
    /// The host's own code failed in this call. The text is for the operator's log.
    #[error("the host failed in this call")]
    Host(String),
}

impl Guest {
    pub(super) fn new(pre: InstancePre<CallState>, lane: Arc<SlowLane>) -> Self {
        let exports = Exports::of(&pre);
        Self(Arc::new(Parts { pre, exports, lane }))
    }

    /// Which interfaces it exports.
    pub fn exports(&self) -> Exported {
        self.0.exports.which()
    }

    /// One call of one tool.
    pub async fn call_tool(
        &self,
        run: Run,
        arguments: String,
        answers: Option<Answers>,
    ) -> Result<Result<Outcome, Fault>, RunFailed> {
        let name = run.call.tool.to_string();
        self.perform(run, CallTool { name, arguments, answers }).await
    }

    /// One function of one export, in a fresh instance.
    pub(crate) async fn perform<W: Work>(
        &self,
        run: Run,
        work: W,
    ) -> Result<Result<W::Done, Fault>, RunFailed> {
        let call = run.call.clone();
        let ticked = Ticked::default();
        // A panic in a host function unwinds through the guest to here, and must end this call alone.
        let instance =
            AssertUnwindSafe(in_instance(self.0.clone(), run, work, ticked.clone())).catch_unwind();
        let mut metered = Metered::new(instance, call.limits.cpu, ticked, call.cancel.clone(), &self.0.lane);

        let gone = tokio::select! {
            biased;
            ended = &mut metered => return answer(ended, RunFailed::Cancelled),
            () = call.cancel.cancelled() => RunFailed::Cancelled,
            () = tokio::time::sleep_until(call.deadline.into()) => RunFailed::Deadline,
        };
        call.cancel.cancel();
        match tokio::time::timeout(LAST_WORD, &mut metered).await {
            Ok(ended) => last_word(answer(ended, gone.clone()), gone),
            Err(_) => {
                tokio::spawn(tokio::time::timeout(GRACE, metered));
                Err(gone)
            }
        }
    }
}

/// A guest cannot tell its deadline from a client that gave up: in both it sees a cancelled call, and says so. The
/// caller is still there after a deadline, and is to hear which of them it was.
fn last_word<T>(
    said: Result<Result<T, Fault>, RunFailed>,
    gone: RunFailed,
) -> Result<Result<T, Fault>, RunFailed> {
    match said {
        Ok(Err(fault)) if fault.code == "cancelled" => Err(gone),
        said => said,
    }
}

/// How the future of a run ends, with the panic of a host function as the outer error.
type Unwound<T> = std::thread::Result<Result<Result<T, Fault>, RunFailed>>;

/// What the end of a metered run means. `gone`: what to say if it was ended for computing after its time.
fn answer<T>(ended: Result<Unwound<T>, Ended>, gone: RunFailed) -> Result<Result<T, Fault>, RunFailed> {
    match ended {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(RunFailed::Host(text.unwrap_or_else(|| "a panic without a message".into())))
        }
        Err(Ended::Budget) => Err(RunFailed::Cpu),
        Err(Ended::Cancelled) => Err(gone),
    }
}

async fn in_instance<W: Work>(
    parts: Arc<Parts>,
    run: Run,
    work: W,
    ticked: Ticked,
) -> Result<Result<W::Done, Fault>, RunFailed> {
    let Run { call, memory, slots, permit } = run;
    let data = call.limits.result.saturating_add(HOST_CALL_MARGIN);
    let mut store = Store::new(parts.pre.engine(), CallState::new(call, memory, slots));
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(usize::try_from(data).unwrap_or(usize::MAX));
    store.set_max_component_handles(MAX_HANDLES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        ticked.set();
        Ok(UpdateDeadline::Yield(1))
    });
    let done = in_store(&parts, &mut store, work).await;
    let ended = done.map_err(|error| explain(&error, store.data().limiter.hit));
    drop(store);
    // The instance's slot is free again; only now may the next call have it.
    drop(permit);
    ended
}

async fn in_store<W: Work>(
    parts: &Parts,
    store: &mut Store<CallState>,
    work: W,
) -> wasmtime::Result<Result<W::Done, Fault>> {
    let instance = parts.pre.instantiate_async(&mut *store).await?;
    work.perform(&parts.exports, store, &instance).await
}

/// Which limit, if any, a trap comes from.
fn explain(error: &wasmtime::Error, hit: Option<LimitHit>) -> RunFailed {
    if let Some(hit) = hit {
        // Guests answer a refused growth by trapping (Rust: an allocation failure aborts).
        return RunFailed::Limit(hit);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return RunFailed::Full;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => RunFailed::Stack,
        Some(_) => RunFailed::Trap(format!("{error:#}")),
        None => {
            let text = format!("{error:#}");
            // wasmtime has no type for it: see `Store::set_hostcall_fuel`.
            if text.contains("fuel allocated for hostcalls has been exhausted") {
                RunFailed::Data
            } else {
                RunFailed::Trap(text)
            }
        }
    }
}
