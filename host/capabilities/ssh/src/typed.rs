//! What a guest may type.

use fleetgate_core::text;

/// The longest line that is typed, in bytes. Terminals in their usual mode keep no more than 4096 (POSIX
/// `MAX_CANON` is less still).
pub(crate) const LONGEST_LINE: usize = 4095;
/// The longest command of an `exec` request, in bytes.
pub(crate) const LONGEST_COMMAND: usize = 64 << 10;

/// Whether every character can be seen: no control character (a line end, a tab that completes, an escape sequence
/// that calls history back), nothing that hides or reorders text.
pub(crate) fn printable(text: &str) -> bool {
    !text.contains(['\n', '\t', '\r']) && matches!(text::clean(text), std::borrow::Cow::Borrowed(_))
}

/// A key of the closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Key {
    Space,
    Enter,
    Q,
    Y,
    N,
    CtrlC,
    CtrlZ,
}

impl Key {
    const ALL: [(&'static str, Self); 7] = [
        ("space", Self::Space),
        ("enter", Self::Enter),
        ("q", Self::Q),
        ("y", Self::Y),
        ("n", Self::N),
        ("ctrl-c", Self::CtrlC),
        ("ctrl-z", Self::CtrlZ),
    ];

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, key)| *key == self).map_or("", |(name, _)| name)
    }

    /// The names of all, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(|(name, _)| name).join(", ")
    }

    /// What is sent. `line_end`: what the terminal's Enter sends.
    pub(crate) fn bytes(self, line_end: &'static [u8]) -> &'static [u8] {
        match self {
            Self::Space => b" ",
            Self::Enter => line_end,
            Self::Q => b"q",
            Self::Y => b"y",
            Self::N => b"n",
            Self::CtrlC => b"\x03",
            Self::CtrlZ => b"\x1a",
        }
    }

    /// Whether it decides something, and so stands in the record. Turning pages does not.
    pub(crate) fn decides(self) -> bool {
        !matches!(self, Self::Space | Self::Enter | Self::Q)
    }
}

/// Something to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A line, with the terminal's line end after it.
    Line(String),
    /// A key.
    Key(Key),
}
