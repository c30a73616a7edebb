//! What can be wrong with a device.

use std::time::Duration;

/// One thing that is wrong with a device. Faults take effect on what comes next: connections for those about
/// connecting, lines for those about commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens on its port.
    RefusesConnections,
    /// It accepts connections and says nothing at all.
    Silent,
    /// It writes this much at a time, with a pause after each piece.
    SlowOutput {
        /// Bytes in a piece.
        bytes: usize,
        /// How long it pauses.
        pause: Duration,
    },
    /// The connection breaks in the middle of the output of commands that begin so.
    DropsDuring(String),
    /// Commands that begin so never end, whatever is typed.
    HangsDuring(String),
    /// The terminal opens, its banner comes, and never a prompt.
    NoPrompt,
    /// Commands that begin so print this much before the next prompt.
    Floods {
        /// How the commands begin.
        command: String,
        /// How much they print.
        bytes: u64,
    },
    /// After so many wrong passwords nobody gets in any more, until the fault is healed.
    LocksOut {
        /// Wrong passwords that are forgiven.
        after: usize,
    },
    /// It shows another host key than the one that its line in `known_hosts` names.
    OtherHostKey,
    /// It knows SHA-1, CBC and group 14 alone, as firmware of 2010 does.
    LegacyAlgorithms,
    /// It shows this before the login (RFC 4252, section 5.4).
    Banner(String),
    /// One session per connection: a second channel is refused while there is one, and after it.
    OneSession,
    /// It opens no session at all.
    NoSession,
}

impl Fault {
    /// What it does to a line that was typed, if anything.
    pub(crate) fn strikes(&self, line: &str) -> bool {
        match self {
            Self::DropsDuring(begin) | Self::HangsDuring(begin) | Self::Floods { command: begin, .. } => {
                line.trim_start().starts_with(begin.as_str())
            }
            _ => false,
        }
    }
}
