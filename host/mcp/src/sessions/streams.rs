//! What one session says to its client, and who listens.
//!
//! [`Routes`] knows where each message goes, [`Kept`] what was said there. A client's response is a [`Reader`] of one
//! stream, and so is a stream that is taken up again: it repeats what was missed and follows what is still being said.
//! A reader that is gone changes nothing for the call that talks to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, JsonRpcRequest,
    ProgressToken, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::streamable_http_server::session::ServerSseMessage;
use tokio::sync::watch;

use super::SessionError;
use super::kept::{Kept, MAX_UNHEARD, Next};
use super::routes::{Number, Route, Routes, STANDING};

/// Requests of one session that may be under way at once.
pub(super) const MAX_WAITING: usize = 256;

/// The streams of one session. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Streams(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Told of each event; true when the session ended.
    over: watch::Sender<bool>,
}

struct State {
    kept: Kept,
    routes: Routes,
    /// Everything goes to the standing stream.
    only: bool,
    /// The session ends when nothing is under way any more.
    finishing: bool,
}

/// A request that wants an answer.
pub(crate) struct Asked {
    pub(crate) id: RequestId,
    token: Option<ProgressToken>,
}

impl Asked {
    pub(crate) fn of(request: &JsonRpcRequest<ClientRequest>) -> Self {
        Self { id: request.id.clone(), token: request.request.get_meta().get_progress_token() }
    }
}

impl Streams {
    /// A stream for each request, and a standing one.
    pub(super) fn many() -> Self {
        Self::new(false)
    }

    /// One stream for everything.
    pub(super) fn one() -> Self {
        Self::new(true)
    }

    fn new(only: bool) -> Self {
        let state = State { kept: Kept::new(), routes: Routes::default(), only, finishing: false };
        Self(Arc::new(Shared { state: Mutex::new(state), over: watch::Sender::new(false) }))
    }

    /// How many requests are under way.
    pub(super) fn waiting(&self) -> usize {
        self.lock().routes.waiting()
    }

    /// Which.
    pub(super) fn under_way(&self) -> Vec<RequestId> {
        self.lock().routes.under_way()
    }

    /// Whether these requests could be taken now.
    pub(super) fn can_take<'a>(&self, ids: impl Iterator<Item = &'a RequestId>) -> Result<(), SessionError> {
        self.lock().can_take(ids)
    }

    /// The stream of the answers to these requests. With `retry`, it begins with an event that has nothing but an id,
    /// and says how soon a client that lost it should come back.
    pub(super) fn open(
        &self,
        asked: Vec<Asked>,
        deaf: bool,
        retry: Option<Duration>,
    ) -> Result<Reader, SessionError> {
        let mut state = self.lock();
        state.can_take(asked.iter().map(|asked| &asked.id))?;
        let stream = state.kept.open(asked.len(), deaf);
        if let Some(retry) = retry {
            state.kept.say(stream, ServerSseMessage::retry(retry));
        }
        for asked in asked {
            state.routes.expect(asked.id, asked.token, stream);
        }
        self.reader(state, stream, 0).ok_or(SessionError::Gone)
    }

    /// These requests came, and are answered on the one stream that there is.
    pub(super) fn expect(&self, asked: Vec<Asked>) -> Result<(), SessionError> {
        let mut state = self.lock();
        state.can_take(asked.iter().map(|asked| &asked.id))?;
        for asked in asked {
            state.routes.expect(asked.id, asked.token, STANDING);
        }
        Ok(())
    }

    /// The standing stream, from where it was heard last.
    pub(super) fn standing(&self, retry: Option<Duration>) -> Option<Reader> {
        let mut state = self.lock();
        let unread = state.kept.unread(STANDING);
        if let Some(retry) = retry {
            state.kept.say(STANDING, ServerSseMessage::retry(retry));
        }
        self.reader(state, STANDING, unread)
    }

    /// What came after this event, and what will come. With `retry`, the id that the client came with is repeated
    /// first, so that it does not forget it when the connection breaks once more.
    pub(super) fn resume(&self, event_id: &str, retry: Option<Duration>) -> Option<Reader> {
        let state = self.lock();
        let (stream, next) = state.kept.after(event_id)?;
        let mut reader = self.reader(state, stream, next)?;
        reader.first = retry.map(|retry| ServerSseMessage::priming(event_id, retry));
        Some(reader)
    }

    /// Says something to whom it concerns.
    pub(super) fn say(&self, message: ServerJsonRpcMessage) {
        let mut state = self.lock();
        let route = state.routes.route(&message);
        let stream = match route {
            Route::Nowhere => return,
            Route::To(_) | Route::Answer(_) if state.only => STANDING,
            // Its client would not hear it there, but may listen here.
            Route::To(stream) if state.kept.is_deaf(stream) => STANDING,
            Route::To(stream) | Route::Answer(stream) => stream,
        };
        if !*self.0.over.borrow() {
            state.kept.say(stream, ServerSseMessage::from_message(message));
        }
        if let Route::Answer(stream) = route {
            state.kept.close_one(stream);
        }
        self.told(state);
    }

    /// Says something on this reader's stream.
    pub(super) fn say_to(&self, reader: &Reader, message: ServerJsonRpcMessage) {
        let mut state = self.lock();
        state.kept.say(reader.stream, ServerSseMessage::from_message(message));
        self.told(state);
    }

    /// The client said something that changes what it is to be told.
    pub(super) fn heard(&self, message: &ClientJsonRpcMessage) {
        let mut state = self.lock();
        match message {
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                    && let Some(stream) = state.routes.forget(id)
                {
                    state.kept.close_one(stream);
                    self.told(state);
                }
            }
            JsonRpcMessage::Response(response) => state.routes.replied(&response.id),
            JsonRpcMessage::Error(error) => {
                if let Some(id) = &error.id {
                    state.routes.replied(id);
                }
            }
            JsonRpcMessage::Request(_) => {}
        }
    }

    /// Ends every stream when its reader has heard what was said.
    pub(super) fn end(&self) {
        self.0.over.send_replace(true);
    }

    /// Ends when nothing is under way any more.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.finishing = true;
        self.told(state);
    }

    /// Returns when it has ended.
    pub(super) async fn ended(&self) {
        let _ = self.0.over.subscribe().wait_for(|over| *over).await;
    }

    /// Wakes the readers.
    fn told(&self, mut state: MutexGuard<'_, State>) {
        let finished = state.finishing && state.routes.waiting() == 0;
        let left_behind = state.only && state.kept.weight_unread(STANDING) > MAX_UNHEARD;
        if left_behind {
            tracing::warn!("a session ended: its client does not read what it is told");
            state.kept.forget(STANDING);
        }
        drop(state);
        self.0.over.send_modify(|over| *over |= finished || left_behind);
    }

    fn reader(&self, mut state: MutexGuard<'_, State>, stream: Number, next: u64) -> Option<Reader> {
        let reader = state.kept.attach(stream)?;
        self.told(state);
        let over = self.0.over.subscribe();
        Some(Reader { streams: self.clone(), over, stream, reader, next, first: None })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn can_take<'a>(&self, ids: impl Iterator<Item = &'a RequestId>) -> Result<(), SessionError> {
        let mut under_way = self.routes.waiting();
        for id in ids {
            if self.routes.waits(id) {
                return Err(SessionError::Repeated(id.clone()));
            }
            under_way += 1;
            if under_way > MAX_WAITING {
                return Err(SessionError::TooMany);
            }
        }
        Ok(())
    }
}

/// Reads one stream.
pub(crate) struct Reader {
    streams: Streams,
    over: watch::Receiver<bool>,
    stream: Number,
    reader: u64,
    next: u64,
    first: Option<ServerSseMessage>,
}

impl Reader {
    /// Whether it is the stream that no request opened.
    pub(super) fn is_standing(&self) -> bool {
        self.stream == STANDING
    }

    /// The next event; none when the stream is at its end, or somebody else reads it.
    async fn next(&mut self) -> Option<ServerSseMessage> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let over = *self.over.borrow_and_update();
            let next = self.streams.lock().kept.read(self.stream, self.reader, self.next);
            match next {
                Next::Event(event, following) => {
                    self.next = following;
                    return Some(event);
                }
                Next::End => return None,
                Next::Later if over => return None,
                Next::Later => self.over.changed().await.ok()?,
            }
        }
    }

    /// All of them.
    pub(super) fn events(self) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
        stream::unfold(self, async |mut reader| reader.next().await.map(|event| (event, reader)))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.streams.lock().kept.detach(self.stream, self.reader);
    }
}
