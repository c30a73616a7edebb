//! What an operator gives: `[plugins.<binding>.grant.events.<name>]`. That the table is there is what makes a handler
//! run at all.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::may::May;
use super::request::{EventRequest, Source, When, every};
use super::{MAX_BATCH, MAX_QUEUE};
use crate::capability::{Grant, Reach};
use crate::diagnostic::{TableReader, quoted};
use crate::units::format_duration;

/// A parsed grant.
#[derive(Debug, Clone)]
pub(crate) struct EventGrant {
    /// Where it stands.
    pub(super) key: String,
    /// What it is heard from: `mqtt.broker`. None: it comes from time to time.
    source: Option<String>,
    /// Less than the manifest's.
    pub(super) narrowed: Option<Arc<dyn Reach>>,
    /// Of an event that comes from time to time.
    pub(super) every: Option<Duration>,
    pub(super) may: Vec<May>,
    pub(super) bounds: EventBounds,
}

/// What one event of one binding may keep, and how it is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventBounds {
    /// Events in one run of the handler, at most.
    pub(super) batch: usize,
    /// Deliveries that may end with a fault before an event is set aside.
    pub(super) attempts: u32,
    /// Events that wait, at most; then its source waits.
    pub(super) queue: usize,
}

impl Default for EventBounds {
    fn default() -> Self {
        Self { batch: 100, attempts: 10, queue: 10_000 }
    }
}

impl EventGrant {
    pub(super) fn read(table: &mut TableReader<'_>, request: &EventRequest) -> Option<Self> {
        let (mut narrowed, mut longer) = (None, None);
        match &request.when {
            When::Heard(source) => {
                narrowed = narrower(table, source);
                if table.has("every") {
                    let help = "remove this: it happens when something is heard";
                    table.error_at_name("every", "this event does not come from time to time", help);
                }
            }
            When::Every(asked) => {
                longer = Some(longer_than(table, *asked).unwrap_or(*asked));
                if table.has("from") {
                    let help = "remove this: it comes from time to time";
                    table.error_at_name("from", "this event is not heard from anywhere", help);
                }
            }
        }
        let may = table.parsed_strings("may", |text| May::parse(text, &request.acts)).unwrap_or_default();
        let default = EventBounds::default();
        let number = |table: &mut TableReader<'_>, key, most: usize, default: usize| {
            let read = table.integer_within(key, 1, i64::try_from(most).unwrap_or(i64::MAX));
            read.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
        };
        let bounds = EventBounds {
            batch: number(table, "batch", MAX_BATCH, default.batch),
            attempts: table
                .integer_within("attempts", 1, 100)
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(default.attempts),
            queue: number(table, "queue", MAX_QUEUE, default.queue),
        };
        let may = may.into_iter().map(|may| may.into_inner()).collect();
        let key = table.key_path().to_owned();
        let source = match &request.when {
            When::Heard(source) => Some(source.capability.clone()),
            When::Every(_) => None,
        };
        (!table.failed()).then_some(Self { key, source, narrowed, every: longer, may, bounds })
    }
}

/// What a grant is heard from, if it is one of an event that is heard.
pub(crate) fn heard_from(grant: &dyn Grant) -> Option<&str> {
    (grant as &dyn Any).downcast_ref::<EventGrant>()?.source.as_deref()
}

/// `from`, which must lie within what the plugin listens to.
fn narrower(table: &mut TableReader<'_>, source: &Source) -> Option<Arc<dyn Reach>> {
    let mut narrowed = None;
    for (name, mut inner) in table.tables("from") {
        if *name.get_ref() != source.capability {
            let message = format!("this event does not come from {}", quoted(name.get_ref()));
            inner.leave_rest();
            table.error_at(&name, message, format!("it comes from \"{}\"", source.capability));
            continue;
        }
        let Some(reach) = source.reader.parse_reach(&mut inner, &*source.request) else { continue };
        inner.finish();
        let more = reach.widens(&*source.reach);
        if !more.is_empty() {
            let message = format!("the plugin does not listen to {}", more.join(", "));
            let help = format!("it listens to {}; less may be named here, not more", source.reach.describe());
            table.error_at(&name, message, help);
        }
        narrowed = Some(reach);
    }
    narrowed
}

/// `every`, which must not be shorter than what the plugin asks for.
fn longer_than(table: &mut TableReader<'_>, asked: Duration) -> Option<Duration> {
    let given = every(table)?;
    if given < asked {
        let asked = format_duration(asked);
        let message = format!("the plugin does not ask to run more often than every {asked}");
        table.error_at("every", message, format!("write {asked} or longer, or leave it out"));
        return None;
    }
    Some(given)
}

impl Grant for EventGrant {
    fn describe(&self) -> Vec<String> {
        let mut said = vec![match (&self.every, &self.narrowed) {
            (Some(every), _) => format!("its handler runs every {}", format_duration(*every)),
            (None, Some(narrowed)) => format!("listens to {} alone", narrowed.describe()),
            (None, None) => "listens to all that the plugin asks for".to_owned(),
        }];
        said.push(if self.may.is_empty() {
            "its handler reads and remembers, and changes nothing beyond the host".into()
        } else {
            let may: Vec<_> = self.may.iter().map(May::to_string).collect();
            format!("its handler may change something by itself: {}", may.join(", "))
        });
        said
    }
}
