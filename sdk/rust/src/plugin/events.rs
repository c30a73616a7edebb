//! The handler of events in the table.

use crate::event::{Event, Events};
use crate::{Fault, Plugin};

/// The handler in the table.
#[derive(Clone, Copy)]
pub struct EventsEntry {
    handle: fn(Vec<Event>) -> Vec<Result<(), Fault>>,
}

impl EventsEntry {
    /// The entry of a handler.
    #[must_use]
    pub const fn of<E: Events>() -> Self {
        Self { handle: E::handle }
    }
}

/// Handles a batch. A plugin that exports no handler handles nothing.
pub fn handle_events<P: Plugin>(batch: Vec<Event>) -> Vec<Result<(), Fault>> {
    match P::EVENTS.first() {
        Some(entry) => (entry.handle)(batch),
        None => Vec::new(),
    }
}
