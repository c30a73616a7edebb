//! The corridor itself: read it from top to bottom. Every kind of request takes this way; what differs is its
//! [`Passage`].

use std::sync::Arc;
use std::time::Instant;

use super::jobs::AsJob;
use super::ledger::{Ledger, nothing_found};
use super::passage::{Errand, Looked, Passage};
use super::reference::new_reference;
use super::{Answered, End, Refused, heavy, result};
use crate::audit::Audit;
use crate::catalog::{Catalog, Guarded};
use crate::domain::{Fault, Outcome};
use crate::jobs::JobsOfCall;
use crate::sandbox::{CallInfo, Permit, Run, RunFailed, Used};

/// One request over one snapshot of the catalog.
pub(super) async fn pass<P: Passage>(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    request: P,
) -> Result<Answered<P::Answer>, Refused> {
    let arrived = Instant::now();
    let reference = new_reference();

    let found = find(catalog, audit, &request, &reference, arrived)?;
    walk(audit, &found, request, Place::Call, reference, arrived).await
}

/// Where a request has its permit from.
pub(super) enum Place {
    /// Of its binding's calls: somebody waits for it.
    Call,
    /// It has one: it runs in the background as a job.
    Job(AsJob),
    /// It has one: nobody called.
    Event(Permit),
}

/// The way on from what was found.
pub(super) async fn walk<P: Passage>(
    audit: &Arc<dyn Audit>,
    found: &P::Found,
    request: P,
    place: Place,
    reference: Arc<str>,
    arrived: Instant,
) -> Result<Answered<P::Answer>, Refused> {
    let hashable = request.hashable(found);
    let who = (request.context().principal.name(), hashable.as_deref());
    let mut ledger = Ledger::open(audit, who, found.binding(), request.entry(found), &reference, arrived);
    drop(hashable);
    if let Place::Job(job) = &place {
        ledger.intent.job = Some(job.id.to_string());
    }
    authorize(found, &request, &mut ledger)?;
    let request = match validate(found, request, &mut ledger).await {
        Ok(request) => request,
        Err(fault) => return Ok(ledger.close(End::Fault(fault), P::is_error)),
    };
    record_intent(found, &mut ledger)?;
    let end = match request.at_hand(found) {
        Some(Ok(answer)) => End::Done(answer),
        Some(Err(fault)) => End::Fault(fault),
        None => run(found, request, place, &mut ledger).await,
    };
    Ok(ledger.close(end, P::is_error))
}

/// What the request is for, by the name that it has in this scope.
fn find<P: Passage>(
    catalog: &Catalog,
    audit: &Arc<dyn Audit>,
    request: &P,
    reference: &Arc<str>,
    arrived: Instant,
) -> Result<P::Found, Refused> {
    request.find(catalog).ok_or_else(|| {
        nothing_found(audit, request, reference, arrived);
        let name = super::passage::shown(request.name());
        Refused::Unknown { kind: request.kind(), name, reference: reference.clone() }
    })
}

/// The role check: the function that filters every list.
fn authorize<P: Passage>(found: &P::Found, request: &P, ledger: &mut Ledger<'_>) -> Result<(), Refused> {
    let principal = &request.context().principal;
    if found.allows(principal) {
        return Ok(());
    }
    let scopes = found.scopes();
    let held: Vec<_> = principal.roles().map(ToString::to_string).collect();
    ledger.refuse(format!(
        "the {} requires {}; {} holds {}",
        request.kind(),
        scopes.join(" and "),
        principal.name(),
        if held.is_empty() { "nothing".into() } else { held.join(", ") }
    ));
    Err(Refused::Forbidden {
        kind: request.kind(),
        name: request.name().to_owned(),
        scopes,
        reference: ledger.reference.clone(),
    })
}

/// The arguments, checked against what they are for, and without what is secret in them.
async fn validate<P: Passage>(found: &P::Found, request: P, ledger: &mut Ledger<'_>) -> Result<P, Fault> {
    let deadline = ledger.arrived + found.terms().limits.timeout;
    let size = request.arguments().len();
    let check = request.check(found);
    let Looked { recorded, arguments, right } = heavy::over(size, deadline, check).await?;
    ledger.intent.arguments = recorded;
    let Some(arguments) = arguments else { return right.map(|()| request) };
    let request = request.settled(arguments);
    ledger.intent.arguments_hash =
        request.hashable(found).map(|text| ledger.audit.hash(&text)).unwrap_or_default();
    right.map(|()| request)
}

/// What may change something is recorded before it happens, or does not happen.
fn record_intent(found: &impl Guarded, ledger: &mut Ledger<'_>) -> Result<(), Refused> {
    if found.terms().policy.only_reads() {
        return Ok(());
    }
    ledger.audit.intent(&ledger.intent).map_err(|failed| {
        tracing::error!(call = %ledger.reference, reason = %failed, "a call was refused because it cannot be recorded");
        ledger.refuse(failed.to_string());
        Refused::Unrecorded { reference: ledger.reference.clone() }
    })
}

/// Permit, sandbox, result.
async fn run<P: Passage>(
    found: &P::Found,
    request: P,
    place: Place,
    ledger: &mut Ledger<'_>,
) -> End<P::Answer> {
    let (binding, terms) = (found.binding(), found.terms());
    let deadline = ledger.arrived + terms.limits.timeout;
    let Errand { context, work, secrets, outgoing } = request.errand(found);
    secrets.warn_of_short_ones(&ledger.reference);
    let read_only = terms.policy.read_only;
    let jobs = match &place {
        Place::Call => JobsOfCall::new(binding, read_only, &context, None),
        Place::Job(job) => JobsOfCall::new(binding, read_only, &context, Some(job)),
        Place::Event(_) => JobsOfCall::of_nobody(),
    };
    let info = Arc::new(CallInfo {
        id: ledger.reference.clone(),
        binding: binding.name.clone(),
        plugin: binding.plugin_id.clone(),
        tool: ledger.intent.tool.as_str().into(),
        principal: context.principal.name().into(),
        roles: binding.roles_held(&context.principal),
        session: context.session,
        client_capabilities: context.client_capabilities,
        config: binding.config.clone(),
        granted: binding.granted.clone(),
        policy: terms.policy,
        limits: terms.limits,
        deadline,
        cancel: context.cancel.child_token(),
        log: binding.log.clone(),
        observer: context.observer,
        lists: Some(binding.lists.clone()),
        used: Used::hiding(secrets.mask().cloned()),
        jobs,
        secrets,
    });
    ledger.info = Some(info.clone());

    // Waiting for a permit counts against the deadline.
    let permit = async {
        match place {
            Place::Call => binding.permits.acquire().await,
            Place::Job(AsJob { permit, .. }) | Place::Event(permit) => permit,
        }
    };
    let permit = tokio::select! {
        biased;
        permit = permit => permit,
        () = info.cancel.cancelled() => {
            return End::Fault(failed::<P>(&RunFailed::Cancelled, terms.repeatable, ledger));
        }
        () = tokio::time::sleep_until(deadline.into()) => return End::Fault(
            Fault::new("unavailable", "too many calls of this plugin are running; this one waited its whole time")
                .retryable(),
        ),
    };
    let slots = binding.bounds.iter().map(|bound| bound.state(&info)).collect();
    let memory = found.memory().clone();
    let run = Run { call: info.clone(), memory, slots, permit };
    match binding.plugin.guest.perform(run, work).await {
        Ok(Ok(done)) => {
            let size = P::size(&done);
            match heavy::over(size, deadline, move || outgoing(done)).await.flatten() {
                Ok(Outcome::Done(answer)) => End::Done(answer),
                Ok(Outcome::Ask(question)) => match result::asked(question, binding, &info.used) {
                    Ok(question) => End::Ask(question),
                    Err(fault) => End::Fault(fault),
                },
                Err(fault) => End::Fault(fault),
            }
        }
        Ok(Err(fault)) => End::Fault(result::fault(info.secrets.hide_fault(fault))),
        Err(run_failed) => End::Fault(failed::<P>(&run_failed, terms.repeatable, ledger)),
    }
}

/// A run that ended without the guest's own answer, in words for the caller; the rest goes into the record.
fn failed<P: Passage>(why: &RunFailed, repeatable: bool, ledger: &mut Ledger<'_>) -> Fault {
    let code = match why {
        RunFailed::Limit(_) | RunFailed::Cpu | RunFailed::Stack | RunFailed::Data => "limit",
        RunFailed::Deadline => "timeout",
        RunFailed::Cancelled => "cancelled",
        RunFailed::Full => "unavailable",
        RunFailed::Trap(_) | RunFailed::Host(_) => "internal",
    };
    if let RunFailed::Trap(detail) | RunFailed::Host(detail) = why {
        let detail = ledger.info.as_ref().map_or(detail.into(), |info| info.secrets.hide(detail));
        let detail = crate::text::clean(&detail).into_owned();
        tracing::error!(call = %ledger.reference, binding = %ledger.intent.binding, tool = %ledger.intent.tool,
            %detail, "{why}");
        ledger.reason = Some(detail);
    }
    let mut message = format!("{} was ended: {why} (reference {})", P::WORK, ledger.reference);
    // What it was to change may have happened by then. A model that reads "retryable" reboots a device twice.
    if code == "timeout" && !repeatable {
        message.push_str(". It is not known whether it took effect: look before repeating it");
    }
    let retryable = code == "unavailable" || code == "timeout" && repeatable;
    Fault { retryable, ..Fault::new(code, message) }
}
