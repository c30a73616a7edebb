//! What a terminal said: kept until it is read, masked, and watched for questions.
//!
//! The device speaks whenever it likes, and the guest reads when it has time. So everything is taken from the
//! connection at once (russh lets one channel that is not read hold up all others) and kept here, up to a limit.
//! Passwords are masked before they are kept; what could be the beginning of one is held back until more comes, or
//! until the device has been silent for a moment, which is counted by the host's clock and not by how often a guest
//! asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fleetgate_core::mask::{Mask, Masker};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::prompt::waits_for_password;

/// After so long a silence, what was held back is no beginning of anything.
const SILENCE: Duration = Duration::from_millis(300);
/// After so long a silence, a line that was not shown will not be shown.
const QUIET: Duration = Duration::from_secs(1);
/// What is remembered of what was said after the last key, in bytes.
const TAIL: usize = 4 << 10;
/// So much of a line must not be shown for the terminal to be one that shows nothing.
const SHOWN: usize = 4;

/// The other side of a terminal.
pub(crate) struct Screen {
    state: Mutex<State>,
    arrived: Notify,
    /// The most bytes that are kept.
    most: u64,
}

struct State {
    ready: BytesMut,
    masker: Option<Masker>,
    last: Instant,
    /// What was said since something was typed, its end.
    tail: Vec<u8>,
    /// The line that was typed last.
    typed: Vec<u8>,
    /// A line that was typed was shown.
    shows: bool,
    /// A line that was typed was not shown, although the device said something.
    hides: bool,
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
}

/// What there is to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Data(Bytes),
    TimedOut,
    End(End),
}

impl Screen {
    /// An empty one, which keeps up to `most` bytes.
    pub(crate) fn new(mask: Option<Arc<Mask>>, most: u64) -> Self {
        let state = State {
            ready: BytesMut::new(),
            masker: mask.map(Masker::new),
            last: Instant::now(),
            tail: Vec::new(),
            typed: Vec::new(),
            shows: false,
            hides: false,
            end: None,
        };
        Self { state: Mutex::new(state), arrived: Notify::new(), most }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device said something. False: there is no more room, and the terminal is at its end.
    pub(crate) fn said(&self, bytes: Bytes) -> bool {
        let mut state = self.state();
        state.last = Instant::now();
        state.tail.extend_from_slice(&bytes);
        let over = state.tail.len().saturating_sub(TAIL);
        state.tail.drain(..over);
        let clean = match &mut state.masker {
            Some(masker) => masker.push(bytes),
            None => bytes,
        };
        let room = self.most.saturating_sub(state.ready.len() as u64);
        let fits = clean.len() as u64 <= room;
        state.ready.extend_from_slice(&clean[..clean.len().min(usize::try_from(room).unwrap_or(usize::MAX))]);
        if !fits {
            state.end.get_or_insert(End::Full);
        }
        drop(state);
        self.arrived.notify_one();
        fits
    }

    /// It is over.
    pub(crate) fn ended(&self, end: End) {
        let mut state = self.state();
        if state.end.is_none()
            && let Some(held) = state.masker.as_mut().map(Masker::finish)
        {
            state.ready.extend_from_slice(&held);
        }
        state.end.get_or_insert(end);
        drop(state);
        self.arrived.notify_one();
    }

    /// How it ended. None: it did not yet.
    pub(crate) fn end(&self) -> Option<End> {
        self.state().end.clone()
    }

    /// A line is about to be typed, or a key pressed (an empty line).
    pub(crate) fn typing(&self, line: &[u8]) {
        let mut state = self.state();
        state.note_echo();
        state.typed = line.to_vec();
        state.tail.clear();
    }

    /// Whether a password may be typed now: the device asks for one, or shows nothing of what is typed.
    pub(crate) fn hides(&self) -> bool {
        let mut state = self.state();
        if waits_for_password(&state.tail) {
            return true;
        }
        // An echo may come late, behind what an earlier command prints.
        if state.last.elapsed() < QUIET {
            return false;
        }
        state.note_echo();
        state.hides && !state.shows
    }

    /// Reads up to `most` bytes, as soon as there is one.
    pub(crate) async fn read(&self, most: usize, timeout: Duration) -> Read {
        let deadline = Instant::now() + timeout;
        loop {
            let wake = {
                let mut state = self.state();
                let silent = state.last.elapsed() >= SILENCE;
                if state.ready.is_empty()
                    && silent
                    && let Some(held) = state.masker.as_mut().map(Masker::finish)
                {
                    state.ready.extend_from_slice(&held);
                }
                if !state.ready.is_empty() {
                    let length = state.ready.len().min(most.max(1));
                    return Read::Data(state.ready.split_to(length).freeze());
                }
                if let Some(end) = &state.end {
                    return Read::End(end.clone());
                }
                let holds = state.masker.as_ref().is_some_and(Masker::holds);
                if holds { deadline.min(state.last + SILENCE) } else { deadline }
            };
            if Instant::now() >= deadline {
                return Read::TimedOut;
            }
            // One reader at a time: what arrived between looking and waiting left its permit.
            let _ = tokio::time::timeout_at(wake, self.arrived.notified()).await;
        }
    }
}

impl State {
    /// Whether the line that was typed last was shown.
    fn note_echo(&mut self) {
        let Some(line) = self.typed.get(..SHOWN) else { return };
        if self.tail.is_empty() {
            return;
        }
        if self.tail.windows(SHOWN).any(|window| window == line) {
            self.shows = true;
        } else {
            self.hides = true;
        }
    }
}
