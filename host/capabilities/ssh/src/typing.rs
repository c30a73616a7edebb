//! What is typed into a terminal: lines, keys, passwords, bytes.
//!
//! Everything is checked here, put into the call's record, and sent; in this order. What was allowed as a whole is
//! typed as a whole: a line that the device took in part is the terminal's end, since the next one would stand behind
//! its beginning.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::brake::Guess;
use crate::credential::SHORTEST_TYPED;
use crate::failure::Failure;
use crate::keyboard::Typed;
use crate::prompt::{waits_for_name, waits_for_password};
use crate::screen::{End, Screen};
use crate::shell::Shell;
use crate::typed::{Key, LONGEST_LINE, Step, printable};

/// Steps that are typed before a terminal is closed.
const MOST_STEPS: usize = 8;
/// How long a device may take to take what is typed.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes that are written as they are, at once.
const MOST_RAW: usize = 64 << 10;

impl Shell {
    /// Types a line.
    pub async fn send_line(&self, line: &str) -> Result<(), Failure> {
        self.noted(self.type_line(line).await)
    }

    async fn type_line(&self, line: &str) -> Result<(), Failure> {
        if line.is_empty() {
            return self.type_key(Key::Enter).await;
        }
        let before = self.keyboard.typed();
        let mut typed = self.check(&Step::Line(line.to_owned()), before)?;
        self.check_open()?;
        if before.asked && self.waits_in(waits_for_name).await? {
            // `enable`, a name, and then the password: it is still the answer to the first.
            typed.asked = true;
        }
        // The answer to a question for a password is not for the record. Where commands are restricted, it is one of
        // those that are allowed.
        let shown = match self.screen.asks() && !self.device.permit.restricted() {
            true => "(not shown)",
            false => line,
        };
        let entry = self.device.session.uses(self.device.record("line", shown))?;
        let done = self.put([line.as_bytes(), self.line_end.bytes()].concat().into(), typed).await;
        entry.end(outcome(&done));
        done
    }

    /// Presses a key.
    pub async fn send_key(&self, name: &str) -> Result<(), Failure> {
        let key = key(name);
        self.noted(match key {
            Ok(key) => self.type_key(key).await,
            Err(failure) => Err(failure),
        })
    }

    async fn type_key(&self, key: Key) -> Result<(), Failure> {
        let typed = self.check(&Step::Key(key), self.keyboard.typed())?;
        self.check_open()?;
        let entry = match key.decides() {
            true => Some(self.device.session.uses(self.record("key", key.name()))?),
            false => None,
        };
        let done = self.put(Bytes::from_static(key.bytes(self.line_end.bytes())), typed).await;
        if let Some(entry) = entry {
            entry.end(outcome(&done));
        }
        done
    }

    /// Types a password that the guest never sees.
    pub async fn send_secret(&self, name: &str) -> Result<(), Failure> {
        self.noted(self.type_secret(name).await)
    }

    async fn type_secret(&self, name: &str) -> Result<(), Failure> {
        let shortened = name[..name.floor_char_boundary(32)].to_owned();
        let secret = self.device.login.typed(name).ok_or(Failure::NoSecret(shortened))?;
        self.device.permit.secret(name).map_err(Failure::Refused)?;
        if secret.expose().len() < SHORTEST_TYPED || !printable(secret.expose()) {
            return Err(Failure::Credential(format!(
                "the password {name} has less than {SHORTEST_TYPED} characters, which cannot be masked in what a \
                 terminal says, or one that is not printable, which is a key of its own: it is not typed"
            )));
        }
        self.check_open()?;
        if !self.keyboard.typed().asked {
            return Err(Failure::Unasked(name.to_owned()));
        }
        if !self.waits_in(waits_for_password).await? {
            return Err(Failure::Echo(name.to_owned()));
        }
        self.check_open()?;
        let guessed = match self.device.login.guessed.filter(|_| name == "enable") {
            Some(digest) => Some(self.guess(digest)?),
            None => None,
        };
        let entry = self.device.session.uses(self.record("secret", name))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(secret.expose().len() + 2));
        bytes.extend_from_slice(secret.expose().as_bytes());
        bytes.extend_from_slice(self.line_end.bytes());
        self.screen.typing_secret(secret.clone());
        let done = self.put(Bytes::from_owner(bytes), Typed::default()).await;
        *self.guessed.lock().unwrap_or_else(PoisonError::into_inner) = guessed;
        entry.end(outcome(&done));
        done
    }

    /// A password for `enable` that the call brought is one of a few.
    fn guess(&self, digest: [u8; 32]) -> Result<Guessed, Failure> {
        let guess = self.device.permit.route.brake.enable(&self.device.name(), digest);
        let guess = guess.ok_or(Failure::TooManyGuesses)?;
        Ok(Guessed { guess, screen: Arc::clone(&self.screen) })
    }

    async fn waits_in(&self, question: fn(&[u8]) -> bool) -> Result<bool, Failure> {
        let waits = self.device.session.call().in_time(Some(ANSWER), self.screen.waits_in(question)).await;
        waits.map_err(|cut| Failure::cut_short(cut, "typing", false))
    }

    /// Types bytes as they are.
    pub async fn write(&self, data: Vec<u8>) -> Result<(), Failure> {
        self.noted(self.type_raw(data).await)
    }

    async fn type_raw(&self, data: Vec<u8>) -> Result<(), Failure> {
        self.device.permit.raw().map_err(Failure::Refused)?;
        self.device.session.no_placeholder(&data)?;
        if data.is_empty() || data.len() > MOST_RAW {
            return Err(Failure::Invalid(format!("1 to {MOST_RAW} bytes are written at once")));
        }
        self.check_open()?;
        let entry = self.device.session.uses(self.device.record("write", &String::from_utf8_lossy(&data)))?;
        let typed = Typed::then_bytes(&data);
        let done = self.put(data.into(), typed).await;
        entry.end(outcome(&done));
        done
    }

    /// What the host types before it closes the terminal.
    pub fn on_close(&self, steps: Vec<Step>) -> Result<(), Failure> {
        self.noted(self.leave(steps))
    }

    fn leave(&self, steps: Vec<Step>) -> Result<(), Failure> {
        if steps.len() > MOST_STEPS {
            return Err(Failure::Invalid(format!("at most {MOST_STEPS} steps are typed before the end")));
        }
        steps.iter().try_fold(Typed::default(), |typed, step| self.check(step, typed))?;
        // Into the record now: when they are typed, it may be written already.
        for step in &steps {
            let record = match step {
                Step::Line(line) => self.device.record("on-close", line),
                Step::Key(key) => self.record("on-close key", key.name()),
            };
            self.device.session.uses(record)?.end("left");
        }
        *self.on_close.lock().unwrap_or_else(PoisonError::into_inner) = steps;
        Ok(())
    }

    /// `ssh.devices key host:22 y`
    fn record(&self, what: &str, name: &str) -> String {
        format!("{} {what} {} {name}", self.device.permit.route.capability, self.device.name())
    }

    /// Whether something may be typed, and what stands in the device's line then.
    fn check(&self, step: &Step, typed: Typed) -> Result<Typed, Failure> {
        let permit = &self.device.permit;
        let Step::Line(line) = step else { return Ok(typed.then(step, false)) };
        if line.len() > LONGEST_LINE || !printable(line) {
            return Err(Failure::Invalid(format!(
                "a line has at most {LONGEST_LINE} bytes, and printable characters alone: no tab, line end or escape"
            )));
        }
        // An empty line is the key Enter.
        if !line.is_empty() {
            self.device.session.no_placeholder(line.as_bytes())?;
            permit.line(line).map_err(Failure::Refused)?;
            if typed.begun && permit.restricted() {
                return Err(Failure::Begun);
            }
        }
        Ok(typed.then(step, permit.route.password_after.allow(line)))
    }

    fn check_open(&self) -> Result<(), Failure> {
        self.screen.end().map_or(Ok(()), |end| Err(self.over(end, false)))
    }

    /// Types bytes that were checked.
    async fn put(&self, bytes: Bytes, typed: Typed) -> Result<(), Failure> {
        // What was said to it stands there until the next is typed.
        drop(self.guessed.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.screen.typing();
        self.keyboard.set(typed);
        let half = Half(self);
        let put = self.device.session.call().in_time(Some(ANSWER), self.write.data_bytes(bytes)).await;
        match put {
            Ok(_) => std::mem::forget(half),
            Err(_) => drop(half),
        }
        match put {
            Ok(Ok(())) => Ok(()),
            // The host's side knows why, a moment later.
            Ok(Err(_)) => {
                let end = self.screen.end().unwrap_or_else(|| End::Broke("the other side closed it".into()));
                Err(self.over(end, true))
            }
            Err(cut) => Err(Failure::cut_short(cut, "typing", true)),
        }
    }
}

/// A guess that was typed. When it is dropped, what the device said to it is looked at.
pub(crate) struct Guessed {
    guess: Guess,
    screen: Arc<Screen>,
}

impl Drop for Guessed {
    fn drop(&mut self) {
        if self.screen.refuses() {
            self.guess.refused();
        }
    }
}

/// Something that is being typed. Dropped before all of it was sent, it is the terminal's end.
struct Half<'a>(&'a Shell);

impl Drop for Half<'_> {
    fn drop(&mut self) {
        self.0.screen.ended(End::Cut);
        self.0.gone.cancel();
    }
}

fn outcome(typed: &Result<(), Failure>) -> String {
    match typed {
        Ok(()) => "typed".to_owned(),
        Err(failure) => format!("failed: {}", failure.guest().code),
    }
}

/// A key by its name.
pub(crate) fn key(name: &str) -> Result<Key, Failure> {
    Key::parse(name).ok_or_else(|| Failure::Invalid(format!("a key is one of {}", Key::names())))
}
