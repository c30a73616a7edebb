//! What the host knows of a call. Shared by everything that works for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::{CallLimits, Observer};
use crate::abi::log::LogGate;
use crate::capability::Reach;
use crate::manifest::ConfigValue;

/// One call, as its host functions see it.
pub struct CallInfo {
    /// The reference that callers, the log and the audit share; `fleetgate why` takes it.
    pub id: Arc<str>,
    /// The binding's name.
    pub binding: Arc<str>,
    /// The plugin's id.
    pub plugin: Arc<str>,
    /// The tool's own name; empty during the probe.
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
    /// What was used and refused on the way.
    pub used: Used,
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
    used: Vec<String>,
    used_more: usize,
    refused: Vec<String>,
}

/// How many entries a record keeps of each list.
const KEPT: usize = 64;

impl Used {
    /// Something was used: `http.api GET https://host/path 200`. Never a secret, never a body.
    pub fn note(&self, what: impl Into<String>) {
        let mut entries = self.lock();
        if entries.used.len() < KEPT { entries.used.push(what.into()) } else { entries.used_more += 1 }
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
        let mut used = entries.used.clone();
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
