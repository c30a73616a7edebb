//! Python's regular expressions (`re`, as of 3.11) in the syntax of `fancy-regex`.
//!
//! The two agree on what most of it means and differ in how it is written: `\<` is a character in Python and a word's
//! beginning here, `[[]` is a set in Python and unfinished here, `\Z`, `{,3}`, `{` as itself, a repeated look-around,
//! sets of characters. So the expression is read as Python reads it, with Python's refusals, and written anew, with
//! every group numbered.
//!
//! Matches begin at the start of the text (`re.match`). Texts are single lines: `$` is the end, `.` is anything, and
//! the flags `m` and `s` have nothing to change.

use fancy_regex::{Regex, RegexBuilder};

use super::class::{Class, Named};

/// The longest expression, in bytes, after values took their names' places.
pub(super) const MAX_PATTERN: usize = 32 << 10;

/// What a compiled expression may take, in bytes.
const MAX_COMPILED: usize = 4 << 20;

/// Groups within groups.
const MAX_DEPTH: usize = 40;

/// Which texts an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Texts of ASCII alone.
    Ascii,
    /// Any text.
    Unicode,
}

impl Alphabet {
    /// The one that is enough for `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.is_ascii() { Self::Ascii } else { Self::Unicode }
    }
}

/// An expression that was read.
#[derive(Debug)]
pub struct Pattern {
    source: String,
    /// The groups' names; the first is group 1.
    groups: Vec<Option<String>>,
    backtracks: bool,
}

/// What Python would refuse as well, but for flags. Positions are counted in characters, from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("is longer than {MAX_PATTERN} bytes")]
    TooLong,
    #[error("has more than {MAX_DEPTH} groups within each other")]
    TooDeep,
    #[error("has a ( without its ) at {0}")]
    Unclosed(usize),
    #[error("has a ) without its ( at {0}")]
    Unopened(usize),
    #[error("has a [ without its ] at {0}")]
    UnclosedSet(usize),
    #[error("ends with a backslash")]
    LoneBackslash,
    #[error("has `\\{1}` at {0}, which means nothing")]
    UnknownEscape(usize, char),
    #[error("has an unknown kind of group at {0}")]
    UnknownGroup(usize),
    #[error("has flags at {0} that are not supported: (?i:...), (?m:...) and (?s:...) are")]
    Flags(usize),
    #[error("has nothing to repeat at {0}")]
    NothingToRepeat(usize),
    #[error("repeats a repetition at {0}")]
    MultipleRepeat(usize),
    #[error("has bounds of a repetition in the wrong order or too large at {0}")]
    RepeatBounds(usize),
    #[error("has the ends of a range in the wrong order, or a set as an end, at {0}")]
    Range(usize),
    #[error("has `{0}` as a group's name")]
    GroupName(String),
    #[error("has two groups that are named {0}")]
    DuplicateGroup(String),
    #[error("refers at {0} to a group that is not there or not closed yet")]
    Reference(usize),
    #[error("has a condition with more than two branches at {0}")]
    Branches(usize),
}

impl Pattern {
    /// Reads `python`, for texts of `alphabet`.
    ///
    /// # Errors
    /// Where the expression is wrong.
    pub fn translate(python: &str, alphabet: Alphabet) -> Result<Self, PatternError> {
        if python.len() > MAX_PATTERN {
            return Err(PatternError::TooLong);
        }
        let mut reader = Reader {
            text: python.chars().collect(),
            at: 0,
            out: String::with_capacity(python.len() * 2),
            groups: Vec::new(),
            backtracks: false,
            open: Vec::new(),
            ignore_case: false,
            alphabet,
        };
        reader.out.push_str(r"\A(?:");
        reader.alternatives(0)?;
        if reader.at < reader.text.len() {
            return Err(PatternError::Unopened(reader.at));
        }
        reader.out.push(')');
        Ok(Self { source: reader.out, groups: reader.groups, backtracks: reader.backtracks })
    }

    /// The expression, ready to run, with at most `backtracking` steps back for one text; or why the engine does not
    /// take it.
    ///
    /// # Errors
    /// Expressions that are too large, and look-behinds of changing width.
    pub fn compile(&self, backtracking: usize) -> Result<Regex, String> {
        RegexBuilder::new(&self.source)
            .backtrack_limit(backtracking)
            .delegate_size_limit(MAX_COMPILED)
            .build()
            .map_err(|error| error.to_string())
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is something in it that only backtracking can decide: anything else takes time in proportion to
    /// the text.
    #[must_use]
    pub fn backtracks(&self) -> bool {
        self.backtracks
    }

    /// Groups with a name, by number.
    pub fn named(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(&self.groups).filter_map(|(number, name)| Some((number, name.as_deref()?)))
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    out: String,
    groups: Vec<Option<String>>,
    backtracks: bool,
    /// Groups that are being read, to which nothing can refer yet.
    open: Vec<usize>,
    ignore_case: bool,
    alphabet: Alphabet,
}

/// What was just read, for a repetition that may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Atom {
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
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn takes(&mut self, expected: char) -> bool {
        let is = self.peek() == Some(expected);
        self.at += usize::from(is);
        is
    }

    /// Up to a `)` or the end; gives the number of branches.
    fn alternatives(&mut self, depth: usize) -> Result<usize, PatternError> {
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

    fn set(&mut self, class: &Class) {
        let text = class.write(self.alphabet, self.ignore_case);
        self.out.push_str(&text);
    }

    fn literal(&mut self, c: char) {
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

    /// After `(`, up to and with its `)`.
    fn group(&mut self, at: usize, depth: usize) -> Result<Atom, PatternError> {
        let ignored_case = self.ignore_case;
        let mut atom = Atom::Plain;
        let mut capture = None;
        let mut branches = usize::MAX;
        if !self.takes('?') {
            capture = Some(self.open_group(None)?);
        } else {
            match self.take() {
                Some('P') if self.takes('<') => {
                    let name = self.name('>', at)?;
                    capture = Some(self.open_group(Some(name))?);
                }
                Some('P') if self.takes('=') => {
                    let name = self.name(')', at)?;
                    let group = self.named_group(&name).ok_or(PatternError::Reference(at))?;
                    return self.reference(group, at);
                }
                Some(':') => self.out.push_str("(?:"),
                Some('>') => {
                    self.backtracks = true;
                    self.out.push_str("(?>");
                }
                Some('#') => {
                    while self.take().ok_or(PatternError::Unclosed(at))? != ')' {}
                    return Ok(Atom::Nothing);
                }
                Some(kind @ ('=' | '!')) => {
                    atom = Atom::Look;
                    self.out.push_str("(?");
                    self.out.push(kind);
                }
                Some('<') if matches!(self.peek(), Some('=' | '!')) => {
                    atom = Atom::Look;
                    self.out.push_str(if self.peek() == Some('=') { "(?<=" } else { "(?<!" });
                    self.at += 1;
                }
                Some('(') => {
                    let name = self.name(')', at)?;
                    let group = match name.parse() {
                        Ok(number) => Some(number).filter(|number| (1..=self.groups.len()).contains(number)),
                        Err(_) => self.named_group(&name),
                    };
                    let group = group.ok_or(PatternError::Reference(at))?;
                    self.out.push_str(&format!("(?({group})"));
                    branches = 2;
                }
                Some(first) => self.flags(first, at)?,
                None => return Err(PatternError::Unclosed(at)),
            }
        }
        if self.alternatives(depth + 1)? > branches {
            return Err(PatternError::Branches(at));
        }
        if !self.takes(')') {
            return Err(PatternError::Unclosed(at));
        }
        self.out.push(')');
        self.backtracks |= atom == Atom::Look || branches == 2;
        self.ignore_case = ignored_case;
        self.open.retain(|open| Some(*open) != capture);
        Ok(atom)
    }

    fn open_group(&mut self, name: Option<String>) -> Result<usize, PatternError> {
        if let Some(name) = &name
            && self.named_group(name).is_some()
        {
            return Err(PatternError::DuplicateGroup(name.clone()));
        }
        self.groups.push(name);
        self.open.push(self.groups.len());
        self.out.push('(');
        Ok(self.groups.len())
    }

    fn named_group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.as_deref() == Some(name)).map(|index| index + 1)
    }

    /// A group's name up to `end`.
    fn name(&mut self, end: char, at: usize) -> Result<String, PatternError> {
        let mut name = String::new();
        loop {
            match self.take().ok_or(PatternError::Unclosed(at))? {
                c if c == end => break,
                c => name.push(c),
            }
        }
        let number = end == ')' && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let identifier = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if number || identifier { Ok(name) } else { Err(PatternError::GroupName(name)) }
    }

    /// `(?i:`, `(?-i:` and the like, from the first character after `?`.
    fn flags(&mut self, first: char, at: usize) -> Result<(), PatternError> {
        let mut on = true;
        let mut flag = first;
        loop {
            match flag {
                'i' => self.ignore_case = on,
                'm' | 's' | 'u' => {}
                '-' if on => on = false,
                ':' => break,
                'a' | 'L' | 'x' | ')' => return Err(PatternError::Flags(at)),
                _ => return Err(PatternError::UnknownGroup(at)),
            }
            flag = self.take().ok_or(PatternError::Unclosed(at))?;
        }
        self.out.push_str(if self.ignore_case { "(?i:" } else { "(?-i:" });
        Ok(())
    }

    fn reference(&mut self, group: usize, at: usize) -> Result<Atom, PatternError> {
        if group > self.groups.len() || self.open.contains(&group) {
            return Err(PatternError::Reference(at));
        }
        self.backtracks = true;
        self.out.push_str(&format!("(?:\\{group})"));
        Ok(Atom::Plain)
    }

    /// After a backslash, outside of a set.
    fn escape(&mut self, at: usize) -> Result<Atom, PatternError> {
        let Some(c) = self.peek() else { return Err(PatternError::LoneBackslash) };
        if let Some(place) = match c {
            'A' => Some(r"\A"),
            'Z' => Some(r"\z"),
            'b' => Some(r"\b"),
            'B' => Some(r"\B"),
            _ => None,
        } {
            self.at += 1;
            self.out.push_str(place);
            return Ok(Atom::Place);
        }
        if let Some(named) = Named::of(c) {
            self.at += 1;
            self.set(&Class::named(named));
            return Ok(Atom::Plain);
        }
        if matches!(c, '1'..='9')
            && let Some(group) = self.reference_number()
        {
            return self.reference(group, at);
        }
        let c = self.character(at)?;
        self.literal(c);
        Ok(Atom::Plain)
    }

    /// The number of a group, of one or two digits; nothing where three octal digits make a character.
    fn reference_number(&mut self) -> Option<usize> {
        let digits: Vec<u32> =
            self.text[self.at..].iter().take(3).map_while(|digit| digit.to_digit(10)).collect();
        if digits.len() == 3 && digits[0] < 4 && digits.iter().all(|digit| *digit < 8) {
            return None;
        }
        let used = digits.len().min(2);
        self.at += used;
        Some(digits[..used].iter().fold(0, |number, digit| number * 10 + *digit as usize))
    }

    /// After a backslash: what it makes of the next characters, in a set or not.
    fn character(&mut self, at: usize) -> Result<char, PatternError> {
        let Some(c) = self.take() else { return Err(PatternError::LoneBackslash) };
        let unknown = PatternError::UnknownEscape(at, c);
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code(16, 2).ok_or(unknown)?,
            'u' => self.code(16, 4).ok_or(unknown)?,
            'U' => self.code(16, 8).ok_or(unknown)?,
            '0'..='7' => {
                self.at -= 1;
                let octal =
                    self.text[self.at..].iter().take(3).take_while(|c| matches!(c, '0'..='7')).count();
                self.code(8, octal).ok_or(unknown)?
            }
            c if c.is_ascii_alphanumeric() => return Err(unknown),
            c => c,
        })
    }

    fn code(&mut self, radix: u32, digits: usize) -> Option<char> {
        let text: String = self.text.get(self.at..self.at + digits)?.iter().collect();
        if !text.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        self.at += digits;
        char::from_u32(u32::from_str_radix(&text, radix).ok()?)
    }

    /// After `[`, up to and with its `]`.
    fn class(&mut self, at: usize) -> Result<Class, PatternError> {
        let mut class = Class::default();
        class.negated = self.takes('^');
        let first = self.at;
        loop {
            let place = self.at;
            if place > first && self.takes(']') {
                return Ok(class);
            }
            let low = self.member(at)?;
            let range = self.peek() == Some('-') && self.text.get(self.at + 1).is_some_and(|c| *c != ']');
            if !range {
                match low {
                    Member::Named(named) => class.add(named),
                    Member::One(c) => class.add_range(c, c),
                }
                continue;
            }
            self.at += 1;
            match (low, self.member(at)?) {
                (Member::One(low), Member::One(high)) if low <= high => class.add_range(low, high),
                _ => return Err(PatternError::Range(place)),
            }
        }
    }

    fn member(&mut self, class: usize) -> Result<Member, PatternError> {
        let at = self.at;
        let c = self.take().ok_or(PatternError::UnclosedSet(class))?;
        if c != '\\' {
            return Ok(Member::One(c));
        }
        match self.peek() {
            Some('b') => {
                self.at += 1;
                Ok(Member::One('\u{8}'))
            }
            Some(c) => match Named::of(c) {
                Some(named) => {
                    self.at += 1;
                    Ok(Member::Named(named))
                }
                None => self.character(at).map(Member::One),
            },
            None => Err(PatternError::UnclosedSet(class)),
        }
    }
}

/// A member of a set.
enum Member {
    One(char),
    Named(Named),
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
