//! The body of a request, from the guest to the upstream.
//!
//! Guests stream their bodies, and most of them write a few bytes and finish at once. So the beginning is gathered
//! first: a body that ended by then is sent with its length, as many servers want it, and can be sent again after a
//! redirect; a longer one streams on. Trailers of a request are not sent: hardly any server reads them, and one that
//! takes them for headers would read past the guard.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

/// What is gathered before a request is sent, and so the largest body that a redirect can send again, in bytes.
const GATHERED: usize = 64 << 10;

/// A request's body.
pub(crate) struct RequestBody {
    gathered: VecDeque<Bytes>,
    rest: Option<WasiBody>,
    left: u64,
    progress: Arc<Progress>,
}

/// How sending a body goes, for those who wait for the response.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    ended: AtomicBool,
    limit: u64,
    too_large: AtomicBool,
}

impl Progress {
    /// Nothing of the body is waited for any more.
    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The limit that ended the body, in bytes.
    pub(crate) fn too_large(&self) -> Option<u64> {
        self.too_large.load(Ordering::Acquire).then_some(self.limit)
    }
}

impl RequestBody {
    /// No body.
    pub(crate) fn empty() -> Self {
        Self::gathered(VecDeque::new())
    }

    fn gathered(gathered: VecDeque<Bytes>) -> Self {
        let progress = Progress { ended: AtomicBool::new(true), ..Progress::default() };
        Self { gathered, rest: None, left: 0, progress: Arc::new(progress) }
    }

    /// Gathers the beginning of a body. Waits for its first bytes, or its end. `limit` in bytes.
    pub(crate) async fn gather(mut body: WasiBody, limit: u64) -> Result<Self, Error> {
        let mut gathered = VecDeque::new();
        let mut size = 0;
        while !body.is_end_stream() {
            let frame =
                match if gathered.is_empty() { Some(body.frame().await) } else { soon(&mut body).await } {
                    Some(Some(frame)) => frame?,
                    Some(None) => break,
                    None => return Ok(Self::streaming(gathered, body, limit, size)),
                };
            let Ok(data) = frame.into_data() else { break };
            size += data.len() as u64;
            if size > limit {
                return Err(Error::HttpRequestBodySize(Some(limit)));
            }
            if !data.is_empty() {
                gathered.push_back(data);
            }
            if size > GATHERED as u64 {
                return Ok(Self::streaming(gathered, body, limit, size));
            }
        }
        Ok(Self::gathered(gathered))
    }

    /// Gathers all of a body, for those that are looked through. `limit` in bytes.
    pub(crate) async fn whole(mut body: WasiBody, limit: u64) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { break };
            if (whole.len() + data.len()) as u64 > limit {
                return Err(Error::HttpRequestBodySize(Some(limit)));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }

    /// All of it, at hand.
    pub(crate) fn of(whole: Bytes) -> Self {
        Self::gathered(VecDeque::from_iter((!whole.is_empty()).then_some(whole)))
    }

    /// What is at hand of it.
    pub(crate) fn beginning(&self) -> Vec<u8> {
        self.gathered.iter().flatten().copied().collect()
    }

    fn streaming(gathered: VecDeque<Bytes>, rest: WasiBody, limit: u64, size: u64) -> Self {
        let progress = Arc::new(Progress { limit, ..Progress::default() });
        Self { gathered, rest: Some(rest), left: limit - size, progress }
    }

    /// The same body once more, if all of it is at hand.
    pub(crate) fn again(&self) -> Option<Self> {
        self.rest.is_none().then(|| Self::gathered(self.gathered.clone()))
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_none() && self.gathered.is_empty()
    }

    /// How sending it goes.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

/// The next frame if it is there already, or once the guest had a chance to run.
async fn soon(body: &mut WasiBody) -> Option<Option<Result<Frame<Bytes>, Error>>> {
    for _ in 0..2 {
        if let Some(next) = body.frame().now_or_never() {
            return Some(next);
        }
        tokio::task::yield_now().await;
    }
    None
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = self.get_mut();
        if let Some(data) = body.gathered.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let Some(rest) = &mut body.rest else { return Poll::Ready(None) };
        match ready!(Pin::new(rest).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) if data.len() as u64 > body.left => {
                body.progress.too_large.store(true, Ordering::Release);
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(body.progress.limit)))))
            }
            Some(Ok(Ok(data))) => {
                body.left -= data.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            // The end, or trailers, which come last.
            None | Some(Ok(Err(_))) => {
                body.rest = None;
                body.progress.ended.store(true, Ordering::Release);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.gathered.is_empty() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let gathered: u64 = self.gathered.iter().map(|data| data.len() as u64).sum();
        match &self.rest {
            None => SizeHint::with_exact(gathered),
            Some(_) => {
                let mut hint = SizeHint::new();
                hint.set_lower(gathered);
                hint
            }
        }
    }
}
