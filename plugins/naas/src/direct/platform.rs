//! What a platform is: everything in which one kind of device differs from the others.
//!
//! Most of it is data; each platform has a file of its own. The facts are those of Netmiko 4.8 and of the vendors'
//! command references.

use fleetgate_sdk::ssh::{Key, LineEnd, Step};

use super::platforms;
use super::prompt::Prompt;

/// One kind of device. All but Linux, whose commands need no terminal.
#[derive(Debug, Clone, Copy)]
pub struct Platform {
    /// Its Netmiko device type.
    pub name: &'static str,
    /// What Enter sends.
    pub line_end: LineEnd,
    /// A carriage return alone ends a line.
    pub return_ends_lines: bool,
    /// Reads a line as a prompt.
    pub prompt: fn(&str) -> Option<Prompt>,
    /// So much of a long name is seen in configuration modes.
    pub shown: usize,
    /// Added to the user's name that the call gives, for a terminal without colours and pages.
    pub user_suffix: &'static str,
    /// What the device may say before its first prompt (a part of the line), and what is answered.
    pub greetings: &'static [(&'static str, Answer)],
    /// Leaves an operating system's shell for the device's own.
    pub from_shell: Option<&'static str>,
    /// Asks for the privileged level.
    pub enable: Option<&'static str>,
    /// Lines that make the terminal wide, and pages endless. What a device does not take of these is no failure:
    /// pages are turned where they come.
    pub terminal: &'static [&'static str],
    /// Lines that a prompt brings along: `[edit]`, `{master:0}`.
    pub companion: fn(&str) -> bool,
    /// How it is configured.
    pub config: Config,
    /// In what an answer to a line of configuration shows that it was refused, beside [`ERRORS`]. Lower case.
    pub errors: &'static [&'static str],
    /// How the running configuration is kept over a restart. None: it is, or by other means.
    pub save: Option<&'static str>,
}

/// What is typed as an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A key.
    Key(Key),
    /// A line.
    Line(&'static str),
}

/// How a platform is configured.
#[derive(Debug, Clone, Copy)]
pub enum Config {
    /// Each line takes effect where it is typed.
    AtOnce,
    /// As [`Config::AtOnce`], in nested blocks; one that was not ended is left without effect by this line.
    Blocks {
        /// `abort`
        abort: &'static str,
    },
    /// In a mode.
    Mode {
        /// Lines that enter it: the first that the device knows.
        enter: &'static [&'static str],
        /// The line that leaves it.
        leave: &'static str,
        /// Questions on the way out (a part of the line), and the answers.
        questions: &'static [(&'static str, Answer)],
        /// What the host types when the job ended in the middle: the first of these that is granted.
        on_close: &'static [&'static [Answer]],
        /// Nothing takes effect before it is committed.
        candidate: Option<Candidate>,
    },
}

/// A configuration that waits for its commit.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Commits it.
    pub commit: &'static str,
    /// In what the device says after a commit that took place; lower case. None: whatever is no failure.
    pub committed: Option<&'static str>,
    /// Takes the changes back. None: leaving the mode does.
    pub discard: Option<&'static str>,
    /// Shows why a commit failed.
    pub explain: Option<&'static str>,
    /// Where it is one for all users: how somebody commits and takes back the own changes alone.
    pub shared: Option<OwnChanges>,
}

/// Lines for the changes of one user in a candidate that all users share. The user's name goes behind them, as it stands
/// in the prompt.
#[derive(Debug, Clone, Copy)]
pub struct OwnChanges {
    /// As [`Candidate::commit`].
    pub commit: &'static str,
    /// As [`Candidate::discard`].
    pub discard: &'static str,
}

impl Platform {
    /// What is typed when a job ends in the middle, best first: with the own changes alone, where there is such a thing.
    pub fn steps_out(&self, on_close: &[&[Answer]], user: Option<&str>) -> Vec<Vec<Step>> {
        let own = match self.config {
            Config::Mode {
                candidate: Some(Candidate { discard: Some(all), shared: Some(own), .. }), ..
            } => user.map(|user| (all, format!("{} {user}", own.discard))),
            _ => None,
        };
        let steps = |own: Option<&(&str, String)>| -> Vec<Vec<Step>> {
            let step = |answer: &Answer| match (answer, own) {
                (Answer::Key(key), _) => Step::Key(*key),
                (Answer::Line(line), Some((all, own))) if line == all => Step::Line(own.clone()),
                (Answer::Line(line), _) => Step::Line((*line).to_owned()),
            };
            on_close.iter().map(|steps| steps.iter().map(step).collect()).collect()
        };
        let mut alternatives = own.as_ref().map(|own| steps(Some(own))).unwrap_or_default();
        alternatives.extend(steps(None));
        alternatives
    }
}

/// Where an answer to a line of configuration holds one of these, the line was refused: NAAS's pattern. Lower case.
pub const ERRORS: [&str; 7] =
    ["% invalid", "% incomplete", "% ambiguous", "% error", "error:", "invalid input", "syntax error"];

/// Ctrl-C first: it ends a page, a question and a half-typed line.
pub const CTRL_C: Answer = Answer::Key(Key::CtrlC);

/// The platform of this name.
pub fn find(name: &str) -> Option<&'static Platform> {
    platforms::ALL.iter().copied().find(|platform| platform.name == name)
}
