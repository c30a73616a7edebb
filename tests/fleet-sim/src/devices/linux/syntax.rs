//! The little of the shell's grammar that is there: quotes, variables, `;`, `&&`, `||`, `|`, `>`, `>>`.

/// When a pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    Always,
    IfFine,
    IfNot,
}

/// Commands that read what the one before wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline {
    pub(super) commands: Vec<Command>,
}

/// One command.
#[derive(Debug, Clone, Default)]
pub(super) struct Command {
    pub(super) words: Vec<String>,
    /// The file that takes its output, and whether it is appended there.
    pub(super) into: Option<(String, bool)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Operator(&'static str),
}

/// Reads a line. An error is what the shell says.
pub(super) fn parse(
    line: &str,
    status: u32,
    user: &str,
    home: &str,
) -> Result<Vec<(Joined, Pipeline)>, String> {
    let mut joined = Vec::new();
    let (mut join, mut pipeline, mut command) = (Joined::Always, Pipeline::default(), Command::default());
    let mut tokens = tokens(line, status, user, home)?.into_iter();
    while let Some(token) = tokens.next() {
        let operator = match token {
            Token::Word(word) => {
                command.words.push(word);
                continue;
            }
            Token::Operator(operator) => operator,
        };
        if let ">" | ">>" = operator {
            let Some(Token::Word(file)) = tokens.next() else {
                return Err("bash: syntax error near unexpected token `newline'\n".to_owned());
            };
            command.into = Some((file, operator == ">>"));
            continue;
        }
        if command.words.is_empty() && command.into.is_none() {
            return Err(format!("bash: syntax error near unexpected token `{operator}'\n"));
        }
        pipeline.commands.push(std::mem::take(&mut command));
        if operator != "|" {
            joined.push((join, std::mem::take(&mut pipeline)));
            join = match operator {
                "&&" => Joined::IfFine,
                "||" => Joined::IfNot,
                _ => Joined::Always,
            };
        }
    }
    if !command.words.is_empty() || command.into.is_some() {
        pipeline.commands.push(command);
    }
    if !pipeline.commands.is_empty() {
        joined.push((join, pipeline));
    }
    Ok(joined)
}

fn tokens(line: &str, status: u32, user: &str, home: &str) -> Result<Vec<Token>, String> {
    const OPERATORS: [&str; 6] = ["&&", "||", ">>", ">", "|", ";"];
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        let next = &rest[letter.len_utf8()..];
        match letter {
            '\'' => {
                let Some((inside, after)) = next.split_once('\'') else {
                    return Err("bash: unexpected EOF while looking for matching `''\n".to_owned());
                };
                word.get_or_insert_default().push_str(inside);
                rest = after;
            }
            '"' => {
                let Some((inside, after)) = next.split_once('"') else {
                    return Err("bash: unexpected EOF while looking for matching `\"'\n".to_owned());
                };
                let inside = variables(inside, status, user, home);
                word.get_or_insert_default().push_str(&inside);
                rest = after;
            }
            '\\' => {
                word.get_or_insert_default().extend(next.chars().next());
                rest = next.get(next.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
            }
            '#' if word.is_none() => break,
            ' ' | '\t' => {
                tokens.extend(word.take().map(Token::Word));
                rest = next;
            }
            '~' if word.is_none() => {
                word = Some(home.to_owned());
                rest = next;
            }
            '$' => {
                let end = next
                    .find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '?'))
                    .unwrap_or(next.len());
                let value = variables(&rest[..=end], status, user, home);
                word.get_or_insert_default().push_str(&value);
                rest = &next[end..];
            }
            _ => {
                if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
                    tokens.extend(word.take().map(Token::Word));
                    tokens.push(Token::Operator(operator));
                    rest = &rest[operator.len()..];
                } else {
                    word.get_or_insert_default().push(letter);
                    rest = next;
                }
            }
        }
    }
    tokens.extend(word.map(Token::Word));
    Ok(tokens)
}

fn variables(text: &str, status: u32, user: &str, home: &str) -> String {
    text.replace("$?", &status.to_string()).replace("$USER", user).replace("$HOME", home)
}
