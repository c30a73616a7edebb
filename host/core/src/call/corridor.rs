//! The corridor itself: read it from top to bottom.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::reference::new_reference;
use super::{Answered, End, Kind, Refused, ToolCall, heavy, redact, result};
use crate::audit::{Audit, Intent, Record};
use crate::catalog::{Catalog, FoundTool, LiveTool, Scope};
use crate::domain::{Fault, Outcome};
use crate::jobs::JobsOfCall;
use crate::manifest::Requirement;
use crate::sandbox::{CallInfo, Permit, Run, RunFailed, Used};

/// Runs one call over one snapshot of the catalog.
pub async fn call_tool(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    call: ToolCall,
) -> Result<Answered, Refused> {
    let arrived = Instant::now();
    let reference = new_reference();

    let found = find(catalog, audit, &call, &reference, arrived)?;
    pass(audit, &found, call, None, reference, arrived).await
}

/// The same in the background, for a tool that was found before. Its time limit counts from here.
pub(crate) async fn run_job(
    audit: &Arc<dyn Audit>,
    found: &FoundTool,
    call: ToolCall,
    job: AsJob,
) -> Result<Answered, Refused> {
    pass(audit, found, call, Some(job), new_reference(), Instant::now()).await
}

/// What a call in the background brings along.
pub(crate) struct AsJob {
    pub(crate) id: Arc<str>,
    /// See [`JobsOfCall`].
    pub(crate) depth: u32,
    /// Of the jobs' own, not of the calls'.
    pub(crate) permit: Permit,
}

async fn pass(
    audit: &Arc<dyn Audit>,
    found: &FoundTool,
    call: ToolCall,
    job: Option<AsJob>,
    reference: Arc<str>,
    arrived: Instant,
) -> Result<Answered, Refused> {
    let who = (call.context.principal.name(), call.arguments.as_str());
    let mut ledger = Ledger::open(audit, who, found, &reference, arrived);
    ledger.intent.job = job.as_ref().map(|job| job.id.to_string());
    authorize(found, &call, &mut ledger)?;
    if let Err(fault) = validate(found, &call, &mut ledger).await {
        return Ok(ledger.close(End::Fault(fault)));
    }
    record_intent(found, &mut ledger)?;
    let end = run(found, call, job, &mut ledger).await;
    Ok(ledger.close(end))
}

/// A call that ends before it begins, recorded as any other. `who`: the principal's name and the arguments.
pub(crate) fn ended_at_once(
    audit: &Arc<dyn Audit>,
    found: &FoundTool,
    who: (&str, &str),
    job: Option<&str>,
    fault: Fault,
) -> Answered {
    let mut ledger = Ledger::open(audit, who, found, &new_reference(), Instant::now());
    ledger.intent.job = job.map(str::to_owned);
    ledger.close(End::Fault(fault))
}

/// What of a call's arguments may be recorded, and whether they are right: for what is kept of a job, which holds its
/// arguments only while it runs.
pub(crate) async fn check(found: &FoundTool, arguments: &str) -> (Map<String, Value>, Result<(), Fault>) {
    let deadline = Instant::now() + found.tool.limits.timeout;
    let (tool, text) = (found.tool.clone(), arguments.to_owned());
    match heavy::over(text.len(), deadline, move || self::arguments(&tool, &text)).await {
        Ok(checked) => checked,
        Err(fault) => (Map::new(), Err(fault)),
    }
}

/// The tool, by the name that it has in this scope.
fn find(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    call: &ToolCall,
    reference: &Arc<str>,
    arrived: Instant,
) -> Result<FoundTool, Refused> {
    catalog.find_tool(&call.context.scope, &call.tool).ok_or_else(|| {
        let name = crate::text::clean(&call.tool[..call.tool.floor_char_boundary(128)]).into_owned();
        let binding = match &call.context.scope {
            Scope::Shared => String::new(),
            Scope::Binding(name) => name.to_string(),
        };
        write(
            audit,
            &Record {
                intent: Intent {
                    call: reference.to_string(),
                    principal: call.context.principal.name().to_owned(),
                    binding,
                    tool: name.clone(),
                    plugin: String::new(),
                    arguments: Map::new(),
                    arguments_hash: audit.hash(&call.arguments),
                    job: None,
                },
                outcome: "refused".into(),
                reason: Some("no live binding has a tool of this name".into()),
                used: Vec::new(),
                duration: arrived.elapsed(),
            },
        );
        Refused::Unknown { kind: Kind::Tool, name, reference: reference.clone() }
    })
}

/// The role check: the function that filters every list.
fn authorize(found: &FoundTool, call: &ToolCall, ledger: &mut Ledger<'_>) -> Result<(), Refused> {
    if found.allows(&call.context.principal) {
        return Ok(());
    }
    let scopes = scopes(found);
    let held: Vec<_> = call.context.principal.roles().map(ToString::to_string).collect();
    ledger.refuse(format!(
        "the tool requires {}; {} holds {}",
        scopes.join(" and "),
        call.context.principal.name(),
        if held.is_empty() { "nothing".into() } else { held.join(", ") }
    ));
    Err(Refused::Forbidden {
        kind: Kind::Tool,
        name: call.tool.clone(),
        scopes,
        reference: ledger.reference.clone(),
    })
}

/// The roles that a tool requires, as a principal would hold them.
fn scopes(found: &FoundTool) -> Vec<String> {
    [Some(&found.tool.requires), found.tool.also_requires.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|requirement| match requirement {
            Requirement::Any => None,
            Requirement::All(roles) => Some(roles),
        })
        .flatten()
        .map(|role| format!("{}:{role}", found.binding.name))
        .collect()
}

/// The arguments, checked against the tool's schema.
async fn validate(found: &FoundTool, call: &ToolCall, ledger: &mut Ledger<'_>) -> Result<(), Fault> {
    let deadline = ledger.arrived + found.tool.limits.timeout;
    let (tool, text) = (found.tool.clone(), call.arguments.clone());
    let (recorded, checked) = heavy::over(text.len(), deadline, move || arguments(&tool, &text)).await?;
    ledger.intent.arguments = recorded;
    checked
}

/// What of the arguments is recorded, and whether they are right.
fn arguments(tool: &LiveTool, text: &str) -> (Map<String, Value>, Result<(), Fault>) {
    let arguments: Value = match serde_json::from_str(text) {
        Ok(arguments) => arguments,
        Err(error) => {
            let fault = Fault::new("invalid-arguments", format!("the arguments are not JSON: {error}"));
            return (Map::new(), Err(fault));
        }
    };
    let recorded = redact::recorded(&arguments, &tool.audit);
    let secret = tool.secret.iter().any(|pointer| arguments.pointer(pointer).is_some());
    let checked = tool.input.check_arguments(&arguments).and_then(|()| {
        // Until placeholders exist, a guest must not see what its manifest calls secret.
        if secret {
            Err(Fault::new("unavailable", "this host does not accept secret arguments"))
        } else {
            Ok(())
        }
    });
    (recorded, checked)
}

/// What may change something is recorded before it happens, or does not happen.
fn record_intent(found: &FoundTool, ledger: &mut Ledger<'_>) -> Result<(), Refused> {
    if found.tool.policy.read_only {
        return Ok(());
    }
    ledger.audit.intent(&ledger.intent).map_err(|failed| {
        tracing::error!(call = %ledger.reference, reason = %failed, "a call was refused because it cannot be recorded");
        ledger.refuse(failed.to_string());
        Refused::Unrecorded { reference: ledger.reference.clone() }
    })
}

/// Permit, sandbox, result.
async fn run(found: &FoundTool, call: ToolCall, job: Option<AsJob>, ledger: &mut Ledger<'_>) -> End {
    let FoundTool { binding, tool } = found;
    let jobs = JobsOfCall::new(found, &call.context, job.as_ref());
    let deadline = ledger.arrived + tool.limits.timeout;
    let info = Arc::new(CallInfo {
        id: ledger.reference.clone(),
        binding: binding.name.clone(),
        plugin: binding.plugin_id.clone(),
        tool: tool.own_name.clone(),
        principal: call.context.principal.name().into(),
        roles: binding.roles_held(&call.context.principal),
        session: call.context.session,
        client_capabilities: call.context.client_capabilities,
        config: binding.config.clone(),
        granted: binding.granted.clone(),
        policy: tool.policy.clone(),
        limits: tool.limits,
        deadline,
        cancel: call.context.cancel.child_token(),
        log: binding.log.clone(),
        observer: call.context.observer,
        used: Used::default(),
        jobs,
    });
    ledger.info = Some(info.clone());

    // Waiting for a permit counts against the deadline.
    let permit = async {
        match job {
            Some(job) => job.permit,
            None => binding.permits.acquire().await,
        }
    };
    let permit = tokio::select! {
        biased;
        permit = permit => permit,
        () = info.cancel.cancelled() => return failed(&RunFailed::Cancelled, tool, ledger),
        () = tokio::time::sleep_until(deadline.into()) => return End::Fault(
            Fault::new("unavailable", "too many calls of this plugin are running; this one waited its whole time")
                .retryable(),
        ),
    };
    let slots = binding.bounds.iter().map(|bound| bound.state(&info)).collect();
    let run = Run { call: info.clone(), memory: binding.memory.clone(), slots, permit };
    match binding.plugin.guest.call_tool(run, call.arguments, call.answers).await {
        Ok(Ok(outcome)) => {
            let tool = tool.clone();
            let size = result::size(&outcome);
            match heavy::over(size, deadline, move || result::outgoing(outcome, &tool)).await.flatten() {
                Ok(Outcome::Done(result)) => End::Done(result),
                Ok(Outcome::Ask(question)) => match result::asked(question, binding, &info.used) {
                    Ok(question) => End::Ask(question),
                    Err(fault) => End::Fault(fault),
                },
                Err(fault) => End::Fault(fault),
            }
        }
        Ok(Err(fault)) => End::Fault(result::fault(fault)),
        Err(run_failed) => failed(&run_failed, tool, ledger),
    }
}

/// A run that ended without the guest's own answer, in words for the caller; the rest goes into the record.
fn failed(why: &RunFailed, tool: &LiveTool, ledger: &mut Ledger<'_>) -> End {
    let code = match why {
        RunFailed::Limit(_) | RunFailed::Cpu | RunFailed::Stack | RunFailed::Data => "limit",
        RunFailed::Deadline => "timeout",
        RunFailed::Cancelled => "cancelled",
        RunFailed::Full => "unavailable",
        RunFailed::Trap(_) | RunFailed::Host(_) => "internal",
    };
    if let RunFailed::Trap(detail) | RunFailed::Host(detail) = why {
        tracing::error!(call = %ledger.reference, binding = %ledger.intent.binding, tool = %ledger.intent.tool,
            detail = %crate::text::clean(detail), "{why}");
        ledger.reason = Some(crate::text::clean(detail).into_owned());
    }
    let mut message = format!("the tool was ended: {why} (reference {})", ledger.reference);
    // What it was to change may have happened by then. A model that reads "retryable" reboots a device twice.
    let harmless = tool.policy.read_only || tool.idempotent;
    if code == "timeout" && !harmless {
        message.push_str(". It is not known whether it took effect: look before repeating it");
    }
    let retryable = code == "unavailable" || code == "timeout" && harmless;
    End::Fault(Fault { retryable, ..Fault::new(code, message) })
}

/// What will stand in the audit record. Written when it is closed, and also when the call's future is dropped
/// half-way, since something may have happened by then.
struct Ledger<'a> {
    audit: &'a Arc<dyn Audit>,
    reference: Arc<str>,
    arrived: Instant,
    intent: Intent,
    reason: Option<String>,
    info: Option<Arc<CallInfo>>,
    written: bool,
}

impl<'a> Ledger<'a> {
    fn open(
        audit: &'a Arc<dyn Audit>,
        (principal, arguments): (&str, &str),
        found: &FoundTool,
        reference: &Arc<str>,
        arrived: Instant,
    ) -> Self {
        let intent = Intent {
            call: reference.to_string(),
            principal: principal.to_owned(),
            binding: found.binding.name.to_string(),
            tool: found.tool.own_name.to_string(),
            plugin: found.binding.plugin.digest.to_string(),
            arguments: Map::new(),
            arguments_hash: audit.hash(arguments),
            job: None,
        };
        Self {
            audit,
            reference: reference.clone(),
            arrived,
            intent,
            reason: None,
            info: None,
            written: false,
        }
    }

    fn refuse(&mut self, reason: String) {
        self.reason = Some(reason);
        self.write("refused".into());
    }

    fn close(mut self, end: End) -> Answered {
        let outcome = match &end {
            End::Done(result) if result.is_error => "tool-error".to_owned(),
            End::Done(_) => "ok".to_owned(),
            End::Ask(_) => "asked".to_owned(),
            End::Fault(fault) => {
                self.reason.get_or_insert_with(|| fault.message.clone());
                format!("fault:{}", fault.code)
            }
        };
        self.write(outcome);
        Answered { reference: self.reference.clone(), binding: self.intent.binding.as_str().into(), end }
    }

    fn write(&mut self, outcome: String) {
        self.written = true;
        let mut used = Vec::new();
        if let Some(info) = &self.info {
            used = info.used.used();
            used.extend(info.used.refused().into_iter().map(|why| format!("refused: {why}")));
        }
        let (intent, reason) = (self.intent.clone(), self.reason.take());
        write(self.audit, &Record { intent, outcome, reason, used, duration: self.arrived.elapsed() });
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        if !self.written {
            self.reason = Some("whoever asked went away".into());
            self.write("fault:cancelled".into());
        }
    }
}

/// The call has happened, so a record that cannot be written is reported and not more.
fn write(audit: &Arc<dyn Audit>, record: &Record) {
    if let Err(failed) = audit.outcome(record) {
        tracing::error!(call = %record.intent.call, outcome = %record.outcome, reason = %failed, "an outcome was not recorded");
    }
}
