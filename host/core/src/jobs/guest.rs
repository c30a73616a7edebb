//! What a plugin sees of jobs: those of its own binding and of the principal who calls.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::access::{Access, Tools};
use super::begin::{Origin, Wish};
use super::descent::Descent;
use super::engine::Jobs;
use super::job::{Job, Status};
use super::owned::JobsPage;
use crate::call::{AsJob, CallContext, ToolCall};
use crate::catalog::{Guarded, LiveBinding, Scope};
use crate::domain::{Fault, ToolResult};
use crate::principal::Principal;
use crate::sandbox::Observer;
use crate::secret_arguments::{Arguments, Vault, hide};

/// The longest `options`, as JSON text.
const MAX_OPTIONS: usize = 4 << 10;
/// The largest attributes of a job, as JSON text. They are kept with it, and shown with each list.
const MAX_ATTRIBUTES: usize = 2 << 10;

/// A call's way to jobs. By default there is none: during the probe, and where the host keeps no jobs.
#[derive(Clone, Default)]
pub struct JobsOfCall {
    link: Option<Arc<Link>>,
    /// Nobody called: there is nobody whose jobs these could be.
    nobodys: bool,
}

struct Link {
    jobs: Weak<Jobs>,
    binding: Arc<LiveBinding>,
    principal: Principal,
    session: String,
    client_capabilities: Arc<str>,
    observer: Arc<dyn Observer>,
    read_only: bool,
    /// The job that this call runs in.
    job: Option<Arc<str>>,
    descent: Descent,
}

impl JobsOfCall {
    pub(crate) fn new(
        binding: &Arc<LiveBinding>,
        read_only: bool,
        context: &CallContext,
        job: Option<&AsJob>,
    ) -> Self {
        let link = Link {
            jobs: binding.jobs.clone(),
            binding: binding.clone(),
            principal: context.principal.clone(),
            session: context.session.clone(),
            client_capabilities: context.client_capabilities.clone(),
            observer: context.observer.clone(),
            read_only,
            job: job.map(|job| job.id.clone()),
            descent: job.map(|job| job.descent.clone()).unwrap_or_default(),
        };
        Self { link: Some(Arc::new(link)), nobodys: false }
    }

    /// Of a handler of events.
    pub(crate) fn of_nobody() -> Self {
        Self { link: None, nobodys: true }
    }

    /// The id of the job that this call runs in.
    pub fn id(&self) -> Option<&str> {
        self.link.as_ref()?.job.as_deref()
    }

    /// Runs a tool of this plugin in the background, as this call's principal. `secrets`: the call's, whose
    /// placeholders may stand in the arguments where the tool's are secret.
    pub async fn submit(
        &self,
        secrets: &Vault,
        tool: &str,
        arguments: String,
        options: Option<&str>,
    ) -> Result<Job, Fault> {
        let (link, jobs) = self.link()?;
        let mut wish = wish(options)?;
        if let (Some(attributes), Some(mask)) = (&mut wish.attributes, secrets.mask()) {
            let mut whole = Value::Object(std::mem::take(attributes));
            hide::json(mask, &mut whole);
            *attributes = whole.as_object().cloned().unwrap_or_default();
        }
        let found = link.binding.tool(&link.binding.name, tool).ok_or_else(|| {
            let name = crate::text::clean(&tool[..tool.floor_char_boundary(128)]).into_owned();
            Fault::new("unknown", format!("this plugin has no tool \"{name}\" here"))
        })?;
        if !found.allows(&link.principal) {
            return Err(Fault::new("denied", format!("the caller's roles do not cover {tool}")));
        }
        // Else a call that may change nothing could have it changed a moment later.
        if link.read_only && !found.tool.policy.read_only {
            return Err(Fault::new(
                "denied",
                format!("a read-only call cannot submit {tool}, which may change something"),
            ));
        }
        link.descent.submit()?;
        let arguments = Arguments::of_guest(arguments, secrets, &found.tool.secret)?;
        let call = ToolCall {
            context: CallContext {
                principal: link.principal.clone(),
                scope: Scope::Binding(link.binding.name.clone()),
                session: link.session.clone(),
                client_capabilities: link.client_capabilities.clone(),
                cancel: CancellationToken::new(),
                observer: link.observer.clone(),
            },
            tool: tool.to_owned(),
            arguments,
            answers: None,
        };
        jobs.submit(found, call, wish, Origin::Plugin(link.descent.below())).await
    }

    /// One job.
    pub fn get(&self, id: &str) -> Result<Job, Fault> {
        let (link, jobs) = self.link()?;
        link.within(|access| jobs.get(access, id)).ok_or_else(|| unknown(id))
    }

    /// What a completed job returned.
    pub async fn outcome(&self, id: &str) -> Result<ToolResult, Fault> {
        let (_, jobs) = self.link()?;
        let job = self.get(id)?;
        match job.status {
            Status::Completed => match jobs.result(&job).await {
                Ok(Some(result)) => Ok(result),
                Ok(None) => Err(unknown(id)),
                Err(error) => {
                    tracing::error!(%error, job = %job.id, "the result of a job cannot be read");
                    Err(Fault::new("unavailable", "the result cannot be read now").retryable())
                }
            },
            Status::Failed => Err(job.fault.unwrap_or_else(|| Fault::new("internal", "the job failed"))),
            Status::Cancelled => Err(Fault::new("cancelled", "the job was cancelled")),
            status => {
                Err(Fault::new("unavailable", format!("the job has not ended: it is {}", status.name()))
                    .retryable())
            }
        }
    }

    /// The jobs, newest first.
    pub fn list(&self, cursor: Option<&str>) -> Result<JobsPage, Fault> {
        let (link, jobs) = self.link()?;
        link.within(|access| jobs.list(access, cursor))
            .ok_or_else(|| Fault::new("invalid-arguments", "this is not the cursor of a page of jobs"))
    }

    /// Stops a job.
    pub fn cancel(&self, id: &str) -> Result<Job, Fault> {
        let (link, jobs) = self.link()?;
        let job = self.get(id)?;
        let changes = || link.binding.tools.get(&*job.tool).is_none_or(|tool| !tool.policy.read_only);
        // A client lets a read-only call through without asking anybody.
        if link.read_only && !job.status.is_over() && changes() {
            let message =
                format!("a read-only call cannot stop {}, which may be changing something", job.tool);
            return Err(Fault::new("denied", message));
        }
        link.within(|access| jobs.cancel(access, id)).ok_or_else(|| unknown(id))
    }

    fn link(&self) -> Result<(&Link, Arc<Jobs>), Fault> {
        if self.nobodys {
            let message = "nobody called, so there is nobody whose job this could be";
            return Err(Fault::new("denied", message));
        }
        let link = self.link.as_deref();
        let jobs = link.and_then(|link| Some((link, link.jobs.upgrade()?)));
        jobs.ok_or_else(|| Fault::new("unavailable", "this host does not keep jobs, or not during the probe"))
    }
}

impl Link {
    fn within<T>(&self, work: impl FnOnce(&Access<'_>) -> T) -> T {
        let scope = Scope::Binding(self.binding.name.clone());
        work(&Access { principal: &self.principal, scope: &scope, tools: &self.binding })
    }
}

fn unknown(id: &str) -> Fault {
    let id = crate::text::clean(&id[..id.floor_char_boundary(128)]).into_owned();
    Fault::new("unknown", format!("there is no job \"{id}\" here"))
}

/// `{"ttlMs": 60000, "attributes": {"host": "sw1"}}`, and nothing else yet.
fn wish(options: Option<&str>) -> Result<Wish, Fault> {
    let wrong = |message: String| Fault::new("invalid-arguments", message).at("/options");
    let mut wish = Wish::default();
    let Some(text) = options else { return Ok(wish) };
    if text.len() > MAX_OPTIONS {
        return Err(wrong(format!(
            "the options have {} bytes; at most {MAX_OPTIONS} are allowed",
            text.len()
        )));
    }
    let options: Value =
        serde_json::from_str(text).map_err(|error| wrong(format!("the options are not JSON: {error}")))?;
    let Value::Object(options) = options else { return Err(wrong("the options are not an object".into())) };
    for (key, value) in options {
        match (key.as_str(), value) {
            ("ttlMs", value) => match value.as_u64() {
                Some(ms) => wish.ttl = Some(Duration::from_millis(ms)),
                None => return Err(wrong("ttlMs is not a whole number of milliseconds".into())),
            },
            ("attributes", Value::Object(attributes)) => {
                let attributes = Value::Object(attributes);
                let length = attributes.to_string().len();
                if length > MAX_ATTRIBUTES {
                    let message =
                        format!("the attributes have {length} bytes; at most {MAX_ATTRIBUTES} are allowed");
                    return Err(wrong(message));
                }
                wish.attributes = attributes.as_object().cloned();
            }
            ("attributes", _) => return Err(wrong("the attributes are not an object".into())),
            _ => return Err(wrong(format!("there is no option {}", crate::diagnostic::quoted(&key)))),
        }
    }
    Ok(wish)
}
