//! How a job begins: as the call of a client that can take a job instead of a result, or because a plugin submits it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::bounds::Wanted;
use super::descent::Descent;
use super::drive::{Started, drive};
use super::engine::Jobs;
use super::job::{Job, Status};
use super::observer::JobObserver;
use super::record::{Record, now_ms, record_key};
use super::table::{Entry, Live, Waiting, Why};
use crate::call::{
    Answered, End, Looked, Refused, ToolCall, call_tool, check, ended_at_once, new_job_id, new_reference,
};
use crate::catalog::{Catalog, FoundTool, Guarded};
use crate::domain::Fault;
use crate::manifest::TaskMode;
use crate::sandbox::Permit;
use crate::secret_arguments::Arguments;
use crate::settings::MIN_TTL;
use crate::store::{Batch, StoreError};

/// How long a tool that asks first is waited for.
const FIRST_QUESTION: Duration = Duration::from_secs(2);

/// What a plugin says of a job that it submits, beside tool and arguments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wish {
    /// How long it is kept, from its creation. None: as the operator says.
    pub ttl: Option<Duration>,
    /// [`Job::attributes`]
    pub attributes: Option<Map<String, Value>>,
}

/// Who begins a job.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A client, who is promised a task.
    Client,
    /// A plugin, in a call that stands here.
    Plugin(Descent),
}

/// A call that may become a job.
#[derive(Debug)]
pub enum Begun {
    /// It ended at once, with a result, a fault or a question, and there never was a job.
    Ended(Answered),
    /// It goes on in the background, and is kept.
    Job(Job),
}

impl Jobs {
    /// Runs a call of a client that can take a job instead of a result. A tool that may run as a task becomes one at
    /// once; any other is called like any other.
    ///
    /// A tool that says `asks_first` in its manifest is waited for a moment when it is called without answers: a
    /// question goes to the client as the answer of this very call, and nothing is kept. MCP wants such questions
    /// settled before there is a task (SEP-2663, "Task Creation"). The call that goes on with the answers is a job at
    /// once.
    pub async fn begin(self: &Arc<Self>, catalog: &Catalog, call: ToolCall) -> Result<Begun, Refused> {
        let principal = &call.context.principal;
        let found = catalog
            .find_tool(&call.context.scope, &call.tool)
            .filter(|found| found.tool.task != TaskMode::Never && found.allows(principal));
        let Some(found) = found else {
            return call_tool(catalog, &self.audit, call).await.map(Begun::Ended);
        };
        if found.tool.asks_first && call.answers.is_none() {
            return self.begin_with_a_question(found, call).await;
        }
        let (principal, arguments) = (principal.name().to_owned(), call.arguments.clone());
        match self.submit(found.clone(), call, Wish::default(), Origin::Client).await {
            Ok(job) => Ok(Begun::Job(job)),
            Err(fault) => {
                let ended = ended_at_once(&self.audit, &found, (&principal, &arguments), None, fault);
                Ok(Begun::Ended(ended))
            }
        }
    }

    async fn begin_with_a_question(
        self: &Arc<Self>,
        found: FoundTool,
        call: ToolCall,
    ) -> Result<Begun, Refused> {
        let (waiting, mut answer) = oneshot::channel();
        let started = match self.admit(&found, &call, Wish::default(), &Origin::Client, Some(waiting)) {
            Ok(admitted) => {
                self.forget(&admitted.forgotten).await;
                admitted.started(call, Origin::Client)
            }
            Err(fault) => {
                let who = (call.context.principal.name(), &call.arguments);
                return Ok(Begun::Ended(ended_at_once(&self.audit, &found, who, None, fault)));
            }
        };
        let (id, client) = (started.id.clone(), started.client.clone());
        let mut abandoned = Abandoned { jobs: self, id: id.clone(), armed: true };
        self.tasks.spawn(drive(self.clone(), started.started));
        tokio::select! {
            biased;
            ended = &mut answer => return received(&found, ended),
            () = client.cancelled() => {
                self.stop_one(&id, Why::Asked);
                return received(&found, answer.await);
            }
            () = tokio::time::sleep(FIRST_QUESTION) => {}
        }
        match self.promote(&id, &found).await {
            Ok(Some(job)) => {
                abandoned.armed = false;
                return Ok(Begun::Job(job));
            }
            Ok(None) => {}
            // Nobody knows of a job yet, so it is a call like any other.
            Err(error) => {
                tracing::error!(%error, "a job cannot be recorded; its client waits for the result")
            }
        }
        tokio::select! {
            biased;
            ended = &mut answer => received(&found, ended),
            () = client.cancelled() => {
                self.stop_one(&id, Why::Asked);
                received(&found, answer.await)
            }
        }
    }

    /// Begins a job that nobody waits for. Answers once it is recorded.
    pub(super) async fn submit(
        self: &Arc<Self>,
        found: FoundTool,
        mut call: ToolCall,
        wish: Wish,
        origin: Origin,
    ) -> Result<Job, Fault> {
        let jobs = self.clone();
        // Recording and beginning belong together, whether or not somebody still waits for the answer.
        let begun = tokio::spawn(async move {
            let Looked { recorded, arguments, right } = check(&found, &call.arguments).await;
            right?;
            if let Some(arguments) = arguments {
                call.arguments = arguments;
            }
            let admitted = jobs.admit(&found, &call, wish, &origin, None)?;
            jobs.forget(&admitted.forgotten).await;
            let id = admitted.id.clone();
            let hash = jobs.hash(&found, &call.arguments);
            let job = jobs.record(&id, recorded, hash).await.map_err(|error| {
                tracing::error!(%error, "a job was refused because it cannot be recorded");
                jobs.table().jobs.remove(&id);
                Fault::new("unavailable", "the job cannot be recorded now").retryable()
            })?;
            jobs.tasks.spawn(drive(jobs.clone(), admitted.started(call, origin).started));
            Ok(job)
        });
        begun.await.unwrap_or_else(|_| Err(Fault::new("internal", "the host failed to begin the job")))
    }

    fn admit(
        &self,
        found: &FoundTool,
        call: &ToolCall,
        wish: Wish,
        origin: &Origin,
        waiting: Option<Waiting>,
    ) -> Result<Admitted, Fault> {
        let permit = self.turns(found).try_acquire();
        let principal = &call.context.principal;
        let tool = &found.tool;
        // What is kept for less than its tool may run would be gone before it ends.
        let least = MIN_TTL + tool.limits.timeout;
        let ttl = wish.ttl.unwrap_or(self.settings.ttl).clamp(MIN_TTL, self.settings.max_ttl).max(least);
        let created_ms = now_ms();
        let record = Record {
            id: new_job_id(),
            binding: found.binding.name.clone(),
            tool: tool.own_name.clone(),
            principal: principal.name().into(),
            plugin: found.binding.plugin.digest.to_string(),
            status: if permit.is_some() { Status::Working } else { Status::Queued },
            message: None,
            created_ms,
            updated_ms: created_ms,
            ttl_ms: ttl.as_millis().try_into().unwrap_or(u64::MAX),
            harmless: tool.policy.read_only || tool.idempotent,
            submitted: matches!(origin, Origin::Plugin(_)),
            arguments: Map::new(),
            arguments_hash: String::new(),
            reference: None,
            fault: None,
            attributes: wish.attributes,
            result_bytes: 0,
        };
        let live = Live {
            found: found.clone(),
            arguments: call.arguments.clone(),
            cancel: CancellationToken::new(),
            why: None,
            observer: JobObserver::new(call.context.observer.clone(), waiting.is_some()),
            waiting,
            recorded: false,
            asking: None,
            keys: Default::default(),
        };
        let id = record.id.clone();
        let mut admitted = Admitted {
            id: id.clone(),
            found: found.clone(),
            arguments: live.arguments.clone(),
            cancel: live.cancel.clone(),
            observer: live.observer.clone(),
            permit,
            forgotten: None,
        };
        let mut table = self.table();
        let wanted = Wanted {
            principal: principal.name(),
            binding: &found.binding.name,
            waits: admitted.permit.is_none(),
        };
        admitted.forgotten = table.admit(&self.settings, &wanted)?;
        table.jobs.insert(id, Entry::new(record, Some(live)));
        Ok(admitted)
    }

    /// Nothing that somebody could guess a secret argument with.
    fn hash(&self, found: &FoundTool, arguments: &Arguments) -> String {
        arguments.hashable(&found.tool.secret).map(|text| self.audit.hash(&text)).unwrap_or_default()
    }

    /// Records a job whose client does not wait any longer. None: it ended meanwhile, and its answer is under way.
    async fn promote(&self, id: &Arc<str>, found: &FoundTool) -> Result<Option<Job>, StoreError> {
        let arguments =
            self.table().jobs.get(id).and_then(|entry| Some(entry.live.as_ref()?.arguments.clone()));
        let Some(arguments) = arguments else { return Ok(None) };
        let Looked { recorded, arguments: settled, .. } = check(found, &arguments).await;
        let hash = self.hash(found, &settled.unwrap_or(arguments));
        let job = self.record_as(id, recorded, hash).await?;
        if job.is_none() {
            let batch = Batch::new().delete(record_key(id));
            if let Err(error) = self.store.write(&self.space, batch).await {
                tracing::error!(%error, job = %id, "a job that was answered at once is still recorded");
            }
        }
        Ok(job)
    }
}

/// A job that has its place.
struct Admitted {
    id: Arc<str>,
    found: FoundTool,
    arguments: Arguments,
    cancel: CancellationToken,
    observer: Arc<JobObserver>,
    permit: Option<Permit>,
    /// The job that made room for it.
    forgotten: Option<Arc<str>>,
}

struct Ready {
    started: Started,
    /// Trips when the client gives up.
    client: CancellationToken,
    id: Arc<str>,
}

impl Admitted {
    fn started(self, call: ToolCall, origin: Origin) -> Ready {
        let context = call.context;
        let id = self.id.clone();
        let started = Started {
            id: self.id,
            found: self.found,
            principal: context.principal,
            session: context.session,
            client_capabilities: context.client_capabilities,
            arguments: self.arguments,
            answers: call.answers,
            observer: self.observer,
            cancel: self.cancel,
            descent: match origin {
                Origin::Client => Descent::default(),
                Origin::Plugin(descent) => descent,
            },
            begun: false,
            permit: self.permit,
        };
        Ready { started, client: context.cancel, id }
    }
}

/// Stops a job of which nobody will ever hear: whoever called went away before there was an answer.
struct Abandoned<'a> {
    jobs: &'a Jobs,
    id: Arc<str>,
    armed: bool,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        if let Some(live) = self.jobs.table().jobs.get_mut(&self.id).and_then(|entry| entry.live.as_mut()) {
            live.waiting = None;
            live.stop(Why::Asked);
        }
    }
}

/// The answer of a call that never became a job.
fn received(
    found: &FoundTool,
    ended: Result<Result<Answered, Refused>, oneshot::error::RecvError>,
) -> Result<Begun, Refused> {
    ended
        .unwrap_or_else(|_| {
            let fault = Fault::new("internal", "the host failed in this call");
            Ok(Answered {
                reference: new_reference(),
                binding: found.binding.name.clone(),
                end: End::Fault(fault),
            })
        })
        .map(Begun::Ended)
}
