//! A command, and what the device says to it.

use std::time::Duration;

use fleetgate_sdk::call;
use fleetgate_sdk::ssh::{Chunk, Key, SshError};

use super::hearing::READ;
use super::{Heard, Reply, SETTLE, THINKING, Terminal};
use crate::direct::asking;
use crate::direct::echo::{split_at_echo, without_echo};
use crate::direct::failure::{Failure, quoted};
use crate::direct::prompt::Prompt;
use crate::direct::syslog;
use crate::job::ErrorCode;

/// So long a device is silent after a prompt without the echo of what was typed.
const SETTLE_UNSEEN: Duration = Duration::from_secs(2);
/// How long, and for how many bytes, an answer that is cut off is waited for.
const DRAIN: (Duration, usize) = (Duration::from_secs(10), 16 << 20);
/// The end of what is drained is looked at.
const TAIL: usize = 4 << 10;

impl Terminal {
    /// Types a command and reads its answer.
    pub fn run(&mut self, command: &str, silence: Duration) -> Result<Reply, Failure> {
        self.clear_line()?;
        let before = self.screen.line();
        self.screen.take();
        let typing = |error: SshError| Failure::of(&error, &format!("Typing {}", quoted(command)));
        self.type_line(command).map_err(typing)?;
        self.reply(command, &before, silence)
    }

    /// Reads the answer to a command. `before`: the line in which it was typed.
    fn reply(&mut self, command: &str, before: &str, silence: Duration) -> Result<Reply, Failure> {
        enum Waits {
            AtPrompt(Prompt),
            ForAnAnswer(String),
        }
        let prompt = self.prompt();
        let heard = self.hear(silence, |screen| {
            if let Some(prompt) = prompt(screen) {
                let seen = split_at_echo(screen.text(), before, command).is_some();
                return Some((Waits::AtPrompt(prompt), if seen { SETTLE } else { SETTLE_UNSEEN }));
            }
            let line = screen.line();
            let asks = asking::question(&line) || asking::password(&line);
            asks.then_some((Waits::ForAnAnswer(line), THINKING))
        })?;
        let cut = match heard {
            Heard::Said(Waits::AtPrompt(prompt)) => {
                self.mode = prompt.mode;
                false
            }
            Heard::Said(Waits::ForAnAnswer(line)) => {
                self.press(Key::CtrlC)?;
                let why =
                    format!("The device waits for an answer to {}; the command was left.", quoted(&line));
                return Err(Failure::new(ErrorCode::ReadTimeout, why).for_good());
            }
            Heard::Silence => return Err(self.no_prompt(silence)),
            Heard::Cut => {
                self.gone = !self.interrupt()?;
                true
            }
        };
        let written = self.screen.take();
        let (late, _) = split_at_echo(&written, before, command).unwrap_or_default();
        let text = &written[late.len()..];
        Ok(Reply { text: self.tidy(text, before, command), late: late.trim_matches('\n').to_owned(), cut })
    }

    /// The failure of a device that said nothing for so long.
    pub fn no_prompt(&self, silence: Duration) -> Failure {
        let why = format!(
            "The device did not come back to its prompt: nothing came for {} seconds. It said last: {}.",
            silence.as_secs(),
            quoted(&self.last_words())
        );
        Failure::new(ErrorCode::ReadTimeout, why)
    }

    /// Stops an answer that is too long. False: the prompt did not come back, and nothing more can be typed.
    fn interrupt(&mut self) -> Result<bool, Failure> {
        if self.gone {
            return Ok(false);
        }
        let page = asking::pager(&self.screen.line()).is_some();
        let key = if page { Key::Q } else { Key::CtrlC };
        match self.send(key) {
            Ok(()) => {}
            // The device talked faster than it was read, and the host closed the terminal: what was read is there.
            Err(error) if error.is("output-limit") || error.is("closed") => return Ok(false),
            Err(error) => return Err(Failure::of(&error, "Stopping an answer that is too long")),
        }
        let kept = self.screen.take();
        let prompt = self.prompt();
        let (begin, mut bytes) = (call::deadline(), 0);
        let mut back = false;
        while bytes < DRAIN.1 && begin.saturating_sub(call::deadline()) < DRAIN.0 {
            let waits = self.screen.is_short() && bytes > 0 && prompt(&self.screen).is_some();
            let patience = if waits { SETTLE } else { DRAIN.0 };
            match self.shell().and_then(|shell| shell.read(READ, patience)) {
                Ok(Chunk::Data(data)) => {
                    bytes += data.len();
                    self.screen.feed(&data[data.len().saturating_sub(TAIL)..]);
                    self.screen.take();
                }
                Ok(Chunk::TimedOut) => {
                    back = waits;
                    break;
                }
                Ok(Chunk::Closed) => break,
                Err(error) if error.is("cancelled") => return Err(Failure::of(&error, "Reading")),
                Err(_) => break,
            }
        }
        // What was kept is what is given back, and the limit counts anew.
        self.screen.restore(kept);
        Ok(back)
    }

    /// Takes the echo and the prompt's companions off, and prompts that messages of the device's own stand behind.
    pub fn tidy(&self, written: &str, before: &str, command: &str) -> String {
        let mut text = without_echo(written, before, command).trim_start_matches('\n').trim_end();
        let mut rest = text;
        while let Some((before, last)) =
            (!rest.is_empty()).then(|| rest.rsplit_once('\n').unwrap_or(("", rest)))
        {
            match last {
                last if self.is_left_prompt(last) => text = before.trim_end(),
                last if last.trim().is_empty() || syslog::is_message(last) => {}
                _ => break,
            }
            rest = before;
        }
        loop {
            let (rest, last) = text.rsplit_once('\n').unwrap_or(("", text));
            if text.is_empty() || !(self.platform.companion)(last) {
                return text.to_owned();
            }
            text = rest.trim_end();
        }
    }
}
