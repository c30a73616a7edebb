//! MQTT within a WebSocket (MQTT, section 6; RFC 6455): binary frames that are one stream of bytes.
//!
//! The handshake is read byte by byte, so that nothing behind it is taken, and no more of it than answers have. A
//! redirect is an answer like any other that is not "101": nobody follows it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_websockets::{ClientBuilder, Limits, Message, WebSocketStream};

/// An answer's head has some hundred bytes.
const MOST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why there is no WebSocket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoWebSocket {
    #[error("it answered with HTTP status {0}")]
    Status(u16),
    #[error("it answered {0}")]
    Answer(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A stream of bytes in binary frames.
pub(crate) struct WebSocket<S> {
    inner: WebSocketStream<S>,
    unread: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Asks for one. `largest`: of a frame, in bytes.
    pub(crate) async fn open(
        mut stream: S,
        authority: &str,
        path: &str,
        largest: usize,
    ) -> Result<Self, NoWebSocket> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let key = STANDARD.encode(nonce);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == MOST_HEAD {
                return Err(NoWebSocket::Answer("with more header than answers have"));
            }
            head.push(stream.read_u8().await?);
        }
        check(&head, &key)?;
        let limits = Limits::default().max_payload_len(Some(largest));
        Ok(Self { inner: ClientBuilder::new().limits(limits).take_over(stream), unread: Bytes::new() })
    }
}

/// Whether this is the answer to a handshake with this key.
fn check(head: &[u8], key: &str) -> Result<(), NoWebSocket> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let parsed = answer.parse(head);
    let Some(status) = answer.code.filter(|_| parsed.is_ok_and(|status| status.is_complete())) else {
        return Err(NoWebSocket::Answer("with what is not HTTP"));
    };
    if status != 101 {
        return Err(NoWebSocket::Status(status));
    }
    let value = |name: &str| {
        let found = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value)
    };
    let expected = STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize());
    if value("sec-websocket-accept") != Some(expected.as_bytes()) {
        return Err(NoWebSocket::Answer("without knowing the handshake's key"));
    }
    if !value("sec-websocket-protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"mqtt")) {
        return Err(NoWebSocket::Answer("that it does not speak MQTT there"));
    }
    Ok(())
}

fn broken(error: tokio_websockets::Error) -> io::Error {
    match error {
        tokio_websockets::Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.unread.is_empty() {
            match ready!(Pin::new(&mut this.inner).poll_next(cx)).transpose().map_err(broken)? {
                Some(message) if message.is_binary() => this.unread = Bytes::from(message.into_payload()),
                // What else there is are pings and pongs, which carry nothing.
                Some(message) if message.is_text() => {
                    let why = "the broker sent text within the WebSocket";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
                }
                Some(message) if message.is_close() => return Poll::Ready(Ok(())),
                Some(_) => {}
                None => return Poll::Ready(Ok(())),
            }
        }
        let some = this.unread.len().min(buffer.remaining());
        buffer.put_slice(&this.unread[..some]);
        this.unread.advance(some);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.inner).poll_ready(cx)).map_err(broken)?;
        let message = Message::binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut this.inner).start_send(message).map_err(broken)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx).map_err(broken)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_close(cx).map_err(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn answer(lines: &str) -> String {
        format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n\r\n")
    }

    #[test]
    fn the_handshake_of_the_rfc_is_taken_and_others_are_not() {
        let fine =
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let with = |protocol: &str| answer(&format!("{fine}\r\nSec-WebSocket-Protocol: {protocol}"));
        assert!(check(with("mqtt").as_bytes(), KEY).is_ok());
        assert!(check(with("chat").as_bytes(), KEY).is_err());
        assert!(check(answer(fine).as_bytes(), KEY).is_err(), "no protocol");
        assert!(check(with("mqtt").as_bytes(), "b3RoZXI=").is_err(), "another key");
        let long = format!("Sec-WebSocket-Accept: {}", "A".repeat(4096));
        assert!(check(answer(&long).as_bytes(), KEY).is_err());
    }

    #[test]
    fn a_redirect_is_said_and_not_followed() {
        let redirect = "HTTP/1.1 302 Found\r\nLocation: ws://169.254.169.254/\r\n\r\n";
        assert!(matches!(check(redirect.as_bytes(), KEY), Err(NoWebSocket::Status(302))));
        assert!(matches!(check(b"SSH-2.0-x\r\n\r\n", KEY), Err(NoWebSocket::Answer(_))));
    }

    #[tokio::test]
    async fn an_endless_answer_ends() {
        let (near, mut far) = tokio::io::duplex(1024);
        let flood = tokio::spawn(async move {
            let header = format!("HTTP/1.1 200 OK\r\n{}", "X-More: more\r\n".repeat(10_000));
            let _ = far.write_all(header.as_bytes()).await;
            far
        });
        assert!(matches!(
            WebSocket::open(near, "broker", "/mqtt", 1 << 20).await,
            Err(NoWebSocket::Answer(_))
        ));
        flood.abort();
    }
}
