//! Where the platforms differ, and what a session remembers.

use async_trait::async_trait;

use super::super::editor::Style;
use super::super::filter::Filter;
use super::super::grammar::{Grammar, Meant, Refusal};
use super::super::machine::Machine;
use super::super::pager::Pager;
use super::super::terminal::{Gone, Terminal};
use super::super::tree::Tree;

/// What a line does.
#[derive(Clone, Copy)]
pub(crate) enum Do {
    /// Prints a text, with what it says of the device filled in.
    Say(&'static str),
    /// Is taken and says nothing.
    Nothing,
    /// Prints what the device knows.
    Show(fn(&View<'_>) -> String),
    /// Sets the lines on a page, for this session.
    Length,
    /// Sets the characters in a line, for this session.
    Width,
    Enable,
    Disable,
    Configure,
    /// Leaves a section, a mode, or the session.
    Exit,
    /// Leaves the configuration.
    End,
    /// Ends the session.
    Logout,
    /// A line of the configuration.
    Set,
    /// A section of the configuration, with the name of its mode.
    Enter(&'static str),
    /// Something of the platform's own.
    Special(&'static str),
}

/// What a command that prints may look at.
pub(crate) struct View<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) seat: &'a Seat,
    pub(crate) words: &'a [String],
}

/// What follows a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Prompt,
    Logout,
}

/// What one session remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seat {
    pub(crate) privileged: bool,
    pub(crate) configuring: bool,
    /// The sections that it stands in, with their modes.
    pub(crate) path: Vec<(String, &'static str)>,
    /// Lines on a page, as the user set them; 0 is no pages.
    pub(crate) length: Option<usize>,
    /// A candidate of this session's own, and what was changed in it.
    pub(crate) candidate: Option<Tree>,
    pub(crate) changes: Vec<Change>,
    /// The generation of the configuration that the candidate began with.
    pub(crate) based: u64,
    pub(crate) user: String,
    /// A line without a terminal: nothing is asked.
    pub(crate) batch: bool,
}

impl Seat {
    /// The mode of the section that it stands in; empty at the top of the configuration.
    pub(crate) fn mode(&self) -> &'static str {
        self.path.last().map_or("", |(_, mode)| mode)
    }

    /// The lines of the sections that it stands in.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.path.iter().map(|(line, _)| line.clone()).collect()
    }
}

/// One change of a configuration, as it was typed.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The sections that it is in.
    pub(crate) path: Vec<String>,
    pub(crate) line: String,
    /// How many words identify the line; `None`: it opens a section.
    pub(crate) key: Option<usize>,
    /// `no` stood before it.
    pub(crate) off: bool,
    /// The `no` stays as a line of its own.
    pub(crate) stays: bool,
}

impl Change {
    /// Makes the change.
    pub(crate) fn make(&self, tree: &mut Tree) {
        let Self { path, line, .. } = self;
        match (self.off, self.key) {
            (true, _) => {
                tree.remove(path, line);
                if self.stays {
                    tree.set(path, &format!("no {line}"), line.split(' ').count() + 1);
                }
            }
            (false, None) => tree.enter(path, line),
            (false, Some(key)) => {
                tree.remove(path, &format!("no {line}"));
                tree.set(path, line, key);
            }
        }
    }
}

/// One platform's way with the common command line.
#[async_trait]
pub(crate) trait Dialect: Send + Sync {
    fn machine(&self) -> &Machine;

    fn style(&self) -> Style;

    fn pager(&self) -> Pager;

    /// Lines on a page while the user did not say.
    fn rows(&self, _: &Terminal) -> usize {
        24
    }

    /// Characters in a line while the user did not say.
    fn columns(&self, terminal: &Terminal) -> usize {
        terminal.columns
    }

    /// What comes before the first prompt.
    fn greeting(&self, terminal: &Terminal) -> String;

    /// Questions before the first prompt. False: the user is sent away.
    async fn welcome(&self, _: &mut Terminal) -> Result<bool, Gone> {
        Ok(true)
    }

    fn prompt(&self, seat: &Seat) -> String;

    /// The commands of user or privileged mode.
    fn commands(&self, privileged: bool) -> &Grammar<Do>;

    /// The lines of a mode of the configuration; empty: its top.
    fn lines(&self, mode: &str) -> Option<&Grammar<Do>>;

    /// What is said to a line that means nothing.
    fn refuse(&self, seat: &Seat, line: &str, refusal: &Refusal) -> String;

    /// What is said before each output.
    fn before(&self, _: &Seat) -> String {
        String::new()
    }

    /// What is said on entering the configuration.
    fn entering(&self) -> &'static str {
        "Enter configuration commands, one per line.  End with CNTL/Z.\n"
    }

    /// A filter, by what stands behind the `|`. An error is what is said.
    fn filter(&self, text: &str) -> Result<Filter, String>;

    /// Whether a `no` stays in the configuration as a line of its own.
    fn keeps_no(&self, _: &[String]) -> bool {
        false
    }

    /// What is wrong with a line of the configuration that its words do not show. An error is what is said.
    fn judge(&self, _: &Seat, _: &Meant<Do>) -> Result<(), String> {
        Ok(())
    }

    /// Asks for the password of privileged mode. True: it was right.
    async fn enable(&self, terminal: &mut Terminal) -> Result<bool, Gone>;

    /// Leaves the configuration; false: the user stays in it.
    async fn leave(&self, seat: &mut Seat, _: &mut Terminal) -> Result<bool, Gone> {
        seat.configuring = false;
        seat.path.clear();
        Ok(true)
    }

    /// Before the session ends. False: it goes on.
    async fn logout(&self, _: &mut Seat, _: &mut Terminal) -> Result<bool, Gone> {
        Ok(true)
    }

    /// Does something of the platform's own.
    async fn special(
        &self,
        what: &'static str,
        meant: &Meant<Do>,
        seat: &mut Seat,
        terminal: &mut Terminal,
    ) -> Result<Next, Gone>;

    /// What is said to a session in which nothing was typed for too long.
    fn idle(&self) -> &'static str {
        "\n"
    }

    /// Whether ctrl-c leaves the configuration.
    fn interrupt_leaves(&self) -> bool {
        false
    }
}
