//! One session: what its client sends goes in here and to rmcp, and what rmcp answers comes out on its streams.

use std::convert::Infallible;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage, ClientNotification,
    JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
};
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_server::session::SessionId;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::SessionError;
use super::streams::Streams;
use crate::incoming::MOST_MESSAGES;
use crate::keys;

/// How soon a client that lost a stream should come back.
const RETRY: Duration = Duration::from_secs(1);

/// One session.
pub(crate) struct Session {
    pub(super) id: SessionId,
    pub(super) streams: Streams,
    /// It is the transport of 2024-11-05.
    pub(super) old: bool,
    /// Set by whoever opens it, with the first message.
    pub(super) owner: OnceLock<String>,
    version: Arc<OnceLock<ProtocolVersion>>,
    inbox: mpsc::Sender<ClientJsonRpcMessage>,
    greeting: Mutex<Option<oneshot::Receiver<ServerJsonRpcMessage>>>,
    /// Responses that are open: streams that somebody reads.
    readers: AtomicUsize,
    used: Mutex<Instant>,
    /// Trips when it ends.
    pub(super) ended: CancellationToken,
}

/// rmcp's side of a session.
pub(crate) struct SessionTransport {
    inbox: mpsc::Receiver<ClientJsonRpcMessage>,
    streams: Streams,
    version: Arc<OnceLock<ProtocolVersion>>,
    /// Takes the answer to `initialize`, which opens no stream.
    greeting: Option<oneshot::Sender<ServerJsonRpcMessage>>,
    ended: CancellationToken,
    /// Once it has ended: what is still to be cancelled. rmcp would let it go on for a few seconds.
    given_up: Option<Vec<RequestId>>,
}

impl Session {
    /// A session of Streamable HTTP: the answer to its first message is [`Session::greeted`].
    pub(super) fn new() -> (Arc<Self>, SessionTransport) {
        let (greet, greeting) = oneshot::channel();
        Self::with(Streams::many(), false, Some((greet, greeting)))
    }

    /// A session of the transport of 2024-11-05.
    pub(super) fn old() -> (Arc<Self>, SessionTransport) {
        Self::with(Streams::one(), true, None)
    }

    fn with(
        streams: Streams,
        old: bool,
        greeting: Option<(oneshot::Sender<ServerJsonRpcMessage>, oneshot::Receiver<ServerJsonRpcMessage>)>,
    ) -> (Arc<Self>, SessionTransport) {
        let (sender, inbox) = mpsc::channel(MOST_MESSAGES);
        let (greet, greeting) = greeting.unzip();
        let version = Arc::<OnceLock<_>>::default();
        let ended = CancellationToken::new();
        let session = Self {
            // Visible ASCII, and 128 bits that nobody can guess.
            id: keys::random().into(),
            streams: streams.clone(),
            old,
            owner: OnceLock::new(),
            version: version.clone(),
            inbox: sender,
            greeting: Mutex::new(greeting),
            readers: AtomicUsize::new(0),
            used: Mutex::new(Instant::now()),
            ended: ended.clone(),
        };
        let transport = SessionTransport { inbox, streams, version, greeting: greet, ended, given_up: None };
        (Arc::new(session), transport)
    }

    /// What was negotiated. None: nothing yet.
    pub(super) fn version(&self) -> Option<&ProtocolVersion> {
        self.version.get()
    }

    /// How soon a client that loses a stream should come back, if it is one that knows how. Those of before
    /// 2025-11-25 take an event without data for a broken one (specification of 2025-11-25, `basic/transports`; SEP-1699).
    pub(super) fn retry(&self) -> Option<Duration> {
        let knows = self.version().is_some_and(|version| *version >= ProtocolVersion::V_2025_11_25);
        knows.then_some(RETRY)
    }

    /// The answer to the first message.
    pub(super) async fn greeted(&self) -> Result<ServerJsonRpcMessage, SessionError> {
        let greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner).take();
        greeting.ok_or(SessionError::Ended)?.await.map_err(|_| SessionError::Ended)
    }

    /// Room for so many messages: once it is there, nothing can come between taking and sending them.
    pub(super) async fn room(&self, messages: usize) -> Result<Slots<'_>, SessionError> {
        let room = tokio::select! {
            biased;
            () = self.ended.cancelled() => return Err(SessionError::Ended),
            room = self.inbox.reserve_many(messages) => room,
        };
        self.touch();
        Ok(Slots(self, room.map_err(|_| SessionError::Ended)?))
    }

    /// Ends it: what was said is heard to its end, and calls are cancelled, since nobody will hear their answers.
    pub(super) fn end(&self) {
        self.ended.cancel();
        self.streams.end();
    }

    /// Requests that wait for their answer.
    pub(super) fn calls(&self) -> usize {
        self.streams.waiting()
    }

    /// Whether somebody listens.
    pub(super) fn is_heard(&self) -> bool {
        self.readers.load(Ordering::Relaxed) > 0
    }

    pub(super) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn last_used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As if its client had given up this request.
fn cancelled(id: RequestId) -> ClientJsonRpcMessage {
    let params = CancelledNotificationParam::new(Some(id), Some("the session has ended".to_owned()));
    let notification = CancelledNotification::new(params);
    ClientJsonRpcMessage::notification(ClientNotification::CancelledNotification(notification))
}

/// Room in a session's inbox.
pub(super) struct Slots<'a>(&'a Session, mpsc::PermitIterator<'a, ClientJsonRpcMessage>);

impl Slots<'_> {
    /// Sends as many messages as there was room asked for.
    pub(super) fn send(self, messages: impl IntoIterator<Item = ClientJsonRpcMessage>) {
        for (permit, message) in self.1.zip(messages) {
            self.0.streams.heard(&message);
            permit.send(message);
        }
    }
}

/// A response that is open, for as long as it lives.
pub(super) struct Open(Arc<Session>);

impl Open {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        session.readers.fetch_add(1, Ordering::Relaxed);
        Self(session.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.touch();
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Transport<RoleServer> for SessionTransport {
    type Error = Infallible;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
        if let JsonRpcMessage::Response(response) = &message
            && let ServerResult::InitializeResult(result) = &response.result
        {
            let _ = self.version.set(result.protocol_version.clone());
        }
        match self.greeting.take() {
            Some(greeting) => drop(greeting.send(message)),
            None => self.streams.say(message),
        }
        ready(Ok(()))
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => {
                let given_up = self.given_up.get_or_insert_with(|| self.streams.under_way());
                given_up.pop().map(cancelled)
            }
            message = self.inbox.recv() => message,
        }
    }

    async fn close(&mut self) -> Result<(), Infallible> {
        self.streams.end();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sessions::streams::Asked;

    fn message(value: Value) -> ClientJsonRpcMessage {
        serde_json::from_value(value).unwrap()
    }

    #[tokio::test]
    async fn a_session_that_ends_gives_up_what_is_under_way_before_it_says_no_more() {
        let (session, mut transport) = Session::old();
        let requests: Vec<_> = [1, 2, 3]
            .map(|id| message(json!({"jsonrpc": "2.0", "id": id, "method": "ping"})))
            .into_iter()
            .collect();
        let asked = requests.iter().filter_map(|one| match one {
            JsonRpcMessage::Request(request) => Some(Asked::of(request)),
            _ => None,
        });
        session.streams.expect(asked.collect()).unwrap();
        session.room(3).await.unwrap().send(requests);
        assert!(matches!(transport.receive().await, Some(JsonRpcMessage::Request(_))));
        session
            .streams
            .say(serde_json::from_value(json!({"jsonrpc": "2.0", "id": 1, "result": {}})).unwrap());

        session.end();
        let mut given_up = Vec::new();
        while let Some(message) = transport.receive().await {
            let message = serde_json::to_value(message).unwrap();
            assert_eq!(message["method"], "notifications/cancelled", "nothing more begins");
            given_up.push(message["params"]["requestId"].as_i64().unwrap());
        }
        given_up.sort_unstable();
        assert_eq!(given_up, [2, 3], "the first was answered");
        assert!(transport.receive().await.is_none());
    }
}
