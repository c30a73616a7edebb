//! Everything the server knows, and how it moves on: jobs wait, start and end as time passes.
//!
//! Nothing runs in the background. Whoever looks first lets the world catch up with its clock, event by event and
//! in order, so that a job which waited for a worker starts exactly when the worker was free.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::clock::{Clock, signed};
use super::gear;
use super::guards::{Breakers, Lockouts, Rates};
use super::model::{Device, End, Job, Request, Status};
use super::seed::{Behaviour, Context, Seed};
use super::worker;

/// How long a finished job is remembered.
const SUCCESS_TTL: SignedDuration = SignedDuration::from_secs(86_400);
/// How long a failed one is.
const FAILURE_TTL: SignedDuration = SignedDuration::from_secs(604_800);
/// How long an idempotency key names its job.
const IDEMPOTENCY_TTL: SignedDuration = SignedDuration::from_hours(24);
/// How much longer than a job's timeout its deduplication key lives.
const DEDUP_GRACE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    seed: Seed,
    /// The time everything has caught up with.
    moment: Timestamp,
    pub(crate) started_at: Timestamp,
    pub(crate) contexts: Vec<Context>,
    pub(crate) devices: Vec<Device>,
    /// By number, oldest first.
    pub(crate) jobs: IndexMap<String, Job>,
    pub(crate) breakers: Breakers,
    pub(crate) lockouts: Lockouts,
    pub(crate) rates: Rates,
    idempotency: HashMap<String, (String, Timestamp)>,
    dedup: HashMap<[u8; 32], (String, Timestamp)>,
    /// Numbers of keys that this server made.
    pub(crate) keys: BTreeSet<String>,
    pub(crate) revoked: HashSet<String>,
    /// Whether Redis answers.
    pub(crate) backend_up: bool,
    salt: Uuid,
}

impl World {
    pub(crate) fn new(seed: &Seed) -> Self {
        let clock = Clock::new(seed.now);
        let now = clock.now();
        Self {
            clock,
            seed: seed.clone(),
            moment: now,
            started_at: now,
            contexts: seed.contexts.clone(),
            devices: gear::fleet(),
            jobs: IndexMap::new(),
            breakers: Breakers::default(),
            lockouts: Lockouts::default(),
            rates: Rates::default(),
            idempotency: HashMap::new(),
            dedup: HashMap::new(),
            keys: BTreeSet::new(),
            revoked: HashSet::new(),
            backend_up: true,
            salt: Uuid::new_v4(),
        }
    }

    /// Lets everything happen that should have happened by now, and forgets what is too old.
    pub(crate) fn catch_up(&mut self) {
        let now = self.clock.now();
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= now) {
            self.moment = self.moment.max(at);
            match event {
                Event::Start(id) => self.start(&id),
                Event::End(id) => self.finish(&id),
            }
        }
        self.moment = self.moment.max(now);
        self.jobs.retain(|_, job| {
            let ttl = if job.status == Status::Failed { FAILURE_TTL } else { SUCCESS_TTL };
            job.ended_at.is_none_or(|ended_at| now.duration_since(ended_at) < ttl)
        });
        self.idempotency.retain(|_, (_, until)| *until > now);
        self.dedup.retain(|_, (_, until)| *until > now);
    }

    /// The time, once the world has caught up with it.
    pub(crate) fn now(&self) -> Timestamp {
        self.moment
    }

    /// The first of the ends of what runs and the starts of what can.
    fn next_event(&self) -> Option<(Timestamp, Event)> {
        let ends = self.jobs.values().filter_map(|job| {
            let run = job.run.as_ref()?;
            Some((run.ends_at, Event::End(job.id.clone())))
        });
        let starts = self.contexts.iter().filter_map(|context| {
            let running = self.jobs.values().filter(|job| job.run.is_some());
            if running.filter(|job| job.request.context == context.name).count() >= context.workers {
                return None;
            }
            let next = self.queued(&context.name).next()?;
            let ready_at = next.enqueued_at + signed(self.seed.queued);
            Some((ready_at.max(self.moment), Event::Start(next.id.clone())))
        });
        ends.chain(starts).min_by_key(|(at, _)| *at)
    }

    /// What waits in a context's queue, first in first.
    pub(crate) fn queued(&self, context: &str) -> impl Iterator<Item = &Job> {
        let queued = self.jobs.values().filter(|job| job.status == Status::Queued);
        queued.filter(move |job| job.request.context == context)
    }

    pub(crate) fn device(&self, host: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == host || device.address == host)
    }

    fn start(&mut self, id: &str) {
        let now = self.moment;
        let Some(job) = self.jobs.get(id) else { return };
        let host = &job.request.host;
        let breaker_open = self.breakers.is_open(host, now);
        let run = worker::run(&self.seed, self.device(host), breaker_open, &job.request, now);
        if let Some(job) = self.jobs.get_mut(id) {
            job.status = Status::Started;
            job.started_at = Some(now);
            job.run = Some(run);
        }
    }

    /// A job that was cancelled while it ran is turned over as if nothing had been said.
    fn finish(&mut self, id: &str) {
        let now = self.moment;
        let Some(job) = self.jobs.get_mut(id) else { return };
        let Some(run) = job.run.take() else { return };
        job.status = if matches!(run.end, End::Crashed(_)) { Status::Failed } else { Status::Finished };
        job.ended_at = Some(now);
        job.end = Some(run.end.clone());
        job.detected_platform = run.detected_platform;
        let request = job.request.clone();
        // A worker that crashes never gets to clear the key.
        if !matches!(run.end, End::Crashed(_)) {
            self.dedup.remove(&dedup_key(&request));
        }
        self.count(&request, &run.end);
        let whole = matches!(run.end, End::Results(_));
        let found = |device: &&mut Device| device.name == request.host || device.address == request.host;
        if let Some(device) = self.devices.iter_mut().find(found) {
            let (commit, save) = (whole && request.commit, whole && request.save_config);
            gear::apply(device, &run.applied, commit, save);
        }
    }

    fn count(&mut self, request: &Request, end: &End) {
        let now = self.moment;
        match end {
            End::Refused(failure) => match failure.code {
                "CONNECTION_TIMEOUT" => {
                    self.breakers.failed(&request.host, now);
                    self.lockouts.device_failed(&request.host, now);
                }
                "SSH_ERROR" => self.breakers.failed(&request.host, now),
                "AUTH_FAILURE" => self.lockouts.user_failed(&request.username, now),
                _ => {}
            },
            End::Results(_) => self.breakers.answered(&request.host),
            End::Crashed(_) => {}
        }
    }

    /// A new job at the end of its queue.
    pub(crate) fn enqueue(&mut self, id: Option<String>, request: Request) -> String {
        let now = self.moment;
        let id = id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let until = now + signed(self.seed.job_timeout) + DEDUP_GRACE;
        self.dedup.insert(dedup_key(&request), (id.clone(), until));
        let job = Job {
            id: id.clone(),
            lock: self.lock_of(&request.username, &request.password),
            request,
            status: Status::Queued,
            enqueued_at: now,
            started_at: None,
            ended_at: None,
            end: None,
            detected_platform: None,
            run: None,
        };
        self.jobs.insert(id.clone(), job);
        id
    }

    /// The job that was submitted with this idempotency key.
    pub(crate) fn replayed(&self, key: &str) -> Option<&Job> {
        self.idempotency.get(key).and_then(|(id, _)| self.jobs.get(id))
    }

    pub(crate) fn remember(&mut self, key: String, id: String) {
        let until = self.moment + IDEMPOTENCY_TTL;
        self.idempotency.insert(key, (id, until));
    }

    /// The job in flight that counts as the same.
    pub(crate) fn duplicate(&self, request: &Request) -> Option<&Job> {
        self.dedup.get(&dedup_key(request)).and_then(|(id, _)| self.jobs.get(id))
    }

    /// What a Basic caller must hash to, to be a job's owner.
    pub(crate) fn lock_of(&self, username: &str, password: &str) -> [u8; 64] {
        let owner = format!("{}{username}:{password}", self.salt);
        Sha512::digest(owner.as_bytes()).into()
    }

    /// Cancels a job that is not over.
    pub(crate) fn cancel(&mut self, id: &str) {
        let now = self.moment;
        let stops = self.seed.behaviour == Behaviour::AsDocumented;
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.status = Status::Canceled;
        job.ended_at = Some(now);
        if stops {
            job.run = None;
        }
        if job.run.is_none() {
            let key = dedup_key(&job.request);
            self.dedup.remove(&key);
        }
    }
}

enum Event {
    Start(String),
    End(String),
}

/// Host, platform, user and the commands in any order: neither the endpoint nor the port nor the write flags.
fn dedup_key(request: &Request) -> [u8; 32] {
    let mut commands = request.commands.clone();
    commands.sort();
    let key = serde_json::json!([request.host, request.platform, commands, request.username]);
    Sha256::digest(key.to_string().as_bytes()).into()
}
