//! What an author asks for: `[capabilities.events.<name>]`, with what it is listened to (`from`) or how often it
//! happens by itself (`every`).

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use super::may::Acts;
use super::{KIND, LEAST_EVERY, MOST_EVERY};
use crate::capability::{Capabilities, Capability, Reach, Request};
use crate::diagnostic::{TableReader, did_you_mean, quoted};
use crate::manifest::CapabilityRequest;
use crate::units::format_duration;

/// A parsed request.
#[derive(Debug)]
pub(crate) struct EventRequest {
    pub(super) when: When,
    /// Of everything that the plugin asks for beside events.
    pub(super) acts: Arc<Acts>,
}

/// When the handler runs.
#[derive(Debug)]
pub(super) enum When {
    /// When something is heard.
    Heard(Source),
    /// After each such time.
    Every(Duration),
}

/// From where something is heard.
pub(super) struct Source {
    /// `mqtt.broker`
    pub(super) capability: String,
    /// The request of that name.
    pub(super) request: Arc<dyn Request>,
    /// What is listened to.
    pub(super) reach: Arc<dyn Reach>,
    /// Reads another reach into it.
    pub(super) reader: Arc<dyn Capability>,
}

impl Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("capability", &self.capability)
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

/// What else a manifest asks for, since an event comes from one of that.
pub(crate) struct Others<'a> {
    requests: &'a BTreeMap<String, CapabilityRequest>,
    /// Every name under `[capabilities]`, also of those that were wrong.
    requested: &'a [String],
    capabilities: &'a Capabilities,
    acts: Arc<Acts>,
}

impl<'a> Others<'a> {
    pub(crate) fn new(
        requests: &'a BTreeMap<String, CapabilityRequest>,
        requested: &'a [String],
        capabilities: &'a Capabilities,
    ) -> Self {
        let acts = |asked: &CapabilityRequest| capabilities.get(&asked.kind).and_then(|kind| kind.acts());
        let acts = requests.iter().map(|(name, asked)| (name.clone(), acts(asked)));
        Self { requests, requested, capabilities, acts: Arc::new(acts.collect()) }
    }

    /// Reads the part of `[capabilities.events.<name>]` that is not the same for every kind.
    pub(crate) fn read(&self, table: &mut TableReader<'_>) -> Option<Arc<dyn Request>> {
        const HELP: &str =
            "write from = { \"mqtt.broker\" = { … } } with what is listened to, or every = \"60s\"";
        let when = match (table.has("from"), table.has("every")) {
            (true, true) => {
                table.error_at("every", "an event is heard or comes from time to time, not both", HELP);
                table.leave_rest();
                return None;
            }
            (false, false) => {
                for key in ["from", "every"] {
                    table.value(key);
                }
                table.error("nothing says when this happens", HELP);
                return None;
            }
            (true, false) => When::Heard(self.source(table)?),
            (false, true) => When::Every(every(table)?),
        };
        Some(Arc::new(EventRequest { when, acts: self.acts.clone() }))
    }

    fn source(&self, table: &mut TableReader<'_>) -> Option<Source> {
        let mut sources = table.tables("from");
        if sources.len() != 1 {
            sources.iter_mut().for_each(|(_, inner)| inner.leave_rest());
            let help = "name one capability with what is listened to; another source is another event";
            if !table.failed() {
                table.error_at("from", "an event has one source", help);
            }
            return None;
        }
        let (name, mut inner) = sources.pop()?;
        let Some(asked) = self.requests.get(name.get_ref()) else {
            // What is wrong with a request is said there, once. An event is nobody's source.
            let of_events = name.get_ref().starts_with(&format!("{KIND}."));
            if of_events || !self.requested.contains(name.get_ref()) {
                let speaking = self.requests.iter().filter(|(_, asked)| self.speaks(&asked.kind));
                let mut help = did_you_mean(name.get_ref(), speaking.map(|(name, _)| name.as_str()));
                if help.is_empty() {
                    help = "request it under [capabilities.<kind>.<name>] first".into();
                }
                let message =
                    format!("{} is not a capability that this manifest requests", quoted(name.get_ref()));
                table.error_at(&name, message, help);
            }
            inner.leave_rest();
            return None;
        };
        if !self.speaks(&asked.kind) {
            let message = format!("nothing is heard from {}", name.get_ref());
            table.error_at(&name, message, "events come from what speaks by itself, like an MQTT broker");
            inner.leave_rest();
            return None;
        }
        let reader = self.capabilities.get(&asked.kind)?.clone();
        let reach = reader.parse_reach(&mut inner, &*asked.request)?;
        inner.finish();
        Some(Source { capability: name.into_inner(), request: asked.request.clone(), reach, reader })
    }

    fn speaks(&self, kind: &str) -> bool {
        self.capabilities.get(kind).is_some_and(|capability| capability.speaks())
    }
}

/// Takes `every`, within what the host takes.
pub(super) fn every(table: &mut TableReader<'_>) -> Option<Duration> {
    let every = table.spanned_duration("every")?;
    if (LEAST_EVERY..=MOST_EVERY).contains(every.get_ref()) {
        return Some(every.into_inner());
    }
    let message = format!("{} is out of range", format_duration(*every.get_ref()));
    let (least, most) = (format_duration(LEAST_EVERY), format_duration(MOST_EVERY));
    table.error_at(&every, message, format!("write a duration from {least} to {most}"));
    None
}

impl Request for EventRequest {
    fn widens(&self, old: &dyn Request) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else { return self.describe() };
        match (&self.when, &old.when) {
            (When::Heard(new), When::Heard(old)) if new.capability == old.capability => {
                let more = new.reach.widens(&*old.reach);
                more.into_iter().map(|more| format!("listens to {more}")).collect()
            }
            (When::Every(new), When::Every(old)) if new < old => {
                let (new, old) = (format_duration(*new), format_duration(*old));
                vec![format!("runs every {new} instead of every {old}")]
            }
            (When::Every(_), When::Every(_)) => Vec::new(),
            _ => self.describe(),
        }
    }

    fn describe(&self) -> Vec<String> {
        vec![match &self.when {
            When::Heard(source) => format!("listens to {} ({})", source.capability, source.reach.describe()),
            When::Every(every) => format!("runs every {}", format_duration(*every)),
        }]
    }

    fn grant_template(&self) -> String {
        let mut lines = Vec::new();
        match &self.when {
            When::Heard(source) => {
                lines.push(format!("# from = {{ \"{}\" = {{ … }} }}  # less, if you like", source.capability))
            }
            When::Every(every) => {
                lines.push(format!("# every = \"{}\"  # longer, if you like", format_duration(*every)));
            }
        }
        let acting: Vec<String> = self
            .acts
            .iter()
            .filter_map(|(name, acts)| Some((name, (*acts)?)))
            .map(|(name, words)| match words {
                [] => format!("\"{name}\""),
                [word, ..] => format!("\"{name}:{word}\""),
            })
            .collect();
        if !acting.is_empty() {
            lines.push(format!("# may = [{}]  # its handler only reads without", acting.join(", ")));
        }
        lines.join("\n") + "\n"
    }
}
