//! A terminal on a device, as somebody uses it who waits for the prompt before typing on.
//!
//! Reading ends where the device waits: at a prompt that is the whole last line, is this device's, came after the line
//! that was typed ended, and is followed by a moment of silence. What looks like a prompt in the middle of an answer is
//! followed by the rest of the answer. Should a device pause just there, the rest comes after the next line was typed:
//! an answer counts from the echo of its own command on, and what came before it belongs to the one before.

mod hearing;
mod replying;

use std::time::Duration;

use fleetgate_sdk::call;
use fleetgate_sdk::ssh::{Connection, Key, Secret, Shell, SshError, Step, Terminal as Looks};

use super::failure::{Failure, quoted};
use super::platform::{Answer, Platform};
use super::prompt::{Mode, Prompt};
use super::screen::Screen;
use crate::job::ErrorCode;

/// So long a device is silent after a prompt.
pub const SETTLE: Duration = Duration::from_millis(150);
/// So long it is silent after a question, before that is taken for one.
pub const THINKING: Duration = Duration::from_secs(4);
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
    /// So much of the call's time is left when nothing more is waited for.
    stop_at: Option<Duration>,
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
            stop_at: None,
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

    /// The user, where the prompt names one (`admin@PA-VM`) whose name is one word of a command line.
    pub fn user(&self) -> Option<&str> {
        let (user, _) = self.host.split_once('@')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (!user.is_empty() && user.len() <= 63 && user.chars().all(plain)).then_some(user)
    }

    /// Whether the terminal cannot be used any more.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Waits no longer than this from now on, all waiting together, however much the device has to say.
    pub fn stop_after(&mut self, time: Duration) {
        self.stop_at = Some(call::deadline().saturating_sub(time));
    }

    /// Whether that time is over.
    pub fn is_over(&self) -> bool {
        self.stop_at.is_some_and(|stop| call::deadline() <= stop)
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
        for steps in self.platform.steps_out(alternatives, self.user()) {
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

    /// Whether the last line is this device's prompt.
    pub fn prompt(&self) -> impl Fn(&Screen) -> Option<Prompt> + use<> {
        let (platform, host) = (self.platform, self.host.clone());
        move |screen| {
            let prompt = (platform.prompt)(&screen.line())?;
            (host.is_empty() || prompt.is_of(&host, platform.shown)).then_some(prompt)
        }
    }
}
