//! What the host knows of a call. Shared by everything that works for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::{CallLimits, ListsChanged, Observer};
use crate::abi::log::LogGate;
use crate::capability::Reach;
use crate::jobs::JobsOfCall;
use crate::manifest::ConfigValue;

/// One call, as its host functions see it.
pub struct CallInfo {
    /// The reference that callers, the log and the audit share; `fleetgate why` takes it.
    pub id: Arc<str>,
    /// The binding's name.
    pub binding: Arc<str>,
    /// The plugin's id.
    pub plugin: Arc<str>,
    /// What runs, as the audit record says it: a tool's own name, `resource naas://jobs`, `prompt config_push`; empty
    /// during the probe.
    pub tool: Arc<str>,
    /// The principal's name; empty during the probe.
    pub principal: Arc<str>,
    /// The caller's roles on this binding, with those that they include.
    pub roles: Vec<String>,
    /// A keyed hash that stays the same within one session of one caller on this binding.
    pub session: String,
    /// What the client can do, as JSON text.
    pub client_capabilities: Arc<str>,
    /// The binding's settings.
    pub config: Arc<IndexMap<String, ConfigValue>>,
    /// The granted requests, by `kind.name`. Empty during the probe.
    pub granted: Arc<BTreeSet<String>>,
    /// What this tool may do of what its plugin was granted.
    pub policy: Arc<CallPolicy>,
    /// What the call may use up.
    pub limits: CallLimits,
    /// When the call is ended.
    pub deadline: Instant,
    /// This call's own token: trips when the client gives up or the deadline comes.
    pub cancel: CancellationToken,
    /// How much the binding may log.
    pub log: Arc<LogGate>,
    /// Who listens to progress, logs and changes.
    pub observer: Arc<dyn Observer>,
    /// Who looks again when the guest says that its lists are others. None: nobody, as during the probe.
    pub lists: Option<Arc<ListsChanged>>,
    /// What was used and refused on the way.
    pub used: Used,
    /// The jobs of this binding and caller, and the one that this call runs in.
    pub jobs: JobsOfCall,
}

/// A tool's ceiling, from its manifest entry.
#[derive(Debug, Default)]
pub struct CallPolicy {
    /// It may change nothing: GET and HEAD, no publish, no SSH, no key-value write, unless `reach` says more.
    pub read_only: bool,
    /// By `kind.name`. What has no entry is bounded by the grant (and by `read_only`) alone.
    pub reach: BTreeMap<String, Arc<dyn Reach>>,
}

/// A waiting import ended because its call was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call was cancelled")]
pub struct Cancelled;

impl CallInfo {
    /// Waits for `work`, but no longer than until the call is cancelled. Every import that waits goes through
    /// here. What is started after the cancellation runs: it is the guest cleaning up, and ends with its grace.
    pub async fn waiting<T>(&self, work: impl Future<Output = T>) -> Result<T, Cancelled> {
        if self.cancel.is_cancelled() {
            return Ok(work.await);
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Cancelled),
            done = work => Ok(done),
        }
    }

    /// Time until the deadline; zero after it.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Debug for CallInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallInfo")
            .field("id", &self.id)
            .field("binding", &self.binding)
            .field("tool", &self.tool)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// What a call used and what it was refused, for the audit record and `fleetgate why`. Bounded: the first 64
/// entries of each, then a count.
#[derive(Debug, Default)]
pub struct Used(Mutex<UsedEntries>);

#[derive(Debug, Default)]
struct UsedEntries {
    used: Vec<Noted>,
    used_more: usize,
    refused: Vec<String>,
}

#[derive(Debug)]
struct Noted {
    what: String,
    /// None: it was begun, and how it ended is not known.
    end: Option<String>,
}

/// Something that is being used. Dropped without an end, it stands in the record as sent and not answered.
#[derive(Debug)]
#[must_use = "what has no end reads as if no answer came"]
pub struct UsedEntry<'a> {
    used: &'a Used,
    /// None: there was no more room for it.
    at: Option<usize>,
}

impl UsedEntry<'_> {
    /// How it ended: `200`.
    pub fn end(self, how: impl Into<String>) {
        let mut entries = self.used.lock();
        if let Some(noted) = self.at.and_then(|at| entries.used.get_mut(at)) {
            noted.end = Some(how.into());
        }
    }
}

/// How many entries a record keeps of each list.
const KEPT: usize = 64;

impl Used {
    /// Something is about to be used: `http.api POST https://host/path`. Called before anything is sent, so that what
    /// was cut short is in the record too. Never a secret, never a body.
    pub fn begin(&self, what: impl Into<String>) -> UsedEntry<'_> {
        let mut entries = self.lock();
        let room = entries.used.len() < KEPT;
        if room {
            entries.used.push(Noted { what: what.into(), end: None });
        } else {
            entries.used_more += 1;
        }
        UsedEntry { used: self, at: room.then(|| entries.used.len() - 1) }
    }

    /// Something was refused: the rule, the resolved address and the grant line that would allow it, in words for
    /// the operator. The guest and the caller never see it.
    pub fn refuse(&self, why: impl Into<String>) {
        let mut entries = self.lock();
        if entries.refused.len() < KEPT {
            entries.refused.push(why.into());
        }
    }

    /// What was used, with a last line that counts what was left out.
    pub fn used(&self) -> Vec<String> {
        let entries = self.lock();
        let line =
            |noted: &Noted| format!("{} {}", noted.what, noted.end.as_deref().unwrap_or("sent, no answer"));
        let mut used: Vec<_> = entries.used.iter().map(line).collect();
        if entries.used_more > 0 {
            used.push(format!("and {} more", entries.used_more));
        }
        used
    }

    /// What was refused.
    pub fn refused(&self) -> Vec<String> {
        self.lock().refused.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UsedEntries> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_and_not_ended_reads_as_sent_and_not_answered() {
        let used = Used::default();
        let (first, second) = (used.begin("http.api POST /a"), used.begin("http.api POST /b"));
        second.end("204");
        assert_eq!(used.used(), ["http.api POST /a sent, no answer", "http.api POST /b 204"]);
        drop(first);
        assert_eq!(used.used()[0], "http.api POST /a sent, no answer");
    }

    #[test]
    fn what_has_no_room_in_the_record_is_counted() {
        let used = Used::default();
        for number in 0..KEPT + 2 {
            used.begin(format!("http.api GET /{number}")).end("200");
        }
        let lines = used.used();
        assert_eq!((lines.len(), lines[KEPT].as_str()), (KEPT + 1, "and 2 more"));
        assert_eq!(lines[KEPT - 1], format!("http.api GET /{} 200", KEPT - 1));
    }
}
