//! Into the configuration mode, and what becomes of lines that wait for a commit.

use super::exchange::Wants;
use super::{COMMIT, Work};
use crate::direct::failure::{Failure, quoted};
use crate::direct::platform::Candidate;
use crate::direct::prompt::Mode;
use crate::direct::terminal::Heard;
use crate::job::ErrorCode;

impl Work<'_> {
    pub(super) fn enter(&mut self, ways: &[&str]) -> Result<(), Failure> {
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
                    if !is_unknown(&said) {
                        return Err(refused);
                    }
                }
                Heard::Silence | Heard::Cut => return Err(self.terminal.no_prompt(self.silence)),
            }
        }
        Err(refused)
    }

    /// Commits what was entered, or takes it back.
    pub(super) fn settle(&mut self, candidate: Option<Candidate>) -> Result<(), Failure> {
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

    pub(super) fn discard(&mut self, candidate: Candidate) -> Result<(), Failure> {
        self.stand()?;
        let Some(all) = candidate.discard else { return Ok(()) };
        let own = self.of_own(candidate.shared.map(|own| own.discard));
        let (_, said) = self.first_known(own, all, "taken back")?;
        if candidate.shared.is_some()
            && let Some(error) = self.refused(all, &said)
        {
            let why =
                format!("The lines could not be taken back and wait in the candidate: {}.", quoted(&error));
            return Err(Failure::new(ErrorCode::SshError, why).for_good());
        }
        Ok(())
    }

    /// The line for the own user's changes.
    fn of_own(&self, line: Option<&str>) -> Option<String> {
        Some(format!("{} {}", line?, self.terminal.user()?))
    }

    /// Types the line for the own changes, or where that is not granted or not known the one for all of them. Says then
    /// that others' changes were `done` as well.
    fn first_known(
        &mut self,
        own: Option<String>,
        all: &str,
        done: &str,
    ) -> Result<(Heard<Wants>, String), Failure> {
        let Some(own) = own else { return self.exchange(all, COMMIT) };
        match self.exchange(&own, COMMIT) {
            Err(failure) if failure.code == ErrorCode::Denied => {}
            Ok((Heard::Said(Wants::Prompt(_)), said)) if is_unknown(&said) => {}
            other => return other,
        }
        let exchanged = self.exchange(all, COMMIT)?;
        self.warn(format!(
            "{} is not there, or not granted: with {} what other administrators had changed and not committed was {done} \
             with it.",
            quoted(&own),
            quoted(all)
        ));
        Ok(exchanged)
    }

    pub(super) fn commit(&mut self, candidate: Candidate) -> Result<(), Failure> {
        self.unsure = true;
        let own = self.of_own(candidate.shared.map(|own| own.commit));
        let exchanged = self.first_known(own, candidate.commit, "committed");
        let (mut heard, mut said) = exchanged.map_err(|failure| {
            // What was not typed did not begin.
            self.unsure = failure.code != ErrorCode::Denied;
            match self.unsure {
                true => failure.and("Whether the commit took place is not known."),
                false => failure,
            }
        })?;
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
        self.unsure = false;
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
}

/// Whether a device does not know a line.
fn is_unknown(said: &str) -> bool {
    let words = ["syntax error", "invalid syntax", "unknown command", "% invalid"];
    let said = said.to_lowercase();
    words.iter().any(|words| said.contains(words))
}
