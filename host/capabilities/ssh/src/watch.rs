//! What a device says after a password was typed: whether it shows it.
//!
//! A terminal that shows what it should not may fold the password, or draw it anew with each character, so that no mask
//! finds it. So what is said is looked at line by line, without what places and colours text, until a line shows no
//! piece of it. Pieces are bytes: a password is found whatever script it is in, and wherever a character was cut.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fleetgate_core::mask::MASKED;
use fleetgate_core::settings::Secret;
use tokio::time::Instant;

use crate::credential::SHORTEST_TYPED;
use crate::prompt::plain;

/// How long it is watched whether a password that was typed is shown, at most.
pub(crate) const WATCHED: Duration = Duration::from_secs(1);
/// The longest line that is waited for, in bytes.
const LONGEST: usize = 4 << 10;

/// What comes after a password was typed.
pub(crate) struct Watch {
    secret: Secret,
    since: Instant,
    /// It is not known yet whether this shows it.
    said: Vec<u8>,
}

impl Watch {
    /// From now on.
    pub(crate) fn new(secret: Secret, since: Instant) -> Self {
        Self { secret, since, said: Vec::new() }
    }

    /// The device said something.
    pub(crate) fn said(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
    }

    /// Whether something is held back.
    pub(crate) fn holds(&self) -> bool {
        !self.said.is_empty()
    }

    /// When it is over, whatever comes.
    pub(crate) fn end(&self) -> Instant {
        self.since + WATCHED
    }

    /// What may go on, and whether that was all that is watched: a line came that shows nothing of the password, or
    /// the time is over.
    pub(crate) fn take(&mut self, now: Instant) -> (Bytes, bool) {
        let mut clean = BytesMut::new();
        while let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.said.drain(..=end).collect();
            if !self.shows(&line) {
                clean.extend_from_slice(&line);
                clean.extend_from_slice(&self.said);
                return (clean.freeze(), true);
            }
            clean.extend_from_slice(MASKED);
            clean.extend_from_slice(b"\r\n");
        }
        let over = now >= self.end() || self.said.len() > LONGEST;
        if over {
            let shows = self.shows(&self.said);
            clean.extend_from_slice(if shows { MASKED } else { &self.said });
            self.said.clear();
        }
        (clean.freeze(), over)
    }

    /// Whether a piece of the password stands there, however it was drawn.
    fn shows(&self, said: &[u8]) -> bool {
        let seen = |byte: &u8| byte.is_ascii_graphic() || !byte.is_ascii();
        let drawn: Vec<u8> = plain(said).into_iter().filter(seen).collect();
        let secret: Vec<u8> = self.secret.expose().bytes().filter(seen).collect();
        // One that is mostly spaces has no longer piece.
        let length = SHORTEST_TYPED.min(secret.len()).max(1);
        let mut pieces = secret.windows(length);
        pieces.any(|piece| drawn.windows(length).any(|there| there == piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes on of this, when the device says it in pieces of so many bytes and then is silent.
    fn shown(secret: &str, said: &str, piece: usize) -> String {
        let now = Instant::now();
        let mut watch = Watch::new(Secret::new(secret), now);
        let (mut passed, mut over) = (Vec::new(), false);
        for piece in said.as_bytes().chunks(piece) {
            if over {
                passed.extend_from_slice(piece);
                continue;
            }
            watch.said(piece);
            let clean;
            (clean, over) = watch.take(now);
            passed.extend_from_slice(&clean);
        }
        if !over {
            passed.extend_from_slice(&watch.take(now + WATCHED).0);
        }
        String::from_utf8(passed).unwrap()
    }

    #[test]
    fn a_password_that_was_typed_is_not_shown_however_it_is_drawn() {
        for (said, read) in [
            ("\r\nR1#", "\r\nR1#"),
            ("************\r\nR1#", "************\r\nR1#"),
            ("s3cr3t-t0k3n\r\nR1#", "[masked]\r\nR1#"),
            // Folded, redrawn with each character, scrolled.
            ("s3cr3t\r\n-t0k3n\r\n\r\nR1#", "[masked]\r\n[masked]\r\n\r\nR1#"),
            ("s3cr3t \r-t0k3n\r\nR1#", "[masked]\r\nR1#"),
            ("s\u{1b}[K3\u{1b}[Kc\u{1b}[Kr\u{1b}[K3\u{1b}[Kt\r\nR1#", "[masked]\r\nR1#"),
            ("\u{8}\u{8}$t-t0k3\r\nR1#", "[masked]\r\nR1#"),
        ] {
            for piece in [1, 2, 5, 100] {
                assert_eq!(shown("s3cr3t-t0k3n", said, piece), read, "{said:?} by {piece}");
            }
        }
    }

    #[test]
    fn a_password_of_any_script_is_found_also_where_a_character_is_cut() {
        for secret in ["пароль", "密码一二三", "müßiggängerin", "ñandú", "🔑🔒", "ключ"]
        {
            let drawn: String = secret.chars().map(|c| format!("{c}\u{1b}[K")).collect();
            let middle = secret.char_indices().nth(secret.chars().count() / 2).unwrap().0;
            let folded = format!("{} \r{}", &secret[..middle], &secret[middle..]);
            for line in [secret.to_owned(), format!("> {secret} <"), drawn, folded] {
                for piece in [1, 2, 3, 7, 100] {
                    let read = shown(secret, &format!("{line}\r\nR1#"), piece);
                    assert_eq!(read, "[masked]\r\nR1#", "{line:?} by {piece}");
                    assert_eq!(shown(secret, &line, piece), "[masked]", "{line:?} by {piece}");
                }
            }
            assert_eq!(shown(secret, "\r\nмаршрутизатор# ü", 1), "\r\nмаршрутизатор# ü");
        }
    }

    #[test]
    fn a_password_of_spaces_is_looked_for_as_far_as_it_can_be_seen() {
        assert_eq!(shown("a\u{20}\u{20}b\u{20}", "> a  b \r\n#", 3), "[masked]\r\n#");
        assert_eq!(shown("    ", "    \r\n#", 3), "    \r\n#");
    }
}
