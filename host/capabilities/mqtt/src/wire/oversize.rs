//! Messages of MQTT 3.1.1 that are larger than a grant takes.
//!
//! A client of that version cannot tell its broker how large a packet may be, and the library ends the connection over one
//! that is too large. That would cost everybody's calls. And with a session that the broker keeps, or a message that it
//! retained, the same packet would come at each next connection: one device could silence all the others for good. So
//! the bytes of such a message are read over, in front of the library. What goes on is where it was published and by which
//! number it is acknowledged, with a payload of ours that says how large it was. That payload begins with random bytes of
//! this connection, so that nobody else can say so.
//!
//! MQTT 5 has a word for it (section 3.1.2.11.4), and its brokers leave such messages out by themselves.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Begins the payload of what was read over.
type Mark = [u8; 16];
/// The longest that goes on of it: its header, its topic and number (section 3.3), and our payload.
pub(super) const LONGEST: usize = 5 + 2 + 0xffff + 2 + MARKED;
const MARKED: usize = size_of::<Mark>() + size_of::<u64>();
/// What is taken off the connection at once.
const CHUNK: usize = 8 << 10;

/// A connection whose messages have at most so many bytes.
pub(super) struct Oversize<S> {
    inner: S,
    most: u64,
    mark: Mark,
    reading: Reading,
    /// The fixed header of the packet that begins.
    header: Vec<u8>,
    /// The topic and number of one that is too large, as far as they are there.
    head: Vec<u8>,
    chunk: Box<[u8; CHUNK]>,
    /// What goes on.
    out: BytesMut,
}

/// What comes next of what the broker sends.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// A packet begins.
    Header,
    /// So many bytes that go on as they are.
    Through(u64),
    /// The topic and number of a message that is too large, and so many bytes with what is behind them.
    Head(u64),
    /// So many bytes that go nowhere.
    Over(u64),
}

impl<S> Oversize<S> {
    /// `most`: bytes of a packet. Also gives what tells the messages that were read over.
    pub(super) fn new(inner: S, most: u64) -> (Self, LeftOut) {
        let mut mark = Mark::default();
        // Without randomness the host cannot work at all (keys, sessions).
        getrandom::fill(&mut mark).expect("the system gives random bytes");
        let chunk = Box::new([0; CHUNK]);
        let (header, head, out) = (Vec::new(), Vec::new(), BytesMut::new());
        (Self { inner, most, mark, reading: Reading::Header, header, head, chunk, out }, LeftOut(mark))
    }

    /// Takes so many bytes of the chunk.
    fn take(&mut self, count: usize) {
        let mut at = 0;
        while at < count {
            let bytes = &self.chunk[at..count];
            let some = |left: u64| bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match self.reading {
                Reading::Header => {
                    self.header.push(bytes[0]);
                    at += 1;
                    self.begin();
                }
                Reading::Through(left) => {
                    let some = some(left);
                    self.out.extend_from_slice(&bytes[..some]);
                    at += some;
                    self.reading = after(left - some as u64, Reading::Through);
                }
                Reading::Head(left) => {
                    let some = some((self.head_length() - self.head.len()) as u64);
                    self.head.extend_from_slice(&bytes[..some]);
                    at += some;
                    self.reading = Reading::Head(left - some as u64);
                    self.went_on(left - some as u64);
                }
                Reading::Over(left) => {
                    let some = some(left);
                    at += some;
                    self.reading = after(left - some as u64, Reading::Over);
                }
            }
        }
    }

    /// The header has one more byte. What is no header goes on with all that is behind it, to who says so.
    fn begin(&mut self) {
        let Some((first, length)) = self.header.split_first() else { return };
        let (mut left, mut done) = (0_u64, false);
        for (at, byte) in length.iter().enumerate() {
            left |= u64::from(byte & 0x7f) << (7 * at);
            done = byte & 0x80 == 0;
        }
        if !done && length.len() < 4 {
            return;
        }
        let publish = first >> 4 == 3;
        if !done {
            left = u64::MAX;
        } else if publish && self.header.len() as u64 + left > self.most {
            self.head.clear();
            self.reading = Reading::Head(left);
            return self.went_on(left);
        }
        self.out.extend_from_slice(&self.header);
        self.header.clear();
        self.reading = after(left, Reading::Through);
    }

    /// Of topic and number, as far as that is known.
    fn head_length(&self) -> usize {
        let [high, low, ..] = self.head[..] else { return 2 };
        // With QoS 0 there is no number.
        let number = if self.header[0] & 0b110 == 0 { 0 } else { 2 };
        2 + usize::from(u16::from_be_bytes([high, low])) + number
    }

    /// More of the head is there, and so many bytes are behind that.
    fn went_on(&mut self, left: u64) {
        let missing = self.head_length() - self.head.len();
        if missing as u64 > left {
            // It ends within its own topic. Whoever reads it says so.
            self.out.extend_from_slice(&self.header);
            self.out.extend_from_slice(&self.head);
            self.header.clear();
            self.reading = after(left, Reading::Through);
        } else if missing == 0 {
            self.out.put_u8(self.header[0]);
            let mut length = self.head.len() + MARKED;
            while length > 0x7f {
                self.out.put_u8((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            self.out.put_u8(length as u8);
            self.out.extend_from_slice(&self.head);
            self.out.extend_from_slice(&self.mark);
            self.out.put_u64((self.header.len() + self.head.len()) as u64 + left);
            self.header.clear();
            self.reading = after(left, Reading::Over);
        }
    }
}

/// So many bytes more, or the next packet.
fn after(left: u64, reading: impl Fn(u64) -> Reading) -> Reading {
    if left == 0 { Reading::Header } else { reading(left) }
}

/// Tells what was read over from what was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeftOut(Mark);

impl LeftOut {
    /// How large the packet with this payload was. None: it is as it was sent.
    pub(super) fn of(&self, payload: &[u8]) -> Option<u64> {
        let size = payload.strip_prefix(&self.0)?;
        Some(u64::from_be_bytes(size.try_into().ok()?))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Oversize<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.out.is_empty() {
            let mut chunk = ReadBuf::new(&mut this.chunk[..]);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            let count = chunk.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
            this.take(count);
        }
        let some = this.out.len().min(buffer.remaining());
        buffer.put_slice(&this.out[..some]);
        this.out.advance(some);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Oversize<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const MOST: u64 = 1000;

    /// A packet with this first byte.
    fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        let mut length = body.len();
        while length > 0x7f {
            bytes.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(body);
        bytes
    }

    fn message(first: u8, head: &[u8], payload: usize) -> Vec<u8> {
        packet(first, &[head, &vec![b'x'; payload][..]].concat())
    }

    /// What goes on of these bytes, which come in pieces of this size.
    async fn through(bytes: &[u8], piece: usize) -> (Vec<u8>, LeftOut) {
        let (near, mut far) = tokio::io::duplex(piece);
        let (mut near, left_out) = Oversize::new(near, MOST);
        let bytes = bytes.to_vec();
        tokio::spawn(async move { far.write_all(&bytes).await });
        let mut out = Vec::new();
        near.read_to_end(&mut out).await.expect("it is read");
        (out, left_out)
    }

    #[tokio::test]
    async fn a_message_that_is_too_large_goes_on_without_its_payload_and_the_others_as_they_are() {
        let small = message(0x30, b"\0\x01a", 10);
        let exact = message(0x32, b"\0\x01a\0\x07", 992);
        assert_eq!(exact.len() as u64, MOST);
        let (surely, unsure) = (message(0x3a, b"\0\x03a/b\x01\x02", 100_000), message(0x31, b"\0\x01b", 998));
        let all = [&packet(0x20, &[0, 0])[..], &small, &surely, &packet(0xd0, &[]), &exact, &unsure, &small];
        for piece in [1, 2, 3, 7, 64, 1 << 20] {
            let (out, left_out) = through(&all.concat(), piece).await;
            let over = |first: u8, head: &[u8], size: usize| {
                packet(first, &[head, &left_out.0, &(size as u64).to_be_bytes()].concat())
            };
            let surely = over(0x3a, b"\0\x03a/b\x01\x02", surely.len());
            let unsure = over(0x31, b"\0\x01b", unsure.len());
            let expected = [all[0], &small, &surely, all[3], &exact, &unsure, &small].concat();
            assert_eq!(out, expected, "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn what_is_no_packet_goes_on_to_who_says_so() {
        let endless = [&[0x30, 0xff, 0xff, 0xff, 0xff, 1][..], &[7; 3000]].concat();
        // Its topic would be longer than itself.
        let torn = message(0x32, &[0x7f, 0xff, b'a'], 2000);
        // So would its number.
        let short = message(0x32, &[&[0x03, 0xff][..], &[b'a'; 1023], &[1]].concat(), 0);
        for bytes in [endless, torn, short, packet(0x90, &[0; 5000]), packet(0x30, &[0]), vec![0x30]] {
            for piece in [1, 1 << 20] {
                let (out, _) = through(&bytes, piece).await;
                // What has begun and never ends is nothing yet.
                assert_eq!(out, if bytes.len() == 1 { Vec::new() } else { bytes.clone() });
            }
        }
    }

    #[test]
    fn nobody_but_the_host_says_that_something_was_left_out() {
        let (_, left_out) = Oversize::new(tokio::io::empty(), MOST);
        let said = [&left_out.0[..], &7_u64.to_be_bytes()].concat();
        assert_eq!(left_out.of(&said), Some(7));
        for other in [&said[1..], &said[..16], &[0; 24], &[], &[&said[..], b"x"].concat()] {
            assert_eq!(left_out.of(other), None);
        }
    }
}
