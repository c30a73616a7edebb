//! What a device heard: logins, sessions, and every line with the prompt that it was typed at.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// One thing that a device heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The connection, counted from 1.
    pub connection: u64,
    /// What.
    pub what: What,
}

/// What a device heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A try to log in.
    Login {
        /// The user's name, as it was given.
        user: String,
        /// `password`, `keyboard-interactive` or `publickey`.
        method: &'static str,
        /// Whether it was let in.
        accepted: bool,
    },
    /// A terminal was opened.
    Shell {
        /// The kind of terminal; empty: none was asked for.
        term: String,
        /// Its width in characters.
        columns: u32,
        /// Its height in lines.
        rows: u32,
    },
    /// A command without a terminal.
    Exec(String),
    /// A line that was typed.
    Line {
        /// The prompt that it was typed at, without blanks around it: it says which mode the device was in.
        prompt: String,
        /// The line without its end.
        line: String,
    },
    /// A line that was typed where the device shows nothing of it.
    Secret {
        /// The question.
        prompt: String,
        /// What was typed.
        line: String,
    },
    /// A key that means something of its own: `space`, `q`, `ctrl-c`, `ctrl-z`, …
    Key {
        /// What the device showed: a pager, a question or a prompt.
        prompt: String,
        /// Which key.
        key: String,
    },
    /// A session ended.
    Closed,
}

/// Entries that are kept; older ones are forgotten, so that a demo can run for weeks.
const KEPT: usize = 20_000;

/// The entries of one device, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<VecDeque<Entry>>);

impl Journal {
    pub(crate) fn write(&self, connection: u64, what: What) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(Entry { at: Timestamp::now(), connection, what });
    }

    pub(crate) fn read(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
