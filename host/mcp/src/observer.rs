//! What a running call says to its client: progress and log lines, on the stream of the request that it serves.
//!
//! The guest's side must not block, so it only queues; [`Listening`] sends beside the call. What does not fit the
//! queue is dropped: a client that reads slower than a guest talks misses some of the talk, not the result.

#![expect(deprecated, reason = "logging is deprecated in 2026-07-28 and still part of it")]

use std::num::NonZeroU32;
use std::sync::Arc;

use fleetgate_core::sandbox::{Level, Observer};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rmcp::RoleServer;
use rmcp::model::{
    LoggingLevel, LoggingMessageNotification, LoggingMessageNotificationParam, ProgressNotificationParam,
    ProgressToken, RequestId,
};
use rmcp::service::{OriginatingRequestId, Peer, RequestContext};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::changes::{Hub, List};

/// Progress notifications a second of one call, and how many at once; more are left out, since another will come.
const PACE: NonZeroU32 = NonZeroU32::new(32).expect("not zero");
const AT_ONCE: NonZeroU32 = NonZeroU32::new(64).expect("not zero");
/// What waits to be sent, at most.
const QUEUED: usize = 256;

enum Said {
    Progress { done: f64, total: Option<f64>, message: Option<String> },
    Log { level: Level, data: Value },
}

/// The guest's side.
pub(crate) struct Voice {
    queue: mpsc::Sender<Said>,
    binding: Arc<str>,
    hub: Arc<Hub>,
    /// None: the client asked for no progress.
    progress: Option<DefaultDirectRateLimiter>,
    /// The least level that the client wants; none: no logs at all.
    level: Option<Level>,
}

/// The client's side.
pub(crate) struct Listening {
    queue: mpsc::Receiver<Said>,
    peer: Peer<RoleServer>,
    request: RequestId,
    token: Option<ProgressToken>,
    logger: Arc<str>,
    cancel: CancellationToken,
}

/// Both sides of one call.
pub(crate) fn pair(
    context: &RequestContext<RoleServer>,
    binding: Arc<str>,
    level: Option<Level>,
    hub: Arc<Hub>,
) -> (Arc<Voice>, Listening) {
    pair_reporting(context, context.meta.get_progress_token(), binding, level, hub)
}

/// The same for one of several calls that serve a request: none of them knows how far the request has come.
pub(crate) fn pair_among_many(
    context: &RequestContext<RoleServer>,
    binding: Arc<str>,
    level: Option<Level>,
    hub: Arc<Hub>,
) -> (Arc<Voice>, Listening) {
    pair_reporting(context, None, binding, level, hub)
}

fn pair_reporting(
    context: &RequestContext<RoleServer>,
    token: Option<ProgressToken>,
    binding: Arc<str>,
    level: Option<Level>,
    hub: Arc<Hub>,
) -> (Arc<Voice>, Listening) {
    let (sender, queue) = mpsc::channel(QUEUED);
    let progress = token.is_some().then(|| RateLimiter::direct(Quota::per_second(PACE).allow_burst(AT_ONCE)));
    let voice = Voice { queue: sender, binding: binding.clone(), hub, progress, level };
    let (peer, request, cancel) = (context.peer.clone(), context.id.clone(), context.ct.clone());
    (Arc::new(voice), Listening { queue, peer, request, token, logger: binding, cancel })
}

impl Observer for Voice {
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) {
        if self.progress.as_ref().is_some_and(|pace| pace.check().is_ok()) {
            let _ = self.queue.try_send(Said::Progress { done, total, message });
        }
    }

    fn log(&self, level: Level, message: &str, data: Option<&Value>) {
        if self.level.is_some_and(|least| level >= least) {
            let data = match data {
                None => message.into(),
                Some(data) => json!({"message": message, "data": data}),
            };
            let _ = self.queue.try_send(Said::Log { level, data });
        }
    }

    fn list_changed(&self, which: &'static str) {
        if let Some(list) = List::named(which) {
            self.hub.changed(list, std::slice::from_ref(&self.binding));
        }
    }

    fn resource_updated(&self, uri: &str) {
        self.hub.updated(&self.binding, uri);
    }
}

impl Listening {
    /// Runs `work`, sending what it says meanwhile. Returns when both are done, so that the result comes last.
    pub(crate) async fn during<T>(self, work: impl Future<Output = T>) -> T {
        let done = CancellationToken::new();
        let work = async {
            let result = work.await;
            done.cancel();
            result
        };
        tokio::join!(work, self.send_until(&done)).0
    }

    async fn send_until(mut self, done: &CancellationToken) {
        let mut last = None;
        loop {
            tokio::select! {
                biased;
                // Nothing more is sent for a request that its client gave up.
                () = self.cancel.cancelled() => return,
                said = self.queue.recv() => match said {
                    Some(said) => self.send(said, &mut last).await,
                    None => return,
                },
                // What is queued by now still goes out; somebody may hold the other side open for longer.
                () = done.cancelled(), if !self.queue.is_closed() => self.queue.close(),
            }
        }
    }

    async fn send(&self, said: Said, last: &mut Option<f64>) {
        let sending = async {
            match said {
                Said::Progress { done, total, message } => {
                    let Some(token) = &self.token else { return Ok(()) };
                    // It must grow with each notification (specification, `basic/patterns/progress`).
                    if !done.is_finite() || last.is_some_and(|last| done <= last) {
                        return Ok(());
                    }
                    *last = Some(done);
                    let mut progress = ProgressNotificationParam::new(token.clone(), done);
                    progress.total = total.filter(|total| total.is_finite());
                    progress.message = message;
                    self.peer.notify_progress(progress).await
                }
                Said::Log { level, data } => {
                    let line =
                        LoggingMessageNotificationParam::new(to_mcp(level), data).with_logger(&*self.logger);
                    let mut line = LoggingMessageNotification::new(line);
                    // So that a session says it on the request's own stream. It is not sent.
                    line.extensions.insert(OriginatingRequestId(self.request.clone()));
                    self.peer.send_notification(line.into()).await
                }
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => {}
            sent = sending => if let Err(error) = sent {
                tracing::debug!(%error, "a notification of a running call did not reach its client");
            }
        }
    }
}

fn to_mcp(level: Level) -> LoggingLevel {
    match level {
        Level::Debug => LoggingLevel::Debug,
        Level::Info => LoggingLevel::Info,
        Level::Notice => LoggingLevel::Notice,
        Level::Warning => LoggingLevel::Warning,
        Level::Error => LoggingLevel::Error,
        Level::Critical => LoggingLevel::Critical,
        Level::Alert => LoggingLevel::Alert,
        Level::Emergency => LoggingLevel::Emergency,
    }
}

/// A level as a client named it.
pub(crate) fn from_mcp(level: LoggingLevel) -> Level {
    match level {
        LoggingLevel::Debug => Level::Debug,
        LoggingLevel::Info => Level::Info,
        LoggingLevel::Notice => Level::Notice,
        LoggingLevel::Warning => Level::Warning,
        LoggingLevel::Error => Level::Error,
        LoggingLevel::Critical => Level::Critical,
        LoggingLevel::Alert => Level::Alert,
        LoggingLevel::Emergency => Level::Emergency,
    }
}
