//! A terminal on a device, as somebody uses it who waits for the prompt before typing on.
//!
//! Reading ends where the device waits: at a prompt that is the whole last line, is this device's, came after the line
//! that was typed ended, and is followed by a moment of silence. What looks like a prompt in the middle of an answer is
//! followed by the rest of the answer. Should a device pause just there, the rest comes after the next line was typed:
//! an answer counts from the echo of its own command on, and what came before it belongs to the one before.

use std::time::Duration;

use fleetgate_sdk::call;
use fleetgate_sdk::ssh::{Chunk, Connection, Key, Secret, Shell, SshError, Step, Terminal as Looks};

use super::asking::{self, Page};
use super::echo::{split_at_echo, without_echo};
use super::failure::{Failure, quoted};
use super::platform::{Answer, Platform};
use super::prompt::{Mode, Prompt};
use super::screen::Screen;
use crate::job::ErrorCode;

/// So long a device is silent after a prompt.
pub const SETTLE: Duration = Duration::from_millis(150);
/// So long after a prompt without the echo of what was typed.
const SETTLE_UNSEEN: Duration = Duration::from_secs(2);
/// So long it is silent after a question, before that is taken for one.
pub const THINKING: Duration = Duration::from_secs(4);
/// The most bytes of one read.
const READ: u32 = 1 << 20;
/// How long, and for how many bytes, an answer that is cut off is waited for.
const DRAIN: (Duration, usize) = (Duration::from_secs(10), 16 << 20);
/// The end of what is drained is looked at.
const TAIL: usize = 4 << 10;
/// What is kept of one answer unless somebody says otherwise, in bytes.
const MOST: usize = 2 << 20;

/// See the [module](self).
pub struct Terminal {
    /// None: it was closed.
    shell: Option<Shell>,
    screen: Screen,
    platform: &'static Platform,
    /// The name in the prompt. Empty before it is known.
    host: String,
    /// Where the device stood last.
    mode: Mode,
    /// Nothing counts as a prompt before a line ended after this one.
    mark: Option<u64>,
    /// A page was turned, and no line has ended since.
    turned: Option<u64>,
    /// A key was pressed that may stand in the line still.
    key_stands: bool,
    /// The device said more than the host keeps, and the terminal is closed.
    gone: bool,
}

/// What came of waiting.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<T> {
    /// What was waited for.
    Said(T),
    /// Nothing more came in time.
    Silence,
    /// Too much came.
    Cut,
}

/// What a device says to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The lines before the next prompt, without the echo of what was typed.
    pub text: String,
    /// What the device still had to say to the line before.
    pub late: String,
    /// More was said than is kept.
    pub cut: bool,
}

impl Terminal {
    /// Opens one.
    pub fn open(connection: &Connection, platform: &'static Platform) -> Result<Self, Failure> {
        let looks = Looks { line_end: platform.line_end, ..Looks::default() };
        let shell = connection
            .open_shell(&looks)
            .map_err(|error| Failure::of(&error, "Opening a terminal on the device"))?;
        Ok(Self {
            shell: Some(shell),
            screen: Screen::new(MOST, platform.return_ends_lines),
            platform,
            host: String::new(),
            mode: Mode::User,
            mark: None,
            turned: None,
            key_stands: false,
            gone: false,
        })
    }

    fn shell(&self) -> Result<&Shell, SshError> {
        self.shell.as_ref().ok_or_else(|| SshError::new("closed", "the terminal is closed"))
    }

    /// Closes it: some devices open one terminal at a time.
    pub fn close(&mut self) {
        self.shell = None;
    }

    /// What kind of device it is.
    pub fn platform(&self) -> &'static Platform {
        self.platform
    }

    /// Where the device stood last.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The device has another name now, or its first.
    pub fn met(&mut self, prompt: &Prompt) {
        self.host.clone_from(&prompt.host);
        self.mode = prompt.mode;
    }

    /// The name in the prompt.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the terminal cannot be used any more.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// What is kept of the next answers.
    pub fn limit(&mut self, most: usize) {
        self.screen.limit(most);
    }

    /// The line in which the device waits.
    pub fn line(&self) -> String {
        self.screen.line()
    }

    /// The lines that ended since the last time.
    pub fn take(&mut self) -> String {
        self.screen.take()
    }

    /// What the host types when the job ends before this is replaced: the first of these that is granted.
    pub fn on_close(&self, alternatives: &[&[Answer]]) -> Result<(), Failure> {
        let mut denied = None;
        for steps in alternatives {
            let steps: Vec<_> = steps
                .iter()
                .map(|step| match step {
                    Answer::Key(key) => Step::Key(*key),
                    Answer::Line(line) => Step::Line((*line).to_owned()),
                })
                .collect();
            match self.shell().and_then(|shell| shell.on_close(&steps)) {
                Ok(()) => return Ok(()),
                Err(error) if error.is("denied") => {
                    let lines = steps.iter().filter_map(|step| match step {
                        Step::Line(line) => Some(quoted(line)),
                        Step::Key(_) => None,
                    });
                    denied.get_or_insert(lines.collect::<Vec<_>>().join(", "));
                }
                Err(error) => return Err(Failure::of(&error, "Preparing to leave the device in order")),
            }
        }
        match denied {
            None => Ok(()),
            Some(lines) => Err(Failure::new(
                ErrorCode::Denied,
                format!(
                    "Nothing was changed: what leaves the device in order when the job ends in the middle is not \
                     granted ({lines})."
                ),
            )),
        }
    }

    /// Nothing is to be typed at the end.
    pub fn nothing_on_close(&self) {
        // What is left there is harmless: it leaves a mode that was left before.
        let _ = self.shell().and_then(|shell| shell.on_close(&[]));
    }

    /// The next prompt counts once a line has ended.
    pub fn wait_for_line(&mut self) {
        self.mark();
    }

    /// The next prompt counts wherever it stands.
    pub fn unmark(&mut self) {
        self.mark = None;
    }

    /// The last thing that the device said.
    pub fn last_words(&self) -> String {
        let line = self.screen.line();
        if line.is_empty() { self.screen.above().to_owned() } else { line }
    }

    fn mark(&mut self) {
        self.mark = Some(self.screen.ended());
        self.turned = None;
    }

    /// Types a line. What the device said before is gone, if it was not taken.
    pub fn type_line(&mut self, line: &str) -> Result<(), SshError> {
        self.mark();
        self.shell()?.send_line(line)
    }

    /// Has a password typed.
    pub fn type_secret(&mut self, secret: Secret) -> Result<(), SshError> {
        self.mark();
        self.shell()?.send_secret(secret)
    }

    /// Presses a key.
    pub fn press(&mut self, key: Key) -> Result<(), Failure> {
        self.send(key).map_err(|error| Failure::of(&error, "Typing"))
    }

    fn send(&mut self, key: Key) -> Result<(), SshError> {
        self.mark();
        // A key that ends a question or a page need not end a line.
        if key != Key::Enter {
            self.unmark();
        }
        self.pressed(key);
        self.shell().and_then(|shell| shell.send_key(key))
    }

    /// A letter that no question took is the beginning of the next line. Restricted terminals take no line after it.
    fn pressed(&mut self, key: Key) {
        match key {
            Key::Y | Key::N | Key::Q => self.key_stands = true,
            Key::Enter => self.key_stands = false,
            _ => {}
        }
    }

    /// Makes the line empty in which the next command is typed.
    pub fn clear_line(&mut self) -> Result<(), Failure> {
        if self.key_stands {
            self.press(Key::Enter)?;
            let prompt = self.prompt();
            if self.hear(THINKING, |screen| Some((prompt(screen)?, SETTLE)))? != Heard::Silence {
                self.screen.take();
            }
        }
        Ok(())
    }

    /// Types an answer.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Failure> {
        match answer {
            Answer::Key(key) => self.press(key),
            Answer::Line(line) => {
                self.type_line(line).map_err(|error| Failure::of(&error, &format!("Typing {}", quoted(line))))
            }
        }
    }

    /// Reads until `accept` finds what it looks for and the device is silent for as long as `accept` says, or until
    /// nothing came for `silence`. Pages are turned meanwhile.
    pub fn hear<T>(
        &mut self,
        silence: Duration,
        mut accept: impl FnMut(&Screen) -> Option<(T, Duration)>,
    ) -> Result<Heard<T>, Failure> {
        loop {
            if self.screen.is_cut() || self.gone {
                return Ok(Heard::Cut);
            }
            let ready = self.screen.is_short() && self.mark.is_none_or(|mark| self.screen.ended() > mark);
            let found = ready.then(|| accept(&self.screen)).flatten();
            if found.is_none() && self.turn_page()? {
                continue;
            }
            let patience = found.as_ref().map_or(silence, |(_, settle)| *settle);
            if !self.read(patience)? {
                return Ok(match found {
                    Some((found, _)) => Heard::Said(found),
                    None => Heard::Silence,
                });
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

    /// Whether the last line is this device's prompt.
    pub fn prompt(&self) -> impl Fn(&Screen) -> Option<Prompt> + use<> {
        let (platform, host) = (self.platform, self.host.clone());
        move |screen| {
            let prompt = (platform.prompt)(&screen.line())?;
            (host.is_empty() || prompt.is_of(&host, platform.shown)).then_some(prompt)
        }
    }

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

    /// Takes the echo and the prompt's companions off.
    pub fn tidy(&self, written: &str, before: &str, command: &str) -> String {
        let mut text = without_echo(written, before, command).trim_start_matches('\n').trim_end();
        loop {
            let (rest, last) = text.rsplit_once('\n').unwrap_or(("", text));
            if text.is_empty() || !(self.platform.companion)(last) {
                return text.to_owned();
            }
            text = rest.trim_end();
        }
    }
}
