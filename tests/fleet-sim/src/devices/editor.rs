//! Line editing as the platforms do it: what is typed, shown back, corrected, recalled.

mod asking;
mod painting;

use std::sync::Arc;

use super::journal::What;
use super::terminal::{Gone, Key, Terminal};
pub(crate) use asking::{one_key, secret};

/// How a platform shows what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Cisco IOS: a line that is too long scrolls sideways, and `$` stands for what is left of it.
    Sideways,
    /// Readline and its relatives: a line that is too long goes on in the next one.
    Wrapping,
    /// NX-OS: as readline; enter gives CR CR LF.
    Nexus,
    /// Junos: enter shows a blank before the end of the line.
    Junos,
    /// PAN-OS: each word that is finished has the whole line shown again.
    Words,
    /// RouterOS: the line is shown again over itself whenever something was typed.
    Repainted,
    /// ProCurve: the cursor is placed by row and column.
    Placed,
}

/// What a person did at a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// A line and enter.
    Line(String),
    /// ctrl-c.
    Interrupt,
    /// ctrl-z after this text.
    Suspend(String),
    /// ctrl-d on an empty line.
    EndOfFile,
    /// A question mark after this text.
    Help(String),
}

/// What finishes the last word of a line that a blank or tab was typed after.
pub(crate) type Completer = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The editor of one terminal.
pub(crate) struct Editor {
    pub(crate) style: Style,
    /// A question mark asks for help.
    pub(crate) helps: bool,
    /// Finishes words at blanks, where it is asked to.
    pub(crate) completer: Option<Completer>,
    history: Vec<String>,
}

/// Lines that the history keys bring back.
const HISTORY: usize = 20;

/// The longest line that a device takes, in bytes.
const LONGEST: usize = 8 << 10;

struct Line<'p> {
    prompt: &'p str,
    text: Vec<u8>,
    at: usize,
    /// Which line of the history is shown, counted from the end.
    recalled: usize,
    /// Where the shown part begins, when the line scrolls sideways.
    from: usize,
    /// Something was typed since the line was last shown.
    dirty: bool,
}

impl Editor {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, helps: true, completer: None, history: Vec::new() }
    }

    /// The lines that were typed, oldest first.
    pub(crate) fn history(&self) -> &[String] {
        &self.history
    }

    /// Shows a prompt and reads a line.
    pub(crate) async fn read(&mut self, terminal: &mut Terminal, prompt: &str) -> Result<Input, Gone> {
        self.show_prompt(terminal, prompt);
        let last = prompt.rsplit('\n').next().unwrap_or_default();
        self.go_on(terminal, last, String::new()).await
    }

    /// Reads on at a prompt that is shown, with some text typed already.
    pub(crate) async fn go_on(
        &mut self,
        terminal: &mut Terminal,
        prompt: &str,
        text: String,
    ) -> Result<Input, Gone> {
        let mut line =
            Line { prompt, at: text.len(), text: text.into_bytes(), recalled: 0, from: 0, dirty: false };
        if !line.text.is_empty() {
            let text = String::from_utf8_lossy(&line.text).into_owned();
            terminal.put(&text);
        }
        loop {
            if line.dirty && !terminal.typed_ahead() {
                self.repaint(terminal, &mut line);
            }
            let key = terminal.key().await?;
            if let Some(input) = self.press(terminal, &mut line, key) {
                return Ok(self.done(terminal, prompt, input));
            }
        }
    }

    fn done(&mut self, terminal: &mut Terminal, prompt: &str, input: Input) -> Input {
        let prompt = prompt.trim().to_owned();
        let key = |key: &str| What::Key { prompt: prompt.clone(), key: key.to_owned() };
        match &input {
            Input::Line(line) => {
                terminal.write_down(What::Line { prompt, line: line.clone() });
                if !line.trim().is_empty() && self.history.last() != Some(line) {
                    self.history.push(line.clone());
                    if self.history.len() > HISTORY {
                        self.history.remove(0);
                    }
                }
            }
            Input::Interrupt => terminal.write_down(key("ctrl-c")),
            Input::Suspend(_) => terminal.write_down(key("ctrl-z")),
            Input::EndOfFile => terminal.write_down(key("ctrl-d")),
            Input::Help(_) => terminal.write_down(key("?")),
        }
        input
    }

    fn press(&mut self, terminal: &mut Terminal, line: &mut Line<'_>, key: Key) -> Option<Input> {
        let text = |line: &Line<'_>| String::from_utf8_lossy(&line.text).into_owned();
        match key {
            Key::Enter => {
                self.enter(terminal, line);
                return Some(Input::Line(text(line)));
            }
            Key::Ctrl('c') => return Some(Input::Interrupt),
            Key::Ctrl('z') => return Some(Input::Suspend(text(line))),
            Key::Ctrl('d') if line.text.is_empty() => return Some(Input::EndOfFile),
            Key::Byte(b'?') if self.helps => {
                terminal.put("?");
                return Some(Input::Help(text(line)));
            }
            Key::Tab => self.complete(terminal, line, false),
            Key::Byte(byte) => {
                if line.text.len() >= LONGEST {
                    terminal.put("\x07");
                    return None;
                }
                if byte == b' ' && line.at == line.text.len() {
                    self.complete(terminal, line, true);
                }
                self.insert(terminal, line, byte);
            }
            Key::Backspace | Key::Ctrl('h') if line.at > 0 => {
                let at = line.at - 1;
                self.replace(terminal, line, at..line.at, at);
            }
            Key::Delete | Key::Ctrl('d') if line.at < line.text.len() => {
                let at = line.at;
                self.replace(terminal, line, at..at + 1, at);
            }
            Key::Ctrl('u' | 'x') => self.replace(terminal, line, 0..line.at, 0),
            Key::Ctrl('k') => {
                let at = line.at;
                self.replace(terminal, line, at..line.text.len(), at);
            }
            Key::Ctrl('w') => {
                let before = line.text[..line.at].trim_ascii_end();
                let from = before.iter().rposition(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
                self.replace(terminal, line, from..line.at, from);
            }
            Key::Home | Key::Ctrl('a') => self.move_to(terminal, line, 0),
            Key::End | Key::Ctrl('e') => self.move_to(terminal, line, line.text.len()),
            Key::Left | Key::Ctrl('b') => self.move_to(terminal, line, line.at.saturating_sub(1)),
            Key::Right | Key::Ctrl('f') => {
                self.move_to(terminal, line, (line.at + 1).min(line.text.len()));
            }
            Key::Up | Key::Ctrl('p') => self.recall(terminal, line, line.recalled + 1),
            Key::Down | Key::Ctrl('n') => self.recall(terminal, line, line.recalled.saturating_sub(1)),
            Key::Ctrl('l' | 'r') => {
                let shown = format!("\r\n{}{}", line.prompt, text(line));
                terminal.put(&shown);
            }
            Key::Backspace | Key::Delete | Key::Ctrl(_) | Key::Other => {}
        }
        None
    }

    fn complete(&self, terminal: &mut Terminal, line: &mut Line<'_>, blank: bool) {
        let Some(completer) = &self.completer else { return };
        let text = String::from_utf8_lossy(&line.text).into_owned();
        let Some(rest) = completer(&text) else { return };
        for byte in rest.bytes() {
            self.insert(terminal, line, byte);
        }
        if !blank {
            self.insert(terminal, line, b' ');
        }
    }

    /// Takes some text out and shows the line as it is then.
    fn replace(
        &self,
        terminal: &mut Terminal,
        line: &mut Line<'_>,
        range: std::ops::Range<usize>,
        at: usize,
    ) {
        let (before, old) = (line.at, line.text.len());
        line.text.drain(range);
        self.show(terminal, line, before, old, at);
    }

    fn recall(&self, terminal: &mut Terminal, line: &mut Line<'_>, back: usize) {
        if back > self.history.len() {
            terminal.put("\x07");
            return;
        }
        let (before, old) = (line.at, line.text.len());
        line.recalled = back;
        line.text = match back {
            0 => Vec::new(),
            back => self.history[self.history.len() - back].clone().into_bytes(),
        };
        let at = line.text.len();
        self.show(terminal, line, before, old, at);
    }
}
