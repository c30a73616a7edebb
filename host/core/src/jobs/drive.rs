//! The life of one job: its turn, its runs, its questions, its end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::descent::Descent;
use super::engine::Jobs;
use super::table::GoOn;
use crate::asking;
use crate::call::{AsJob, CallContext, End, Refused, ToolCall, ended_at_once, run_job};
use crate::catalog::{FoundTool, Guarded, Scope};
use crate::domain::{Answers, Fault, ToolResult};
use crate::principal::Principal;
use crate::sandbox::{Observer, Permit};
use crate::secret_arguments::Arguments;

/// The most questions of one job.
const ROUNDS: usize = 64;

/// A job that is ready to run.
pub(super) struct Started {
    pub(super) id: Arc<str>,
    pub(super) found: FoundTool,
    pub(super) principal: Principal,
    pub(super) session: String,
    pub(super) client_capabilities: Arc<str>,
    /// The secret ones are here and nowhere else.
    pub(super) arguments: Arguments,
    pub(super) answers: Option<Answers>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) cancel: CancellationToken,
    pub(super) descent: Descent,
    /// The guest ran already, and goes on with answers.
    pub(super) begun: bool,
    /// Its turn, where it came at once.
    pub(super) permit: Option<Permit>,
}

/// How a job ends.
pub(super) enum Over {
    Completed(ToolResult),
    Failed(Fault),
    Cancelled,
}

/// Runs a job to its end, whatever that is.
pub(super) async fn drive(jobs: Arc<Jobs>, mut job: Started) {
    let capabilities = serde_json::from_str(&job.client_capabilities).unwrap_or_default();
    for _ in 0..ROUNDS {
        let permit = match job.permit.take() {
            Some(permit) => permit,
            None => tokio::select! {
                biased;
                () = job.cancel.cancelled() => {
                    let fault = Fault::new("cancelled", "the call was cancelled before its turn came");
                    return job.never_ran(&jobs, fault, Over::Cancelled).await;
                }
                permit = jobs.turn(&job.found) => permit,
            },
        };
        if let Err(fault) = job.look_again(&jobs) {
            return job.never_ran(&jobs, fault.clone(), Over::Failed(fault)).await;
        }
        jobs.working(&job.id).await;
        let pass = AsJob { id: job.id.clone(), descent: job.descent.clone(), permit };
        let call = job.call();
        let ended = run_job(&jobs.audit, &job.found, call, pass).await;
        let Some(ended) = jobs.hand_over(&job.id, ended) else { return };
        let answered = match ended {
            Ok(answered) => answered,
            Err(refused) => return jobs.end(&job.id, Over::Failed(refusal(&refused)), None).await,
        };
        let reference = Some(answered.reference);
        let question = match answered.end {
            End::Done(result) => return jobs.end(&job.id, Over::Completed(result), reference).await,
            // Whatever a guest says of being stopped: it was stopped.
            End::Fault(_) if job.cancel.is_cancelled() => {
                return jobs.end(&job.id, Over::Cancelled, reference).await;
            }
            End::Fault(fault) => return jobs.end(&job.id, Over::Failed(fault), reference).await,
            End::Ask(question) => question,
        };
        // Nobody would ever answer it.
        if !asking::knows_tasks(&capabilities) {
            let fault = Fault::new(
                "unavailable",
                "this needs an answer of the client, and the client that began it knows no tasks, so that it cannot \
                 answer what runs in the background",
            );
            return jobs.end(&job.id, Over::Failed(fault), reference).await;
        }
        if asking::undeclared(&question.requests, &capabilities).is_some() {
            let fault =
                Fault::new("unavailable", "this needs an answer that the client did not say it can give");
            return jobs.end(&job.id, Over::Failed(fault), reference).await;
        }
        let Some(answered) = jobs.ask(&job.id, question, reference).await else { return };
        let GoOn { principal, answers } = tokio::select! {
            biased;
            () = job.cancel.cancelled() => return jobs.end(&job.id, Over::Cancelled, None).await,
            // The sender goes with the job.
            answered = answered => match answered {
                Ok(go_on) => go_on,
                Err(_) => return jobs.end(&job.id, Over::Cancelled, None).await,
            },
        };
        (job.principal, job.answers, job.begun) = (principal, Some(answers), true);
    }
    let fault = Fault::new("limit", format!("the tool asked more than {ROUNDS} times"));
    jobs.end(&job.id, Over::Failed(fault), None).await;
}

impl Started {
    /// It ends before its turn came, or is not let in. That is recorded, as every end of a call is.
    async fn never_ran(self, jobs: &Jobs, fault: Fault, over: Over) {
        let who = (self.principal.name(), &self.arguments);
        let ended = ended_at_once(&jobs.audit, &self.found, who, Some(&self.id), fault);
        let reference = Some(ended.reference.clone());
        if jobs.hand_over(&self.id, Ok(ended)).is_some() {
            jobs.end(&self.id, over, reference).await;
        }
    }

    /// What was taken away since the job was begun, or since its guest asked something, is not used any more: what
    /// the operator gives at this moment holds for each run.
    ///
    /// A job keeps the version of its plugin, whose tool its arguments were checked for. That version has the grants of
    /// its time, so it runs on while the operator gives its binding the same; where that is not so, it ends. Who began it,
    /// or answered last, needs the role that the tool requires now, and must hold it now.
    fn look_again(&mut self, jobs: &Jobs) -> Result<(), Fault> {
        self.principal = jobs.holding(&self.principal);
        let (binding, tool) = (&self.found.binding, &self.found.tool.own_name);
        let live = jobs.live_tool(&binding.name, tool).filter(|live| live.allows(&self.principal));
        let Some(live) = live else {
            return Err(Fault::new("denied", "what this job was to do is not allowed any more"));
        };
        let same_version = live.binding.plugin.digest == binding.plugin.digest;
        if !same_version && live.binding.is_given_as(binding) {
            return Ok(());
        }
        if !same_version {
            let message = "the plugin was replaced and its grants changed while this job waited";
            let fault = Fault::new("interrupted", message);
            return Err(if self.begun { fault } else { fault.retryable() });
        }
        self.found = live;
        Ok(())
    }

    fn call(&mut self) -> ToolCall {
        ToolCall {
            context: CallContext {
                principal: self.principal.clone(),
                scope: Scope::Binding(self.found.binding.name.clone()),
                session: self.session.clone(),
                client_capabilities: self.client_capabilities.clone(),
                cancel: self.cancel.clone(),
                observer: self.observer.clone(),
            },
            tool: self.found.tool.own_name.to_string(),
            arguments: self.arguments.clone(),
            answers: self.answers.take(),
        }
    }
}

/// A run that was not let in: the role is gone since the job began, or the audit log cannot be written.
fn refusal(refused: &Refused) -> Fault {
    match refused {
        Refused::Unrecorded { .. } => Fault::new("unavailable", refused.to_string()).retryable(),
        Refused::Unknown { .. } | Refused::Forbidden { .. } => Fault::new("denied", refused.to_string()),
    }
}
