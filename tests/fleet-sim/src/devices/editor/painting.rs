//! How a line is shown while it is typed, in each platform's way.

use super::{Editor, Line, Style};
use crate::devices::terminal::Terminal;

impl Editor {
    pub(super) fn show_prompt(&self, terminal: &mut Terminal, prompt: &str) {
        match self.style {
            Style::Placed => {
                let column = prompt.len() + 1;
                let rows = terminal.rows;
                terminal.put(&format!(
                    "\x1b[1;{rows}r\x1b[{rows};1H\x1b[{rows};1H\x1b[2K\x1b[{rows};1H\x1b[?25h\x1b[{rows};1H\
                     \x1b[{rows};1H{prompt}\x1b[{rows};1H\x1b[{rows};{column}H\x1b[{rows};1H\x1b[?25h\
                     \x1b[{rows};{column}H"
                ));
            }
            Style::Repainted => {
                let pad = " ".repeat(terminal.columns.saturating_sub(prompt.len() + 1));
                terminal.put(&format!("\r\r\r\r{prompt}{pad}\r{prompt}"));
            }
            Style::Nexus => {
                terminal.put("\r");
                terminal.say(prompt);
            }
            _ => terminal.say(prompt),
        }
    }

    pub(super) fn enter(&self, terminal: &mut Terminal, line: &mut Line<'_>) {
        match self.style {
            Style::Nexus => terminal.put("\r\r\n"),
            Style::Junos => terminal.put(" \r\n"),
            Style::Repainted => {
                if line.dirty {
                    self.repaint(terminal, line);
                }
                terminal.put("\r\n\r");
            }
            Style::Placed => {
                let rows = terminal.rows;
                let column = line.prompt.len() + line.text.len() + 1;
                terminal.put(&format!(
                    "\x1b[{rows};{column}H\x1b[?25h\x1b[{rows};{column}H\x1b[1;0H\x1b[1M\x1b[{rows};1H\x1b[1L\
                     \x1b[{rows};{column}H\x1b[{rows};1H\x1b[2K\x1b[{rows};1H\x1b[?25h\x1b[{rows};1H\
                     \x1b[1;{rows}r\x1b[{rows};1H\x1bE"
                ));
            }
            _ => terminal.put("\r\n"),
        }
    }

    pub(super) fn insert(&self, terminal: &mut Terminal, line: &mut Line<'_>, byte: u8) {
        line.text.insert(line.at, byte);
        line.at += 1;
        let room = terminal.columns.saturating_sub(line.prompt.len() + 1).max(12);
        match self.style {
            Style::Repainted => {
                if !line.dirty {
                    terminal.put_byte(byte);
                }
                line.dirty = true;
                return;
            }
            Style::Sideways if line.at - line.from >= room => {
                // The cursor reached the edge: show the end of the line, and leave room for what comes.
                let shown = line.at - line.from - 1;
                line.from = line.at - room / 2;
                let tail = String::from_utf8_lossy(&line.text[line.from..]).into_owned();
                let gone = shown.saturating_sub(tail.len() + 1);
                terminal.put(&"\x08".repeat(shown));
                terminal.put(&format!("${tail}{}{}", " ".repeat(gone), "\x08".repeat(gone)));
                line.from -= 1;
                return;
            }
            Style::Placed => {
                let (row, column) = (terminal.rows, line.prompt.len() + line.at);
                terminal.put(&format!("\x1b[{row};{column}H"));
                terminal.put_byte(byte);
                terminal.put(&format!("\x1b[{row};{column}H\x1b[?25h\x1b[{row};{}H", column + 1));
                return;
            }
            _ => {}
        }
        terminal.put_byte(byte);
        let rest = line.text[line.at..].to_vec();
        for byte in &rest {
            terminal.put_byte(*byte);
        }
        terminal.put(&"\x08".repeat(rest.len()));
        let ends_row = (line.prompt.len() + line.at).is_multiple_of(terminal.columns);
        if rest.is_empty() && ends_row && matches!(self.style, Style::Wrapping | Style::Nexus) {
            terminal.put(" \r");
        }
        if self.style == Style::Words && byte == b' ' && self.completer.is_some() {
            let text = String::from_utf8_lossy(&line.text).into_owned();
            terminal.put(&format!("\r\x1b[K{}{text}", line.prompt));
        }
    }

    pub(super) fn show(
        &self,
        terminal: &mut Terminal,
        line: &mut Line<'_>,
        before: usize,
        old: usize,
        at: usize,
    ) {
        line.at = at;
        line.from = 0;
        if self.style == Style::Repainted {
            line.dirty = true;
            return;
        }
        let text = String::from_utf8_lossy(&line.text).into_owned();
        if self.style == Style::Placed {
            let (row, column) = (terminal.rows, line.prompt.len() + 1);
            terminal.put(&format!("\x1b[{row};{column}H\x1b[K{text}\x1b[{row};{}H", column + at));
            return;
        }
        let gone = old.saturating_sub(line.text.len());
        terminal.put(&"\x08".repeat(before));
        terminal.put(&text);
        terminal.put(&" ".repeat(gone));
        terminal.put(&"\x08".repeat(gone + line.text.len() - at));
    }

    pub(super) fn move_to(&self, terminal: &mut Terminal, line: &mut Line<'_>, at: usize) {
        if at < line.at {
            terminal.put(&"\x08".repeat(line.at - at));
        } else {
            let between = String::from_utf8_lossy(&line.text[line.at..at]).into_owned();
            terminal.put(&between);
        }
        line.at = at;
    }

    pub(super) fn repaint(&self, terminal: &mut Terminal, line: &mut Line<'_>) {
        let text = String::from_utf8_lossy(&line.text).into_owned();
        let shown = format!("{}{text}", line.prompt);
        let pad = " ".repeat(terminal.columns.saturating_sub(shown.len() + 1));
        terminal.put(&format!("\r\r{shown}{pad}\x1b[K\r{shown}"));
        line.dirty = false;
    }
}
