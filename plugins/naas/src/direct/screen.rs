//! What a device wrote, as a person would see it on a terminal.
//!
//! Devices repaint: they take pager lines back with backspaces, erase with escape sequences (ECMA-48), and write a
//! prompt twice over itself. So the [`line`] in which the cursor stands can be written over, and becomes text when it
//! ends. Lines above it never change: a device that places text there is not one that can be read line by line.

mod line;

use std::mem;

use line::Line;

/// How wide the terminal is that devices write to, in cells: what the host asks for.
const WIDTH: usize = 511;
/// The longest escape sequence that is waited for, in bytes.
const LONGEST_SEQUENCE: usize = 256;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Screen {
    done: String,
    line: Line,
    state: State,
    /// The beginning of a character of several bytes.
    begun: Vec<u8>,
    ended: u64,
    most: usize,
    cut: bool,
    pager: Option<String>,
    /// Some devices end lines with a carriage return alone (NX-OS).
    return_ends_lines: bool,
    returned: bool,
    /// The cursor was placed in the screen's first line.
    at_top: bool,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// Parameters of a control sequence.
    Control(Vec<u8>),
    /// A string up to BEL or ST, and how long it is.
    Words(usize),
    /// One more byte belongs to it: a character set.
    Charset,
}

impl Screen {
    /// Keeps at most so many bytes of text between two calls of [`Self::take`].
    pub fn new(most: usize, return_ends_lines: bool) -> Self {
        Self { most, return_ends_lines, ..Self::default() }
    }

    /// What else is kept.
    pub fn limit(&mut self, most: usize) {
        self.most = most;
        self.cut = false;
    }

    /// How many lines have ended.
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// More was written than is kept.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The line in which the cursor stands.
    pub fn line(&self) -> String {
        self.line.text()
    }

    /// Whether that line is no longer than a prompt or a question may be.
    pub fn is_short(&self) -> bool {
        self.line.width() <= 512
    }

    /// How many cells that line has.
    #[cfg(test)]
    fn width(&self) -> usize {
        self.line.width()
    }

    /// The last line that ended and has something in it.
    pub fn above(&self) -> &str {
        self.done.trim_end_matches(['\n', ' ']).rsplit('\n').next().unwrap_or("")
    }

    /// The lines that ended since they were taken.
    pub fn text(&self) -> &str {
        &self.done
    }

    /// Takes the lines that ended since the last time.
    pub fn take(&mut self) -> String {
        mem::take(&mut self.done)
    }

    /// Puts lines back that were taken.
    pub fn restore(&mut self, lines: String) {
        self.done = lines;
        self.cut = false;
    }

    /// The line is a pager's, and goes when it was answered.
    pub fn answer_pager(&mut self) {
        self.pager = Some(self.line().trim().to_owned());
    }

    /// The device wrote this.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            // Most of what comes is plain text at the end of a line.
            if self.state == State::Text && self.begun.is_empty() && self.line.at_end() && !self.returned {
                let plain = rest.iter().take_while(|byte| matches!(byte, 0x20..=0x7e)).count();
                if plain > 0 {
                    self.line.append(&rest[..plain]);
                    rest = &rest[plain..];
                    continue;
                }
            }
            self.byte(byte);
            rest = &rest[1..];
        }
    }

    fn byte(&mut self, byte: u8) {
        match &mut self.state {
            State::Text => self.plain(byte),
            State::Escape => {
                self.state = match byte {
                    b'[' => State::Control(Vec::new()),
                    b']' | b'P' | b'X' | b'^' | b'_' => State::Words(0),
                    b'(' | b')' | b'*' | b'+' | b'#' | b'%' | b' ' => State::Charset,
                    0x1b => State::Escape,
                    _ => State::Text,
                };
                // NEL and IND: the next line.
                if matches!(byte, b'E' | b'D') {
                    self.end_line();
                }
            }
            State::Control(parameters) => match byte {
                0x40..=0x7e => {
                    let parameters = mem::take(parameters);
                    self.state = State::Text;
                    self.control(&parameters, byte);
                }
                0x1b => self.state = State::Escape,
                _ if parameters.len() < LONGEST_SEQUENCE => parameters.push(byte),
                _ => self.state = State::Text,
            },
            State::Words(length) => match byte {
                0x07 | 0x9c => self.state = State::Text,
                // ST is ESC and a backslash, which ends there.
                0x1b => self.state = State::Escape,
                _ if *length < LONGEST_SEQUENCE => *length += 1,
                _ => self.state = State::Text,
            },
            State::Charset => self.state = State::Text,
        }
    }

    fn plain(&mut self, byte: u8) {
        if !self.begun.is_empty() || byte >= 0x80 {
            return self.character(byte);
        }
        match byte {
            b'\n' => {
                self.returned = false;
                self.end_line();
            }
            b'\r' => {
                // Readline goes on in the next row: a space, which is at the end of the row, and a return.
                let folded = self.line.cursor() == WIDTH + 1;
                self.line.place(0);
                // A line that was taken back is none.
                self.returned = folded || self.return_ends_lines && !self.line.is_blank();
            }
            0x08 => self.line.left(1),
            0x1b => {
                self.returned = false;
                self.state = State::Escape;
            }
            b'\t' | 0x20..=0x7e => self.put(char::from(byte)),
            _ => {}
        }
    }

    /// A byte of a character of several (UTF-8). What is none becomes U+FFFD.
    fn character(&mut self, byte: u8) {
        self.begun.push(byte);
        match std::str::from_utf8(&self.begun) {
            Ok(text) => {
                let character = text.chars().next();
                self.begun.clear();
                // The control characters of eight bits show nothing.
                if let Some(character) = character.filter(|character| !character.is_control()) {
                    self.put(character);
                }
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                self.begun.clear();
                self.put(char::REPLACEMENT_CHARACTER);
                if byte < 0x80 {
                    self.plain(byte);
                }
            }
        }
    }

    fn put(&mut self, character: char) {
        if mem::take(&mut self.returned) && character != ' ' {
            self.end_line();
        }
        self.line.put(character);
    }

    fn control(&mut self, parameters: &[u8], end: u8) {
        let mut numbers = parameters
            .split(|&byte| byte == b';')
            .map(|digits| std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok()));
        let first = numbers.next().flatten();
        let distance = first.unwrap_or(1).max(1);
        match end {
            b'C' => self.line.right(distance),
            b'D' => self.line.left(distance),
            b'G' | b'`' => self.line.place(distance - 1),
            // Where the line is, is not ours to say; only the column counts.
            b'H' | b'f' => {
                self.at_top = distance == 1;
                self.line.place(numbers.next().flatten().unwrap_or(1).max(1) - 1);
            }
            // Without its first line everything on the screen moves up, what was typed too (ProCurve).
            b'M' if self.at_top => self.end_line(),
            b'E' => self.end_line(),
            b'K' => match first.unwrap_or(0) {
                0 => self.line.clear_end(),
                1 => self.line.clear_begin(),
                _ => self.line.clear(),
            },
            b'J' => match first.unwrap_or(0) {
                0 => self.line.clear_end(),
                _ => self.line.clear(),
            },
            b'P' => self.line.delete(distance),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.ended += 1;
        let mut line = self.line.end();
        if let Some(pager) = self.pager.take() {
            // One that the device did not take back itself.
            if let Some(rest) = line.trim_start().strip_prefix(pager.as_str()).filter(|_| !pager.is_empty()) {
                if rest.trim().is_empty() {
                    return;
                }
                line = rest.to_owned();
            }
        }
        if self.cut || self.done.len() + line.len() >= self.most {
            self.cut = true;
            return;
        }
        self.done.push_str(&line);
        self.done.push('\n');
    }
}

#[cfg(test)]
mod tests;
