//! `Value Filldown,Required NAME (regular expression)`.

use super::error::Problem;
use super::pattern::{Alphabet, Pattern};

/// The longest name of a value or a state, in characters.
pub(super) const MAX_NAME: usize = 48;

/// A column of the table.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) name: String,
    /// In the order in which they are written: it decides what Required sees of a List.
    pub(super) options: Vec<ValueOption>,
    /// With its parentheses.
    pub(super) regex: String,
    /// The line of the template.
    pub(super) line: usize,
}

/// How a value behaves from record to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueOption {
    /// Keeps its last match for the records that follow.
    Filldown,
    /// Its match is also for the records above that have none.
    Fillup,
    /// Part of what makes a record unique, used where tables are joined.
    Key,
    /// Collects all matches; named groups within make each a table of its own.
    List,
    /// A record without it is left out.
    Required,
}

const OPTIONS: [(&str, ValueOption); 5] = [
    ("Filldown", ValueOption::Filldown),
    ("Fillup", ValueOption::Fillup),
    ("Key", ValueOption::Key),
    ("List", ValueOption::List),
    ("Required", ValueOption::Required),
];

impl Value {
    /// Reads a declaration.
    pub(super) fn parse(text: &str, line: usize) -> Result<Self, Problem> {
        let words: Vec<&str> = text.split(' ').collect();
        let (options, name, regex) = match words[..] {
            [_, name, regex, ..] if regex.starts_with('(') => ("", name, words[2..].join(" ")),
            [_, options, name, _, ..] => {
                if options.is_empty() {
                    return Err(Problem::ValueForm);
                }
                (options, name, words[3..].join(" "))
            }
            _ => return Err(Problem::ValueForm),
        };
        // A name becomes the name of a group, which Python wants to be an identifier.
        let identifier = name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !identifier || name.chars().count() > MAX_NAME {
            return Err(Problem::ValueName(name.to_owned()));
        }
        if !regex.starts_with('(') || !regex.ends_with(')') || regex.ends_with("\\)") {
            return Err(Problem::ValueParentheses(name.to_owned()));
        }
        Pattern::translate(&regex, Alphabet::Ascii)?;
        Ok(Self { name: name.to_owned(), options: read_options(options)?, regex, line })
    }

    pub(super) fn has(&self, option: ValueOption) -> bool {
        self.options.contains(&option)
    }

    /// What stands for `${NAME}` in a rule.
    pub(super) fn group(&self) -> String {
        format!("(?P<{}>{}", self.name, &self.regex[1..])
    }
}

fn read_options(text: &str) -> Result<Vec<ValueOption>, Problem> {
    let mut options = Vec::new();
    for word in text.split(',').filter(|_| !text.is_empty()) {
        let Some((_, option)) = OPTIONS.iter().find(|(name, _)| *name == word) else {
            return Err(Problem::UnknownOption(word.to_owned()));
        };
        if options.contains(option) {
            return Err(Problem::DuplicateOption(word.to_owned()));
        }
        options.push(*option);
    }
    Ok(options)
}
