//! The body of a response, and what becomes of its connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::{Pool, Shared};
use crate::body::{Progress, RequestBody};

/// Where a connection goes when its response is read.
pub(super) enum Home {
    One(Arc<Pool>, usize, http1::SendRequest<RequestBody>),
    /// Kept alive, and counted, until then.
    Many(Shared),
}

/// A response's body as it comes from the connection. Dropped before its end, it closes an HTTP/1 connection and
/// resets an HTTP/2 stream.
pub(crate) struct Arriving {
    body: Incoming,
    home: Option<Home>,
    request: Arc<Progress>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, home: Home, request: Arc<Progress>) -> Self {
        let mut arriving = Self { body, home: Some(home), request };
        if arriving.body.is_end_stream() {
            arriving.release();
        }
        arriving
    }

    fn release(&mut self) {
        if let Some(Home::One(pool, endpoint, sender)) = self.home.take()
            // An upstream may answer before it has read everything; such a connection is not at rest.
            && self.request.ended()
        {
            pool.give_back(endpoint, sender);
        }
    }

    /// How sending the request goes.
    pub(crate) fn request(&self) -> &Progress {
        &self.request
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let arriving = self.get_mut();
        let frame = std::task::ready!(Pin::new(&mut arriving.body).poll_frame(cx));
        match &frame {
            Some(Err(_)) => arriving.home = None,
            // Trailers come last.
            Some(Ok(frame)) if !frame.is_trailers() && !arriving.body.is_end_stream() => {}
            _ => arriving.release(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
