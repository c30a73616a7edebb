//! The lines themselves.

use fleetgate_sdk::call;

use super::exchange::Wants;
use super::{HIDDEN, Work};
use crate::direct::failure::{Failure, quoted};
use crate::direct::platform::{Config, ERRORS};
use crate::direct::prompt::Mode;
use crate::direct::syslog;
use crate::direct::terminal::Heard;
use crate::job::ErrorCode;

/// Remarks of the device's that are passed on, at most.
const REMARKS: usize = 20;

impl Work<'_> {
    /// Enters all lines.
    pub(super) fn lines(&mut self) -> Result<(), Failure> {
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
                (heard, said) = self.exchange(answer, self.silence).map_err(|failure| match hidden {
                    true => Failure {
                        message: "A password that was asked for was not taken.".to_owned(),
                        ..failure
                    },
                    false => failure,
                })?;
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

    /// What in an answer shows that the line was refused, as the device wrote it.
    pub(super) fn refused(&mut self, line: &str, said: &str) -> Option<String> {
        // `%PLATFORM-3-ERROR: …` is no answer to the line.
        let said: String = said
            .lines()
            .filter(|said| !syslog::is_message(said))
            .fold(String::new(), |said, line| said + line + "\n");
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
}

/// Whether a line may be meant as an answer to a question of one word.
fn is_answer(line: &str) -> bool {
    let line = line.trim();
    ["y", "n", "yes", "no", "confirm"].contains(&line.to_lowercase().as_str())
        || !line.is_empty() && line.chars().all(|c| c.is_ascii_digit())
}

/// `commit`, `commit and-quit`; not `commit check`, which only looks.
fn commits(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("commit") && words.next() != Some("check")
}

fn rejected(line: &str, error: &str) -> Failure {
    let why = format!("Invalid input detected at command: {line}, matched error: {error}.");
    Failure::new(ErrorCode::ConfigRejected, why)
}
