//! `  ^regular expression -> Line.Record State`.

use std::cell::OnceCell;
use std::time::Duration;

use fancy_regex::Regex;

use super::RunError;
use super::error::Problem;
use super::lines::is_space;
use super::pattern::{Alphabet, MAX_PATTERN, Pattern, PatternError};
use super::value::Value;

/// Steps back that one rule may take on one line. Published templates take some hundreds.
const MAX_BACKTRACKING: usize = 50_000;

/// A rule of a state.
#[derive(Debug)]
pub(super) struct Rule {
    /// The line of the template.
    pub(super) line: usize,
    pub(super) line_action: LineAction,
    pub(super) record_action: RecordAction,
    /// The name of the next state; of Error, its message.
    pub(super) next: Option<String>,
    /// Values in place of their names, in Python's syntax.
    expression: String,
    backtracks: bool,
    compiled: OnceCell<Compiled>,
}

/// What happens to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineAction {
    /// The rules that follow see it too.
    Continue,
    /// The next line begins at the state's first rule.
    Next,
    /// The text is refused.
    Error,
}

/// What happens to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordAction {
    Keep,
    Record,
    Clear,
    ClearAll,
}

/// A rule's expression, ready to run.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) regex: Regex,
    /// Groups that are values: the group's number, and the value's.
    pub(super) values: Vec<(usize, usize)>,
}

impl Rule {
    /// Reads a rule. Its expression is checked here and compiled when a line first meets it.
    pub(super) fn parse(text: &str, line: usize, values: &[Value]) -> Result<Self, Problem> {
        let text = text.trim_matches(is_space);
        // The last arrow counts: an earlier one belongs to the expression.
        let arrow = text.rmatch_indices("->").map(|(at, _)| at).find(|at| text[..*at].ends_with(is_space));
        let (expression, action) = match arrow {
            Some(at) => {
                let before = text[..at].char_indices().next_back().map_or(0, |(space, _)| space);
                (&text[..before], &text[at + 2..])
            }
            None => (text, ""),
        };
        let (line_action, record_action, next) = read_action(action)?;
        if line_action == LineAction::Continue && next.is_some() {
            return Err(Problem::ContinueWithState);
        }
        if line_action != LineAction::Error && next.as_deref().is_some_and(|next| next.starts_with('"')) {
            return Err(Problem::MessageWithoutError);
        }
        let expression = substitute(expression, values)?;
        let backtracks = Pattern::translate(&expression, Alphabet::Ascii)?.backtracks();
        let compiled = OnceCell::new();
        Ok(Self { line, line_action, record_action, next, expression, backtracks, compiled })
    }

    /// The longest that a line of `bytes` bytes can keep the rule busy: some hundred times what is usual.
    pub(super) fn longest(&self, bytes: usize) -> Duration {
        let reading = Duration::from_nanos(2000 + 100 * bytes as u64);
        let compiling = if self.compiled.get().is_none() { Duration::from_millis(5) } else { Duration::ZERO };
        let backtracking = if self.backtracks { Duration::from_millis(5) } else { Duration::ZERO };
        reading + compiling + backtracking
    }

    /// The expression, compiled on first use: all uses of one template are for the same alphabet.
    pub(super) fn compiled(&self, alphabet: Alphabet, values: &[Value]) -> Result<&Compiled, RunError> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(compiled);
        }
        let unusable = |reason: String| RunError::Regex { rule: self.line, reason };
        let pattern =
            Pattern::translate(&self.expression, alphabet).map_err(|error| unusable(error.to_string()))?;
        let regex = pattern.compile(MAX_BACKTRACKING).map_err(unusable)?;
        let value = |name: &str| values.iter().position(|value| value.name == name);
        let values = pattern.named().filter_map(|(group, name)| Some((group, value(name)?))).collect();
        Ok(self.compiled.get_or_init(|| Compiled { regex, values }))
    }
}

/// Values in place of `${NAME}` and `$NAME`, and `$` in place of `$$`. A template without values has none of it.
fn substitute(expression: &str, values: &[Value]) -> Result<String, Problem> {
    if values.is_empty() {
        return Ok(expression.to_owned());
    }
    let mut parts = expression.split('$');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // `$$`: what is before the second one is empty, and what follows it is plain text.
            let after = parts.next().ok_or(Problem::LoneDollar)?;
            whole.push('$');
            whole.push_str(after);
            continue;
        }
        let (name, after) = match part.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or(Problem::LoneDollar)?,
            None => part.split_at(part.find(|c| !is_word(c)).unwrap_or(part.len())),
        };
        if !name.starts_with(|c: char| is_word(c) && !c.is_ascii_digit()) || !name.chars().all(is_word) {
            return Err(Problem::LoneDollar);
        }
        let value = values.iter().find(|value| value.name == name);
        whole.push_str(&value.ok_or_else(|| Problem::UnknownVariable(name.to_owned()))?.group());
        whole.push_str(after);
        if whole.len() > MAX_PATTERN {
            return Err(Problem::Pattern(PatternError::TooLong));
        }
    }
    Ok(whole)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `[line action][.record action] [state]` or `Error "message"`, each part optional.
fn read_action(text: &str) -> Result<(LineAction, RecordAction, Option<String>), Problem> {
    let words = text.trim_start_matches(is_space);
    if words.is_empty() {
        return Ok((LineAction::Next, RecordAction::Keep, None));
    }
    if words.len() == text.len() {
        return Err(Problem::Action);
    }
    let (first, rest) = words.split_once(is_space).unwrap_or((words, ""));
    let rest = rest.trim_start_matches(is_space);
    if let Some((line, record)) = operator(first) {
        let next = if rest.is_empty() { None } else { Some(target(rest)?) };
        return Ok((line, record, next));
    }
    Ok((LineAction::Next, RecordAction::Keep, Some(target(words)?)))
}

fn operator(word: &str) -> Option<(LineAction, RecordAction)> {
    if let Some(record) = record_action(word) {
        return Some((LineAction::Next, record));
    }
    let (line, record) = match word.split_once('.') {
        Some((line, record)) => (line, record_action(record)?),
        None => (word, RecordAction::Keep),
    };
    let line = LINE_ACTIONS.iter().find(|(name, _)| *name == line)?.1;
    Some((line, record))
}

const LINE_ACTIONS: [(&str, LineAction); 3] =
    [("Continue", LineAction::Continue), ("Next", LineAction::Next), ("Error", LineAction::Error)];

const RECORD_ACTIONS: [(&str, RecordAction); 4] = [
    ("Clear", RecordAction::Clear),
    ("Clearall", RecordAction::ClearAll),
    ("Record", RecordAction::Record),
    ("NoRecord", RecordAction::Keep),
];

fn record_action(word: &str) -> Option<RecordAction> {
    RECORD_ACTIONS.iter().find(|(name, _)| *name == word).map(|(_, action)| *action)
}

/// Whether no state may be called so.
pub(super) fn is_operator(word: &str) -> bool {
    record_action(word).is_some() || LINE_ACTIONS.iter().any(|(name, _)| *name == word)
}

/// A state's name or a message in quotes, which it keeps.
fn target(text: &str) -> Result<String, Problem> {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    if quoted || text.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Ok(text.to_owned());
    }
    Err(Problem::Action)
}
