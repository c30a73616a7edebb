//! Questions that are no line: a password, which is not shown, and a single key.

use super::LONGEST;
use crate::devices::journal::What;
use crate::devices::terminal::{Gone, Key, Terminal};

/// Asks for something that is not shown while it is typed. `None`: ctrl-c.
pub(crate) async fn secret(terminal: &mut Terminal, question: &str) -> Result<Option<String>, Gone> {
    terminal.say(question);
    let mut typed = Vec::new();
    loop {
        match terminal.key().await? {
            Key::Enter => break,
            Key::Ctrl('c') => return Ok(None),
            Key::Backspace => {
                typed.pop();
            }
            Key::Ctrl('u') => typed.clear(),
            Key::Byte(byte) if typed.len() < LONGEST => typed.push(byte),
            _ => {}
        }
    }
    terminal.put("\r\n");
    let line = String::from_utf8_lossy(&typed).into_owned();
    terminal.write_down(What::Secret { prompt: question.trim().to_owned(), line: line.clone() });
    Ok(Some(line))
}

/// Asks a question that one key answers, shown as it is.
pub(crate) async fn one_key(terminal: &mut Terminal, question: &str) -> Result<Key, Gone> {
    terminal.say(question);
    let key = terminal.key().await?;
    terminal.write_down(What::Key { prompt: question.trim().to_owned(), key: key.name() });
    Ok(key)
}
