//! Patterns of commands: `show *`.
//!
//! A command line is read by somebody else: a shell, a router's parser, a pager that was left open. So a pattern is
//! matched against the whole line, and `*` stands for text that none of them takes as more than words: it never
//! matches what ends a command and begins another, substitutes, redirects or calls history back. Where an operator
//! wants such a character, it stands in the pattern itself (`show running-config | include *`).

use std::fmt;

use fleetgate_core::diagnostic::{Misspelt, Spanned, TableReader, quoted};

/// What `*` never matches, beside control characters and everything that is not ASCII (which some devices read as
/// control characters of eight bits): `;` `|` `&` and line ends separate commands; `<` `>` redirect; `$`, backtick,
/// parentheses, and on RouterOS and in Tcl brackets and braces substitute; the backslash takes the meaning from what
/// follows; `!` calls history back, and leaves pagers for a shell.
const NEVER: &str = ";|&<>$()`\\![]{}";

/// The longest pattern, in characters.
const LONGEST: usize = 256;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As written.
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Character(char),
    /// Any number of harmless characters, also none.
    Any,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing is in it.
    #[error("an empty pattern")]
    Empty,
    /// It has no end.
    #[error("a pattern of more than {LONGEST} characters")]
    TooLong,
    /// It holds what cannot be typed.
    #[error("a pattern with a character that is not printable")]
    Unprintable,
    /// A backslash before something else than `*` and itself.
    #[error("a backslash that stands before neither * nor another backslash")]
    Escape,
}

impl PatternError {
    /// What to write instead.
    pub fn help(self) -> &'static str {
        match self {
            Self::Empty => "write a command, like \"show *\"; to allow all, leave commands out",
            Self::TooLong => "sum it up with *",
            Self::Unprintable => "a command is one line of printable characters",
            Self::Escape => {
                "write \\\\* for the character *, and \\\\\\\\ for a backslash (in TOML's quotes)"
            }
        }
    }
}

impl Pattern {
    /// Reads a pattern. `\*` is the character itself, `\\` a backslash.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.chars().count() > LONGEST {
            return Err(PatternError::TooLong);
        }
        if !crate::typed::printable(text) {
            return Err(PatternError::Unprintable);
        }
        let mut tokens = Vec::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '*' => Token::Any,
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => Token::Character(escaped),
                    _ => return Err(PatternError::Escape),
                },
                character => Token::Character(character),
            });
        }
        tokens.dedup_by(|second, first| *first == Token::Any && *second == Token::Any);
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// Whether the pattern matches this line, all of it.
    pub fn matches(&self, line: &str) -> bool {
        let line: Vec<_> = line.chars().map(Token::Character).collect();
        self.matches_tokens(&line, true)
    }

    /// Whether it matches every line that `other` matches. May say no where it does.
    pub fn covers(&self, other: &Self) -> bool {
        self.matches_tokens(&other.tokens, false)
    }

    /// The usual walk over a glob: after the last `*` that was met, one more token is given to it at each mismatch.
    ///
    /// `whole`: it is a line. Of a pattern it is not known where in the line a character will stand.
    fn matches_tokens(&self, line: &[Token], whole: bool) -> bool {
        let (mut at, mut here) = (0, 0);
        let mut last_any = None;
        while here < line.len() {
            match self.tokens.get(at) {
                Some(Token::Any) => {
                    last_any = Some((at, here));
                    at += 1;
                }
                Some(token) if *token == line[here] => (at, here) = (at + 1, here + 1),
                _ => match last_any {
                    Some((any, taken)) if harmless(line[taken], whole && taken > 0) => {
                        last_any = Some((any, taken + 1));
                        (at, here) = (any + 1, taken + 1);
                    }
                    _ => return false,
                },
            }
        }
        self.tokens[at..].iter().all(|token| *token == Token::Any)
    }
}

/// Whether `*` matches this. At the beginning of a line `^` runs the last command again with another text in it
/// (bash's quick substitution).
fn harmless(token: Token, within: bool) -> bool {
    match token {
        Token::Any => true,
        Token::Character('^') => within,
        Token::Character(character) => {
            (character.is_ascii_graphic() || character == ' ') && !NEVER.contains(character)
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Some patterns: what matches one of them is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands(Vec<Pattern>);

impl Commands {
    /// More than these are a misunderstanding.
    pub const MOST: usize = 256;

    /// Of these.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        Self(patterns)
    }

    /// After these, devices ask for a password: what network devices have for more privileges, and the usual ways to
    /// become root. None runs a program of the guest's choice that could ask as well.
    pub(crate) fn asking_for_passwords() -> Self {
        let lines = [
            "enable",
            "enable *",
            "super",
            "super *",
            "su",
            "su -",
            "su - root",
            "sudo -i",
            "sudo -s",
            "sudo su",
            "sudo su -",
        ];
        Self(lines.iter().filter_map(|line| Pattern::parse(line).ok()).collect())
    }

    /// Whether a line is allowed.
    pub fn allow(&self, line: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(line))
    }

    /// Whether everything that a pattern allows is allowed here, by one of these alone.
    pub fn cover(&self, pattern: &Pattern) -> bool {
        self.0.iter().any(|wide| wide.covers(pattern))
    }

    /// Those of `other` that are not allowed here.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        other.0.iter().filter(|pattern| !self.cover(pattern)).map(Pattern::to_string).collect()
    }

    /// As it stands in TOML.
    pub fn toml(&self) -> String {
        let quoted: Vec<_> = self.0.iter().map(|pattern| format!("{:?}", pattern.text)).collect();
        format!("[{}]", quoted.join(", "))
    }

    /// Reads `commands`, if it stands there and is right.
    pub(crate) fn read(table: &mut TableReader<'_>) -> Option<Vec<Spanned<Pattern>>> {
        let patterns = Self::read_key(table, "commands")?;
        if patterns.is_empty() {
            table.error_at(
                "commands",
                "no command is named",
                "name at least one, like [\"show *\"], or leave the key out to allow all",
            );
        }
        Some(patterns)
    }

    /// Reads the patterns of a key, if it stands there and they are right. May be none.
    pub(crate) fn read_key(table: &mut TableReader<'_>, key: &str) -> Option<Vec<Spanned<Pattern>>> {
        let parse =
            |text: &str| Pattern::parse(text).map_err(|error| Misspelt::new(text, error, error.help()));
        let patterns = table.parsed_strings(key, parse)?;
        if patterns.len() > Self::MOST {
            table.error_at(key, format!("more than {} patterns", Self::MOST), "sum some up with *");
            return None;
        }
        Some(patterns)
    }
}

impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<_> = self.0.iter().map(|pattern| quoted(&pattern.text)).collect();
        f.write_str(&quoted.join(", "))
    }
}
