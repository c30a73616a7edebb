//! Decompresses a response, so that it can be searched for credentials and counted as what it unpacks to.
//!
//! The host alone decides what compression it takes (it asks for gzip); a guest never sees a compressed body. A
//! little that unpacks to very much is an attack, whatever the limit on bodies is, and ends at a ratio of 100:1.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use wasmtime_wasi_http::Error;

use crate::failure::arriving;
use crate::pool::Arriving;

/// Unpacked bytes for one that arrived.
const MOST_RATIO: u64 = 100;
/// What may unpack at any ratio: short texts of one letter are no attack. In bytes.
const UNCOUNTED: u64 = 1 << 20;
/// What is unpacked at once, in bytes.
const PIECE: usize = 16 << 10;
/// Windows of HTTP's zstd are at most 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// What the host asks for.
    pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip");

    /// What the upstream says, which may be nothing. `Err` with what is not understood.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, String> {
        let mut found = None;
        for value in headers.get_all(http::header::CONTENT_ENCODING) {
            for name in value.to_str().unwrap_or("?").split(',').map(str::trim) {
                let coding = match name.to_ascii_lowercase().as_str() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    "br" => Self::Brotli,
                    "zstd" => Self::Zstd,
                    _ => return Err(name.chars().take(32).collect()),
                };
                // Nobody compresses twice but to hide something.
                if found.replace(coding).is_some() {
                    return Err("several codings".into());
                }
            }
        }
        Ok(found)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// A body that is unpacked as it arrives.
pub(crate) struct Decoded {
    coding: Coding,
    decoder: Box<dyn Decoder>,
    buffer: Box<[u8]>,
    unpacked: u64,
    ended: bool,
}

trait Decoder: AsyncRead + Send + Unpin {
    fn packed(&mut self) -> &mut Packed;
}

macro_rules! decoders {
    ($($decoder:ident)*) => {
        $(impl Decoder for $decoder<Packed> {
            fn packed(&mut self) -> &mut Packed {
                self.get_mut()
            }
        })*
    };
}

decoders!(GzipDecoder ZlibDecoder BrotliDecoder ZstdDecoder);

impl Decoded {
    pub(crate) fn new(body: Arriving, coding: Coding) -> Self {
        let packed = Packed {
            body,
            piece: Bytes::new(),
            arrived: 0,
            surplus: 0,
            ended: false,
            trailers: None,
            failed: None,
        };
        let decoder: Box<dyn Decoder> = match coding {
            Coding::Gzip => {
                let mut decoder = GzipDecoder::new(packed);
                // RFC 1952, 2.2: a file may have several members.
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            Coding::Deflate => Box::new(ZlibDecoder::new(packed)),
            Coding::Brotli => Box::new(BrotliDecoder::new(packed)),
            Coding::Zstd => {
                let window = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
                Box::new(ZstdDecoder::with_params(packed, &window))
            }
        };
        Self { coding, decoder, buffer: vec![0; PIECE].into(), unpacked: 0, ended: false }
    }

    /// The next piece, or trailers, or the end.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if !self.ended {
            let mut buffer = ReadBuf::new(&mut self.buffer);
            let read = ready!(Pin::new(&mut *self.decoder).poll_read(cx, &mut buffer));
            let length = buffer.filled().len();
            if let Err(_malformed) = read {
                self.ended = true;
                let coding = Some(self.coding.name().to_owned());
                let failed = self.decoder.packed().failed.take();
                return Poll::Ready(Some(Err(failed.unwrap_or(Error::HttpResponseContentCoding(coding)))));
            }
            if length > 0 {
                self.unpacked += length as u64;
                if self.unpacked > UNCOUNTED && self.unpacked / MOST_RATIO > self.decoder.packed().arrived {
                    self.ended = true;
                    return Poll::Ready(Some(Err(Error::HttpResponseBodySize(None))));
                }
                let piece = Bytes::copy_from_slice(&self.buffer[..length]);
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            self.ended = true;
        }
        // The decoder stops at its last byte; trailers come after it, and the connection is free only at the end.
        let packed = self.decoder.packed();
        if let Err(error) = ready!(packed.poll_drained(cx)) {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(packed.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

/// The body as it arrives, for the decoder to read from.
struct Packed {
    body: Arriving,
    piece: Bytes,
    arrived: u64,
    surplus: usize,
    ended: bool,
    trailers: Option<HeaderMap>,
    failed: Option<Error>,
}

impl Packed {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        while self.piece.is_empty() && !self.ended {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.ended = true;
                    self.failed = Some(arriving(&error, self.body.request()));
                    return Poll::Ready(Err(()));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.arrived += data.len() as u64;
                        self.piece = data;
                    }
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            self.surplus += self.piece.len();
            self.piece.clear();
            // What goes on and on behind the last byte is not waited for; the connection closes with the body.
            if self.ended || self.surplus > PIECE {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_next(cx)).is_err() {
                return Poll::Ready(Err(self.failed.take().unwrap_or(Error::HttpResponseIncomplete)));
            }
        }
    }
}

impl AsyncBufRead for Packed {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<&[u8]>> {
        let packed = self.get_mut();
        match ready!(packed.poll_next(cx)) {
            Ok(()) => Poll::Ready(Ok(&packed.piece)),
            Err(()) => Poll::Ready(Err(std::io::ErrorKind::Other.into())),
        }
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.piece.advance(amount);
    }
}

impl AsyncRead for Packed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = available.len().min(buffer.remaining());
        buffer.put_slice(&available[..length]);
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}
