//! Python's regular expressions (`re`, as of 3.11) in the syntax of `fancy-regex`.
//!
//! The two agree on what most of it means and differ in how it is written: `\<` is a character in Python and a word's
//! beginning here, `[[]` is a set in Python and unfinished here, `\Z`, `{,3}`, `{` as itself, a repeated look-around,
//! sets of characters. So the expression is read as Python reads it, with Python's refusals, and written anew, with
//! every group numbered.
//!
//! Matches begin at the start of the text (`re.match`). Texts are single lines: `$` is the end, `.` is anything, and
//! the flags `m` and `s` have nothing to change.

mod escape;
mod group;
mod reader;

use fancy_regex::{Regex, RegexBuilder};

use reader::Reader;

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
