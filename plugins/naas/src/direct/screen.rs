//! What a device wrote, as a person would see it on a terminal.
//!
//! Devices repaint: they take pager lines back with backspaces, erase with escape sequences (ECMA-48), and write a
//! prompt twice over itself. So the line in which the cursor stands is kept as cells that can be written over, and
//! becomes text when it ends. Lines above it never change: a device that places text there is not one that can be
//! read line by line.

use std::mem;

/// A cell that was written over with a space: taken back, and no text when nothing follows.
const ERASED: char = '\0';
/// The widest line, in cells. What is placed further right is not placed there.
const WIDEST: usize = 1 << 16;
/// The longest escape sequence that is waited for, in bytes.
const LONGEST_SEQUENCE: usize = 256;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Screen {
    done: String,
    line: Vec<char>,
    cursor: usize,
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
        let line: String = self.line.iter().map(|&cell| if cell == ERASED { ' ' } else { cell }).collect();
        line.trim_end_matches(' ').to_owned()
    }

    /// Whether that line is no longer than a prompt or a question may be.
    pub fn is_short(&self) -> bool {
        self.line.len() <= 512
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
            if self.state == State::Text
                && self.begun.is_empty()
                && self.cursor == self.line.len()
                && !self.returned
            {
                let plain = rest.iter().take_while(|byte| matches!(byte, 0x20..=0x7e)).count();
                if plain > 0 {
                    let room = WIDEST.saturating_sub(self.line.len()).min(plain);
                    self.line.extend(rest[..room].iter().map(|&byte| char::from(byte)));
                    self.cursor = self.line.len();
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
                self.cursor = 0;
                // A line that was taken back is none.
                let blank = self.line.iter().all(|cell| matches!(*cell, ' ' | ERASED));
                self.returned = self.return_ends_lines && !blank;
            }
            0x08 => self.cursor = self.cursor.saturating_sub(1),
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
        if self.cursor >= WIDEST {
            return;
        }
        while self.line.len() < self.cursor {
            self.line.push(' ');
        }
        match self.line.get_mut(self.cursor) {
            Some(cell) => *cell = if character == ' ' { ERASED } else { character },
            None => self.line.push(character),
        }
        self.cursor += 1;
    }

    fn control(&mut self, parameters: &[u8], end: u8) {
        let mut numbers = parameters
            .split(|&byte| byte == b';')
            .map(|digits| std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok()));
        let first = numbers.next().flatten();
        let distance = first.unwrap_or(1).max(1);
        match end {
            b'C' => self.cursor = self.cursor.saturating_add(distance).min(WIDEST),
            b'D' => self.cursor = self.cursor.saturating_sub(distance),
            b'G' | b'`' => self.cursor = (distance - 1).min(WIDEST),
            // Where the line is, is not ours to say; only the column counts.
            b'H' | b'f' => {
                self.at_top = distance == 1;
                self.cursor = (numbers.next().flatten().unwrap_or(1).max(1) - 1).min(WIDEST);
            }
            // Without its first line everything on the screen moves up, what was typed too (ProCurve).
            b'M' if self.at_top => self.end_line(),
            b'E' => self.end_line(),
            b'K' => match first.unwrap_or(0) {
                0 => self.line.truncate(self.cursor),
                1 => {
                    let end = self.cursor.saturating_add(1).min(self.line.len());
                    self.line[..end].fill(ERASED);
                }
                _ => self.line.clear(),
            },
            b'J' => match first.unwrap_or(0) {
                0 => self.line.truncate(self.cursor),
                _ => self.line.clear(),
            },
            b'P' => {
                let end = self.cursor.saturating_add(distance).min(self.line.len());
                if self.cursor < end {
                    self.line.drain(self.cursor..end);
                }
            }
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.cursor = 0;
        self.ended += 1;
        let mut cells = mem::take(&mut self.line);
        let blank = |cell: &char| matches!(*cell, ' ' | ERASED);
        let text = cells.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1);
        if cells[text..].contains(&ERASED) {
            cells.truncate(text);
        }
        let mut line: String = cells.iter().map(|&cell| if cell == ERASED { ' ' } else { cell }).collect();
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
mod tests {
    use super::Screen;

    fn seen(written: &str) -> (String, String) {
        // In pieces of every length, since a device may write in any.
        let whole = one(written, usize::MAX);
        for length in [1, 2, 3, 7] {
            assert_eq!(one(written, length), whole, "{written:?} in pieces of {length}");
        }
        whole
    }

    fn one(written: &str, length: usize) -> (String, String) {
        let mut screen = Screen::new(1 << 20, false);
        for piece in written.as_bytes().chunks(length.min(written.len().max(1))) {
            screen.feed(piece);
        }
        (screen.take(), screen.line())
    }

    #[test]
    fn every_kind_of_line_end_ends_one_line() {
        assert_eq!(seen("a\r\nb\nc\r\r\nd\n\rR1#"), ("a\nb\nc\nd\n".into(), "R1#".into()));
    }

    #[test]
    fn colours_titles_and_modes_are_not_text() {
        let written =
            "\u{1b}]0;r1: ~\u{7}\u{1b}[?25h\u{1b}(B\u{1b}[1;32muser@r1\u{1b}[0m:\u{1b}[34m~\u{1b}[0m$ ";
        assert_eq!(seen(written), (String::new(), "user@r1:~$".into()));
    }

    #[test]
    fn a_pager_line_that_is_taken_back_leaves_nothing() {
        // IOS, IOS XE: backspaces, spaces, backspaces.
        let back = "\u{8}".repeat(9);
        let written = format!("one\r\n --More-- {back}        {back}   two\r\n");
        assert_eq!(seen(&written).0, "one\n   two\n");
        let written = format!("one\r\n --More-- {back}        {back}\r\n");
        assert_eq!(seen(&written).0, "one\n\n");
        // FortiOS, Junos: over it with a carriage return.
        assert_eq!(seen("one\r\n--More-- \r         \rset a\r\n").0, "one\nset a\n");
        assert_eq!(seen("---(more 45%)---\r\u{1b}[Ktwo\r\n").0, "two\n");
    }

    #[test]
    fn a_pager_line_that_stays_is_taken_out_when_it_was_answered() {
        for after in ["\r\ntwo\r\n", "two\r\n"] {
            let mut screen = Screen::new(1000, false);
            screen.feed(b"one\r\n--More--");
            screen.answer_pager();
            screen.feed(after.as_bytes());
            assert_eq!(screen.take(), "one\ntwo\n", "{after:?}");
        }
    }

    #[test]
    fn spaces_at_the_end_of_a_line_are_the_devices_own() {
        assert_eq!(seen("Gi0/1     \r\nGi0/2").0, "Gi0/1     \n");
    }

    #[test]
    fn a_prompt_that_is_painted_twice_stands_there_once() {
        // RouterOS.
        let written = "[admin@gw] > \r[admin@gw] > /ip address print\r\n";
        assert_eq!(seen(written).0, "[admin@gw] > /ip address print\n");
        // ProCurve places everything by row and column.
        let written = "\u{1b}[24;1H\u{1b}[2K\u{1b}[24;1H\u{1b}[1;24r\u{1b}[24;1HSW1# \u{1b}[24;1H\u{1b}[24;6H\u{1b}[?25h\
                       \u{1b}[24;6Hshow time\u{1b}[24;6H\u{1b}[24;15H\u{1b}E\u{1b}[24;1H\u{1b}[24;1HMon\u{1b}E";
        assert_eq!(seen(written).0, "SW1# show time\nMon\n");
    }

    #[test]
    fn a_screen_that_moves_up_ends_the_line() {
        let enter =
            "\u{1b}[1;0H\u{1b}[1M\u{1b}[24;1H\u{1b}[1L\u{1b}[24;15H\u{1b}[24;1H\u{1b}[2K\u{1b}[24;1H\u{1b}E";
        let written = format!("\u{1b}[24;1HSW1# \u{1b}[24;6Hshow time{enter}Mon\r\n");
        assert_eq!(seen(&written).0, "SW1# show time\n\nMon\n");
    }

    #[test]
    fn a_return_alone_ends_a_line_where_devices_use_it_so() {
        let mut screen = Screen::new(1000, true);
        screen.feed(b"md5\rsum\r\r\nnext\r\n");
        assert_eq!(screen.take(), "md5\nsum\nnext\n");
        screen.feed(b"--More--\r        \rtail\r\n");
        assert_eq!(screen.take(), "tail\n");
    }

    #[test]
    fn characters_of_several_bytes_and_broken_ones_are_both_read() {
        assert_eq!(seen("Zürich €\r\n").0, "Zürich €\n");
        let mut screen = Screen::new(1000, false);
        screen.feed(b"Z\xfcrich\r\n\xff");
        assert_eq!(screen.take(), "Z\u{fffd}rich\n");
    }

    #[test]
    fn what_is_over_the_limit_is_dropped_and_said() {
        let mut screen = Screen::new(10, false);
        screen.feed("12345\n12345\n12345\nR1#".as_bytes());
        assert_eq!((screen.is_cut(), screen.take(), screen.line()), (true, "12345\n".into(), "R1#".into()));
        screen.feed("x".repeat(1 << 20).as_bytes());
        assert!(!screen.is_short() && screen.line.len() <= super::WIDEST);
    }

    #[test]
    fn hostile_sequences_are_bounded() {
        let mut screen = Screen::new(1000, false);
        screen.feed(format!("\u{1b}[{}", "9".repeat(10_000)).as_bytes());
        screen.feed(b"\x1b[99999999999999C\x1b[4000000000;4000000000Hx\x1b[999999D\x1b[99999PR1#");
        assert_eq!(screen.line(), "R1#");
    }
}
