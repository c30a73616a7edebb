//! Which template is for a command.
//!
//! The index of ntc-templates names commands by regular expressions with completion: `sh[[ow]] ver[[sion]]` is for
//! `sh ver`, `sho vers` and all between it and `show version`. An expression is for every command that begins with
//! what it matches, and the first row that is for a command wins.

use super::textfsm::{Alphabet, Pattern};

/// Steps back while a command is compared. Commands are short.
const MAX_BACKTRACKING: usize = 20_000;

/// An expression for commands.
#[derive(Debug)]
pub(super) struct CommandPattern(Pattern);

impl CommandPattern {
    /// Reads `text`, which may have completions.
    pub(super) fn parse(text: &str, alphabet: Alphabet) -> Result<Self, String> {
        Pattern::translate(&complete(text), alphabet).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it is for `command`.
    pub(super) fn matches(&self, command: &str) -> Result<bool, String> {
        let regex = self.0.compile(MAX_BACKTRACKING)?;
        regex.is_match(command).map_err(|error| error.to_string())
    }
}

/// `abc[[xyz]]` as `abc(x(y(z)?)?)?`. What is between the brackets are characters, one level each.
pub(super) fn complete(text: &str) -> String {
    let mut whole = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(start) = rest.find("[[") {
        // At least one character is between the brackets.
        let Some(first) = rest[start + 2..].chars().next() else { break };
        let search = start + 2 + first.len_utf8();
        let Some(end) = rest[search..].find("]]").map(|end| search + end) else { break };
        whole.push_str(&rest[..start]);
        for c in rest[start + 2..end].chars() {
            whole.push('(');
            whole.push(c);
        }
        whole.push_str(&")?".repeat(rest[start + 2..end].chars().count()));
        rest = &rest[end + 2..];
    }
    whole.push_str(rest);
    whole
}
