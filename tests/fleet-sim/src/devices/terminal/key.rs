//! Keys, out of the bytes that a terminal sends.

use super::{Gone, Terminal};

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A character that is shown, or a byte of one.
    Byte(u8),
    Enter,
    Tab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    /// A letter with the control key.
    Ctrl(char),
    /// An answer of the terminal or a key that means nothing here.
    Other,
}

impl Key {
    /// Its name in the journal.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Byte(b' ') => "space".to_owned(),
            Self::Byte(byte) => char::from(byte).to_string(),
            Self::Ctrl(letter) => format!("ctrl-{letter}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }
}

impl Terminal {
    /// The next key.
    pub(crate) async fn key(&mut self) -> Result<Key, Gone> {
        loop {
            let after_cr = std::mem::take(&mut self.after_cr);
            let key = match self.byte().await? {
                b'\n' if after_cr && self.joins_crlf => continue,
                b'\r' => {
                    self.after_cr = true;
                    Key::Enter
                }
                b'\n' => Key::Enter,
                b'\t' => Key::Tab,
                0x08 | 0x7f => Key::Backspace,
                0x1b => self.escape().await?,
                0x00 => continue,
                control @ 0x01..=0x1f => Key::Ctrl(char::from((control | 0x60) & 0x7f)),
                byte => Key::Byte(byte),
            };
            return Ok(key);
        }
    }

    /// A sequence that begins with escape: a key, or what a terminal answers to a question about itself.
    async fn escape(&mut self) -> Result<Key, Gone> {
        if !matches!(self.byte().await?, b'[' | b'O') {
            return Ok(Key::Other);
        }
        let mut last = self.byte().await?;
        let first = last;
        while matches!(last, b'0'..=b'9' | b';' | b'?') {
            last = self.byte().await?;
        }
        Ok(match (last, first) {
            (b'A', _) => Key::Up,
            (b'B', _) => Key::Down,
            (b'C', _) => Key::Right,
            (b'D', _) => Key::Left,
            (b'H', _) => Key::Home,
            (b'F', _) => Key::End,
            (b'~', b'3') => Key::Delete,
            _ => Key::Other,
        })
    }
}
