//! Events: what happened in a fleet when nobody called, and what is due from time to time.
//!
//! A manifest asks for them (`[capabilities.events.<name>]`: what is listened to, or how often it happens by itself),
//! an operator grants them, and the host calls the plugin's `events.handle` with batches, each in a fresh sandbox.
//!
//! - tables: [`request`] of the manifest and [`grant`] of the operator, with [`may`]; [`capability`], [`schema`]
//! - [`live`]: an event of a binding that takes calls
//! - [`engine`]: which events run in this process at this moment ([`assign`]); [`running`]: one of them;
//!   [`threads`]: where all of it runs
//! - [`keep`]: from a source to the store, before it is acknowledged; [`origins`]: what was kept already;
//!   [`schedule`]: the source of what comes from time to time
//! - [`queue`]: what waits; [`pick`]: what is handled next; [`work`]: the runs; [`settle`]: what becomes of a batch;
//!   [`patience`]: how much there is with a device that fails
//! - [`record`]: how all of it lies in the store ([`recover`] reads it); [`dead`]: what was set aside;
//!   [`asked`]: what the operator wants done with it; [`status`]: what the operator sees
//!
//! **At least once, in order.** What was heard is durable before its source may forget it, and goes only after it was
//! handled; so a crash delivers again, with the same id and the next attempt. A source that repeats itself, since its
//! acknowledgement got lost, is not kept twice. Of one order key (a device) events are handled one after the other: one
//! that failed holds up those behind it, and nobody else's.
//!
//! **Nothing grows without end.** When the queue of an event is full, its source waits, and forgets nothing. What fails
//! too often is set aside with its fault; of that the newest are kept. So is what fails of a device that fails over and over
//! while others are fine, once such devices have more than half of the queue.
//!
//! **Nobody called.** A handler has no principal: whatever belongs to a caller does not exist for it. It reads, and it
//! remembers; what it may change beyond the host stands in the grant, and each run that may is audited with its cause.
//! Runs have threads, places, permits and memory of their own, so that no call ever waits for them.

mod asked;
mod assign;
mod capability;
mod dead;
mod engine;
mod grant;
mod keep;
mod live;
mod may;
mod origins;
mod patience;
mod pick;
mod queue;
mod record;
mod recover;
mod request;
mod running;
mod schedule;
mod schema;
mod settle;
mod status;
mod threads;
mod work;

use std::time::Duration;

pub use asked::{Meant, Wish, ask, forget, is_taken};
pub use capability::EventsCapability;
pub use dead::{DeadEvent, dead};
pub(crate) use engine::EventsOptions;
pub use engine::{Events, Pace};
pub(crate) use grant::heard_from;
pub(crate) use live::FoundEvent;
pub use live::LiveEvent;
pub use may::May;
pub(crate) use request::Others;
pub use status::{EventStatus, statuses};

/// The kind of these requests: `events.telemetry`.
pub const KIND: &str = "events";

/// How often an event may come by itself.
const LEAST_EVERY: Duration = Duration::from_secs(1);
const MOST_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// The most events in one run.
const MAX_BATCH: usize = 200;
/// The most events that may wait, where the operator says so.
const MAX_QUEUE: usize = 100_000;
/// Bytes of what waits, at most: it is held in memory too.
const MAX_QUEUE_BYTES: usize = 16 << 20;
/// The same of all queues of a host together.
const MAX_ALL_BYTES: usize = 16 * MAX_QUEUE_BYTES;
/// Bytes of one run, unless a single event has more.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// The largest payload. A larger one is set aside without it.
const MAX_DATA: usize = 1 << 20;
