//! What a terminal said: kept until it is read, masked, and watched for questions.
//!
//! The device speaks whenever it likes, and the guest reads when it has time. So everything is taken from the
//! connection at once (russh lets one channel that is not read hold up all others) and kept here, up to a limit.
//! Passwords are masked before they are kept; what could be the beginning of one is held back until more comes, or
//! until the device has been silent for a moment, which is counted by the host's clock and not by how often a guest
//! asks. After a password was typed, what the device says is watched for it first: [`crate::watch`].
//!
//! [`State`] does all that, with the time as an argument; [`Screen`] has the clock and wakes the reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fleetgate_core::mask::{Mask, Masker};
use fleetgate_core::settings::Secret;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::prompt::{refuses, waits_for_password};
use crate::watch::Watch;

/// After so long a silence, what was held back is given out.
const SILENCE: Duration = Duration::from_millis(300);
/// So long a question stands there before it is answered with a password: the device waits in it, and it is not a
/// line that is still being shown.
const SETTLED: Duration = Duration::from_millis(250);
/// What is remembered of what was said after the last key, in bytes.
const TAIL: usize = 4 << 10;

/// The other side of a terminal.
pub(crate) struct Screen {
    state: Mutex<State>,
    arrived: Notify,
}

/// What was said, and what of it may be read.
struct State {
    ready: BytesMut,
    /// The most bytes that are kept.
    most: u64,
    masker: Option<Masker>,
    last: Instant,
    /// What was said since something was typed, its end.
    tail: Vec<u8>,
    watch: Option<Watch>,
    end: Option<End>,
}

/// How a terminal came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The device closed it.
    Closed(Option<u32>),
    /// The connection broke.
    Broke(String),
    /// Too much was said.
    Full,
    /// Something was typed in part, and what would be typed next would stand behind it.
    Cut,
}

/// What there is to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Data(Bytes),
    TimedOut,
    End(End),
}

/// What there is to read now.
#[derive(Debug, PartialEq, Eq)]
enum Now {
    Read(Read),
    /// Nothing, before this time or more that arrives.
    Nothing(Option<Instant>),
}

impl Screen {
    /// An empty one, which keeps up to `most` bytes.
    pub(crate) fn new(mask: Option<Arc<Mask>>, most: u64) -> Self {
        Self { state: Mutex::new(State::new(mask, most, Instant::now())), arrived: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device said something. False: there is no more room, and the terminal is at its end.
    pub(crate) fn said(&self, bytes: Bytes) -> bool {
        let fits = self.state().said(bytes, Instant::now());
        self.arrived.notify_one();
        fits
    }

    /// It is over.
    pub(crate) fn ended(&self, end: End) {
        self.state().ended(end);
        self.arrived.notify_one();
    }

    /// How it ended. None: it did not yet.
    pub(crate) fn end(&self) -> Option<End> {
        self.state().end.clone()
    }

    /// Something is about to be typed: what was asked before is answered.
    pub(crate) fn typing(&self) {
        self.state().tail.clear();
    }

    /// A password is about to be typed.
    pub(crate) fn typing_secret(&self, secret: Secret) {
        self.state().typing_secret(secret, Instant::now());
    }

    /// Whether the device asks for a password.
    pub(crate) fn asks(&self) -> bool {
        waits_for_password(&self.state().tail)
    }

    /// Whether what the device said since something was typed refuses a password.
    pub(crate) fn refuses(&self) -> bool {
        refuses(&self.state().tail)
    }

    /// Whether the device waits in a question, when it has been silent for a moment.
    pub(crate) async fn waits_in(&self, question: fn(&[u8]) -> bool) -> bool {
        loop {
            let settled = {
                let state = self.state();
                if !question(&state.tail) {
                    return false;
                }
                state.last + SETTLED
            };
            if Instant::now() >= settled {
                return true;
            }
            tokio::time::sleep_until(settled).await;
        }
    }

    /// Reads up to `most` bytes, as soon as there is one.
    pub(crate) async fn read(&self, most: usize, timeout: Duration) -> Read {
        let deadline = Instant::now() + timeout;
        loop {
            let now = Instant::now();
            let wake = match self.state().take(most, now) {
                Now::Read(read) => return read,
                Now::Nothing(wake) => wake.map_or(deadline, |wake| wake.min(deadline)),
            };
            if now >= deadline {
                return Read::TimedOut;
            }
            // One reader at a time: what arrived between looking and waiting left its permit.
            let _ = tokio::time::timeout_at(wake, self.arrived.notified()).await;
        }
    }
}

impl State {
    fn new(mask: Option<Arc<Mask>>, most: u64, now: Instant) -> Self {
        let masker = mask.map(Masker::new);
        Self { ready: BytesMut::new(), most, masker, last: now, tail: Vec::new(), watch: None, end: None }
    }

    fn said(&mut self, bytes: Bytes, now: Instant) -> bool {
        self.last = now;
        self.tail.extend_from_slice(&bytes);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        let Some(watch) = &mut self.watch else { return self.pass(bytes) };
        watch.said(&bytes);
        self.judge(now)
    }

    fn typing_secret(&mut self, secret: Secret, now: Instant) {
        self.tail.clear();
        self.stop_watching();
        self.watch = Some(Watch::new(secret, now));
    }

    fn stop_watching(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            let (clean, _) = watch.take(watch.end());
            self.pass(clean);
        }
    }

    /// Passes on what is known not to show the password. False: there is no more room.
    fn judge(&mut self, now: Instant) -> bool {
        let Some(watch) = &mut self.watch else { return true };
        let (clean, over) = watch.take(now);
        if over {
            self.watch = None;
        }
        self.pass(clean)
    }

    /// Masks something and keeps it, as far as there is room.
    fn pass(&mut self, bytes: Bytes) -> bool {
        let clean = match &mut self.masker {
            Some(masker) => masker.push(bytes),
            None => bytes,
        };
        let room = usize::try_from(self.most).unwrap_or(usize::MAX).saturating_sub(self.ready.len());
        let fits = clean.len() <= room;
        self.ready.extend_from_slice(&clean[..clean.len().min(room)]);
        if !fits {
            self.end.get_or_insert(End::Full);
        }
        fits
    }

    fn ended(&mut self, end: End) {
        if self.end.is_none() {
            self.stop_watching();
            self.release();
        }
        self.end.get_or_insert(end);
    }

    /// What was held back goes on, since nothing comes.
    fn release(&mut self) {
        if let Some(held) = self.masker.as_mut().map(Masker::pause) {
            self.ready.extend_from_slice(&held);
        }
    }

    fn take(&mut self, most: usize, now: Instant) -> Now {
        self.judge(now);
        if self.ready.is_empty() && now >= self.last + SILENCE {
            self.release();
        }
        if !self.ready.is_empty() {
            let length = self.ready.len().min(most.max(1));
            return Now::Read(Read::Data(self.ready.split_to(length).freeze()));
        }
        if let Some(end) = &self.end {
            return Now::Read(Read::End(end.clone()));
        }
        let held = self.masker.as_ref().is_some_and(Masker::holds).then(|| self.last + SILENCE);
        let watched = self.watch.as_ref().filter(|watch| watch.holds()).map(Watch::end);
        Now::Nothing(held.into_iter().chain(watched).min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::WATCHED;

    const SECRET: &str = "s3cr3t-t0k3n";

    /// A terminal and its clock.
    struct Bench {
        state: State,
        now: Instant,
    }

    impl Bench {
        fn new(most: u64) -> Self {
            let now = Instant::now();
            Self { state: State::new(Mask::new([SECRET]), most, now), now }
        }

        fn says(&mut self, text: &str) -> bool {
            self.state.said(Bytes::copy_from_slice(text.as_bytes()), self.now)
        }

        fn after(&mut self, time: Duration) -> &mut Self {
            self.now += time;
            self
        }

        fn types_secret(&mut self) {
            self.state.typing_secret(Secret::new(SECRET), self.now);
        }

        /// Everything that can be read now.
        fn reads(&mut self) -> String {
            let mut said = Vec::new();
            while let Now::Read(Read::Data(data)) = self.state.take(5, self.now) {
                said.extend_from_slice(&data);
            }
            String::from_utf8(said).unwrap()
        }
    }

    #[test]
    fn what_was_said_is_read_in_pieces_and_then_there_is_nothing() {
        let mut bench = Bench::new(100);
        bench.says("R1>");
        assert_eq!(bench.state.take(2, bench.now), Now::Read(Read::Data(Bytes::from_static(b"R1"))));
        assert_eq!(bench.state.take(0, bench.now), Now::Read(Read::Data(Bytes::from_static(b">"))));
        assert_eq!(bench.state.take(2, bench.now), Now::Nothing(None));
    }

    #[test]
    fn what_could_be_the_beginning_of_a_password_waits_for_more_or_for_silence() {
        let mut bench = Bench::new(100);
        bench.says("site s3c");
        assert_eq!(bench.reads(), "site ");
        assert_eq!(bench.state.take(9, bench.now), Now::Nothing(Some(bench.now + SILENCE)));
        assert_eq!(bench.after(SILENCE / 2).reads(), "");
        assert_eq!(bench.after(SILENCE / 2).reads(), "s3c");
        bench.says("ond\r\n");
        assert_eq!(bench.reads(), "ond\r\n");
    }

    #[test]
    fn silence_in_the_middle_of_a_password_does_not_show_its_end() {
        let mut bench = Bench::new(100);
        bench.says("password s3c");
        assert_eq!(bench.after(SILENCE).reads(), "password s3c");
        bench.says("r3t-t0k3n\r\nR1>");
        assert_eq!(bench.reads(), "[masked]\r\nR1>");
        bench.says("password s3cr3t-t");
        assert_eq!(bench.after(SILENCE).reads(), "password [masked]");
        bench.says("0k3n\r\nR1>");
        assert_eq!(bench.reads(), "[masked]\r\nR1>");
    }

    #[test]
    fn the_end_of_a_terminal_does_not_show_half_a_password() {
        let mut bench = Bench::new(100);
        bench.says("password s3cr3t-t0k3");
        bench.state.ended(End::Broke("gone".into()));
        assert_eq!(bench.reads(), "password [masked]");
        assert_eq!(bench.state.take(9, bench.now), Now::Read(Read::End(End::Broke("gone".into()))));
    }

    #[test]
    fn what_stays_in_its_line_after_a_password_is_read_a_moment_later() {
        let mut bench = Bench::new(100);
        bench.types_secret();
        assert_eq!(bench.state.take(9, bench.now), Now::Nothing(None));
        bench.says("\r\u{1b}[KR1#");
        assert_eq!(bench.reads(), "");
        assert_eq!(bench.state.take(9, bench.now), Now::Nothing(Some(bench.now + WATCHED)));
        assert_eq!(bench.after(WATCHED).reads(), "\r\u{1b}[KR1#");
        bench.types_secret();
        bench.says("s3cr3t");
        assert_eq!(bench.after(WATCHED).reads(), "[masked]");
        bench.says("\r\nR1#");
        assert_eq!(bench.reads(), "\r\nR1#");
    }

    #[test]
    fn more_than_is_kept_is_the_end() {
        let mut bench = Bench::new(8);
        assert!(bench.says("12345678"));
        assert!(!bench.says("9"));
        assert_eq!(bench.reads(), "12345678");
        assert_eq!(bench.state.take(9, bench.now), Now::Read(Read::End(End::Full)));
        bench.state.ended(End::Closed(Some(0)));
        assert_eq!(bench.state.end, Some(End::Full), "the first end counts");
    }
}
