//! Tasks (MCP extension `io.modelcontextprotocol/tasks`, SEP-2663): the host's jobs, as modern clients see them.
//!
//! A request that declares the extension may get a task instead of a result, where the manifest lets the tool run as
//! one. `tasks/get`, `tasks/update` and `tasks/cancel` are for its owner alone; to everybody else a task is unknown.
//! Clients of before 2026-07-28, and those that do not declare the extension, know no tasks: a tool that may be one
//! runs in the foreground for them, and one that must be one is refused.
//!
//! `failed` is for what would be a JSON-RPC error: a fault of the plugin that is one, and a run that was ended from
//! outside (a crash, a limit, its time, a restart). Whatever else a tool says of its failure is its result, with
//! `isError` ("Error Handling").

use std::sync::{Arc, OnceLock};

use fleetgate_core::call::{Answered, End, Refused, ToolCall};
use fleetgate_core::catalog::Scope;
use fleetgate_core::domain::{Fault, InputRequest, ToolResult};
use fleetgate_core::jobs::{Access, Begun, Job, Jobs, Status};
use fleetgate_core::manifest::TaskMode;
use jiff::Timestamp;
use rmcp::model::{
    CancelTaskParams, ClientCapabilities, CreateTaskResult, DetailedTask, GetTaskParams, GetTaskResult,
    InputRequests, JsonObject, MetaObject, ProtocolVersion, Task, TaskPayload, TaskStatus, UpdateTaskParams,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::caller::Era;
use crate::content::From;
use crate::request::Incoming;
use crate::server::Server;
use crate::view::{Answering, View};
use crate::{asking, content, fault, meta};

/// Whether this request may be answered with a task.
pub(crate) fn declared(context: &RequestContext<RoleServer>) -> bool {
    Era::of(context) == Era::Modern
        && context.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
}

/// The error for a client that does not declare the extension where nothing else will do.
pub(crate) fn undeclared() -> ErrorData {
    ErrorData::missing_required_client_capability(ClientCapabilities::builder().enable_tasks().build())
}

/// The parameters of `subscriptions/listen`, as far as they are about tasks. rmcp does not read them.
#[derive(Deserialize)]
pub(crate) struct Listening {
    notifications: Watched,
    #[serde(rename = "_meta")]
    meta: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Watched {
    #[serde(default)]
    task_ids: Option<IgnoredAny>,
}

impl Listening {
    /// Whether it names tasks although its client does not declare the extension (SEP-2663, "Notifications"). A request
    /// that rmcp refuses for its metadata is none.
    pub(crate) fn lacks_tasks(&self) -> bool {
        let said = |key| self.meta.get(key);
        let known =
            said("io.modelcontextprotocol/protocolVersion").and_then(Value::as_str).is_some_and(|version| {
                ProtocolVersion::KNOWN_VERSIONS.iter().any(|known| known.as_str() == version)
            });
        let declared = said("io.modelcontextprotocol/clientCapabilities");
        let declared = declared.and_then(|declared| ClientCapabilities::deserialize(declared).ok());
        self.notifications.task_ids.is_some()
            && known
            && declared.is_some_and(|declared| !declared.supports_tasks())
    }
}

/// What one call becomes, if its client takes a task for it.
pub(crate) struct Taking(Option<Arc<OnceLock<Job>>>);

impl Taking {
    /// # Errors
    /// The tool runs only as a task, and there are none for this client.
    pub(crate) fn of(
        incoming: &Incoming,
        scope: &Scope,
        tool: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<Self, ErrorData> {
        let keeps = incoming.view.jobs().is_some();
        match (incoming.view.task_mode(scope, tool), declared(context)) {
            (TaskMode::Optional | TaskMode::Required, true) if keeps => Ok(Self(Some(Arc::default()))),
            (TaskMode::Required, false) => Err(undeclared()),
            (TaskMode::Required, true) => Err(ErrorData::internal_error(
                "this tool runs only as a task, and this host keeps none",
                None,
            )),
            _ => Ok(Self(None)),
        }
    }

    /// Never: whoever may not call a tool is told so by the core.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }

    /// Runs a call. One that becomes a job ends with nothing, and [`Taking::job`] has it.
    pub(crate) fn call(&self, view: Arc<dyn View>, call: ToolCall) -> Answering {
        let Some(taken) = self.0.clone() else { return view.call(call) };
        Box::pin(async move {
            match view.begin(call).await? {
                Begun::Ended(answered) => Ok(answered),
                Begun::Job(job) => {
                    let (reference, binding) = (job.id.clone(), job.binding.clone());
                    let _ = taken.set(job);
                    Ok(Answered { reference, binding, end: End::Done(ToolResult::default()) })
                }
            }
        })
    }

    /// The job that a call became.
    pub(crate) fn job(&self) -> Option<&Job> {
        self.0.as_ref()?.get()
    }
}

/// The answer to a call that became a job.
pub(crate) fn created(job: &Job) -> CreateTaskResult {
    CreateTaskResult::new(task(job)).with_meta(said(job))
}

impl Server {
    pub(crate) async fn task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let incoming = self.incoming(&context)?;
        let jobs = self.jobs(&incoming)?;
        let job =
            self.within(&incoming, &jobs, &request.task_id, |access| jobs.get(access, &request.task_id))?;
        let payload = self.payload(&incoming, &jobs, &job).await?;
        let mut answer = GetTaskResult::new(DetailedTask::new(task(&job), payload));
        answer.meta = Some(said(&job));
        Ok(answer)
    }

    pub(crate) fn task_answered(
        &self,
        request: UpdateTaskParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let incoming = self.incoming(context)?;
        let jobs = self.jobs(&incoming)?;
        let given: Map<String, Value> = request.input_responses.into_iter().collect();
        self.within(&incoming, &jobs, &request.task_id, |access| {
            jobs.answer(access, &request.task_id, &given)
        })?;
        Ok(())
    }

    pub(crate) fn task_cancelled(
        &self,
        request: &CancelTaskParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let incoming = self.incoming(context)?;
        let jobs = self.jobs(&incoming)?;
        self.within(&incoming, &jobs, &request.task_id, |access| jobs.cancel(access, &request.task_id))?;
        Ok(())
    }

    /// rmcp has looked whether the client declares the extension; a legacy session may have, and knows no tasks.
    fn jobs(&self, incoming: &Incoming) -> Result<Arc<Jobs>, ErrorData> {
        let jobs = incoming.view.jobs().filter(|_| incoming.era == Era::Modern);
        jobs.ok_or_else(|| {
            ErrorData::new(rmcp::model::ErrorCode::METHOD_NOT_FOUND, "there are no tasks here", None)
        })
    }

    /// Asks for a job as this caller, on this endpoint. What is not theirs is unknown.
    fn within(
        &self,
        incoming: &Incoming,
        jobs: &Jobs,
        id: &str,
        ask: impl FnOnce(&Access<'_>) -> Option<Job>,
    ) -> Result<Job, ErrorData> {
        let tools = incoming.view.job_tools();
        let access = Access { principal: &incoming.principal, scope: &self.serving.scope, tools: &*tools };
        ask(&access).ok_or_else(|| unknown(&jobs.unknown(&access, id)))
    }

    async fn payload(&self, incoming: &Incoming, jobs: &Jobs, job: &Job) -> Result<TaskPayload, ErrorData> {
        let reference = job.reference.as_deref().unwrap_or_default();
        Ok(match job.status {
            Status::Queued | Status::Working => TaskPayload::Working,
            Status::InputRequired => TaskPayload::InputRequired { input_requests: requests(&job.asks)? },
            Status::Cancelled => TaskPayload::Cancelled,
            Status::Completed => {
                let result = jobs.result(job).await.map_err(|error| {
                    tracing::error!(%error, job = %job.id, "the result of a job cannot be read");
                    ErrorData::internal_error("the result cannot be read now", None)
                })?;
                // It went just now.
                let result = result
                    .ok_or_else(|| ErrorData::invalid_params("this task is not kept any longer", None))?;
                let from = From { scope: &self.serving.scope, binding: &job.binding, era: incoming.era };
                self.completed_with(job, content::result(&from, &result))?
            }
            Status::Failed => {
                let failed = job.fault.clone().unwrap_or_else(|| Fault::new("internal", "the job failed"));
                match failure(&failed, reference) {
                    Some(error) => TaskPayload::Failed { error: object(&error)? },
                    None => self.completed_with(job, fault::result(&failed))?,
                }
            }
        })
    }

    /// What the call would have returned in the foreground.
    fn completed_with(
        &self,
        job: &Job,
        mut result: rmcp::model::CallToolResult,
    ) -> Result<TaskPayload, ErrorData> {
        meta::answered(Era::Modern, &mut result.meta, &job.binding, job.reference.as_deref());
        Ok(TaskPayload::Completed { result: object(&result)? })
    }
}

/// The JSON-RPC error that a fault is, if it is one.
fn failure(failed: &Fault, reference: &str) -> Option<ErrorData> {
    if let Some(error) = fault::protocol_error(failed, reference) {
        return Some(error);
    }
    matches!(failed.code.as_str(), "internal" | "limit" | "timeout" | "interrupted" | "protocol")
        .then(|| fault::error(failed, reference, None))
}

fn requests(asks: &[InputRequest]) -> Result<InputRequests, ErrorData> {
    asks.iter().map(|asked| Ok((asked.key.clone(), asking::request(asked.clone())?))).collect()
}

fn said(job: &Job) -> MetaObject {
    let mut said = None;
    meta::answered(Era::Modern, &mut said, &job.binding, None);
    said.unwrap_or_default()
}

fn task(job: &Job) -> Task {
    let status = match job.status {
        Status::Queued | Status::Working => TaskStatus::Working,
        Status::InputRequired => TaskStatus::InputRequired,
        Status::Completed => TaskStatus::Completed,
        Status::Failed => TaskStatus::Failed,
        Status::Cancelled => TaskStatus::Cancelled,
    };
    let mut task = Task::new(&*job.id, status, moment(job.created_ms), moment(job.updated_ms))
        .with_ttl_ms(job.ttl_ms)
        .with_poll_interval_ms(POLL_INTERVAL_MS);
    task.status_message = job.message.clone();
    task
}

/// How often a client may look. A hint; nothing is refused to one that looks more often.
const POLL_INTERVAL_MS: u64 = 1_000;

/// ISO 8601.
fn moment(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    format!("{at:.3}")
}

fn unknown(refused: &Refused) -> ErrorData {
    ErrorData::invalid_params(refused.to_string(), Some(json!({"reference": refused.reference()})))
}

fn object(value: &impl serde::Serialize) -> Result<JsonObject, ErrorData> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(ErrorData::internal_error("a result that is no object", None)),
    }
}
