//! Lines of configuration: entered one by one, each answer looked at, and nothing left half-way.
//!
//! A line that the device refuses ends it. What came before stays on platforms where lines take effect at once, and is
//! taken back where they wait for a commit; the result says which. Before a configuration mode is entered, what leaves
//! it is left with the host, which types it when this job ends in the middle.

use std::time::Duration;

use fleetgate_sdk::call;
use fleetgate_sdk::ssh::Key;

use super::asking;
use super::failure::{Failure, quoted};
use super::platform::{Answer, Candidate, Config, ERRORS, Platform};
use super::prompt::{Mode, Prompt};
use super::session::Session;
use super::terminal::{Heard, SETTLE, THINKING, Terminal, without_echo};
use crate::job::{DeviceJob, ErrorCode, Progress};

/// What is kept of the whole transcript, in bytes.
const MOST: usize = 8 << 20;
/// So long a device is silent in the middle of a text that it takes line by line.
const TEXT: Duration = Duration::from_millis(500);
/// So long it is silent after the prompt of another name: the name was changed just now.
const RENAMED: Duration = Duration::from_secs(2);
/// How long a commit, and keeping the configuration, may take without a word.
const COMMIT: Duration = Duration::from_secs(180);
/// Lines that leave the mode, at most: one for each level.
const LEVELS: usize = 8;
/// Remarks of the device's that are passed on, at most.
const REMARKS: usize = 20;
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

/// What a device waits for after a line.
enum Wants {
    Prompt(Prompt),
    /// The next line of a text, as in a banner.
    Text,
    Password,
    Word(String),
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
    /// How many of them were committed, where they wait for that.
    committed: usize,
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
        committed: 0,
    };
    let failure = work.whole().err();
    let progress = failure.as_ref().map(|_| work.progress());
    Ok(Configured { transcript: work.transcript.trim().to_owned(), progress, failure })
}

impl Work<'_> {
    fn whole(&mut self) -> Result<(), Failure> {
        match self.platform.config {
            Config::AtOnce => self.lines()?,
            Config::Blocks { abort } => {
                self.terminal
                    .on_close(&[&[Answer::Line(abort), Answer::Line(abort), Answer::Line(abort)], &[]])?;
                let entered = self.lines();
                let left_open = self.leave_blocks(abort)?;
                self.terminal.nothing_on_close();
                entered?;
                if left_open {
                    self.warn(format!(
                        "The lines end within a block; what stands in it took no effect ({}). End it with `end`.",
                        quoted(abort)
                    ));
                }
            }
            Config::Mode { enter, leave, questions, on_close, candidate } => {
                self.terminal.on_close(on_close)?;
                self.enter(enter)?;
                let mut entered = self.lines();
                let mut left = Ok(());
                // A line may have left the mode itself.
                if self.terminal.mode() == Mode::Config {
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

    /// What the device said since the last time becomes part of the transcript. Returns it.
    fn note(&mut self) -> String {
        let said = self.terminal.take();
        self.transcript.push_str(&said);
        said
    }

    /// Types a line and waits for the prompt or a question.
    fn exchange(&mut self, line: &str, silence: Duration) -> Result<(Heard<Wants>, String), Failure> {
        self.terminal.clear_line()?;
        let before = self.terminal.line();
        let typing = |error| Failure::of(&error, &format!("Typing {}", quoted(line)));
        self.terminal.type_line(line).map_err(typing)?;
        self.listen(line, &before, silence)
    }

    /// Waits for the prompt or a question, and returns what was said to the line.
    fn listen(
        &mut self,
        line: &str,
        before: &str,
        silence: Duration,
    ) -> Result<(Heard<Wants>, String), Failure> {
        let known = self.terminal.prompt();
        let (read, in_text) = (self.platform.prompt, self.in_text);
        let heard = self.terminal.hear(silence, |screen| {
            if let Some(prompt) = known(screen) {
                return Some((Wants::Prompt(prompt), SETTLE));
            }
            let line = screen.line();
            if let Some(prompt) = read(&line) {
                return Some((Wants::Prompt(prompt), RENAMED));
            }
            if asking::password(&line) {
                return Some((Wants::Password, TEXT));
            }
            if asking::question(&line) {
                return Some((Wants::Word(line), TEXT));
            }
            // `>`: a quotation that is not closed yet (FortiOS).
            let text = line == ">" || line.is_empty() && (in_text || takes_text(screen.above()));
            text.then_some((Wants::Text, TEXT))
        })?;
        self.in_text = matches!(heard, Heard::Said(Wants::Text));
        if let Heard::Said(Wants::Prompt(prompt)) = &heard {
            self.remember(prompt);
        }
        let written = self.note();
        Ok((heard, without_echo(&written, before, line).to_owned()))
    }

    /// A configuration mode may show the name's beginning alone, which is no new name.
    fn remember(&mut self, prompt: &Prompt) {
        let host = self.terminal.host().to_owned();
        let prompt = match prompt.is_of(&host, self.platform.shown) {
            true => Prompt { host, mode: prompt.mode },
            false => prompt.clone(),
        };
        self.terminal.met(&prompt);
    }

    fn enter(&mut self, ways: &[&str]) -> Result<(), Failure> {
        let mut refused = Failure::new(ErrorCode::SshError, "Failed to enter configuration mode.");
        for (at, way) in ways.iter().enumerate() {
            let (heard, said) = match self.exchange(way, self.silence) {
                Err(failure) if failure.code == ErrorCode::Denied => {
                    refused = failure;
                    continue;
                }
                done => done?,
            };
            match heard {
                Heard::Said(Wants::Prompt(prompt)) if prompt.mode == Mode::Config => {
                    if at > 0 {
                        self.warn(format!(
                            "{} is not there; with {} what others had not committed is part of it.",
                            quoted(ways[0]),
                            quoted(way)
                        ));
                    }
                    return Ok(());
                }
                Heard::Said(_) => {
                    let why =
                        format!("Failed to enter configuration mode. The device said {}.", quoted(&said));
                    refused = Failure::new(ErrorCode::SshError, why);
                    // Whatever else it says, the next way is not meant for it.
                    let unknown = ["syntax error", "unknown command", "% invalid"];
                    if !unknown.iter().any(|words| said.to_lowercase().contains(words)) {
                        return Err(refused);
                    }
                }
                Heard::Silence | Heard::Cut => return Err(self.terminal.no_prompt(self.silence)),
            }
        }
        Err(refused)
    }

    /// Enters all lines.
    fn lines(&mut self) -> Result<(), Failure> {
        let job = self.job;
        let mut lines = job.commands.iter().enumerate();
        while let Some((at, line)) = lines.next() {
            call::progress(at as f64, Some(job.commands.len() as f64), Some(&format!("line {}", at + 1)));
            self.sent.push(line.clone());
            let mut typed = line;
            let (mut heard, mut said) = self.exchange(line, self.silence)?;
            loop {
                if let Some(error) = self.refused(line, &said) {
                    if !matches!(heard, Heard::Said(Wants::Prompt(_))) {
                        self.back();
                    }
                    return Err(rejected(typed, &error));
                }
                let (wanted, word) = match &heard {
                    Heard::Said(Wants::Prompt(_)) => break,
                    Heard::Said(Wants::Text) => ("the rest of the text".to_owned(), false),
                    Heard::Said(Wants::Password) => ("a password".to_owned(), false),
                    Heard::Said(Wants::Word(question)) => {
                        (format!("an answer to {}", quoted(question)), true)
                    }
                    Heard::Silence => return Err(self.terminal.no_prompt(self.silence)),
                    Heard::Cut => {
                        let why = "The device says more than is kept, and was not understood any more.";
                        return Err(Failure::new(ErrorCode::Unknown, why));
                    }
                };
                let Some((_, answer)) = lines.next().filter(|(_, next)| !word || is_answer(next)) else {
                    self.back();
                    let why = format!(
                        "The device wants {wanted} after {}: give it as the next line.",
                        quoted(line)
                    );
                    return Err(Failure::new(ErrorCode::ConfigRejected, why));
                };
                let hidden = matches!(heard, Heard::Said(Wants::Password));
                self.sent.push(if hidden { HIDDEN.to_owned() } else { answer.clone() });
                typed = if hidden { line } else { answer };
                (heard, said) = self.exchange(answer, self.silence)?;
            }
            let (kind, mode) = (self.platform.config, self.terminal.mode());
            // What stands in a block of FortiOS takes effect at its end.
            if !matches!(kind, Config::Blocks { .. }) || mode != Mode::Config {
                self.taken = self.sent.len();
            }
            if matches!(kind, Config::Mode { candidate: Some(_), .. }) && commits(line) {
                self.committed = self.sent.len();
            }
            if matches!(kind, Config::Mode { .. }) && mode != Mode::Config && lines.len() > 0 {
                let why =
                    format!("{} left the configuration mode, so what follows it was not sent.", quoted(line));
                return Err(Failure::new(ErrorCode::ConfigRejected, why));
            }
        }
        Ok(())
    }

    /// Leaves a question or a text. What comes of it is seen when the mode is left.
    fn back(&mut self) {
        let prompt = self.terminal.prompt();
        if self.terminal.press(Key::CtrlC).is_ok()
            && let Ok(Heard::Said(prompt)) =
                self.terminal.hear(THINKING, |screen| Some((prompt(screen)?, SETTLE)))
        {
            self.remember(&prompt);
        }
        self.note();
    }

    /// What in an answer shows that the line was refused, as the device wrote it.
    fn refused(&mut self, line: &str, said: &str) -> Option<String> {
        let lower = said.to_ascii_lowercase();
        // What `do show logging` prints is no answer to the line.
        let shows = line.trim_start().starts_with("do ");
        let patterns = ERRORS.iter().chain(self.platform.errors);
        let found = patterns.filter_map(|pattern| Some((lower.find(pattern)?, pattern.len()))).min();
        if let Some((at, length)) = found
            && (!shows || lower[..at].trim().is_empty())
        {
            return Some(said[at..at + length].trim().to_owned());
        }
        for remark in said.lines().map(str::trim).filter(|said| said.starts_with('%') && !shows) {
            if self.warnings.len() < REMARKS {
                self.warnings.push(format!("To {} the device said {}.", quoted(line), quoted(remark)));
            }
        }
        None
    }

    /// Commits what was entered, or takes it back.
    fn settle(&mut self, candidate: Option<Candidate>) -> Result<(), Failure> {
        let Some(candidate) = candidate else {
            if self.job.commit {
                self.warn(format!("{} has no commit: the lines took effect at once.", self.platform.name));
            }
            return Ok(());
        };
        if self.job.commit {
            self.commit(candidate)?;
            self.committed = self.sent.len();
            return Ok(());
        }
        self.discard(candidate)?;
        self.warn(
            "Nothing took effect: `commit` was not asked for, and the lines were taken back.".to_owned(),
        );
        Ok(())
    }

    fn discard(&mut self, candidate: Candidate) -> Result<(), Failure> {
        if let Some(line) = candidate.discard {
            self.exchange(line, COMMIT)?;
            if let Some(shared) = candidate.shared {
                self.warn(shared.to_owned());
            }
        }
        Ok(())
    }

    fn commit(&mut self, candidate: Candidate) -> Result<(), Failure> {
        let (mut heard, mut said) = self.exchange(candidate.commit, COMMIT)?;
        let mut conflict = false;
        for _ in 0..4 {
            let Heard::Said(Wants::Word(question)) = &heard else { break };
            // It asks whether it is meant; or, where somebody else committed meanwhile, whether it is meant still.
            conflict |= !question.contains("onfirm");
            let (next, more) = self.exchange(if conflict { "no" } else { "y" }, COMMIT)?;
            (heard, said) = (next, said + "\n" + &more);
        }
        match heard {
            Heard::Said(Wants::Prompt(_)) => {}
            _ => {
                return Err(self
                    .terminal
                    .no_prompt(COMMIT)
                    .and("Whether the commit took place is not known."));
            }
        }
        let lower = said.to_ascii_lowercase();
        let failed = ["error:", "commit failed", "failed to", "% failed", "aborted", "validation error"];
        let nothing = lower.contains("no changes to commit") || lower.contains("no configuration changes");
        let done = candidate.committed.is_none_or(|words| lower.contains(words)) || nothing;
        if done && !conflict && !failed.iter().any(|words| lower.contains(words)) {
            return Ok(());
        }
        let mut why = said.trim().to_owned();
        if let Some(explain) = candidate.explain
            && !conflict
            && let Ok((_, more)) = self.exchange(explain, self.silence)
        {
            why = format!("{} {}", more.trim(), why);
        }
        let failure =
            Failure::new(ErrorCode::ConfigRejected, format!("The commit failed: {}.", quoted(&why)));
        // Best effort: what is not taken back here is when the mode is left.
        let _ = self.discard(candidate);
        Err(Failure { retryable: conflict, ..failure })
    }

    fn leave(&mut self, line: &str, questions: &[(&str, Answer)]) -> Result<(), Failure> {
        let mut levels = 0;
        let mut heard = self.step_out(line)?;
        loop {
            match heard {
                Heard::Said(Wants::Prompt(prompt)) if prompt.mode != Mode::Config => return Ok(()),
                Heard::Said(Wants::Prompt(_)) if levels < LEVELS => {
                    levels += 1;
                    heard = self.step_out(line)?;
                }
                Heard::Said(Wants::Word(question)) if levels < LEVELS => {
                    levels += 1;
                    let known = questions.iter().find(|(part, _)| self.asked(&question).contains(part));
                    let Some((_, answer)) = known else { break };
                    let before = self.terminal.line();
                    self.terminal.answer(*answer)?;
                    heard = self.listen("", &before, self.silence)?.0;
                }
                _ => break,
            }
        }
        Err(Failure::new(ErrorCode::SshError, "Failed to leave configuration mode."))
    }

    /// A question may stand in several lines.
    fn asked(&self, question: &str) -> String {
        let tail: Vec<_> = self.transcript.lines().rev().take(4).collect();
        format!("{} {question}", tail.into_iter().rev().collect::<Vec<_>>().join(" "))
    }

    fn step_out(&mut self, line: &str) -> Result<Heard<Wants>, Failure> {
        match self.exchange(line, self.silence) {
            Err(failure) if failure.code == ErrorCode::Denied => {
                let before = self.terminal.line();
                self.terminal.press(Key::CtrlZ)?;
                // The prompt that stands there is the old one.
                self.terminal.wait_for_line();
                Ok(self.listen("", &before, self.silence)?.0)
            }
            done => Ok(done?.0),
        }
    }

    /// Ends the blocks that the lines left open, without effect. Returns whether there were any.
    fn leave_blocks(&mut self, abort: &str) -> Result<bool, Failure> {
        let mut open = false;
        for _ in 0..LEVELS {
            if self.terminal.mode() != Mode::Config {
                return Ok(open);
            }
            open = true;
            self.exchange(abort, self.silence)?;
        }
        Err(Failure::new(ErrorCode::SshError, "The open block of the configuration could not be left."))
    }

    fn save(&mut self) -> Result<(), Failure> {
        if matches!(self.platform.config, Config::AtOnce | Config::Blocks { .. }) && self.job.commit {
            self.warn(format!("{} has no commit: the lines took effect at once.", self.platform.name));
        }
        if !self.job.save_config {
            return Ok(());
        }
        let Some(line) = self.platform.save else {
            self.warn(format!("{} has nothing to save: `save_config` was ignored.", self.platform.name));
            return Ok(());
        };
        let (mut heard, mut said) = self.exchange(line, COMMIT).map_err(not_saved)?;
        for _ in 0..4 {
            let Heard::Said(Wants::Word(question)) = &heard else { break };
            let key = if question.to_lowercase().contains("y/n") { Key::Y } else { Key::Enter };
            let before = self.terminal.line();
            self.terminal.press(key).map_err(not_saved)?;
            self.terminal.wait_for_line();
            let (next, more) = self.listen("", &before, COMMIT).map_err(not_saved)?;
            (heard, said) = (next, said + "\n" + &more);
        }
        let failed = said.lines().find(|line| {
            let line = line.trim().to_ascii_lowercase();
            let words =
                ["failed", "% invalid", "% error", "error:", "not saved", "% not ", "permission denied"];
            words.iter().any(|word| line.contains(word)) || line.starts_with("%error")
        });
        match (heard, failed) {
            (Heard::Said(Wants::Prompt(_)), None) => Ok(()),
            (Heard::Said(_), said) => {
                let why =
                    format!("The device said {}.", quoted(said.unwrap_or("nothing that was understood")));
                Err(not_saved(Failure::new(ErrorCode::SshError, why)))
            }
            _ => Err(not_saved(self.terminal.no_prompt(COMMIT))),
        }
    }

    /// Which lines took effect, for a result that says that not all did.
    fn progress(&self) -> Progress {
        let candidate = matches!(self.platform.config, Config::Mode { candidate: Some(_), .. });
        let applied = if candidate { self.committed } else { self.taken };
        let all = &self.job.commands;
        Progress {
            applied: self.sent[..applied].to_vec(),
            rejected: self.sent[self.taken..].last().cloned(),
            not_sent: all[self.sent.len().min(all.len())..].to_vec(),
        }
    }
}

/// Whether a line may be meant as an answer to a question of one word.
fn is_answer(line: &str) -> bool {
    let line = line.trim();
    ["y", "n", "yes", "no", "confirm"].contains(&line.to_lowercase().as_str())
        || !line.is_empty() && line.chars().all(|c| c.is_ascii_digit())
}

/// `Enter TEXT message.  End with the character '#'.` (IOS, NX-OS), `Type 'EOF' on its own line to end.` (EOS).
fn takes_text(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.starts_with("enter text message") || line.ends_with("on its own line to end.")
}

/// `commit`, `commit and-quit`; not `commit check`, which only looks.
fn commits(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("commit") && words.next() != Some("check")
}

fn rejected(line: &str, error: &str) -> Failure {
    let why = format!("Invalid input detected at command: {line}, matched error: {error}");
    Failure::new(ErrorCode::ConfigRejected, why)
}

fn not_saved(failure: Failure) -> Failure {
    let why = format!("All lines were applied, but the configuration was not saved. {}", failure.message);
    Failure { message: why, ..failure }
}
