//! Sessions of legacy clients on one endpoint.
//!
//! rmcp's [`LocalSessionManager`] runs each of them; this adds what it lacks:
//!
//! - a session belongs to the principal that opened it, and nobody else can use its id;
//! - it ends when nothing was asked and nothing is open for a while. rmcp's own timer also ends it in the middle of a
//!   long and quiet call, so it is off;
//! - a principal holds a bounded number of them, and the one left alone longest makes room;
//! - its events are kept for itself ([`Replay`]), and modern requests, which are never resumed, keep none: with a
//!   store that rmcp knows of, a modern client that hangs up would no longer stop its call;
//! - when its endpoint goes, it ends after the calls that it still has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt, stream};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::WorkerTransport;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionManager, LocalSessionManagerError, LocalSessionWorker, SessionError,
    StreamableHttpMessageReceiver,
};
use rmcp::transport::streamable_http_server::session::{
    EventStore, ServerSseMessage, SessionId, SessionManager,
};
use tokio_util::sync::CancellationToken;

use crate::caller;
use crate::replay::Replay;

/// The sessions of one endpoint.
pub(crate) struct Sessions {
    live: RwLock<HashMap<SessionId, Arc<Session>>>,
    limits: SessionLimits,
    /// Held from the look for room until the new session is there.
    opening: Arc<tokio::sync::Mutex<()>>,
    /// Trips when the endpoint goes or the server stops: streams without a request end.
    gone: CancellationToken,
}

/// How long and how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    /// Time without a request and without an open stream.
    pub(crate) idle: Duration,
    /// Sessions of one principal on one endpoint.
    pub(crate) per_principal: usize,
}

/// Room for one more session. To be held until the session has its owner.
pub(crate) struct Room(#[allow(dead_code)] tokio::sync::OwnedMutexGuard<()>);

struct Session {
    /// Made for this session alone, so that its events are its own.
    manager: LocalSessionManager,
    handle: LocalSessionHandle,
    replay: Replay,
    /// Set by `initialize`, which is the first message.
    owner: OnceLock<String>,
    /// Requests that wait for their answer.
    calls: AtomicUsize,
    /// Streams without a request.
    streams: AtomicUsize,
    used: Mutex<Instant>,
}

impl Sessions {
    pub(crate) fn new(limits: SessionLimits, gone: CancellationToken) -> Self {
        Self { live: RwLock::default(), limits, opening: Arc::default(), gone }
    }

    /// Whether this session belongs to this principal. One that does not exist belongs to nobody.
    pub(crate) fn belongs(&self, id: &str, principal: &str) -> bool {
        self.get(id).is_some_and(|session| session.owner.get().is_some_and(|owner| owner == principal))
    }

    /// Makes room for one more session of this principal, if need be by ending the one left alone longest. The room is
    /// for whoever holds it, until it has its session; others wait. None: all of them are in use.
    pub(crate) async fn make_room(&self, principal: &str) -> Option<Room> {
        let room = Room(self.opening.clone().lock_owned().await);
        let mut own: Vec<_> = self
            .all()
            .into_iter()
            .filter(|(_, session)| session.owner.get().is_some_and(|owner| owner == principal))
            .collect();
        if own.len() < self.limits.per_principal {
            return Some(room);
        }
        own.retain(|(_, session)| session.calls.load(Ordering::Relaxed) == 0);
        let (oldest, _) = own.into_iter().min_by_key(|(_, session)| session.last_used())?;
        let _ = self.close_session(&oldest).await;
        Some(room)
    }

    /// Ends what was left alone, and when the endpoint is gone whatever has no call under way. Returns how many are
    /// left.
    pub(crate) async fn sweep(&self) -> usize {
        for (id, session) in self.all() {
            let calls = session.calls.load(Ordering::Relaxed);
            let streams = session.streams.load(Ordering::Relaxed);
            let left_alone = streams == 0 && session.last_used().elapsed() >= self.limits.idle;
            if calls == 0 && (left_alone || self.gone.is_cancelled()) {
                let _ = self.close_session(&id).await;
            }
        }
        self.live.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Ends all of them now.
    pub(crate) async fn cut(&self) {
        for (id, _) in self.all() {
            let _ = self.close_session(&id).await;
        }
    }

    fn all(&self) -> Vec<(SessionId, Arc<Session>)> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.iter().map(|(id, session)| (id.clone(), session.clone())).collect()
    }

    fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn expect(&self, id: &SessionId) -> Result<Arc<Session>, LocalSessionManagerError> {
        let session = self.get(id).ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()))?;
        session.touch();
        Ok(session)
    }
}

impl Session {
    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last_used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts as long as it lives.
struct Open {
    session: Arc<Session>,
    counter: fn(&Session) -> &AtomicUsize,
}

impl Open {
    fn new(session: &Arc<Session>, counter: fn(&Session) -> &AtomicUsize) -> Self {
        counter(session).fetch_add(1, Ordering::Relaxed);
        Self { session: session.clone(), counter }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.session.touch();
        (self.counter)(&self.session).fetch_sub(1, Ordering::Relaxed);
    }
}

fn received(
    mut receiver: StreamableHttpMessageReceiver,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync {
    stream::poll_fn(move |context| receiver.inner.poll_recv(context))
}

/// The same stream, holding on to `open` until it is dropped.
fn holding(
    stream: impl Stream<Item = ServerSseMessage> + Send + Sync + 'static,
    open: Open,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    stream.map(move |event| {
        let _ = &open;
        event
    })
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let replay = Replay::new();
        let mut manager = LocalSessionManager::default().with_event_store(Arc::new(replay.clone()));
        manager.session_config.keep_alive = None;
        let (id, transport) = manager.create_session().await?;
        let handle = manager.sessions.read().await.get(&id).cloned();
        let session = Session {
            handle: handle.ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()))?,
            manager,
            replay,
            owner: OnceLock::new(),
            calls: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            used: Mutex::new(Instant::now()),
        };
        self.live.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Arc::new(session));
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        let session = self.expect(id)?;
        if let JsonRpcMessage::Request(request) = &message
            && let Some(principal) = caller::of_request(request.request.extensions())
        {
            let _ = session.owner.set(principal.name().to_owned());
        }
        session.manager.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        match self.get(id) {
            Some(session) => session.manager.has_session(id).await,
            None => Ok(false),
        }
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        let session = self.live.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        match session {
            Some(session) => {
                session.replay.end();
                session.manager.close_session(id).await
            }
            None => Ok(()),
        }
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.expect(id)?;
        let open = Open::new(&session, |session| &session.calls);
        let receiver = session.handle.establish_request_wise_channel().await?;
        session.handle.push_message(message, receiver.http_request_id).await?;
        Ok(holding(received(receiver), open))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.expect(id)?.manager.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.expect(id)?;
        let open = Open::new(&session, |session| &session.streams);
        let stream = received(session.handle.establish_common_channel().await?);
        Ok(holding(stream.take_until(self.gone.clone().cancelled_owned()), open))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.expect(id)?;
        let open = Open::new(&session, |session| &session.streams);
        let stream =
            session.replay.replay_events_after(&last_event_id).await.map_err(SessionError::EventStore)?;
        Ok(holding(stream.take_until(self.gone.clone().cancelled_owned()), open))
    }
}
