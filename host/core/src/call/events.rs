//! `events.handle`: a batch of what happened when nobody called. It takes the same way as a call: the same sandbox, the
//! same limits, the same record.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::passage::{Check, Errand, Looked, Passage};
use super::reference::new_reference;
use super::{Answered, CallContext, Kind, Refused, corridor, result};
use crate::audit::Audit;
use crate::catalog::{Catalog, Guarded, LiveBinding, Scope, Terms};
use crate::domain::{Event, Fault, Outcome};
use crate::events::FoundEvent;
use crate::manifest::Requirement;
use crate::principal::Principal;
use crate::sandbox::work::HandleEvents;
use crate::sandbox::{BindingMemory, Nobody, Permit};
use crate::secret_arguments::Vault;

/// One run of a handler.
pub(crate) struct EventRun {
    context: CallContext,
    event: String,
    batch: Vec<Event>,
}

impl EventRun {
    pub(crate) fn new(found: &FoundEvent, batch: Vec<Event>, cancel: CancellationToken) -> Self {
        let context = CallContext {
            principal: Principal::new("", []),
            scope: Scope::Binding(found.binding.name.clone()),
            session: String::new(),
            client_capabilities: "{}".into(),
            cancel,
            observer: Arc::new(Nobody),
        };
        Self { context, event: found.event.name.to_string(), batch }
    }
}

/// Runs the handler with a permit of the events' own.
pub(crate) async fn handle_events(
    audit: &Arc<dyn Audit>,
    found: &FoundEvent,
    run: EventRun,
    permit: Permit,
) -> Result<Answered<Vec<Result<(), Fault>>>, Refused> {
    let place = corridor::Place::Event(permit);
    corridor::walk(audit, found, run, place, new_reference(), Instant::now()).await
}

impl Guarded for FoundEvent {
    fn binding(&self) -> &Arc<LiveBinding> {
        &self.binding
    }

    /// Who may have it is not asked: nobody calls it.
    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        std::iter::empty()
    }

    fn terms(&self) -> Terms {
        self.event.terms.clone()
    }

    fn memory(&self) -> &Arc<BindingMemory> {
        &self.event.memory
    }
}

impl Passage for EventRun {
    const WORK: &'static str = "the handler of events";
    type Found = FoundEvent;
    type Work = HandleEvents;
    type Answer = Vec<Result<(), Fault>>;

    fn kind(&self) -> Kind {
        Kind::Event
    }

    fn context(&self) -> &CallContext {
        &self.context
    }

    fn name(&self) -> &str {
        &self.event
    }

    fn asked_for(&self) -> String {
        format!("event {}", self.event)
    }

    fn entry(&self, _: &FoundEvent) -> String {
        self.asked_for()
    }

    fn arguments(&self) -> Cow<'_, str> {
        "".into()
    }

    fn hashable(&self, _: &FoundEvent) -> Option<Cow<'_, str>> {
        None
    }

    /// Nobody asks for it by a name.
    fn find(&self, _: &Catalog) -> Option<FoundEvent> {
        None
    }

    /// What stands in the record as the arguments is the cause of the run.
    fn check(&self, _: &FoundEvent) -> Check {
        let ids: Vec<Value> = self.batch.iter().map(|event| event.id.as_ref().into()).collect();
        let cause = Map::from_iter([("event".to_owned(), json!(self.event)), ("ids".to_owned(), ids.into())]);
        Box::new(move || Looked { recorded: cause, arguments: None, right: Ok(()) })
    }

    fn errand(self, _: &FoundEvent) -> Errand<Self> {
        Errand {
            context: self.context,
            work: HandleEvents(self.batch),
            secrets: Vault::default(),
            outgoing: Box::new(|answers| {
                Ok(Outcome::Done(answers.into_iter().map(|answer| answer.map_err(result::fault)).collect()))
            }),
        }
    }

    fn size(answers: &Vec<Result<(), Fault>>) -> usize {
        answers.iter().filter_map(|answer| answer.as_ref().err()).map(|fault| fault.message.len()).sum()
    }

    fn is_error(answers: &Vec<Result<(), Fault>>) -> bool {
        answers.iter().any(Result::is_err)
    }
}
