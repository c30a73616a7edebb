//! The response as the guest reads it: unpacked, counted, masked, and ended when its call is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use fleetgate_core::mask::{Mask, Masker};
use fleetgate_core::sandbox::CallInfo;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::decode::{Coding, Decoded};
use crate::failure::arriving;
use crate::headers::clean_response;
use crate::mask::clean;
use crate::pool::{Arriving, HEADER_BYTES};

/// What a response is held to.
pub(crate) struct Terms {
    pub(crate) mask: Option<Arc<Mask>>,
    /// When the body must have ended.
    pub(crate) end: Instant,
    /// The longest pause in the body.
    pub(crate) pause: Option<Duration>,
    /// Counts the request among those under way.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// Makes an upstream's response fit for the guest.
pub(crate) fn answer(
    response: Response<Arriving>,
    method: &Method,
    call: &CallInfo,
    terms: Terms,
) -> Result<Response<WasiBody>, Error> {
    let (mut head, body) = response.into_parts();
    // Nothing that a guest can send asks for another protocol.
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::HttpProtocolError);
    }
    let size: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > HEADER_BYTES {
        return Err(Error::HttpResponseHeaderSectionSize(u32::try_from(size).ok()));
    }
    let coding =
        Coding::of(&head.headers).map_err(|coding| Error::HttpResponseContentCoding(Some(coding)))?;
    clean_response(&mut head.headers);
    head.headers.remove(CONTENT_ENCODING);
    let limit = call.limits.response;
    let bodiless = *method == Method::HEAD || body.is_end_stream();
    if coding.is_some() || (terms.mask.is_some() && !bodiless) {
        head.headers.remove(CONTENT_LENGTH);
    } else if let Some(length) = body.size_hint().exact()
        && length > limit
    {
        return Err(Error::HttpResponseBodySize(Some(length)));
    }
    if let Some(mask) = &terms.mask {
        clean(mask, &mut head.headers);
    }
    let source = match coding {
        Some(coding) if !bodiless => Source::Decoded(Box::new(Decoded::new(body, coding))),
        _ => Source::Plain(body),
    };
    let body = Answer {
        source: Some(source),
        masker: terms.mask.map(Masker::new),
        trailers: None,
        left: limit,
        limit,
        end: Box::pin(sleep_until(terms.end)),
        deadline: call.deadline,
        pause: terms.pause.map(|pause| (pause, Box::pin(tokio::time::sleep(pause)))),
        // What begins after the cancellation is the guest cleaning up.
        cancelled: (!call.cancel.is_cancelled()).then(|| Box::pin(call.cancel.clone().cancelled_owned())),
        permit: Some(terms.permit),
    };
    Ok(Response::from_parts(head, body.boxed_unsync()))
}

enum Source {
    Plain(Arriving),
    Decoded(Box<Decoded>),
}

impl Source {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self {
            Self::Decoded(decoded) => decoded.poll_frame(cx),
            Self::Plain(body) => match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                Some(Err(error)) => Poll::Ready(Some(Err(arriving(&error, body.request())))),
                Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
                None => Poll::Ready(None),
            },
        }
    }
}

/// A body on its way to the guest.
struct Answer {
    /// None: it has ended, and its connection is back in the pool or closed.
    source: Option<Source>,
    masker: Option<Masker>,
    /// Read, and waiting for the last data to go first.
    trailers: Option<HeaderMap>,
    left: u64,
    limit: u64,
    end: Pin<Box<Sleep>>,
    deadline: std::time::Instant,
    pause: Option<(Duration, Pin<Box<Sleep>>)>,
    cancelled: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Answer {
    fn close(&mut self) {
        self.source = None;
        self.permit = None;
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.close();
        self.masker = None;
        Poll::Ready(Some(Err(error)))
    }

    /// Whether waiting for more has to end.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Error::HttpResponseTimeout);
        }
        if self.cancelled.as_mut().is_some_and(|cancelled| cancelled.as_mut().poll(cx).is_ready()) {
            // The deadline cancels as well, perhaps a tick before the timer here.
            return Poll::Ready(match std::time::Instant::now() < self.deadline {
                true => Error::InternalError(Some("the call was cancelled".into())),
                false => Error::HttpResponseTimeout,
            });
        }
        match &mut self.pause {
            Some((_, pause)) => pause.as_mut().poll(cx).map(|()| Error::ConnectionReadTimeout),
            None => Poll::Pending,
        }
    }

    /// Counts and masks a piece. May leave nothing to pass on yet.
    fn piece(&mut self, piece: Bytes) -> Result<Bytes, Error> {
        self.left =
            self.left.checked_sub(piece.len() as u64).ok_or(Error::HttpResponseBodySize(Some(self.limit)))?;
        if let Some((length, pause)) = &mut self.pause {
            pause.as_mut().reset(Instant::now() + *length);
        }
        Ok(match &mut self.masker {
            Some(masker) => masker.push(piece),
            None => piece,
        })
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let answer = self.get_mut();
        while let Some(source) = &mut answer.source {
            // Only who waits is interrupted; what is there already may be read.
            let Poll::Ready(next) = source.poll_frame(cx) else {
                let error = ready!(answer.poll_overdue(cx));
                return answer.fail(error);
            };
            match next.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => match answer.piece(data) {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Err(error) => return answer.fail(error),
                },
                Some(Ok(Err(frame))) => {
                    let mut trailers = frame.into_trailers().unwrap_or_default();
                    clean_response(&mut trailers);
                    if let Some(masker) = &answer.masker {
                        clean(masker.mask(), &mut trailers);
                    }
                    answer.trailers = Some(trailers);
                    answer.close();
                }
                Some(Err(error)) => return answer.fail(error),
                None => answer.close(),
            }
        }
        if let Some(held) =
            answer.masker.take().map(|mut masker| masker.finish()).filter(|held| !held.is_empty())
        {
            return Poll::Ready(Some(Ok(Frame::data(held))));
        }
        Poll::Ready(answer.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none() && self.masker.is_none() && self.trailers.is_none()
    }
}
