//! Branches, atoms and repetitions: the way through an expression.

use super::super::class::Class;
use super::{Alphabet, MAX_DEPTH, PatternError};

/// An expression as it is read, and as it is written anew.
pub(super) struct Reader {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) out: String,
    pub(super) groups: Vec<Option<String>>,
    pub(super) backtracks: bool,
    /// Groups that are being read, to which nothing can refer yet.
    pub(super) open: Vec<usize>,
    pub(super) ignore_case: bool,
    pub(super) alphabet: Alphabet,
}

/// What was just read, for a repetition that may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Atom {
    /// Can be repeated.
    Plain,
    /// A look-around, which Python lets be repeated.
    Look,
    /// A place, which cannot be repeated.
    Place,
    /// A comment.
    Nothing,
}

impl Reader {
    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    pub(super) fn takes(&mut self, expected: char) -> bool {
        let is = self.peek() == Some(expected);
        self.at += usize::from(is);
        is
    }

    /// Up to a `)` or the end; gives the number of branches.
    pub(super) fn alternatives(&mut self, depth: usize) -> Result<usize, PatternError> {
        if depth > MAX_DEPTH {
            return Err(PatternError::TooDeep);
        }
        let mut branches = 1;
        // Where the last atom begins in what is written.
        let mut last: Option<(usize, Atom)> = None;
        while let Some(c) = self.peek() {
            let start = self.out.len();
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    self.out.push('|');
                    branches += 1;
                    last = None;
                    continue;
                }
                '*' | '+' | '?' | '{' => {
                    let at = self.at;
                    if let Some(repeat) = self.repetition()? {
                        match last {
                            Some((start, atom @ (Atom::Plain | Atom::Look))) => {
                                self.repeat(start, atom, &repeat)
                            }
                            _ => return Err(PatternError::NothingToRepeat(at)),
                        }
                        let again = self.at;
                        if matches!(self.peek(), Some('*' | '+' | '?' | '{')) && self.repetition()?.is_some()
                        {
                            return Err(PatternError::MultipleRepeat(again));
                        }
                        self.at = again;
                        last = None;
                        continue;
                    }
                    self.at += 1;
                    self.out.push_str(r"\{");
                    last = Some((start, Atom::Plain));
                    continue;
                }
                _ => {}
            }
            match self.atom(depth)? {
                Atom::Nothing => {}
                atom => last = Some((start, atom)),
            }
        }
        Ok(branches)
    }

    fn atom(&mut self, depth: usize) -> Result<Atom, PatternError> {
        let at = self.at;
        let Some(c) = self.take() else { return Ok(Atom::Nothing) };
        match c {
            '^' => {
                self.out.push_str(r"\A");
                return Ok(Atom::Place);
            }
            '$' => {
                self.out.push_str(r"\z");
                return Ok(Atom::Place);
            }
            '.' => self.set(&Class::any()),
            '[' => {
                let class = self.class(at)?;
                self.set(&class);
            }
            '(' => return self.group(at, depth),
            '\\' => return self.escape(at),
            c => self.literal(c),
        }
        Ok(Atom::Plain)
    }

    pub(super) fn set(&mut self, class: &Class) {
        let text = class.write(self.alphabet, self.ignore_case);
        self.out.push_str(&text);
    }

    pub(super) fn literal(&mut self, c: char) {
        if c.is_ascii_control() {
            self.out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
            return;
        }
        if r"\.+*?()|[]{}^$".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// A repetition as written, or nothing where `{` is only itself.
    fn repetition(&mut self) -> Result<Option<Repetition>, PatternError> {
        let at = self.at;
        let (min, max) = match self.take() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            _ => {
                let low = self.digits();
                let comma = self.takes(',');
                let high = if comma { self.digits() } else { low.clone() };
                if !self.takes('}') || (low.is_empty() && !comma) {
                    self.at = at;
                    return Ok(None);
                }
                let number = |digits: &str| digits.parse::<u32>().map_err(|_| PatternError::RepeatBounds(at));
                let min = if low.is_empty() { 0 } else { number(&low)? };
                let max = if high.is_empty() { None } else { Some(number(&high)?) };
                if max.is_some_and(|max| max < min) {
                    return Err(PatternError::RepeatBounds(at));
                }
                (min, max)
            }
        };
        let greed = if self.takes('?') {
            Greed::Lazy
        } else if self.takes('+') {
            Greed::Possessive
        } else {
            Greed::Greedy
        };
        Ok(Some(Repetition { min, max, greed }))
    }

    fn digits(&mut self) -> String {
        let mut digits = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.at += 1;
        }
        digits
    }

    /// Repeats what was written from `start` on.
    fn repeat(&mut self, start: usize, atom: Atom, repetition: &Repetition) {
        if atom == Atom::Look {
            // A place is there once or any number of times. Where none is enough, it may be missing.
            if repetition.min == 0 {
                self.out.insert_str(start, "(?:");
                self.out.push_str("|)");
            }
            return;
        }
        let Repetition { min, max, greed } = repetition;
        if *greed == Greed::Possessive {
            self.backtracks = true;
            self.out.insert_str(start, "(?>");
        }
        match (min, max) {
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (0, Some(1)) => self.out.push('?'),
            (min, None) => self.out.push_str(&format!("{{{min},}}")),
            (min, Some(max)) => self.out.push_str(&format!("{{{min},{max}}}")),
        }
        match greed {
            Greed::Greedy => {}
            Greed::Lazy => self.out.push('?'),
            Greed::Possessive => self.out.push(')'),
        }
    }
}

struct Repetition {
    min: u32,
    max: Option<u32>,
    greed: Greed,
}

#[derive(PartialEq, Eq)]
enum Greed {
    Greedy,
    Lazy,
    Possessive,
}
