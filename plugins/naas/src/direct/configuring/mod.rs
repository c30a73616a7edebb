//! Lines of configuration: entered one by one, each answer looked at, and nothing left half-way.
//!
//! A line that the device refuses ends it. What came before stays on platforms where lines take effect at once, and is
//! taken back where they wait for a commit; the result says which. Before a configuration mode is entered, what leaves
//! it is left with the host, which types it when this job ends in the middle.

mod exchange;
mod leaving;
mod lines;
mod stages;

use std::time::Duration;

use super::failure::{Failure, quoted};
use super::platform::{Answer, Config, Platform};
use super::prompt::Mode;
use super::session::Session;
use super::terminal::Terminal;
use crate::job::{DeviceJob, ErrorCode, Progress};

/// What is kept of the whole transcript, in bytes.
const MOST: usize = 8 << 20;
/// How long a commit, and keeping the configuration, may take without a word.
const COMMIT: Duration = Duration::from_secs(180);

/// What is shown instead of an answer to a question for a password.
const HIDDEN: &str = "(not shown)";

/// What came of it.
#[derive(Debug, Default)]
pub struct Configured {
    /// All that the device said, from the first line to the last.
    pub transcript: String,
    /// Which lines took effect. Only where one was refused.
    pub progress: Option<Progress>,
    /// Why it ended early.
    pub failure: Option<Failure>,
}

struct Work<'s> {
    terminal: &'s mut Terminal,
    platform: &'static Platform,
    job: &'s DeviceJob,
    silence: Duration,
    warnings: &'s mut Vec<String>,
    transcript: String,
    /// The lines so far, without answers to questions for passwords.
    sent: Vec<String>,
    /// How many of them the device took, to the end of the block that they stand in.
    taken: usize,
    /// The device takes a text line by line.
    in_text: bool,
    /// It waits for the next line, and not for the answer to a question.
    at_prompt: bool,
    /// How many of them were committed, where they wait for that.
    committed: usize,
    /// A commit was begun, and nobody knows its end.
    unsure: bool,
}

/// Enters the job's lines.
pub fn run(session: &mut Session<'_>, warnings: &mut Vec<String>) -> Result<Configured, Failure> {
    if session.terminal.mode() == Mode::User && session.terminal.platform().enable.is_some() {
        let why = session.unprivileged.take().unwrap_or_default();
        let failure =
            Failure::new(ErrorCode::SshError, format!("Failed to enter configuration mode: {why}."));
        return Err(failure.for_good());
    }
    let (job, silence, platform) = (session.job, session.silence, session.terminal.platform());
    let terminal = &mut session.terminal;
    terminal.limit(MOST);
    let mut work = Work {
        terminal,
        platform,
        job,
        silence,
        warnings,
        transcript: String::new(),
        sent: Vec::new(),
        taken: 0,
        in_text: false,
        at_prompt: true,
        committed: 0,
        unsure: false,
    };
    let failure = work.whole().err();
    let transcript = work.transcript.trim().to_owned();
    let (progress, failure) = match failure {
        Some(failure) if !work.unsure => {
            let progress = work.progress();
            let failure = summed_up(failure, &progress, job.commands.len(), work.waits());
            (Some(progress), Some(failure))
        }
        failure => (None, failure),
    };
    Ok(Configured { transcript, progress, failure })
}

impl Work<'_> {
    fn whole(&mut self) -> Result<(), Failure> {
        match self.platform.config {
            Config::AtOnce => self.lines()?,
            Config::Blocks { abort } => {
                self.terminal
                    .on_close(&[&[Answer::Line(abort), Answer::Line(abort), Answer::Line(abort)], &[]])?;
                let entered = self.lines();
                let left_open = self.stand().and_then(|()| self.leave_blocks(abort));
                if left_open.is_ok() {
                    self.terminal.nothing_on_close();
                }
                entered?;
                if left_open? {
                    self.warn(format!(
                        "The lines end within a block; what stands in it took no effect ({}). End it with `end`.",
                        quoted(abort)
                    ));
                }
            }
            Config::Mode { enter, leave, questions, on_close, candidate } => {
                self.terminal.on_close(on_close)?;
                if let Err(failure) = self.enter(enter) {
                    // Where the device stands outside, nothing has to be left.
                    if matches!(failure.code, ErrorCode::SshError | ErrorCode::Denied) {
                        self.terminal.nothing_on_close();
                    }
                    return Err(failure);
                }
                let mut entered = self.lines();
                let mut left = self.stand();
                // A line may have left the mode itself.
                if left.is_ok() && self.terminal.mode() == Mode::Config {
                    match (&entered, candidate) {
                        (Ok(()), _) => entered = self.settle(candidate),
                        // Best effort: what is not taken back here is when the mode is left.
                        (Err(_), Some(candidate)) => drop(self.discard(candidate)),
                        (Err(_), None) => {}
                    }
                    left = self.leave(leave, questions);
                }
                if left.is_ok() {
                    self.terminal.nothing_on_close();
                }
                entered?;
                left?;
            }
        }
        self.save()
    }

    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Whether lines wait for a commit.
    fn waits(&self) -> bool {
        matches!(self.platform.config, Config::Mode { candidate: Some(_), .. })
    }

    /// Which lines took effect, for a result that says that not all did.
    fn progress(&self) -> Progress {
        let applied = if self.waits() { self.committed } else { self.taken };
        let all = &self.job.commands;
        let rejected = self.sent[self.taken..].last().cloned();
        let mut not_sent = all[self.sent.len().min(all.len())..].to_vec();
        // After a password comes the same again.
        if let (Some(next), Some(HIDDEN)) = (not_sent.first_mut(), rejected.as_deref()) {
            *next = HIDDEN.to_owned();
        }
        Progress { applied: self.sent[..applied].to_vec(), rejected, not_sent }
    }
}

/// Says what of `all` lines took effect. `waits`: lines wait for a commit, and one that was only entered had none.
pub fn summed_up(failure: Failure, progress: &Progress, all: usize, waits: bool) -> Failure {
    let (applied, left) = (progress.applied.len(), progress.not_sent.len());
    let lost =
        [ErrorCode::ReadTimeout, ErrorCode::ConnectionLost, ErrorCode::Unknown].contains(&failure.code);
    let mut said = match applied {
        0 => "None of the lines took effect".to_owned(),
        applied => format!("{applied} of the {all} lines took effect and stay"),
    };
    if let Some(line) = progress.rejected.as_ref().filter(|_| lost && !waits) {
        said.push_str(&format!("; whether {} did is not known", quoted(line)));
    }
    if left > 0 {
        said.push_str(&format!("; {left} of them were not sent"));
    }
    failure.and(said + ".")
}
