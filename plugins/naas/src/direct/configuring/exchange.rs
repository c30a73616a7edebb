//! One line, and what the device says to it.

use std::time::Duration;

use fleetgate_sdk::ssh::Key;

use super::Work;
use crate::direct::asking;
use crate::direct::echo::without_echo;
use crate::direct::failure::{Failure, quoted};
use crate::direct::prompt::Prompt;
use crate::direct::terminal::{Heard, SETTLE, THINKING};

/// So long a device is silent in the middle of a text that it takes line by line.
const TEXT: Duration = Duration::from_millis(500);
/// So long it is silent after the prompt of another name: the name was changed just now.
const RENAMED: Duration = Duration::from_secs(2);

/// What a device waits for after a line.
pub(super) enum Wants {
    Prompt(Prompt),
    /// The next line of a text, as in a banner.
    Text,
    Password,
    Word(String),
}

impl Work<'_> {
    /// What the device said since the last time becomes part of the transcript. Returns it.
    pub(super) fn note(&mut self) -> String {
        let said = self.terminal.take();
        self.transcript.push_str(&said);
        said
    }

    /// Types a line and waits for the prompt or a question.
    pub(super) fn exchange(
        &mut self,
        line: &str,
        silence: Duration,
    ) -> Result<(Heard<Wants>, String), Failure> {
        self.terminal.clear_line()?;
        let before = self.terminal.line();
        let typing = |error| Failure::of(&error, &format!("Typing {}", quoted(line)));
        self.terminal.type_line(line).map_err(typing)?;
        self.at_prompt = false;
        self.listen(line, &before, silence)
    }

    /// Waits for the prompt or a question, and returns what was said to the line.
    pub(super) fn listen(
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
            self.at_prompt = true;
            self.remember(prompt);
        }
        let written = self.note();
        Ok((heard, without_echo(&written, before, line).to_owned()))
    }

    /// A configuration mode may show the name's beginning alone, which is no new name.
    pub(super) fn remember(&mut self, prompt: &Prompt) {
        let host = self.terminal.host().to_owned();
        let prompt = match prompt.is_of(&host, self.platform.shown) {
            true => Prompt { host, mode: prompt.mode },
            false => prompt.clone(),
        };
        self.terminal.met(&prompt);
    }

    /// Leaves a question or a text. What comes of it is seen when the mode is left.
    pub(super) fn back(&mut self) {
        let prompt = self.terminal.prompt();
        if self.terminal.press(Key::CtrlC).is_ok()
            && let Ok(Heard::Said(prompt)) =
                self.terminal.hear(THINKING, |screen| Some((prompt(screen)?, SETTLE)))
        {
            self.at_prompt = true;
            self.remember(&prompt);
        }
        self.note();
    }

    /// Makes sure that what is typed next is no answer to anything.
    pub(super) fn stand(&mut self) -> Result<(), Failure> {
        if !self.at_prompt {
            self.back();
        }
        match self.at_prompt {
            true => Ok(()),
            false => Err(self.terminal.no_prompt(THINKING)),
        }
    }
}

/// `Enter TEXT message.  End with the character '#'.` (IOS, NX-OS), `Type 'EOF' on its own line to end.` (EOS).
fn takes_text(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.starts_with("enter text message") || line.ends_with("on its own line to end.")
}
