//! Long output, page by page.

use super::journal::What;
use super::terminal::{Gone, Key, Terminal};

/// How a platform's pager looks, and which keys it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pager {
    /// What it shows below a page; `{percent}`, `{first}` and `{last}` are filled in.
    pub(crate) more: &'static str,
    /// What wipes that away.
    pub(crate) erase: &'static str,
    /// The first page is shorter by so many lines.
    pub(crate) less: usize,
    /// Keys that end it beside `q` and ctrl-c.
    pub(crate) quits: &'static [Key],
    /// What it says when it was ended.
    pub(crate) quit_text: &'static str,
    /// Any other key ends the output, as on IOS; elsewhere it gives another page.
    pub(crate) any_key_quits: bool,
    /// What it waits below when the last page of several was shown.
    pub(crate) at_end: Option<&'static str>,
}

/// How output ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paged {
    All,
    Quit,
}

impl Pager {
    /// Prints text, `rows` lines on a page; 0: all at once.
    pub(crate) async fn print(
        &self,
        terminal: &mut Terminal,
        text: &str,
        rows: usize,
    ) -> Result<Paged, Gone> {
        self.print_with(terminal, text, rows, "\r\n").await
    }

    /// As [`Self::print`], with other line ends.
    pub(crate) async fn print_with(
        &self,
        terminal: &mut Terminal,
        text: &str,
        rows: usize,
        end: &str,
    ) -> Result<Paged, Gone> {
        let lines: Vec<&str> = text.lines().collect();
        let page = rows.saturating_sub(1 + self.less).max(1);
        // A line that is wider than the terminal fills several.
        let columns = terminal.columns.max(1);
        let height = |line: &str| line.chars().count().div_ceil(columns).max(1);
        let heights: Vec<usize> = lines.iter().map(|line| height(line)).collect();
        let mut room = page;
        let mut first = 1;
        let mut paged = false;
        for (at, line) in lines.iter().enumerate() {
            if rows > 0 && at > 0 && room < heights[at] {
                paged = true;
                let more = self
                    .more
                    .replace("{percent}", &(at * 100 / lines.len()).to_string())
                    .replace("{first}", &first.to_string())
                    .replace("{last}", &at.to_string());
                terminal.put(&more);
                let key = terminal.key().await?;
                terminal.write_down(What::Key { prompt: more.trim().to_owned(), key: key.name() });
                terminal.put(self.erase);
                first = at + 1;
                room = match key {
                    Key::Byte(b'q' | b'Q') | Key::Ctrl('c') => return Ok(self.quit(terminal)),
                    key if self.quits.contains(&key) => return Ok(self.quit(terminal)),
                    Key::Byte(b' ') | Key::Ctrl('f') => page,
                    Key::Enter | Key::Down => heights[at],
                    _ if self.any_key_quits => return Ok(self.quit(terminal)),
                    _ => page,
                };
            }
            room = room.saturating_sub(heights[at]);
            terminal.put(line);
            terminal.put(end);
        }
        if let Some(end) = self.at_end.filter(|_| paged) {
            terminal.put(end);
            let key = terminal.key().await?;
            terminal.write_down(What::Key { prompt: end.trim().to_owned(), key: key.name() });
            terminal.put(self.erase);
        }
        Ok(Paged::All)
    }

    fn quit(&self, terminal: &mut Terminal) -> Paged {
        terminal.put(self.quit_text);
        Paged::Quit
    }
}
