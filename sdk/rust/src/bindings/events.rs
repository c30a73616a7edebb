//! The export `events`.

use serde_json::Map;

use super::convert::fault;
use super::imports::fleetgate::plugin::types;
use super::with_events::exports::fleetgate::plugin::events::{Event as Delivered, Guest};
use crate::event::Event;
use crate::plugin::{Plugin, handle_events};

impl<P: Plugin> Guest for P {
    fn handle(batch: Vec<Delivered>) -> Vec<Result<(), types::Fault>> {
        handle_events::<P>(batch.into_iter().map(event).collect())
            .into_iter()
            .map(|handled| handled.map_err(fault))
            .collect()
    }
}

fn event(event: Delivered) -> Event {
    Event {
        id: event.id,
        source: event.source,
        subject: event.subject,
        time_ms: event.time_ms,
        attempt: event.attempt,
        data: event.data,
        // The host's own JSON is an object.
        attributes: serde_json::from_str(&event.attributes).unwrap_or_else(|_| Map::new()),
    }
}
