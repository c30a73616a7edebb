//! Which template is for a command.
//!
//! The index of ntc-templates names commands by regular expressions with completion: `sh[[ow]] ver[[sion]]` is for
//! `sh ver`, `sho vers` and all between it and `show version`. An expression is for every command that begins with
//! what it matches, and the first row that is for a command wins.

use std::cell::OnceCell;

use fancy_regex::Regex;

use super::textfsm::{Alphabet, Pattern};

/// Steps back while a command is compared. Commands are short.
const MAX_BACKTRACKING: usize = 20_000;

/// An expression for commands.
#[derive(Debug)]
pub(super) struct CommandPattern {
    text: String,
    /// For commands of ASCII, which nearly all are.
    ascii: OnceCell<Result<Regex, String>>,
}

impl CommandPattern {
    /// `text` may have completions.
    pub(super) fn new(text: &str) -> Self {
        Self { text: complete(text), ascii: OnceCell::new() }
    }

    /// Whether it is for `command`, or what is wrong with the expression.
    pub(super) fn matches(&self, command: &str) -> Result<bool, String> {
        let decide = |regex: &Regex| regex.is_match(command).map_err(|error| error.to_string());
        match Alphabet::of(command) {
            Alphabet::Ascii => {
                let regex = self.ascii.get_or_init(|| self.compile(Alphabet::Ascii));
                decide(regex.as_ref().map_err(String::clone)?)
            }
            Alphabet::Unicode => decide(&self.compile(Alphabet::Unicode)?),
        }
    }

    fn compile(&self, alphabet: Alphabet) -> Result<Regex, String> {
        Pattern::translate(&self.text, alphabet).map_err(|error| error.to_string())?.compile(MAX_BACKTRACKING)
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
