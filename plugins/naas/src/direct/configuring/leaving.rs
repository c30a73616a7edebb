//! Out of the configuration mode, and the configuration kept over a restart.

use fleetgate_sdk::ssh::Key;

use super::exchange::Wants;
use super::{COMMIT, Work};
use crate::direct::failure::{Failure, quoted};
use crate::direct::platform::{Answer, Config};
use crate::direct::prompt::Mode;
use crate::direct::terminal::Heard;
use crate::job::ErrorCode;

/// Lines that leave the mode, at most: one for each level.
const LEVELS: usize = 8;

impl Work<'_> {
    pub(super) fn leave(&mut self, line: &str, questions: &[(&str, Answer)]) -> Result<(), Failure> {
        self.stand()?;
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
    pub(super) fn asked(&self, question: &str) -> String {
        let tail: Vec<_> = self.transcript.lines().rev().take(4).collect();
        format!("{} {question}", tail.into_iter().rev().collect::<Vec<_>>().join(" "))
    }

    pub(super) fn step_out(&mut self, line: &str) -> Result<Heard<Wants>, Failure> {
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
    pub(super) fn leave_blocks(&mut self, abort: &str) -> Result<bool, Failure> {
        let mut open = false;
        for _ in 0..LEVELS {
            if self.terminal.mode() != Mode::Config {
                return Ok(open);
            }
            open = true;
            let (_, said) = self.exchange(abort, self.silence)?;
            // Where there is nothing to abort: a part of the device, and no block (`config global`).
            if self.terminal.mode() == Mode::Config && self.refused(abort, &said).is_some() {
                self.exchange("end", self.silence)?;
            }
        }
        Err(Failure::new(ErrorCode::SshError, "The open block of the configuration could not be left."))
    }

    pub(super) fn save(&mut self) -> Result<(), Failure> {
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
}

fn not_saved(failure: Failure) -> Failure {
    let why = format!("All lines were applied, but the configuration was not saved. {}", failure.message);
    Failure { message: why, ..failure }
}
