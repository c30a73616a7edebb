//! A terminal on a device.

use std::time::Duration;

use serde::Serialize;

use super::{SshError, host};

/// What Enter sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return.
    Cr,
    /// Both.
    CrLf,
}

/// How a terminal looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Terminal {
    /// Its kind, as `$TERM` names it.
    pub term: String,
    /// Characters in a line, 80 to 4096. Wide by default, so that lines are not folded.
    pub columns: u32,
    /// Lines, 1 to 4096. Many by default, so that devices seldom stop for the next page.
    pub rows: u32,
    /// What Enter sends.
    pub line_end: LineEnd,
}

impl Default for Terminal {
    /// A `vt100` of 511 columns and 1000 rows, with line feeds.
    fn default() -> Self {
        Self { term: "vt100".to_owned(), columns: 511, rows: 1000, line_end: LineEnd::Lf }
    }
}

/// A key that may be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The next page.
    Space,
    /// The next line, or yes.
    Enter,
    /// Leaves a pager.
    Q,
    /// Yes.
    Y,
    /// No.
    N,
    /// Interrupts.
    CtrlC,
    /// Leaves a configuration mode on many devices.
    CtrlZ,
}

impl Key {
    /// As the interface names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Space => "space",
            Self::Enter => "enter",
            Self::Q => "q",
            Self::Y => "y",
            Self::N => "n",
            Self::CtrlC => "ctrl-c",
            Self::CtrlZ => "ctrl-z",
        }
    }
}

/// A password that the host types and the plugin never sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// That of the login.
    Password,
    /// The one that `enable` asks for.
    Enable,
}

impl Secret {
    /// As the interface names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Enable => "enable",
        }
    }
}

/// One thing to type before a terminal is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// As [`Shell::send_line`].
    Line(String),
    /// As [`Shell::send_key`].
    Key(Key),
}

/// What a terminal has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// The next bytes, at least one. They may end anywhere, in the middle of a character too.
    Data(Vec<u8>),
    /// Nothing came in time; the terminal is still open.
    TimedOut,
    /// The device closed it, and everything was read.
    Closed,
}

/// A terminal on a device. It is closed when it is dropped, and at the latest when the call ends, however that comes
/// about: the host types what [`Self::on_close`] left with it, and closes.
#[derive(Debug)]
pub struct Shell {
    pub(crate) host: host::Shell,
}

impl Shell {
    /// Types a line: printable characters alone, at most 4095 bytes. The host adds the line end. Where commands are
    /// restricted, a line is refused behind the keys y, n and q until Enter was pressed.
    ///
    /// # Errors
    /// `invalid`, `denied`, `dropped`, `closed`, `output-limit`, `timeout`.
    pub fn send_line(&self, line: &str) -> Result<(), SshError> {
        self.host.send_line(line)
    }

    /// Presses a key. No line end is added.
    ///
    /// # Errors
    /// As [`Self::send_line`].
    pub fn send_key(&self, key: Key) -> Result<(), SshError> {
        self.host.send_key(key)
    }

    /// Types a password, with a line end: only directly after a line that makes devices ask for one (`enable`,
    /// `sudo -s`; the grant's `password_after`), and while the device asks. What is read afterwards does not hold it.
    ///
    /// # Errors
    /// `echo` where it would be shown, or nothing made the device ask; `denied` where there is none of this name, or it
    /// is that of the login and the grant does not say `type_password`; and as [`Self::send_line`].
    pub fn send_secret(&self, secret: Secret) -> Result<(), SshError> {
        self.host.send_secret(secret)
    }

    /// Types bytes as they are. Only where neither the grant nor the tool's reach restricts commands.
    ///
    /// # Errors
    /// As [`Self::send_line`].
    pub fn write(&self, data: &[u8]) -> Result<(), SshError> {
        self.host.write(data)
    }

    /// Reads what the device says: up to `max` bytes (at most 1 MiB), as soon as there is one, waiting at most so long.
    ///
    /// # Errors
    /// `dropped`, `output-limit`, `cancelled`, `timeout` (the call's, not the one given here).
    pub fn read(&self, max: u32, timeout: Duration) -> Result<Chunk, SshError> {
        self.host.read(max, timeout)
    }

    /// What the host types before it closes the terminal: leaving a configuration mode, for example. At most 8 steps,
    /// which must be allowed now like any other. Replaces what was said before; empty: nothing is typed. The host gives
    /// the device a moment after each, and 5 seconds for all.
    ///
    /// # Errors
    /// `invalid`, `denied`.
    pub fn on_close(&self, steps: &[Step]) -> Result<(), SshError> {
        self.host.on_close(steps)
    }

    /// The exit status of the shell, once it was closed by the device.
    #[must_use]
    pub fn exit_status(&self) -> Option<u32> {
        self.host.exit_status()
    }
}
