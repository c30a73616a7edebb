//! The jobs at hand: all that are kept, with what runs of them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::dead::DeadJob;
use super::job::Job;
use super::observer::{JobObserver, Told};
use super::record::{Record, now_ms};
use crate::asking;
use crate::call::{Answered, Refused};
use crate::catalog::FoundTool;
use crate::domain::{Answers, InputRequest, Question};
use crate::principal::Principal;
use crate::secret_arguments::Arguments;

/// Everything that is kept.
#[derive(Default)]
pub(super) struct Table {
    pub(super) jobs: HashMap<Arc<str>, Entry>,
    /// Oldest first.
    pub(super) dead: VecDeque<DeadJob>,
    /// The host stops: nothing new begins.
    pub(super) stopping: bool,
    /// Bytes of results on their way into the store.
    pub(super) reserved: u64,
}

/// One job.
pub(super) struct Entry {
    pub(super) record: Record,
    /// Grows with each change of the record, so that a writer knows whether what it wrote is still so.
    pub(super) version: u64,
    /// Who writes the record holds it: the store sees its states in their order.
    pub(super) saving: Arc<tokio::sync::Mutex<()>>,
    pub(super) told: Told,
    /// What its end takes of the room for results: counted when it ends, and not each time that another one does.
    pub(super) bytes: u64,
    /// None once it is over.
    pub(super) live: Option<Live>,
}

/// What a job has while it is not over.
pub(super) struct Live {
    pub(super) found: FoundTool,
    pub(super) arguments: Arguments,
    pub(super) cancel: CancellationToken,
    /// Why it was cancelled.
    pub(super) why: Option<Why>,
    pub(super) observer: Arc<JobObserver>,
    /// The client that still waits for the answer of its call: nobody knows of a job yet.
    pub(super) waiting: Option<Waiting>,
    /// It is in the store.
    pub(super) recorded: bool,
    pub(super) asking: Option<Asking>,
    /// The keys of all questions so far.
    pub(super) keys: HashSet<String>,
}

pub(super) type Waiting = oneshot::Sender<Result<Answered, Refused>>;

/// Why a job was made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its owner wanted it.
    Asked,
    /// The host stops.
    Host,
    /// It is not kept any longer.
    Expired,
}

/// A question of a job.
pub(super) struct Asking {
    /// Not answered yet: the key that its owner sees, and the request as the guest made it.
    pub(super) open: Vec<(String, InputRequest)>,
    /// Answered, by the guest's own keys.
    given: Vec<(String, Value)>,
    state: Option<Vec<u8>>,
    go_on: oneshot::Sender<GoOn>,
}

/// What a job goes on with.
pub(super) struct GoOn {
    /// With the roles that they hold now.
    pub(super) principal: Principal,
    pub(super) answers: Answers,
}

impl Table {
    /// Takes room for a result, or for what is said about why there is none, where `most` bytes are for all of them.
    /// It is given back when the record says how many bytes it keeps.
    pub(super) fn reserve(&mut self, bytes: u64, most: u64) -> bool {
        let kept: u64 = self.jobs.values().map(|entry| entry.bytes).sum();
        let fits = kept.saturating_add(self.reserved).saturating_add(bytes) <= most;
        self.reserved += if fits { bytes } else { 0 };
        fits
    }

    /// Changes what is recorded of a job.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Entry)) -> bool {
        let Some(entry) = self.jobs.get_mut(id) else { return false };
        change(entry);
        entry.record.updated_ms = now_ms();
        entry.version += 1;
        true
    }
}

impl Entry {
    /// A job that is over, or one that has only just begun.
    pub(super) fn new(record: Record, live: Option<Live>) -> Self {
        let bytes = record.kept_bytes();
        Self { record, version: 0, saving: Arc::default(), told: Told::default(), bytes, live }
    }

    /// Whether somebody may know its id.
    pub(super) fn is_known(&self) -> bool {
        self.live.as_ref().is_none_or(|live| live.recorded)
    }

    pub(super) fn job(&self) -> Job {
        let record = &self.record;
        let told = self.live.as_ref().map_or_else(|| self.told.clone(), |live| live.observer.told());
        let asks = self.live.as_ref().and_then(|live| live.asking.as_ref()).map(Asking::shown);
        Job {
            id: record.id.clone(),
            binding: record.binding.clone(),
            tool: record.tool.clone(),
            status: record.status,
            message: record.message.clone().or(told.message),
            progress: told.done,
            total: told.total,
            created_ms: record.created_ms,
            updated_ms: record.updated_ms.max(told.at_ms),
            ttl_ms: record.ttl_ms,
            asks: asks.unwrap_or_default(),
            fault: record.fault.clone(),
            reference: record.reference.clone(),
            attributes: record.attributes.clone(),
        }
    }
}

impl Live {
    /// Stops it. The first reason stays.
    pub(super) fn stop(&mut self, why: Why) {
        self.why.get_or_insert(why);
        self.cancel.cancel();
    }

    /// Asks its owner. No key is ever used for two questions of one job (SEP-2663, "Task Update Requests"), whatever
    /// keys the guest chooses.
    pub(super) fn ask(&mut self, question: Question) -> oneshot::Receiver<GoOn> {
        let mut open = Vec::new();
        for request in question.requests {
            let mut key = request.key.clone();
            let mut count = 1;
            while !self.keys.insert(key.clone()) {
                count += 1;
                key = format!("{}-{count}", request.key);
            }
            open.push((key, request));
        }
        let (go_on, answered) = oneshot::channel();
        self.asking = Some(Asking { open, given: Vec::new(), state: question.state, go_on });
        answered
    }

    /// Takes answers; those to nothing that is open, and those that do not fit what was asked, are left out. True:
    /// nothing is open any more, and the job goes on.
    pub(super) fn answer(&mut self, principal: &Principal, given: &Map<String, Value>) -> bool {
        let Some(asking) = &mut self.asking else { return false };
        for (key, value) in asking::answers(&asking.shown(), given) {
            if let Some(at) = asking.open.iter().position(|(open, _)| *open == key) {
                let (_, request) = asking.open.remove(at);
                asking.given.push((request.key, value));
            }
        }
        if !asking.open.is_empty() {
            return false;
        }
        if let Some(Asking { given, state, go_on, .. }) = self.asking.take() {
            let answers = Answers { items: given, state };
            // A job that was stopped meanwhile does not listen any more.
            let _ = go_on.send(GoOn { principal: principal.clone(), answers });
        }
        true
    }
}

impl Asking {
    fn shown(&self) -> Vec<InputRequest> {
        let shown =
            |(key, request): &(String, InputRequest)| InputRequest { key: key.clone(), ..request.clone() };
        self.open.iter().map(shown).collect()
    }
}
