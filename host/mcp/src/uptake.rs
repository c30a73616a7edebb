//! What became of the answers on one connection: how many are under way, and whether its peer takes them.
//!
//! An answer that nobody reads lies in memory, and a client with HTTP/2 asks for many at once. So answers are handed out
//! in pieces, and a connection whose peer takes no further piece for a while is closed, as is one on which nothing is
//! under way. What lies ready for all connections together is bounded too.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use http_body::{Frame, SizeHint};

/// What is handed out at once, in bytes.
const PIECE: usize = 64 << 10;
/// What may lie ready for all connections together, in bytes.
const MOST_READY: u64 = 512 << 20;

/// Bytes that lie ready, on all connections of a listener.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ready(Arc<AtomicU64>);

/// One connection.
#[derive(Debug)]
pub(crate) struct Uptake {
    ready: Ready,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    next: u64,
    /// Requests that are not answered to the end. Some: since when it is the peer's turn to take a piece.
    under_way: BTreeMap<u64, Option<Instant>>,
    /// Since when nothing is under way.
    idle: Instant,
}

impl Uptake {
    pub(crate) fn new(ready: Ready) -> Arc<Self> {
        let now = Now { next: 0, under_way: BTreeMap::new(), idle: Instant::now() };
        Arc::new(Self { ready, now: Mutex::new(now) })
    }

    /// A request came. It is under way until what this gives back, or the answer made with it, is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        let mut now = self.now();
        let number = now.next;
        now.next += 1;
        now.under_way.insert(number, None);
        UnderWay { of: self.clone(), number, ready: 0 }
    }

    /// Whether its peer did nothing for so long: it takes no piece of an answer, or asks nothing while none is under way.
    pub(crate) fn is_stuck(&self, patience: Duration) -> bool {
        let now = self.now();
        let long = |since: &Instant| since.elapsed() > patience;
        if now.under_way.is_empty() { long(&now.idle) } else { now.under_way.values().flatten().any(long) }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that is not answered to its end.
#[derive(Debug)]
pub(crate) struct UnderWay {
    of: Arc<Uptake>,
    number: u64,
    /// Bytes that it has lying ready.
    ready: u64,
}

impl UnderWay {
    /// Hands the answer out piece by piece. There is none when too much lies ready already.
    pub(crate) fn answer(mut self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let length = body.size_hint().exact().unwrap_or_default();
        let all = self.of.ready.0.fetch_add(length, Ordering::Relaxed) + length;
        self.ready = length;
        if all > MOST_READY {
            let words = "too many answers wait for somebody to read them: ask again in a moment";
            return (StatusCode::SERVICE_UNAVAILABLE, words).into_response();
        }
        self.turn(Some(Instant::now()));
        Response::from_parts(parts, Body::new(Pieces { body, rest: Bytes::new(), under_way: self }))
    }

    /// Some: it is the peer's turn, from then on.
    fn turn(&self, since: Option<Instant>) {
        if let Some(turn) = self.of.now().under_way.get_mut(&self.number) {
            *turn = since;
        }
    }

    /// Bytes came, which are counted now unless they were before. False: too much lies ready.
    fn came(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.ready);
        self.ready += more;
        self.of.ready.0.fetch_add(more, Ordering::Relaxed) + more <= MOST_READY
    }

    fn taken(&mut self, bytes: u64) {
        let bytes = bytes.min(self.ready);
        self.ready -= bytes;
        self.of.ready.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.taken(u64::MAX);
        let mut now = self.of.now();
        now.under_way.remove(&self.number);
        now.idle = Instant::now();
    }
}

/// A stream that ends early.
#[derive(Debug, thiserror::Error)]
#[error("too many answers wait for somebody to read them")]
struct TooMuchReady;

/// An answer in pieces. The peer has taken one when the next is asked for.
struct Pieces {
    body: Body,
    rest: Bytes,
    under_way: UnderWay,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.under_way.turn(None);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        if !self.under_way.came(data.len() as u64) {
                            return Poll::Ready(Some(Err(axum::Error::new(TooMuchReady))));
                        }
                        self.rest = data;
                    }
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                Poll::Ready(other) => return Poll::Ready(other),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.under_way.taken(length as u64);
        self.under_way.turn(Some(Instant::now()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let hint = self.body.size_hint();
        let mut whole = SizeHint::new();
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole.set_lower(hint.lower() + rest);
        whole
    }
}
