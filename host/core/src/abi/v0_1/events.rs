//! `events`.

use wasmtime::Store;
use wasmtime::component::Instance;

use super::Exports;
use super::convert::{at_most, from_fault};
use super::generated::exports::fleetgate::plugin::events as wit;
use super::generated::fleetgate::plugin::types;
use crate::domain::{Event, Fault};
use crate::sandbox::CallState;

impl Exports {
    /// `events.handle`. One answer for each event, or the fault that stands for all of them.
    pub(crate) async fn handle_events(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
        batch: Vec<Event>,
    ) -> wasmtime::Result<Result<Vec<Result<(), Fault>>, Fault>> {
        let Some(indices) = &self.events else {
            return Ok(Err(Fault::new("internal", "the plugin exports no events")));
        };
        let count = batch.len();
        let batch: Vec<_> = batch.into_iter().map(event).collect();
        let events = indices.load(&mut *store, instance)?;
        let answers = events.call_handle(&mut *store, &batch).await?;
        if answers.len() < count {
            let message = format!("the plugin answered {} of {count} events", answers.len());
            return Ok(Err(Fault::new("protocol", message)));
        }
        let answers = at_most(count, "answers to events", answers);
        Ok(answers.map(|answers| answers.into_iter().map(|answer| answer.map_err(plain)).collect()))
    }
}

/// Nobody reads a fault's details here, and parsed they would take many times their text.
fn plain(fault: types::Fault) -> Fault {
    from_fault(types::Fault { details: None, ..fault })
}

fn event(event: Event) -> wit::Event {
    let Event { id, source, subject, time_ms, attempt, data, attributes } = event;
    wit::Event { id: id.to_string(), source: source.to_string(), subject, time_ms, attempt, data, attributes }
}
