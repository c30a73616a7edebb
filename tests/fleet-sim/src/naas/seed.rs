//! What a server is started with.

use std::time::Duration;

use jiff::Timestamp;

/// Which of two servers this is, where the documents and the source differ.
///
/// | | as documented | strict upstream |
/// |---|---|---|
/// | a bearer reads a job's result, or cancels it | with its role | 403 (the owner is rebuilt from Basic) |
/// | an id that no job has, on reading a result | 404 `not_found` | 403 (ownership is looked at first) |
/// | making and revoking API keys | a bearer who is admin, or Basic with the admin secret | only the latter |
/// | the failed jobs | viewer | operator |
/// | cancelling a job that runs | it ends as `canceled` | it runs on, and turns `finished` later |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// What the product's pages and documents say.
    AsDocumented,
    /// What the source of the server does.
    StrictUpstream,
}

/// A queue with its workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name; the queue's is `naas-` and this.
    pub name: String,
    /// Jobs that can run at once; none is a context nobody works for.
    pub workers: usize,
}

/// What a test may choose about a server.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Where documents and source differ.
    pub behaviour: Behaviour,
    /// The time it is, until a test lets time pass; the system's clock if absent.
    pub now: Option<Timestamp>,
    /// How long a job waits at least before a worker takes it.
    pub queued: Duration,
    /// How long a job runs besides what its device needs.
    pub running: Duration,
    /// When a worker gives a job up (`JOB_TIMEOUT`).
    pub job_timeout: Duration,
    /// The contexts (`NAAS_CONTEXTS`) and their workers.
    pub contexts: Vec<Context>,
    /// Jobs that may wait in one queue.
    pub queue_limit: usize,
    /// The password of whoever makes API keys (`NAAS_ADMIN_SECRET`); without it nobody does with Basic.
    pub admin_secret: Option<String>,
    /// What tokens are signed with.
    pub signing_secret: String,
    /// Seconds an API key lives at most (`API_KEY_MAX_TTL`).
    pub key_max_ttl: i64,
    /// Submits of one bearer in 60 seconds.
    pub caller_rate: u32,
    /// Submits of one bearer to one device in 60 seconds.
    pub device_rate: u32,
}

impl Default for Seed {
    /// The documents' server with their numbers, and jobs that take half a second.
    fn default() -> Self {
        let context = |name: &str, workers| Context { name: name.to_owned(), workers };
        Self {
            behaviour: Behaviour::AsDocumented,
            now: None,
            queued: Duration::from_millis(100),
            running: Duration::from_millis(400),
            job_timeout: Duration::from_secs(120),
            contexts: vec![
                context(super::known::DEFAULT, 10),
                context(super::known::LAB, 2),
                context(super::known::IDLE, 0),
            ],
            queue_limit: 1_000,
            admin_secret: Some(super::known::ADMIN_SECRET.to_owned()),
            signing_secret: "the simulated server signs with this".to_owned(),
            key_max_ttl: 365 * 24 * 60 * 60,
            caller_rate: 1_000,
            device_rate: 20,
        }
    }
}
