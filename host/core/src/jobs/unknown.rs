//! Requests for jobs that are not there for who asks. Each is refused alike, and costs nothing; so what is recorded of
//! them is bounded: the first of a caller, and after a minute how many of the same kind followed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::access::Access;
use super::engine::Jobs;
use crate::audit;
use crate::call::{Kind, Refused, new_reference};
use crate::catalog::Scope;

/// So long those that follow are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Windows that are open at once; beyond, the oldest is closed.
const MOST: usize = 1024;

/// What is counted now, by the caller and the reason.
#[derive(Debug, Default)]
pub(super) struct Unknowns(Mutex<HashMap<(String, String), Counted>>);

/// A caller's requests that ended for the same reason.
#[derive(Debug)]
struct Counted {
    since: Instant,
    /// Of the first one, which is recorded.
    first: audit::Intent,
    more: u64,
}

impl Jobs {
    /// What who asked for a job that is not there is told, whatever the reason. The reason goes into the audit log.
    pub fn unknown(&self, access: &Access<'_>, id: &str) -> Refused {
        let reason = match self.table().jobs.get(id).filter(|entry| entry.is_known()) {
            None => "no job of this id is kept".to_owned(),
            Some(entry) if *entry.record.principal != *access.principal.name() => {
                format!("it is a job of {}", entry.record.principal)
            }
            Some(entry) => format!(
                "it is a job of {}/{}, which is not shown here, or whose role is not held any more",
                entry.record.binding, entry.record.tool
            ),
        };
        let name = crate::text::clean(&id[..id.floor_char_boundary(128)]).into_owned();
        let intent = audit::Intent {
            call: new_reference().to_string(),
            principal: access.principal.name().to_owned(),
            binding: match access.scope {
                Scope::Shared => String::new(),
                Scope::Binding(name) => name.to_string(),
            },
            tool: String::new(),
            plugin: String::new(),
            arguments: Map::from_iter([("job".to_owned(), json!(name))]),
            arguments_hash: String::new(),
            job: None,
        };
        let (reference, records) = self.unknowns.count(intent, &reason, Instant::now());
        self.write_unknown(&records);
        Refused::Unknown { kind: Kind::Job, name, reference }
    }

    /// Records what was counted and is over. `all`: also what is not, since the host stops.
    pub(super) fn record_unknown(&self, all: bool) {
        self.write_unknown(&self.unknowns.over(Instant::now(), all));
    }

    fn write_unknown(&self, records: &[audit::Record]) {
        for record in records {
            if let Err(failed) = self.audit.outcome(record) {
                tracing::error!(call = %record.intent.call, reason = %failed, "a refusal was not recorded");
            }
        }
    }
}

impl Unknowns {
    /// One more. The reference of the record that stands for it, and what is to be recorded now.
    fn count(&self, intent: audit::Intent, reason: &str, now: Instant) -> (Arc<str>, Vec<audit::Record>) {
        let mut counted = self.counted();
        let key = (intent.principal.clone(), reason.to_owned());
        if let Some(known) = counted.get_mut(&key).filter(|known| !known.is_over(now)) {
            known.more += 1;
            return (known.first.call.as_str().into(), Vec::new());
        }
        let before = counted.remove(&key).and_then(|before| before.record(reason));
        let mut records: Vec<_> = before.into_iter().collect();
        if counted.len() >= MOST
            && let Some(oldest) =
                counted.iter().min_by_key(|(_, known)| known.since).map(|(key, _)| key.clone())
            && let Some(known) = counted.remove(&oldest)
        {
            records.extend(known.record(&oldest.1));
        }
        let reference = intent.call.as_str().into();
        records.push(refused(intent.clone(), reason.to_owned()));
        counted.insert(key, Counted { since: now, first: intent, more: 0 });
        (reference, records)
    }

    /// What is to be recorded of windows that are over, or of all.
    fn over(&self, now: Instant, all: bool) -> Vec<audit::Record> {
        let mut counted = self.counted();
        let over = counted.extract_if(|_, known| all || known.is_over(now));
        over.filter_map(|((_, reason), known)| known.record(&reason)).collect()
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<(String, String), Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= WINDOW
    }

    /// How many followed. None: nobody did.
    fn record(self, reason: &str) -> Option<audit::Record> {
        let Self { first, more, .. } = self;
        if more == 0 {
            return None;
        }
        let reason = format!("{more} more requests like {} within a minute: {reason}", first.call);
        let intent = audit::Intent {
            call: new_reference().to_string(),
            arguments: Map::from_iter([
                ("like".to_owned(), json!(first.call)),
                ("more".to_owned(), json!(more)),
            ]),
            ..first
        };
        Some(refused(intent, reason))
    }
}

fn refused(intent: audit::Intent, reason: String) -> audit::Record {
    audit::Record {
        intent,
        outcome: "refused".into(),
        reason: Some(reason),
        used: Vec::new(),
        duration: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(principal: &str) -> audit::Intent {
        audit::Intent {
            call: new_reference().to_string(),
            principal: principal.into(),
            binding: String::new(),
            tool: String::new(),
            plugin: String::new(),
            arguments: Map::new(),
            arguments_hash: String::new(),
            job: None,
        }
    }

    fn reasons(records: &[audit::Record]) -> Vec<&str> {
        records.iter().map(|record| record.reason.as_deref().unwrap_or_default()).collect()
    }

    #[test]
    fn the_first_is_recorded_and_those_that_follow_are_counted() {
        let (unknowns, now) = (Unknowns::default(), Instant::now());
        let (first, records) = unknowns.count(asked("bob"), "none", now);
        assert_eq!((reasons(&records), &*records[0].intent.call), (vec!["none"], &*first));
        for _ in 0..1000 {
            let (reference, records) = unknowns.count(asked("bob"), "none", now + WINDOW / 2);
            assert_eq!((reference, records.len()), (first.clone(), 0), "its record is the first one's");
        }
        // Somebody else, and another reason, are recorded.
        assert_eq!(reasons(&unknowns.count(asked("ann"), "none", now).1), ["none"]);
        assert_eq!(reasons(&unknowns.count(asked("bob"), "of ann", now).1), ["of ann"]);
        assert!(unknowns.over(now + WINDOW / 2, false).is_empty());
        let records = unknowns.over(now + WINDOW, false);
        assert_eq!(reasons(&records), [format!("1000 more requests like {first} within a minute: none")]);
        assert_eq!(records[0].intent.arguments["more"], 1000);
        assert!(unknowns.counted().is_empty());
    }

    #[test]
    fn a_new_minute_begins_with_the_count_of_the_last() {
        let (unknowns, now) = (Unknowns::default(), Instant::now());
        let (first, _) = unknowns.count(asked("bob"), "none", now);
        unknowns.count(asked("bob"), "none", now);
        let (_, records) = unknowns.count(asked("bob"), "none", now + WINDOW);
        let count = format!("1 more requests like {first} within a minute: none");
        assert_eq!(reasons(&records), [count.as_str(), "none"]);
        unknowns.count(asked("bob"), "none", now + WINDOW);
        assert_eq!(unknowns.over(now + WINDOW, true).len(), 1, "a host that stops forgets nothing");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_gives_way_with_its_count() {
        let (unknowns, now) = (Unknowns::default(), Instant::now());
        for number in 0..MOST {
            for _ in 0..2 {
                unknowns.count(
                    asked(&format!("u{number}")),
                    "none",
                    now + Duration::from_millis(number as u64),
                );
            }
        }
        let (_, records) = unknowns.count(asked("more"), "none", now + Duration::from_secs(5));
        assert_eq!((records.len(), records[0].intent.principal.as_str()), (2, "u0"));
        assert_eq!(unknowns.counted().len(), MOST);
    }
}
