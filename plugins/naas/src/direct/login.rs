//! From an open terminal to the prompt at which work begins.

use std::time::Duration;

use fleetgate_sdk::ssh::{Key, Secret, SshError};

use super::asking;
use super::failure::{Failure, quoted};
use super::platform::Answer;
use super::prompt::{Mode, Prompt};
use super::terminal::{Heard, SETTLE, Terminal};
use crate::job::{DeviceJob, ErrorCode};

/// After so long a silence Enter is pressed: some devices wait for it.
const NUDGE: Duration = Duration::from_secs(5);
/// So often.
const NUDGES: u32 = 3;
/// So long a device is silent after its first prompt. Banners hold anything.
const FIRST: Duration = Duration::from_millis(300);
/// The most questions that are answered on the way.
const ANSWERS: u32 = 8;
/// How long the privileged level may take: servers are asked.
const ENABLE: Duration = Duration::from_secs(20);
/// How long a device may take to take a line about the terminal.
const QUICK: Duration = Duration::from_secs(10);

enum Greeting {
    Prompt(Prompt),
    Answer(Answer),
    User,
    Password,
    NewPassword,
}

impl Terminal {
    /// Answers what the device asks first, and learns its prompt. A line that a banner made look like one does not
    /// answer to Enter. Returns what the device said on the way.
    pub fn log_in(&mut self, job: &DeviceJob) -> Result<String, Failure> {
        let first = self.first_prompt(job)?;
        self.met(&first);
        // Which also ends a line in which a key still stands.
        for _ in 0..NUDGES {
            self.press(Key::Enter)?;
            // Any prompt counts: this is about which one it is.
            let before = self.host().to_owned();
            let read = self.platform().prompt;
            match self.hear(NUDGE, |screen| Some((read(&screen.line())?, SETTLE)))? {
                Heard::Said(prompt) if prompt.host == before => {
                    self.met(&prompt);
                    return Ok(self.take());
                }
                Heard::Said(prompt) => self.met(&prompt),
                // One that draws the same line again.
                Heard::Silence if read(&self.line()).is_some_and(|prompt| prompt.host == before) => {
                    return Ok(self.take());
                }
                Heard::Silence | Heard::Cut => return Err(self.never_seen(job)),
            }
        }
        Err(self.never_seen(job))
    }

    fn first_prompt(&mut self, job: &DeviceJob) -> Result<Prompt, Failure> {
        let platform = self.platform();
        let (mut nudges, mut answers, mut passwords) = (0, 0, 0);
        // A question that was answered by a key stands there until the device draws something else.
        let mut answered = String::new();
        loop {
            let heard = self.hear(NUDGE, |screen| {
                let line = screen.line();
                let mut greetings = platform.greetings.iter();
                if let Some((_, answer)) = greetings.find(|(part, _)| line.contains(part) && line != answered)
                {
                    return Some((Greeting::Answer(*answer), FIRST));
                }
                if let Some(prompt) = (platform.prompt)(&line) {
                    return Some((Greeting::Prompt(prompt), FIRST));
                }
                if asking::new_password(&line) {
                    return Some((Greeting::NewPassword, FIRST));
                }
                if asking::password(&line) {
                    return Some((Greeting::Password, FIRST));
                }
                asking::user(&line).then_some((Greeting::User, FIRST))
            })?;
            answers += 1;
            match heard {
                _ if answers > ANSWERS => return Err(self.never_seen(job)),
                Heard::Said(Greeting::Prompt(prompt)) if prompt.mode == Mode::Shell => {
                    match platform.from_shell {
                        Some(line) => self.answer(Answer::Line(line))?,
                        None => return Err(self.never_seen(job)),
                    }
                }
                Heard::Said(Greeting::Prompt(prompt)) => return Ok(prompt),
                Heard::Said(Greeting::Answer(answer)) => {
                    answered = self.line();
                    self.answer(answer)?;
                    self.unmark();
                }
                // Nobody but the password's owner sets another one.
                Heard::Said(Greeting::NewPassword) => {
                    self.press(Key::CtrlC)?;
                    let why = "Authentication to device failed: it wants its password changed before anything else. Log \
                               in by hand once.";
                    return Err(Failure::new(ErrorCode::AuthFailure, why));
                }
                // Behind the SSH login there may be another one.
                Heard::Said(Greeting::User) => match &job.username {
                    Some(user) => {
                        let user = user.clone();
                        self.type_line(&user)
                            .map_err(|error| Failure::of(&error, "Typing the user's name"))?;
                    }
                    None => {
                        let why = "Authentication to device failed: it asks for a user's name: give it as `username`.";
                        return Err(Failure::new(ErrorCode::AuthFailure, why));
                    }
                },
                Heard::Said(Greeting::Password) if passwords == 0 => {
                    passwords += 1;
                    self.type_secret(Secret::Password)
                        .map_err(|error| Failure::of(&error, "Typing the password"))?;
                }
                Heard::Said(Greeting::Password) => {
                    let why = "Authentication to device failed: it asks for the password again.";
                    return Err(Failure::new(ErrorCode::AuthFailure, why));
                }
                Heard::Silence if nudges < NUDGES => {
                    nudges += 1;
                    answers -= 1;
                    self.press(Key::Enter)?;
                    self.unmark();
                }
                Heard::Silence | Heard::Cut => return Err(self.never_seen(job)),
            }
        }
    }

    fn never_seen(&self, job: &DeviceJob) -> Failure {
        let why = format!(
            "No prompt of a {} device was seen; it said last: {}. Is the platform right?",
            job.platform,
            quoted(&self.last_words())
        );
        Failure::new(ErrorCode::ReadTimeout, why)
    }

    /// Asks for the privileged level, where the device is not at it and has one. Fails where the device refuses the
    /// password; where there is none to type, or the line is not granted, says why not.
    pub fn enable(&mut self, job: &DeviceJob) -> Result<Option<String>, Failure> {
        let Some(line) = self.platform().enable.filter(|_| self.mode() == Mode::User) else {
            return Ok(None);
        };
        match self.type_line(line) {
            Ok(()) => {}
            Err(error) if error.is("denied") => return Ok(Some(format!("{} is not granted", quoted(line)))),
            Err(error) => return Err(Failure::of(&error, "Asking for the privileged level")),
        }
        enum Step {
            Prompt(Prompt),
            User,
            Password,
        }
        let (mut users, mut passwords) = (0, 0);
        loop {
            let prompt = self.prompt();
            let heard = self.hear(ENABLE, |screen| {
                let line = screen.line();
                match prompt(screen) {
                    Some(prompt) => Some((Step::Prompt(prompt), SETTLE)),
                    None if asking::password(&line) => Some((Step::Password, SETTLE)),
                    None => asking::user(&line).then_some((Step::User, SETTLE)),
                }
            })?;
            match heard {
                Heard::Said(Step::Prompt(prompt)) => {
                    self.met(&prompt);
                    let said = self.take();
                    return match prompt.mode {
                        Mode::User if passwords > 0 => Err(refused()),
                        Mode::User => {
                            let said =
                                said.lines().rev().find(|line| line.trim().starts_with('%')).unwrap_or("");
                            Ok(Some(format!(
                                "the device does not give the privileged level {}",
                                quoted(said)
                            )))
                        }
                        _ => Ok(None),
                    };
                }
                Heard::Said(Step::Password) if passwords == 0 => {
                    passwords += 1;
                    if let Err(error) = self.type_secret(Secret::Enable) {
                        let why = no_secret(&error)?;
                        self.back_to_prompt()?;
                        return Ok(Some(why));
                    }
                }
                // Asked again: the password was wrong.
                Heard::Said(Step::Password) => {
                    self.back_to_prompt()?;
                    return Err(refused());
                }
                Heard::Said(Step::User) if users == 0 => {
                    users += 1;
                    let Some(user) = job.username.clone() else {
                        self.back_to_prompt()?;
                        return Ok(Some("`enable` asks for a user's name: give it as `username`".to_owned()));
                    };
                    self.type_line(&user).map_err(|error| Failure::of(&error, "Typing the user's name"))?;
                }
                Heard::Said(Step::User) => {
                    self.back_to_prompt()?;
                    return Err(refused());
                }
                Heard::Silence | Heard::Cut => return Err(self.no_prompt(ENABLE)),
            }
        }
    }

    /// Leaves a question for a password.
    fn back_to_prompt(&mut self) -> Result<(), Failure> {
        for key in [Key::CtrlC, Key::Enter, Key::Enter, Key::Enter] {
            self.press(key)?;
            self.unmark();
            let prompt = self.prompt();
            if let Heard::Said(prompt) =
                self.hear(Duration::from_secs(3), |screen| Some((prompt(screen)?, SETTLE)))?
            {
                self.met(&prompt);
                self.take();
                return Ok(());
            }
        }
        Err(self.no_prompt(NUDGE))
    }

    /// Makes the terminal wide and its pages endless, as far as the grant and the device allow.
    pub fn widen(&mut self) -> Result<(), Failure> {
        for line in self.platform().terminal {
            match self.type_line(line) {
                Ok(()) => {}
                Err(error) if error.is("denied") => continue,
                Err(error) => return Err(Failure::of(&error, "Preparing the terminal")),
            }
            let prompt = self.prompt();
            match self.hear(QUICK, |screen| Some((prompt(screen)?, SETTLE)))? {
                Heard::Said(prompt) => self.met(&prompt),
                Heard::Silence | Heard::Cut => return Err(self.no_prompt(QUICK)),
            }
        }
        self.take();
        Ok(())
    }
}

fn refused() -> Failure {
    Failure::new(ErrorCode::AuthFailure, "The device refuses the password for the privileged level.")
}

/// Why the password was not typed, where that is no failure.
fn no_secret(error: &SshError) -> Result<String, Failure> {
    match error.code.as_str() {
        "denied" => Ok("there is no password for it".to_owned()),
        "credential" => Ok("its password cannot be had".to_owned()),
        // What the device asked in between was not understood.
        "echo" => Ok("its password is typed only as the answer to `enable`".to_owned()),
        _ => Err(Failure::of(error, "Typing the password for the privileged level")),
    }
}
