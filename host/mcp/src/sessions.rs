//! Sessions of legacy clients on one endpoint.
//!
//! rmcp asks for them through [`manager`]; its own sessions would not do, since here
//!
//! - a session belongs to the principal that opened it, and nobody else can use its id;
//! - it ends when nothing was asked and nothing is open for a while, but never in the middle of a long and quiet call;
//! - a principal holds a bounded number of them, and the one left alone longest makes room;
//! - what is said for a call, log lines too, is said on the call's own stream, and several calls may share one
//!   ([`Sessions::batch`]);
//! - a stream can be taken up again until its answer is heard, also one that was closed for a client that knows how
//!   to come back. Modern requests, which are never resumed, keep nothing: with a store that rmcp knows of, a modern
//!   client that hangs up would no longer stop its call;
//! - the transport of 2024-11-05 is a session like any other ([`Sessions::open_old`]);
//! - when its endpoint goes, it ends after the calls that it still has.

mod kept;
mod manager;
mod routes;
mod session;
mod streams;
mod weight;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId};
use tokio_util::sync::CancellationToken;

use session::Open;
pub(crate) use session::{Session, SessionTransport};
use streams::{Asked, MAX_WAITING, Reader};

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
    /// How long a response's stream stays open for a client that knows how to come back for the rest.
    pub(crate) stream: Option<Duration>,
}

/// Why a session does not take something. The text is for whoever wrote the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// It is not there, or somebody else's.
    #[error("there is no such session: begin with initialize")]
    Unknown,
    /// It ended meanwhile.
    #[error("the session has ended")]
    Ended,
    /// Two requests under one id: their answers could not be told apart.
    #[error("a request with the id {0} is under way already")]
    Repeated(RequestId),
    /// Too much at once.
    #[error("{MAX_WAITING} requests of this session are under way already: wait for one of them")]
    TooMany,
    /// The event is of no stream of this session, or of one that is gone.
    #[error("the stream of this event is not kept any more")]
    Gone,
}

/// Room for one more session. To be held until the session has its owner.
pub(crate) struct Room(#[allow(dead_code)] tokio::sync::OwnedMutexGuard<()>);

impl Sessions {
    pub(crate) fn new(limits: SessionLimits, gone: CancellationToken) -> Self {
        Self { live: RwLock::default(), limits, opening: Arc::default(), gone }
    }

    /// This principal's session. One that is somebody else's does not exist.
    pub(crate) fn own(&self, id: &str, principal: &str) -> Result<Arc<Session>, SessionError> {
        self.get(id).filter(|session| !session.old && is_of(session, principal)).ok_or(SessionError::Unknown)
    }

    /// The same for one of the transport of 2024-11-05.
    pub(crate) fn own_old(&self, id: &str, principal: &str) -> Result<Arc<Session>, SessionError> {
        self.get(id).filter(|session| session.old && is_of(session, principal)).ok_or(SessionError::Unknown)
    }

    /// Makes room for one more session of this principal, if need be by ending the one left alone longest. The room is
    /// for whoever holds it, until it has its session; others wait. None: all of them are in use.
    pub(crate) async fn make_room(&self, principal: &str) -> Option<Room> {
        let room = Room(self.opening.clone().lock_owned().await);
        let mut own: Vec<_> = self.all().into_iter().filter(|session| is_of(session, principal)).collect();
        if own.len() < self.limits.per_principal {
            return Some(room);
        }
        own.retain(|session| session.calls() == 0);
        let oldest = own.into_iter().min_by_key(|session| session.last_used())?;
        self.close(&oldest.id);
        Some(room)
    }

    /// Ends what was left alone, and when the endpoint is gone whatever has no call under way. Returns how many are
    /// left.
    pub(crate) fn sweep(&self) -> usize {
        for session in self.all() {
            let left_alone = !session.is_heard() && session.last_used().elapsed() >= self.limits.idle;
            if session.calls() == 0 && (left_alone || self.gone.is_cancelled()) {
                self.close(&session.id);
            }
        }
        self.live.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Ends all of them now.
    pub(crate) fn cut(&self) {
        for session in self.all() {
            self.close(&session.id);
        }
    }

    /// Ends one.
    pub(crate) fn close(&self, id: &str) {
        let session = self.live.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(session) = session {
            session.end();
        }
    }

    /// A session of the transport of 2024-11-05, its stream, and rmcp's side of it. It ends with its stream.
    pub(crate) fn open_old(
        self: &Arc<Self>,
        principal: &str,
    ) -> (Arc<Session>, SessionTransport, BoxStream<'static, ServerSseMessage>) {
        let (session, transport) = Session::old();
        let _ = session.owner.set(principal.to_owned());
        self.insert(&session);
        let ending = Ending { sessions: self.clone(), id: session.id.clone(), _open: Open::new(&session) };
        let events = session.streams.standing(None).map(Reader::events);
        let events = stream::iter(events).flatten();
        (session, transport, holding(events, ending).boxed())
    }

    /// Takes messages of the transport of 2024-11-05. What is wrong with others that came with them is told on the
    /// stream, too.
    pub(crate) async fn take_old(
        &self,
        session: &Session,
        messages: Vec<ClientJsonRpcMessage>,
        wrong: Vec<ServerJsonRpcMessage>,
    ) -> Result<(), SessionError> {
        let room = session.room(messages.len()).await?;
        session.streams.expect(messages.iter().filter_map(asked).collect())?;
        for error in wrong {
            session.streams.say(error);
        }
        room.send(messages);
        Ok(())
    }

    /// Takes several messages at once, and gives the one stream of all their answers; none if there is nothing to
    /// answer. What is wrong with others that came with them is told there, too.
    pub(crate) async fn batch(
        &self,
        session: &Arc<Session>,
        messages: Vec<ClientJsonRpcMessage>,
        wrong: Vec<ServerJsonRpcMessage>,
        deaf: bool,
    ) -> Result<Option<BoxStream<'static, ServerSseMessage>>, SessionError> {
        let room = session.room(messages.len()).await?;
        let asked: Vec<_> = messages.iter().filter_map(asked).collect();
        let reader = match asked.is_empty() && wrong.is_empty() {
            true => None,
            false => Some(session.streams.open(asked, deaf, session.retry())?),
        };
        for error in wrong {
            reader.iter().for_each(|reader| session.streams.say_to(reader, error.clone()));
        }
        room.send(messages);
        Ok(reader.map(|reader| self.response(session, reader, deaf).boxed()))
    }

    /// One stream as a response. A client that knows how to come back is let go after a while.
    fn response(
        &self,
        session: &Arc<Session>,
        reader: Reader,
        deaf: bool,
    ) -> impl Stream<Item = ServerSseMessage> + Send + Sync + use<> {
        let polls = !deaf && !reader.is_standing() && session.retry().is_some();
        let long = self.limits.stream.filter(|_| polls);
        let until = async move {
            match long {
                Some(long) => tokio::time::sleep(long).await,
                None => std::future::pending().await,
            }
        };
        holding(reader.events().take_until(until), Open::new(session))
    }

    fn insert(&self, session: &Arc<Session>) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.insert(session.id.clone(), session.clone());
    }

    fn all(&self) -> Vec<Arc<Session>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn expect(&self, id: &SessionId) -> Result<Arc<Session>, SessionError> {
        let session = self.get(id).ok_or(SessionError::Unknown)?;
        session.touch();
        Ok(session)
    }
}

impl Session {
    /// What was negotiated. None: nothing yet.
    pub(crate) fn negotiated(&self) -> Option<&ProtocolVersion> {
        self.version()
    }

    /// Its id, which is a secret of its owner's.
    pub(crate) fn id(&self) -> &SessionId {
        &self.id
    }

    /// Trips when it ends.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Lets it end when nothing is under way any more.
    pub(crate) fn finish(&self) {
        self.streams.finish();
    }

    /// Returns when it has nothing more to say.
    pub(crate) async fn finished(&self) {
        self.streams.ended().await;
    }

    /// Whether these requests could be taken now.
    pub(crate) fn can_take<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a RequestId>,
    ) -> Result<(), SessionError> {
        self.streams.can_take(ids.into_iter())
    }
}

fn is_of(session: &Session, principal: &str) -> bool {
    session.owner.get().is_some_and(|owner| owner == principal)
}

fn asked(message: &ClientJsonRpcMessage) -> Option<Asked> {
    match message {
        JsonRpcMessage::Request(request) => Some(Asked::of(request)),
        _ => None,
    }
}

/// Ends a session when its stream goes.
struct Ending {
    sessions: Arc<Sessions>,
    id: SessionId,
    _open: Open,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.sessions.close(&self.id);
    }
}

/// The same stream, holding on to something until it is dropped.
fn holding<T: Send + Sync + 'static>(
    stream: impl Stream<Item = ServerSseMessage> + Send + Sync + 'static,
    held: T,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    stream.map(move |event| {
        let _ = &held;
        event
    })
}
