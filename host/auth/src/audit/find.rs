//! Questions about the log. An intent and its outcome are one call here.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use fleetgate_core::audit::{Intent, Record};
use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::line::{Entry, Line, moment};
use super::reader::{Damaged, open_all, read_lines};
use super::{AuditError, reader};

/// Which calls are wanted. What is empty does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The tool's own name, or as it is named on `/mcp` (`nerveshub_reboot_device`).
    pub tool: Option<String>,
    /// The binding.
    pub binding: Option<String>,
    /// The principal's name.
    pub principal: Option<String>,
    /// As recorded (`ok`, `fault:timeout`); `fault` for every fault; [`Filter::NO_OUTCOME`].
    pub outcome: Option<String>,
    /// Started at this moment or later.
    pub since: Option<Timestamp>,
    /// Started before this moment.
    pub until: Option<Timestamp>,
    /// Recorded arguments: name (a JSON pointer; its first slash may be left out) and value as text. A list matches
    /// when one of its elements does.
    pub arguments: Vec<(String, String)>,
    /// The newest so many. None: all.
    pub limit: Option<usize>,
}

/// One call, from what its records say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallRecord {
    /// The reference.
    pub call: String,
    /// When it started, to the millisecond.
    #[serde(with = "moment")]
    pub started: Timestamp,
    /// Who.
    pub principal: String,
    /// Where.
    pub binding: String,
    /// What: the tool's own name.
    pub tool: String,
    /// `sha256:…` of the plugin's file.
    pub plugin: String,
    /// The arguments that the manifest names.
    pub arguments: Map<String, Value>,
    /// Keyed hash of all arguments.
    pub arguments_hash: String,
    /// The job that it ran in; none for a call that somebody waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// How it ended. None: it is running, or the host stopped before it ended.
    pub outcome: Option<String>,
    /// The rule that refused it, or more about the fault.
    pub reason: Option<String>,
    /// What it used of its capabilities, and what it was refused on the way.
    pub used: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
}

/// The calls that matched, by their start, and what could not be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Oldest first.
    pub calls: Vec<CallRecord>,
    /// More matched than the filter's limit.
    pub more: bool,
    /// Lines that could not be read.
    pub damaged: Vec<Damaged>,
}

/// Looks through the whole log of a directory (see [`super::directory`]). An absent log is an empty one.
pub fn find(directory: &Path, filter: &Filter) -> Result<Found, AuditError> {
    let mut search = Search { filter, open: IndexMap::new(), matched: VecDeque::new(), more: false };
    let mut damaged = Vec::new();
    for log in open_all(directory)? {
        // Nothing in a file is younger than its last change.
        if filter.since.is_some_and(|since| log.modified.is_some_and(|modified| modified < since)) {
            continue;
        }
        read_lines(log, &mut damaged, |_| true, |line| search.take(line))?;
    }
    let (calls, more) = search.finish();
    Ok(Found { calls, more, damaged })
}

/// The call of this reference, as `fleetgate why` shows it. Newest file first.
pub fn why(directory: &Path, reference: &str) -> Result<Option<CallRecord>, AuditError> {
    let mut calls = Calls::default();
    let mut damaged = Vec::new();
    for log in open_all(directory)?.into_iter().rev() {
        reader::read_lines(
            log,
            &mut damaged,
            |text| text.contains(reference),
            |line| {
                if line.intent().call == reference {
                    calls.take(line);
                }
            },
        )?;
        if calls.outcome.is_some() && calls.intent.is_some() {
            break;
        }
    }
    Ok(calls.joined())
}

/// The records of one call, in whatever order they are met.
#[derive(Default)]
struct Calls {
    intent: Option<(Timestamp, Intent)>,
    outcome: Option<(Timestamp, Record)>,
}

impl Calls {
    fn take(&mut self, line: Line) {
        match line.entry {
            Entry::Intent(intent) => self.intent = Some((line.at, intent)),
            Entry::Outcome(record) => self.outcome = Some((line.at, record)),
        }
    }

    fn joined(self) -> Option<CallRecord> {
        let started = self.intent.as_ref().map(|(at, _)| *at);
        match (self.outcome, self.intent) {
            (Some((ended, record)), _) => Some(CallRecord::ended(started, ended, record)),
            (None, Some((at, intent))) => Some(CallRecord::unended(at, intent)),
            (None, None) => None,
        }
    }
}

impl CallRecord {
    fn unended(started: Timestamp, intent: Intent) -> Self {
        Self {
            call: intent.call,
            started,
            principal: intent.principal,
            binding: intent.binding,
            tool: intent.tool,
            plugin: intent.plugin,
            arguments: intent.arguments,
            arguments_hash: intent.arguments_hash,
            job: intent.job,
            outcome: None,
            reason: None,
            used: Vec::new(),
            duration_ms: None,
        }
    }

    /// A call that changes nothing has no intent: it started its duration before its end.
    fn ended(started: Option<Timestamp>, ended: Timestamp, record: Record) -> Self {
        let before = |duration: Duration| {
            SignedDuration::try_from(duration).ok().and_then(|duration| ended.checked_sub(duration).ok())
        };
        let started = started.or_else(|| before(record.duration)).unwrap_or(ended);
        Self {
            outcome: Some(record.outcome),
            reason: record.reason,
            used: record.used,
            duration_ms: Some(record.duration.as_secs_f64() * 1e3),
            ..Self::unended(started, record.intent)
        }
    }
}

struct Search<'a> {
    filter: &'a Filter,
    /// Intents whose outcome was not met yet, as they stand in the log: as many as there were calls at once.
    open: IndexMap<String, (Timestamp, Intent)>,
    matched: VecDeque<CallRecord>,
    more: bool,
}

impl Search<'_> {
    fn take(&mut self, line: Line) {
        match line.entry {
            Entry::Intent(intent) => {
                if self.filter.wants(&intent) {
                    self.open.insert(intent.call.clone(), (line.at, intent));
                }
            }
            Entry::Outcome(record) => {
                let intent = self.open.shift_remove(&record.intent.call);
                if self.filter.wants(&record.intent) {
                    self.keep(CallRecord::ended(intent.map(|(at, _)| at), line.at, record));
                }
            }
        }
    }

    fn keep(&mut self, call: CallRecord) {
        if !self.filter.wants_end(&call) {
            return;
        }
        self.matched.push_back(call);
        if self.filter.limit.is_some_and(|limit| self.matched.len() > limit) {
            self.matched.pop_front();
            self.more = true;
        }
    }

    fn finish(mut self) -> (Vec<CallRecord>, bool) {
        let unended: Vec<_> = std::mem::take(&mut self.open)
            .into_values()
            .map(|(at, intent)| CallRecord::unended(at, intent))
            .filter(|call| self.filter.wants_end(call))
            .collect();
        let mut calls: Vec<_> = self.matched.into_iter().chain(unended).collect();
        calls.sort_by_key(|call| call.started);
        let surplus = self.filter.limit.map_or(0, |limit| calls.len().saturating_sub(limit));
        calls.drain(..surplus);
        (calls, self.more || surplus > 0)
    }
}

impl Filter {
    /// The word for calls that have not ended, or whose host stopped.
    pub const NO_OUTCOME: &'static str = "none";

    /// By what is known before a call.
    fn wants(&self, intent: &Intent) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        let tool = self.tool.as_deref().is_none_or(|wanted| {
            let shared = wanted.strip_prefix(intent.binding.as_str()).and_then(|rest| rest.strip_prefix('_'));
            wanted == intent.tool || shared == Some(intent.tool.as_str())
        });
        let arguments = &self.arguments;
        tool && is(&self.binding, &intent.binding)
            && is(&self.principal, &intent.principal)
            && arguments.iter().all(|(name, value)| {
                let name = name.strip_prefix('/').unwrap_or(name);
                intent.arguments.get(name).is_some_and(|recorded| says(recorded, value))
            })
    }

    /// By what is known after it.
    fn wants_end(&self, call: &CallRecord) -> bool {
        let outcome = self.outcome.as_deref().is_none_or(|wanted| match &call.outcome {
            None => wanted == Self::NO_OUTCOME,
            Some(outcome) => outcome == wanted || (wanted == "fault" && outcome.starts_with("fault:")),
        });
        outcome
            && self.since.is_none_or(|since| call.started >= since)
            && self.until.is_none_or(|until| call.started < until)
    }
}

/// Whether a recorded argument is this text: a string as it is, a list by one of its elements, all else as JSON.
fn says(recorded: &Value, wanted: &str) -> bool {
    match recorded {
        Value::String(text) => text == wanted,
        Value::Array(elements) if elements.iter().any(|element| says(element, wanted)) => true,
        other => serde_json::to_string(other).is_ok_and(|text| text == wanted),
    }
}
