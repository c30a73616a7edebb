//! What can be asked of the jobs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Access;
use super::dead::{DeadJob, is_death};
use super::drive::{Over, Started, drive};
use super::job::{Job, Status};
use super::mirror::{self, Mirrored, MirroredJob};
use super::observer::JobObserver;
use super::record::{Record, now_ms, record_key, result_key, space};
use super::recover::{interrupted, recover, trim};
use super::result;
use super::table::{Entry, GoOn, Live, Table, Waiting, Why};
use crate::audit::{self, Audit};
use crate::call::{
    Answered, End, Kind, Looked, Refused, ToolCall, call_tool, check, ended_at_once, new_job_id,
    new_reference,
};
use crate::catalog::{Catalog, FoundTool, Guarded, Scope};
use crate::domain::{Fault, Question, ToolResult};
use crate::manifest::TaskMode;
use crate::sandbox::{BindingPermits, GRACE, Permit, Permits};
use crate::secret_arguments::Arguments;
use crate::settings::{JobSettings, MIN_TTL};
use crate::store::{Batch, Space, Store, StoreError};
use crate::units::format_size;

/// How often jobs are looked for whose time is over.
const SWEEP: Duration = Duration::from_secs(5);
/// Results over this size are made ready for the store on a thread of their own.
const SMALL: usize = 64 << 10;
/// How long a tool that asks first is waited for.
const FIRST_QUESTION: Duration = Duration::from_secs(2);
/// Jobs on one page of a list.
const PAGE: usize = 100;

/// The jobs of one host.
pub struct Jobs {
    store: Arc<dyn Store>,
    space: Space,
    audit: Arc<dyn Audit>,
    settings: JobSettings,
    permits: Arc<Permits>,
    turns: Mutex<HashMap<Arc<str>, BindingPermits>>,
    table: Mutex<Table>,
    tasks: TaskTracker,
    mirror: Option<PathBuf>,
    changed: Arc<Notify>,
}

/// How jobs are opened.
pub struct JobsOptions {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Where their runs are recorded.
    pub audit: Arc<dyn Audit>,
    /// `[jobs]`
    pub settings: JobSettings,
    /// How many can run at once beside the calls: [`crate::sandbox::Sandbox::room_for_jobs`].
    pub room: u32,
    /// The file that `fleetgate jobs` reads.
    pub mirror: Option<PathBuf>,
}

/// What is kept cannot be read, or cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
#[error("the jobs cannot be opened: {0}")]
pub struct JobsFailed(#[from] pub StoreError);

/// A call that may become a job.
#[derive(Debug)]
pub enum Begun {
    /// It ended at once, with a result, a fault or a question, and there never was a job.
    Ended(Answered),
    /// It goes on in the background, and is kept.
    Job(Job),
}

/// One page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobsPage {
    /// At most 100.
    pub jobs: Vec<Job>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// What a plugin says of a job that it submits, beside tool and arguments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wish {
    /// How long it is kept, from its creation. None: as the operator says.
    pub ttl: Option<Duration>,
    /// [`Job::attributes`]
    pub attributes: Option<Map<String, Value>>,
}

/// How the jobs of a host that stops are ended.
#[derive(Debug, Clone)]
pub struct Stopping {
    /// How long those that run may go on.
    pub grace: Duration,
    /// Ends the grace when it trips.
    pub now: CancellationToken,
}

impl Jobs {
    /// Reads what is kept, fails what had not ended when the host stopped, and goes on.
    pub async fn open(options: JobsOptions) -> Result<Arc<Self>, JobsFailed> {
        let JobsOptions { store, audit, settings, room, mirror } = options;
        let table = recover(&*store).await?;
        let jobs = Arc::new(Self {
            store,
            space: space(),
            audit,
            settings,
            permits: Permits::of(settings.concurrency.min(room), settings.binding_concurrency),
            turns: Mutex::default(),
            table: Mutex::new(table),
            tasks: TaskTracker::new(),
            mirror,
            changed: Arc::new(Notify::new()),
        });
        tokio::spawn(sweep(Arc::downgrade(&jobs)));
        if let Some(path) = jobs.mirror.clone() {
            tokio::spawn(mirror::keep(Arc::downgrade(&jobs), path, jobs.changed.clone()));
            jobs.changed.notify_one();
        }
        Ok(jobs)
    }

    /// Runs a call of a client that can take a job instead of a result. A tool that may run as a task becomes one at
    /// once; any other is called like any other.
    ///
    /// A tool that says `asks_first` in its manifest is waited for a moment when it is called without answers: a
    /// question goes to the client as the answer of this very call, and nothing is kept. MCP wants such questions
    /// settled before there is a task (SEP-2663, "Task Creation"). The call that goes on with the answers is a job at
    /// once.
    pub async fn begin(self: &Arc<Self>, catalog: &Catalog, call: ToolCall) -> Result<Begun, Refused> {
        let principal = &call.context.principal;
        let found = catalog
            .find_tool(&call.context.scope, &call.tool)
            .filter(|found| found.tool.task != TaskMode::Never && found.allows(principal));
        let Some(found) = found else {
            return call_tool(catalog, &self.audit, call).await.map(Begun::Ended);
        };
        if found.tool.asks_first && call.answers.is_none() {
            return self.begin_with_a_question(found, call).await;
        }
        let (principal, arguments) = (principal.name().to_owned(), call.arguments.clone());
        match self.submit(found.clone(), call, Wish::default(), 0).await {
            Ok(job) => Ok(Begun::Job(job)),
            Err(fault) => {
                let ended = ended_at_once(&self.audit, &found, (&principal, &arguments), None, fault);
                Ok(Begun::Ended(ended))
            }
        }
    }

    async fn begin_with_a_question(
        self: &Arc<Self>,
        found: FoundTool,
        call: ToolCall,
    ) -> Result<Begun, Refused> {
        let (waiting, mut answer) = oneshot::channel();
        let started = match self.admit(&found, &call, Wish::default(), Some(waiting)) {
            Ok(admitted) => admitted.started(call, 0),
            Err(fault) => {
                let who = (call.context.principal.name(), &call.arguments);
                return Ok(Begun::Ended(ended_at_once(&self.audit, &found, who, None, fault)));
            }
        };
        let (id, client) = (started.id.clone(), started.client.clone());
        let mut abandoned = Abandoned { jobs: self, id: id.clone(), armed: true };
        self.tasks.spawn(drive(self.clone(), started.started));
        tokio::select! {
            biased;
            ended = &mut answer => return received(&found, ended),
            () = client.cancelled() => {
                self.stop_one(&id, Why::Asked);
                return received(&found, answer.await);
            }
            () = tokio::time::sleep(FIRST_QUESTION) => {}
        }
        match self.promote(&id, &found).await {
            Ok(Some(job)) => {
                abandoned.armed = false;
                return Ok(Begun::Job(job));
            }
            Ok(None) => {}
            // Nobody knows of a job yet, so it is a call like any other.
            Err(error) => {
                tracing::error!(%error, "a job cannot be recorded; its client waits for the result")
            }
        }
        tokio::select! {
            biased;
            ended = &mut answer => received(&found, ended),
            () = client.cancelled() => {
                self.stop_one(&id, Why::Asked);
                received(&found, answer.await)
            }
        }
    }

    /// Begins a job that nobody waits for. Answers once it is recorded. `depth`: how many jobs stand between it and a
    /// call that somebody made.
    pub async fn submit(
        self: &Arc<Self>,
        found: FoundTool,
        mut call: ToolCall,
        wish: Wish,
        depth: u32,
    ) -> Result<Job, Fault> {
        let jobs = self.clone();
        // Recording and beginning belong together, whether or not somebody still waits for the answer.
        let begun = tokio::spawn(async move {
            let Looked { recorded, arguments, right } = check(&found, &call.arguments).await;
            right?;
            if let Some(arguments) = arguments {
                call.arguments = arguments;
            }
            let admitted = jobs.admit(&found, &call, wish, None)?;
            let id = admitted.id.clone();
            let hash = jobs.hash(&found, &call.arguments);
            let job = jobs.record(&id, recorded, hash).await.map_err(|error| {
                tracing::error!(%error, "a job was refused because it cannot be recorded");
                jobs.table().jobs.remove(&id);
                Fault::new("unavailable", "the job cannot be recorded now").retryable()
            })?;
            jobs.tasks.spawn(drive(jobs.clone(), admitted.started(call, depth).started));
            Ok(job)
        });
        begun.await.unwrap_or_else(|_| Err(Fault::new("internal", "the host failed to begin the job")))
    }

    /// One job. None: there is none of this id for who asks.
    pub fn get(&self, access: &Access<'_>, id: &str) -> Option<Job> {
        self.table().find(access, id).map(Entry::job)
    }

    /// What a completed job returned. None: it has none, or it is gone by now.
    pub async fn result(&self, job: &Job) -> Result<Option<ToolResult>, StoreError> {
        if job.status != Status::Completed {
            return Ok(None);
        }
        let stored = self.store.get(&self.space, &result_key(&job.id)).await?;
        Ok(stored.and_then(|stored| result::from_bytes(&stored.value)))
    }

    /// The jobs of who asks, newest first. None: the cursor is none of ours.
    pub fn list(&self, access: &Access<'_>, cursor: Option<&str>) -> Option<JobsPage> {
        let after = match cursor {
            None => None,
            Some(cursor) => {
                let (created, id) = cursor.split_once('-')?;
                Some((created.parse::<u64>().ok()?, id))
            }
        };
        let table = self.table();
        let place = |entry: &&Entry| (entry.record.created_ms, entry.record.id.clone());
        let mut found: Vec<&Entry> = table
            .jobs
            .values()
            .filter(|entry| entry.is_seen(access))
            .filter(|entry| {
                after.is_none_or(|(created, id)| (entry.record.created_ms, &*entry.record.id) < (created, id))
            })
            .collect();
        found.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
        let next = (found.len() > PAGE).then(|| {
            let last = &found[PAGE - 1].record;
            format!("{}-{}", last.created_ms, last.id)
        });
        Some(JobsPage { jobs: found.into_iter().take(PAGE).map(Entry::job).collect(), next })
    }

    /// Gives a job answers to what it asks, by the keys that [`Job::asks`] shows. What it does not ask is left out;
    /// when nothing is open any more it goes on, with the roles that who answers holds now. None: there is none of
    /// this id for who asks.
    pub fn answer(&self, access: &Access<'_>, id: &str, answers: &Map<String, Value>) -> Option<Job> {
        let mut table = self.table();
        table.find(access, id)?;
        table.change(id, |entry| {
            if let Some(live) = &mut entry.live
                && live.answer(access.principal, answers)
            {
                entry.record.status = Status::Queued;
            }
        });
        self.changed.notify_one();
        table.jobs.get(id).map(Entry::job)
    }

    /// Stops a job: its guest is ended, and it is `cancelled` soon, unless it ends by itself before that. One that is
    /// over stays as it is. None: there is none of this id for who asks.
    pub fn cancel(&self, access: &Access<'_>, id: &str) -> Option<Job> {
        let mut table = self.table();
        table.find(access, id)?;
        let entry = table.jobs.get_mut(id)?;
        if let Some(live) = &mut entry.live {
            live.stop(Why::Asked);
        }
        Some(entry.job())
    }

    /// What who asked for a job that is not there is told, whatever the reason. The reason goes into the audit log.
    pub fn unknown(&self, access: &Access<'_>, id: &str) -> Refused {
        let reference = new_reference();
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
            call: reference.to_string(),
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
        let record = audit::Record {
            intent,
            outcome: "refused".into(),
            reason: Some(reason),
            used: Vec::new(),
            duration: Duration::ZERO,
        };
        if let Err(failed) = self.audit.outcome(&record) {
            tracing::error!(call = %reference, reason = %failed, "a refusal was not recorded");
        }
        Refused::Unknown { kind: Kind::Job, name, reference }
    }

    /// How long a client may wait between two looks at a job.
    pub fn poll_interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Ends the jobs of a host that stops. Those that run have the grace; what has not ended then is failed with
    /// `interrupted`, as after a restart. Nothing new begins meanwhile.
    pub async fn stop(&self, stopping: Stopping) {
        self.stop_where(|entry| entry.record.status != Status::Working);
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = tokio::time::sleep(stopping.grace) => {}
            () = stopping.now.cancelled() => {}
        }
        self.stop_where(|_| true);
        // A guest that is ended has a moment for its last word, and the store is to hear of it.
        let _ = tokio::time::timeout(GRACE * 2, self.tasks.wait()).await;
        if let Some(path) = &self.mirror {
            mirror::write_and_log(self.mirrored(), path.clone()).await;
        }
    }

    fn stop_where(&self, which: impl Fn(&Entry) -> bool) {
        let mut table = self.table();
        table.stopping = true;
        for entry in table.jobs.values_mut().filter(|entry| entry.is_known() && which(entry)) {
            if let Some(live) = &mut entry.live {
                live.stop(Why::Host);
            }
        }
    }

    fn stop_one(&self, id: &str, why: Why) {
        if let Some(live) = self.table().jobs.get_mut(id).and_then(|entry| entry.live.as_mut()) {
            live.stop(why);
        }
    }

    pub(super) fn mirrored(&self) -> Mirrored {
        let table = self.table();
        let known = table.jobs.values().filter(|entry| entry.is_known());
        let mut jobs: Vec<_> = known.map(|entry| MirroredJob::of(&entry.record)).collect();
        jobs.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
        Mirrored { written_ms: now_ms(), jobs, dead: table.dead.iter().rev().cloned().collect() }
    }

    /// Those without a proper end, newest first.
    pub fn dead(&self) -> Vec<DeadJob> {
        self.table().dead.iter().rev().cloned().collect()
    }

    pub(super) fn audit(&self) -> &Arc<dyn Audit> {
        &self.audit
    }

    /// Its turn to run: one of the binding's places, then one of all.
    pub(super) async fn turn(&self, found: &FoundTool) -> Permit {
        self.turns(found).acquire().await
    }

    fn turns(&self, found: &FoundTool) -> BindingPermits {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.settings.binding_concurrency;
        turns.entry(found.binding.name.clone()).or_insert_with(|| self.permits.binding(most)).clone()
    }

    fn admit(
        &self,
        found: &FoundTool,
        call: &ToolCall,
        wish: Wish,
        waiting: Option<Waiting>,
    ) -> Result<Admitted, Fault> {
        let permit = self.turns(found).try_acquire();
        let principal = &call.context.principal;
        let tool = &found.tool;
        // What is kept for less than its tool may run would be gone before it ends.
        let least = MIN_TTL + tool.limits.timeout;
        let ttl = wish.ttl.unwrap_or(self.settings.ttl).clamp(MIN_TTL, self.settings.max_ttl).max(least);
        let created_ms = now_ms();
        let record = Record {
            id: new_job_id(),
            binding: found.binding.name.clone(),
            tool: tool.own_name.clone(),
            principal: principal.name().into(),
            plugin: found.binding.plugin.digest.to_string(),
            status: if permit.is_some() { Status::Working } else { Status::Queued },
            message: None,
            created_ms,
            updated_ms: created_ms,
            ttl_ms: ttl.as_millis().try_into().unwrap_or(u64::MAX),
            harmless: tool.policy.read_only || tool.idempotent,
            arguments: Map::new(),
            arguments_hash: String::new(),
            reference: None,
            fault: None,
            attributes: wish.attributes,
            result_bytes: 0,
        };
        let live = Live {
            found: found.clone(),
            arguments: call.arguments.clone(),
            cancel: CancellationToken::new(),
            why: None,
            observer: JobObserver::new(call.context.observer.clone(), waiting.is_some()),
            waiting,
            recorded: false,
            asking: None,
            keys: Default::default(),
        };
        let id = record.id.clone();
        let admitted = Admitted {
            id: id.clone(),
            found: found.clone(),
            arguments: live.arguments.clone(),
            cancel: live.cancel.clone(),
            observer: live.observer.clone(),
            permit,
        };
        let mut table = self.table();
        table.admit(&self.settings, principal.name(), admitted.permit.is_none())?;
        table.jobs.insert(id, Entry::new(record, Some(live)));
        Ok(admitted)
    }

    /// Records a job whose client does not wait any longer. None: it ended meanwhile, and its answer is under way.
    async fn promote(&self, id: &Arc<str>, found: &FoundTool) -> Result<Option<Job>, StoreError> {
        let arguments =
            self.table().jobs.get(id).and_then(|entry| Some(entry.live.as_ref()?.arguments.clone()));
        let Some(arguments) = arguments else { return Ok(None) };
        let Looked { recorded, arguments: settled, .. } = check(found, &arguments).await;
        let hash = self.hash(found, &settled.unwrap_or(arguments));
        let job = self.record_as(id, recorded, hash).await?;
        if job.is_none() {
            let batch = Batch::new().delete(record_key(id));
            if let Err(error) = self.store.write(&self.space, batch).await {
                tracing::error!(%error, job = %id, "a job that was answered at once is still recorded");
            }
        }
        Ok(job)
    }

    /// Nothing that somebody could guess a secret argument with.
    fn hash(&self, found: &FoundTool, arguments: &Arguments) -> String {
        arguments.hashable(&found.tool.secret).map(|text| self.audit.hash(&text)).unwrap_or_default()
    }

    async fn record(
        &self,
        id: &Arc<str>,
        arguments: Map<String, Value>,
        hash: String,
    ) -> Result<Job, StoreError> {
        let recorded = self.record_as(id, arguments, hash).await?;
        Ok(recorded.expect("nothing ends it before it has begun"))
    }

    /// Brings a job into the store, and then into sight. None: it ended meanwhile.
    async fn record_as(
        &self,
        id: &Arc<str>,
        arguments: Map<String, Value>,
        hash: String,
    ) -> Result<Option<Job>, StoreError> {
        self.table().change(id, |entry| {
            entry.record.arguments = arguments;
            entry.record.arguments_hash = hash;
        });
        let Some(version) = self.save(id).await? else { return Ok(None) };
        let changed = {
            let mut table = self.table();
            let Some(entry) = table.jobs.get_mut(id) else { return Ok(None) };
            if let Some(live) = &mut entry.live {
                live.recorded = true;
                live.waiting = None;
                live.observer.detach();
            }
            entry.version != version
        };
        if changed {
            // It had its turn while it was recorded as waiting.
            self.save_if_known(id).await;
        }
        self.changed.notify_one();
        Ok(self.table().jobs.get(id).map(Entry::job))
    }

    /// Brings a job's record into the store as it is now, and says which version that was. None: it is gone.
    async fn save(&self, id: &str) -> Result<Option<u64>, StoreError> {
        let Some(saving) = self.table().jobs.get(id).map(|entry| entry.saving.clone()) else {
            return Ok(None);
        };
        let _saving = saving.lock().await;
        let (batch, version) = {
            let table = self.table();
            let Some(entry) = table.jobs.get(id) else { return Ok(None) };
            let record = &entry.record;
            (Batch::new().put(record_key(id), record.to_bytes(), Some(record.expires())), entry.version)
        };
        self.store.write(&self.space, batch).await?;
        Ok(Some(version))
    }

    /// The same for a change that nobody was promised.
    async fn save_if_known(&self, id: &str) {
        if !self.table().jobs.get(id).is_some_and(Entry::is_known) {
            return;
        }
        if let Err(error) = self.save(id).await {
            tracing::error!(%error, job = %id, "the state of a job cannot be recorded");
        }
        self.changed.notify_one();
    }

    /// A job has its turn.
    pub(super) async fn working(&self, id: &str) {
        let changed = {
            let mut table = self.table();
            let queued = table.jobs.get(id).is_some_and(|entry| entry.record.status != Status::Working);
            queued && table.change(id, |entry| entry.record.status = Status::Working)
        };
        if changed {
            self.save_if_known(id).await;
        }
    }

    /// Gives the end of a first run to the client that still waits for it: then there never was a job. Else the end
    /// comes back.
    pub(super) fn hand_over(
        &self,
        id: &str,
        ended: Result<Answered, Refused>,
    ) -> Option<Result<Answered, Refused>> {
        let waiting = {
            let mut table = self.table();
            let waiting = table.jobs.get_mut(id).and_then(|entry| entry.live.as_mut()?.waiting.take());
            if waiting.is_some() {
                table.jobs.remove(id);
            }
            waiting
        };
        match waiting {
            // Who went away meanwhile needs no answer.
            Some(waiting) => {
                let _ = waiting.send(ended);
                None
            }
            None => Some(ended),
        }
    }

    /// Shows a job's question to its owner. None: the job is gone.
    pub(super) async fn ask(
        &self,
        id: &str,
        question: Question,
        reference: Option<Arc<str>>,
    ) -> Option<oneshot::Receiver<GoOn>> {
        let mut answered = None;
        self.table().change(id, |entry| {
            entry.record.status = Status::InputRequired;
            entry.record.reference = reference;
            answered = entry.live.as_mut().map(|live| live.ask(question));
        });
        self.save_if_known(id).await;
        answered
    }

    /// A job is over. Its result is durable before anybody sees that it is.
    pub(super) async fn end(&self, id: &str, over: Over, reference: Option<Arc<str>>) {
        let Some(saving) = self.table().jobs.get(id).map(|entry| entry.saving.clone()) else { return };
        let _saving = saving.lock().await;
        let (mut record, why, told) = {
            let mut table = self.table();
            let Some(entry) = table.jobs.get_mut(id) else { return };
            let Some(live) = &entry.live else { return };
            if !live.recorded {
                // Nobody has heard of it.
                table.jobs.remove(id);
                return;
            }
            (entry.record.clone(), live.why, live.observer.told())
        };
        record.reference = reference.or(record.reference);
        let (result, mut dead) = self.fate(&mut record, over, why).await;
        let expired = why == Some(Why::Expired) && record.status == Status::Failed;
        let written = self.write_end(&record, result, dead.as_ref(), expired).await;
        if let Err(error) = written {
            tracing::error!(%error, job = %id, "the end of a job cannot be recorded");
            if record.status == Status::Completed {
                let fault = unkept(&record, &error.to_string());
                dead = Some(fail(&mut record, fault));
                if let Err(error) = self.write_end(&record, None, dead.as_ref(), false).await {
                    tracing::error!(%error, job = %id, "nor that its result is lost");
                }
            }
        }
        let mut table = self.table();
        if let Some(dead) = dead {
            table.dead.push_back(dead);
        }
        if expired {
            table.jobs.remove(id);
        } else if let Some(entry) = table.jobs.get_mut(id) {
            (entry.record, entry.told, entry.live) = (record, told, None);
            entry.version += 1;
        }
        self.changed.notify_one();
    }

    /// What a job's end means for its record: the bytes of its result, and what the operator is to know.
    async fn fate(
        &self,
        record: &mut Record,
        over: Over,
        why: Option<Why>,
    ) -> (Option<Vec<u8>>, Option<DeadJob>) {
        record.updated_ms = now_ms();
        match (over, why) {
            (Over::Completed(result), _) => {
                let bytes = encoded(result).await;
                let (kept, most) = (self.table().result_bytes(), self.settings.results);
                if kept.saturating_add(bytes.len() as u64) > most {
                    let reason = format!(
                        "it has {} bytes, and results may take {} in all",
                        bytes.len(),
                        format_size(most)
                    );
                    let fault = unkept(record, &reason);
                    return (None, Some(fail(record, fault)));
                }
                record.status = Status::Completed;
                record.result_bytes = bytes.len() as u64;
                (Some(bytes), None)
            }
            (_, Some(Why::Host)) => {
                let fault = interrupted(record);
                (None, Some(fail(record, fault)))
            }
            (_, Some(Why::Expired)) => {
                let fault = Fault::new("timeout", "it had not ended when it was not kept any longer");
                (None, Some(fail(record, fault)))
            }
            (Over::Cancelled, _) => {
                record.status = Status::Cancelled;
                record.message = None;
                (None, None)
            }
            (Over::Failed(fault), _) => {
                let dies = is_death(&fault);
                let dead = fail(record, fault);
                (None, dies.then_some(dead))
            }
        }
    }

    async fn write_end(
        &self,
        record: &Record,
        result: Option<Vec<u8>>,
        dead: Option<&DeadJob>,
        expired: bool,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch = if expired {
            batch.delete(record_key(&record.id))
        } else {
            batch.put(record_key(&record.id), record.to_bytes(), Some(record.expires()))
        };
        if let Some(bytes) = result {
            batch = batch.put(result_key(&record.id), bytes, Some(record.expires()));
        }
        if let Some(dead) = dead {
            batch = dead.put(batch);
            // The new one needs a place.
            let surplus = {
                let mut table = self.table();
                let mut surplus = trim(&mut table.dead);
                if table.dead.len() >= super::dead::MOST {
                    surplus.extend(table.dead.pop_front());
                }
                surplus
            };
            batch = surplus.iter().take(100).fold(batch, |batch, dead| batch.delete(dead.key()));
        }
        self.store.write(&self.space, batch).await.map(|_| ())
    }

    fn sweep(&self) {
        let now = now_ms();
        let mut table = self.table();
        let before = table.jobs.len();
        table.jobs.retain(|_, entry| {
            let over = entry.record.expires_ms() <= now;
            match &mut entry.live {
                Some(live) if over => {
                    live.stop(Why::Expired);
                    true
                }
                Some(_) => true,
                None => !over,
            }
        });
        if table.jobs.len() != before {
            self.changed.notify_one();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        // Whoever mirrors them sees that they are gone.
        self.changed.notify_one();
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs")
            .field("store", &self.store)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Table {
    fn find(&self, access: &Access<'_>, id: &str) -> Option<&Entry> {
        self.jobs.get(id).filter(|entry| entry.is_seen(access))
    }
}

impl Entry {
    fn is_seen(&self, access: &Access<'_>) -> bool {
        let began = self.live.as_ref().map(|live| &live.found);
        self.is_known() && self.record.expires_ms() > now_ms() && access.covers(&self.record, began)
    }
}

/// A job that has its place.
struct Admitted {
    id: Arc<str>,
    found: FoundTool,
    arguments: Arguments,
    cancel: CancellationToken,
    observer: Arc<JobObserver>,
    permit: Option<Permit>,
}

struct Ready {
    started: Started,
    /// Trips when the client gives up.
    client: CancellationToken,
    id: Arc<str>,
}

impl Admitted {
    fn started(self, call: ToolCall, depth: u32) -> Ready {
        let context = call.context;
        let id = self.id.clone();
        let started = Started {
            id: self.id,
            found: self.found,
            principal: context.principal,
            session: context.session,
            client_capabilities: context.client_capabilities,
            arguments: self.arguments,
            answers: call.answers,
            observer: self.observer,
            cancel: self.cancel,
            depth,
            permit: self.permit,
        };
        Ready { started, client: context.cancel, id }
    }
}

/// Stops a job of which nobody will ever hear: whoever called went away before there was an answer.
struct Abandoned<'a> {
    jobs: &'a Jobs,
    id: Arc<str>,
    armed: bool,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        if let Some(live) = self.jobs.table().jobs.get_mut(&self.id).and_then(|entry| entry.live.as_mut()) {
            live.waiting = None;
            live.stop(Why::Asked);
        }
    }
}

/// The answer of a call that never became a job.
fn received(
    found: &FoundTool,
    ended: Result<Result<Answered, Refused>, oneshot::error::RecvError>,
) -> Result<Begun, Refused> {
    ended
        .unwrap_or_else(|_| {
            let fault = Fault::new("internal", "the host failed in this call");
            Ok(Answered {
                reference: new_reference(),
                binding: found.binding.name.clone(),
                end: End::Fault(fault),
            })
        })
        .map(Begun::Ended)
}

async fn encoded(result: ToolResult) -> Vec<u8> {
    let large = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let blocks =
        result.content.iter().map(|block| large(&block.text) + block.data.as_ref().map_or(0, Vec::len));
    let bytes: usize = blocks.sum::<usize>() + result.structured.as_ref().map_or(0, |json| json.get().len());
    if bytes <= SMALL {
        return result::to_bytes(result);
    }
    tokio::task::spawn_blocking(|| result::to_bytes(result)).await.unwrap_or_default()
}

fn fail(record: &mut Record, fault: Fault) -> DeadJob {
    let dead = DeadJob::of(record, &fault);
    record.status = Status::Failed;
    record.message = Some(fault.message.clone());
    record.result_bytes = 0;
    record.fault = Some(fault);
    dead
}

/// A result that is lost although the tool did its work.
fn unkept(record: &Record, reason: &str) -> Fault {
    let message = format!("the tool ran to its end, but its result could not be kept: {reason}");
    let fault = Fault::new("internal", message);
    if record.harmless { fault.retryable() } else { fault }
}

/// Ends what is not kept any longer, until the jobs are gone.
async fn sweep(jobs: Weak<Jobs>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(jobs) = jobs.upgrade() else { return };
        jobs.sweep();
    }
}
