//! The bytes below SSH, on a line that can be cut.
//!
//! russh runs each connection in a task of its own, which waits for the other side in ways that its handle cannot end
//! (a key exchange that stalls, a peer that does not read). So the stream itself is ended from outside: whoever holds
//! the [`Lifeline`] lets go, and the task meets an error at its next step.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Anything that carries bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Ends the stream when it is dropped.
#[derive(Debug)]
pub(crate) struct Lifeline {
    cut: CancellationToken,
    greeted: Arc<AtomicBool>,
}

impl Lifeline {
    /// Whether the other side introduced itself as an SSH server (RFC 4253, 4.2).
    pub(crate) fn greeted(&self) -> bool {
        self.greeted.load(Ordering::Relaxed)
    }

    /// Ends the stream now.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.cut();
    }
}

/// A stream with a lifeline.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    cut_reading: Pin<Box<WaitForCancellationFutureOwned>>,
    cut_writing: Pin<Box<WaitForCancellationFutureOwned>>,
    greeted: Arc<AtomicBool>,
    /// The bytes that may still become `SSH-`.
    last: [u8; 3],
}

impl Wire {
    /// Puts a stream on a lifeline.
    pub(crate) fn new(stream: Box<dyn Stream>) -> (Self, Lifeline) {
        let cut = CancellationToken::new();
        let greeted = Arc::new(AtomicBool::new(false));
        let wire = Self {
            stream,
            cut_reading: Box::pin(cut.clone().cancelled_owned()),
            cut_writing: Box::pin(cut.clone().cancelled_owned()),
            greeted: Arc::clone(&greeted),
            last: [0; 3],
        };
        (wire, Lifeline { cut, greeted })
    }

    fn look(&mut self, bytes: &[u8]) {
        if self.greeted.load(Ordering::Relaxed) {
            return;
        }
        let seen = [&self.last[..], bytes].concat();
        if seen.windows(4).any(|window| window == b"SSH-") {
            self.greeted.store(true, Ordering::Relaxed);
        }
        self.last.copy_from_slice(&seen[seen.len() - 3..]);
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was ended by this host")
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut_reading.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(gone()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut *self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.look(&buffer.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut_writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(gone()));
        }
        Pin::new(&mut *self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut_writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(gone()));
        }
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut_writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_greeting_is_seen_however_it_arrives() {
        for pieces in [&["SSH-2.0-x\r\n"][..], &["hello\r\nS", "S", "H-2.0"], &["SS", "H", "-"]] {
            let (near, mut far) = tokio::io::duplex(64);
            let (mut wire, life) = Wire::new(Box::new(near));
            for piece in pieces {
                assert!(!life.greeted());
                far.write_all(piece.as_bytes()).await.unwrap();
                let mut buffer = vec![0; piece.len()];
                wire.read_exact(&mut buffer).await.unwrap();
            }
            assert!(life.greeted() || pieces[0].starts_with("hello"), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn letting_go_ends_a_read_and_a_write_that_wait() {
        let (near, _far) = tokio::io::duplex(1);
        let (wire, life) = Wire::new(Box::new(near));
        let (mut reading, mut writing) = tokio::io::split(wire);
        let read = tokio::spawn(async move { reading.read_u8().await });
        let write = tokio::spawn(async move { writing.write_all(&[0; 64]).await });
        tokio::task::yield_now().await;
        drop(life);
        assert!(read.await.unwrap().is_err() && write.await.unwrap().is_err());
    }
}
