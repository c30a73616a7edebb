//! What the host knows of a call. Shared by everything that works for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::{CallLimits, ListsChanged, Observer};
use crate::abi::log::LogGate;
use crate::capability::{Reach, Refusal};
use crate::events::May;
use crate::jobs::JobsOfCall;
use crate::manifest::ConfigValue;
use crate::mask::Mask;
use crate::secret_arguments::Vault;

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
    /// The principal's name; empty during the probe and for a handler of events, which nobody called.
    pub principal: Arc<str>,
    /// The caller's roles on this binding, with those that they include.
    pub roles: Vec<String>,
    /// A keyed hash that stays the same within one session of one caller on this binding; empty where nobody called.
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
    /// What the placeholders stand for that the guest has in the place of its secret arguments.
    pub secrets: Vault,
}

/// A tool's ceiling, from its manifest entry.
#[derive(Debug, Default)]
pub struct CallPolicy {
    /// It may change nothing: GET and HEAD, no publish, no SSH, no key-value write, unless `reach` says more.
    pub read_only: bool,
    /// By `kind.name`. What has no entry is bounded by the grant (and by `read_only`) alone.
    pub reach: BTreeMap<String, Arc<dyn Reach>>,
    /// Of a handler of events: the key of its grant. It is `read_only`, and still it may write to what its plugin
    /// remembers (key-value).
    pub handler: Option<String>,
    /// What it may change all the same, as the operator granted it.
    pub may: Vec<May>,
}

impl CallPolicy {
    /// Whether the call may change something through this capability (`mqtt.broker`) in this way (`publish`; empty
    /// for a capability whose [`acts`](crate::capability::Capability::acts) have no words), as far as it is read-only.
    /// A tool's `reach` may say more, and the grant less.
    pub fn may_act(&self, capability: &str, act: &str) -> bool {
        !self.read_only || self.may.iter().any(|may| may.covers(capability, act))
    }

    /// Whether the call changes nothing beyond the host, as far as its tool's `reach` says no more.
    pub fn only_reads(&self) -> bool {
        self.read_only && self.may.is_empty()
    }

    /// Whether the call may write to what its plugin remembers.
    pub fn may_remember(&self) -> bool {
        !self.read_only || self.handler.is_some()
    }

    /// The refusal where [`Self::may_act`] says no. `tried`: what was tried, for the operator.
    pub fn cannot_act(&self, tried: &str, capability: &str, act: &str) -> Refusal {
        let Some(grant) = &self.handler else {
            return Refusal::new("read-only", format!("{tried}: the tool is read-only"));
        };
        let colon = if act.is_empty() { "" } else { ":" };
        Refusal::new("read-only", format!("{tried}: a handler of events only reads"))
            .allowed_by(format!("[{grant}] may = [… \"{capability}{colon}{act}\"]"))
    }
}

impl CallInfo {
    /// Whether somebody called. Nobody did during the probe and for a handler of events: there is nothing of a caller
    /// then, no part of a bucket, no credential of theirs.
    pub fn has_caller(&self) -> bool {
        !self.principal.is_empty()
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

/// What a call used and what it was refused, for the audit record and `fleetgate why`. Bounded: of what was used the
/// first 32 entries and the last 32, so that no beginning hides what came of it; of what was refused the first 64.
#[derive(Debug, Default)]
pub struct Used {
    entries: Mutex<UsedEntries>,
    /// Of the call's secret arguments: a caller may have said one in another argument as well.
    mask: Option<Arc<Mask>>,
}

#[derive(Debug, Default)]
struct UsedEntries {
    first: Vec<Noted>,
    last: VecDeque<Noted>,
    /// Those in between, which were left out.
    between: usize,
    /// What is only counted, in the order in which it came first.
    tallies: IndexMap<String, u64>,
    refused: Vec<String>,
}

impl UsedEntries {
    /// The entry with this number. None: it was left out meanwhile.
    fn get_mut(&mut self, number: usize) -> Option<&mut Noted> {
        match number.checked_sub(HALF) {
            None => self.first.get_mut(number),
            Some(later) => self.last.get_mut(later.checked_sub(self.between)?),
        }
    }
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
    number: usize,
}

impl UsedEntry<'_> {
    /// How it ended: `200`.
    pub fn end(self, how: impl Into<String>) {
        let how = self.used.hide(how.into());
        if let Some(noted) = self.used.lock().get_mut(self.number) {
            noted.end = Some(how);
        }
    }

    /// Whether it or one before it may be left out of the record: there are more than it has room for.
    pub fn is_beyond(&self) -> bool {
        self.number >= KEPT
    }
}

/// How many entries a record keeps of each list.
const KEPT: usize = 64;
/// Of them from the beginning, and from the end.
const HALF: usize = KEPT / 2;

impl Used {
    /// With nothing in it, and nothing that this mask finds ever.
    pub fn hiding(mask: Option<Arc<Mask>>) -> Self {
        Self { mask, ..Self::default() }
    }

    /// Something is about to be used: `http.api POST https://host/path`. Called before anything is sent, so that what
    /// was cut short is in the record too. Never a secret, never a body.
    pub fn begin(&self, what: impl Into<String>) -> UsedEntry<'_> {
        let mut entries = self.lock();
        let noted = Noted { what: self.hide(what.into()), end: None };
        let number = entries.first.len() + entries.between + entries.last.len();
        if entries.first.len() < HALF {
            entries.first.push(noted);
        } else {
            if entries.last.len() == KEPT - HALF {
                entries.last.pop_front();
                entries.between += 1;
            }
            entries.last.push_back(noted);
        }
        UsedEntry { used: self, number }
    }

    /// Something small was used, of which a call does so much that it is counted and not listed:
    /// `keyvalue.history get ok`. Of different ones, the first 64.
    pub fn tally(&self, what: &str) {
        let mut entries = self.lock();
        if let Some(count) = entries.tallies.get_mut(what) {
            *count += 1;
        } else if entries.tallies.len() < KEPT {
            entries.tallies.insert(what.to_owned(), 1);
        }
    }

    /// Something was refused: the rule, the resolved address and the grant line that would allow it, in words for
    /// the operator. The guest and the caller never see it.
    pub fn refuse(&self, why: impl Into<String>) {
        let mut entries = self.lock();
        if entries.refused.len() < KEPT {
            entries.refused.push(self.hide(why.into()));
        }
    }

    /// What was used, with a line that counts what was left out in between.
    pub fn used(&self) -> Vec<String> {
        let entries = self.lock();
        let line =
            |noted: &Noted| format!("{} {}", noted.what, noted.end.as_deref().unwrap_or("sent, no answer"));
        let mut used: Vec<_> = entries.first.iter().map(line).collect();
        if entries.between > 0 {
            used.push(format!("and {} more", entries.between));
        }
        used.extend(entries.last.iter().map(line));
        used.extend(entries.tallies.iter().map(|(what, count)| match count {
            1 => what.clone(),
            count => format!("{what}, {count} times"),
        }));
        used
    }

    /// What was refused.
    pub fn refused(&self) -> Vec<String> {
        self.lock().refused.clone()
    }

    fn hide(&self, text: String) -> String {
        match &self.mask {
            Some(mask) if mask.finds(text.as_bytes()) => mask.replace(&text),
            _ => text,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UsedEntries> {
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
    fn what_has_no_room_in_the_record_is_counted_and_the_last_entries_stay() {
        let used = Used::default();
        let begun: Vec<_> =
            (0..KEPT + 2).map(|number| used.begin(format!("http.api GET /{number}"))).collect();
        assert_eq!(begun.iter().filter(|entry| entry.is_beyond()).count(), 2);
        begun.into_iter().for_each(|entry| entry.end("200"));
        let lines = used.used();
        assert_eq!((lines.len(), lines[HALF].as_str()), (KEPT + 1, "and 2 more"));
        assert_eq!(lines[HALF - 1], format!("http.api GET /{} 200", HALF - 1));
        assert_eq!(lines[HALF + 1], format!("http.api GET /{} 200", HALF + 2));
        assert_eq!(lines[KEPT], format!("http.api GET /{} 200", KEPT + 1));
    }
}
