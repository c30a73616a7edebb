//! Tools in the background: the same corridor, for a tool that was found before.

use std::sync::Arc;
use std::time::Instant;

use super::ledger::Ledger;
use super::passage::{Looked, Passage};
use super::reference::new_reference;
use super::{Answered, End, Refused, ToolCall, corridor, heavy, tools};
use crate::audit::Audit;
use crate::catalog::FoundTool;
use crate::domain::Fault;
use crate::jobs::Descent;
use crate::sandbox::Permit;
use crate::secret_arguments::Arguments;

/// What a call in the background brings along.
pub(crate) struct AsJob {
    pub(crate) id: Arc<str>,
    pub(crate) descent: Descent,
    /// Of the jobs' own, not of the calls'.
    pub(crate) permit: Permit,
}

/// Runs a job. Its time limit counts from here.
pub(crate) async fn run_job(
    audit: &Arc<dyn Audit>,
    found: &FoundTool,
    call: ToolCall,
    job: AsJob,
) -> Result<Answered, Refused> {
    let place = corridor::Place::Job(job);
    corridor::walk(audit, found, call, place, new_reference(), Instant::now()).await
}

/// A call that ends before it begins, recorded as any other.
pub(crate) fn ended_at_once(
    audit: &Arc<dyn Audit>,
    found: &FoundTool,
    (principal, arguments): (&str, &Arguments),
    job: Option<&str>,
    fault: Fault,
) -> Answered {
    let mut ledger = Ledger::open(
        audit,
        (principal, arguments.hashable(&found.tool.secret).as_deref()),
        &found.binding,
        found.tool.own_name.to_string(),
        &new_reference(),
        Instant::now(),
    );
    ledger.intent.job = job.map(str::to_owned);
    ledger.close(End::Fault(fault), ToolCall::is_error)
}

/// What of a call's arguments may be recorded, and whether they are right: for what is kept of a job, which holds its
/// arguments only while it runs.
pub(crate) async fn check(found: &FoundTool, arguments: &Arguments) -> Looked {
    let deadline = Instant::now() + found.tool.limits.timeout;
    let (tool, arguments) = (found.tool.clone(), arguments.clone());
    let size = arguments.as_str().len();
    heavy::over(size, deadline, move || tools::look(&tool, arguments))
        .await
        .unwrap_or_else(|fault| Err(fault).into())
}
