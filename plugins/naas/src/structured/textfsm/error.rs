//! What can be wrong with a template, and with a text that is read with it.

use super::pattern::PatternError;

/// A template that cannot be used. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Longer than [`super::template::MAX_TEMPLATE`].
    #[error("the template has {bytes} bytes, and {limit} are allowed")]
    TooLong { bytes: usize, limit: usize },
    /// A state other than `Start` is there, or none at all.
    #[error("there is no state Start")]
    NoStart,
    /// Something is wrong with one line.
    #[error("line {line}: {problem}")]
    Line { line: usize, problem: Problem },
}

/// What is wrong with a line of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("a value is written `Value [options] NAME (regular expression)`")]
    ValueForm,
    #[error("`{0}` is not an option of a value: Filldown, Fillup, Key, List and Required are")]
    UnknownOption(String),
    #[error("the option {0} is given twice")]
    DuplicateOption(String),
    #[error("`{0}` is no name for a value, or longer than 48 characters")]
    ValueName(String),
    #[error("the value {0} was declared before")]
    DuplicateValue(String),
    #[error("the regular expression of the value {0} must begin with ( and end with )")]
    ValueParentheses(String),
    #[error("the values end with an empty line, and `Value ...` is the only thing before it")]
    NotAValue,
    #[error("`{0}` is no name for a state: letters, digits and _, at most 48, and no operator's name")]
    StateName(String),
    #[error("the state {0} was described before")]
    DuplicateState(String),
    #[error("a rule begins with one or two spaces or a tab, and ^")]
    RuleStart,
    #[error("the state {0} must have no rules")]
    ReservedState(&'static str),
    #[error("what follows -> is not [line action][.record action] [state], or Error \"message\"")]
    Action,
    #[error("Continue stays in its state: a new state needs Next")]
    ContinueWithState,
    #[error("only Error takes a message in quotes")]
    MessageWithoutError,
    #[error("the state {0} does not exist")]
    UnknownState(String),
    #[error("`${{{0}}}` is not a value of this template")]
    UnknownVariable(String),
    #[error("a $ must be $$ (the end of a line) or the beginning of ${{NAME}}")]
    LoneDollar,
    #[error("the regular expression {0}")]
    Pattern(#[from] PatternError),
}

impl Problem {
    pub(super) fn at(self, line: usize) -> TemplateError {
        TemplateError::Line { line, problem: self }
    }
}

/// A text that could not be read with a template. Lines of the template and of the text are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A rule with the action `Error` matched: the template does not know this line.
    #[error("{}", unknown_line(*.rule, *.line, .message.as_deref()))]
    Unknown { rule: usize, line: usize, message: Option<String> },
    /// Python's rules let the expression pass, and the engine does not.
    #[error("line {rule} of the template: the regular expression cannot be used: {reason}")]
    Regex { rule: usize, reason: String },
    /// The expression backtracks.
    #[error("line {rule} of the template takes too many steps on line {line} of the output")]
    Backtracking { rule: usize, line: usize },
    /// Time is over.
    #[error("the template takes longer than {milliseconds} ms")]
    TooSlow { milliseconds: u128 },
    /// See [`super::machine::MAX_LINE`].
    #[error("line {line} of the output has {bytes} bytes, and {limit} are allowed")]
    LongLine { line: usize, bytes: usize, limit: usize },
    /// See [`super::record::MAX_RECORDS`].
    #[error("the records take more than {limit} bytes")]
    TooLarge { limit: usize },
}

fn unknown_line(rule: usize, line: usize, message: Option<&str>) -> String {
    let said = message.map(|message| format!(" ({message})")).unwrap_or_default();
    format!("the template does not know line {line} of the output{said}: its own line {rule} says Error")
}
