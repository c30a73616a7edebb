//! Reading until what is waited for is there, and turning pages on the way.

use std::time::Duration;

use fleetgate_sdk::call;
use fleetgate_sdk::ssh::{Chunk, Key};

use super::{Heard, Terminal};
use crate::direct::asking::{self, Page};
use crate::direct::failure::Failure;
use crate::direct::screen::Screen;
use crate::direct::syslog;
use crate::job::ErrorCode;

/// The most bytes of one read.
pub(super) const READ: u32 = 1 << 20;
/// So long after a message behind the prompt Enter is pressed, which shows the prompt again.
const STRANDED: Duration = Duration::from_secs(3);
/// How many lines are looked at for that.
const LAST: usize = 10;
/// In characters.
const LONGEST_PROMPT: usize = 200;

impl Terminal {
    /// Reads until `accept` finds what it looks for and the device is silent for as long as `accept` says, or until
    /// nothing came for `silence`. Pages are turned meanwhile.
    pub fn hear<T>(
        &mut self,
        silence: Duration,
        mut accept: impl FnMut(&Screen) -> Option<(T, Duration)>,
    ) -> Result<Heard<T>, Failure> {
        let mut nudged = false;
        loop {
            if self.screen.is_cut() || self.gone {
                return Ok(Heard::Cut);
            }
            if self.is_over() {
                return Ok(Heard::Silence);
            }
            let ready = self.screen.is_short() && self.mark.is_none_or(|mark| self.screen.ended() > mark);
            let found = ready.then(|| accept(&self.screen)).flatten();
            if found.is_none() && self.turn_page()? {
                continue;
            }
            let stranded = found.is_none() && !nudged && self.is_stranded();
            let patience = match &found {
                Some((_, settle)) => *settle,
                None if stranded => STRANDED.min(silence),
                None => silence,
            };
            let left = self.stop_at.map_or(patience, |stop| call::deadline().saturating_sub(stop));
            if !self.read(patience.min(left))? {
                match found {
                    Some((found, _)) => return Ok(Heard::Said(found)),
                    None if stranded => {
                        nudged = true;
                        self.shell()
                            .and_then(|shell| shell.send_key(Key::Enter))
                            .map_err(|error| Failure::of(&error, "Asking for the prompt again"))?;
                    }
                    None => return Ok(Heard::Silence),
                }
            }
        }
    }

    /// False: nothing came.
    fn read(&mut self, patience: Duration) -> Result<bool, Failure> {
        match self.shell().and_then(|shell| shell.read(READ, patience)) {
            Ok(Chunk::Data(data)) => {
                self.screen.feed(&data);
                Ok(true)
            }
            Ok(Chunk::TimedOut) => Ok(false),
            Ok(Chunk::Closed) => Err(Failure::new(
                ErrorCode::ConnectionLost,
                "The device closed the terminal before its answer ended.",
            )),
            Err(error) if error.is("output-limit") => {
                self.gone = true;
                Ok(true)
            }
            Err(error) => Err(Failure::of(&error, "Reading what the device says")),
        }
    }

    /// True: a key was pressed.
    fn turn_page(&mut self) -> Result<bool, Failure> {
        if !self.screen.is_short() || self.turned.is_some_and(|line| line == self.screen.ended()) {
            return Ok(false);
        }
        let Some(page) = asking::pager(&self.screen.line()) else { return Ok(false) };
        self.screen.answer_pager();
        self.turned = Some(self.screen.ended());
        let key = if page == Page::Next { Key::Space } else { Key::Q };
        self.pressed(key);
        let pressed = self.shell().and_then(|shell| shell.send_key(key));
        pressed.map_err(|error| Failure::of(&error, "Turning a page"))?;
        Ok(true)
    }

    /// A message of the device's own came behind the prompt, and the cursor stands below: nothing more comes before a
    /// key is pressed.
    fn is_stranded(&self) -> bool {
        !self.host.is_empty()
            && self.screen.line().is_empty()
            && self.screen.text().lines().rev().take(LAST).any(|line| self.is_left_prompt(line))
    }

    /// Whether a line is this device's prompt with nothing behind it but a message of the device's own.
    pub(super) fn is_left_prompt(&self, line: &str) -> bool {
        let ends = line.char_indices().take(LONGEST_PROMPT).filter(|(_, c)| "#>$%".contains(*c));
        let mut begins = ends.map(|(at, _)| line.split_at(at + 1));
        begins.any(|(begin, rest)| {
            let prompt = (self.platform.prompt)(begin);
            prompt.is_some_and(|prompt| prompt.is_of(&self.host, self.platform.shown))
                && (rest.trim().is_empty() || syslog::is_message(rest))
        })
    }
}
