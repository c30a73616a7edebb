//! The host's SSH in a test: the devices of the harness that runs on this thread.
//!
//! No time passes. A wait for something that does not come counts as slept, so that deadlines are met as they would be.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::device::{Act, Device, Reply, Typed};
use super::harness::{State, current};
use crate::ssh::{Chunk, Key, Login, Output, Secret, SshError, Step, Terminal};

/// What a plugin did on a device, from the connecting on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    /// As the plugin named it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The login of the call's own, if there was one.
    pub login: Option<Login>,
    /// Commands without a terminal.
    pub commands: Vec<String>,
    /// What was typed into terminals.
    pub typed: Vec<Typed>,
    /// What the host typed before it closed terminals.
    pub left: Vec<Step>,
    /// Terminals that are open.
    pub open: usize,
}

impl Visit {
    /// The lines that were typed.
    #[must_use]
    pub fn lines(&self) -> Vec<&str> {
        self.typed
            .iter()
            .filter_map(|typed| match typed {
                Typed::Line(line) => Some(line.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// Lines that are longer are refused.
const LONGEST_LINE: usize = 4095;

pub(crate) struct Connection {
    state: Rc<State>,
    device: Device,
    visit: usize,
}

pub(crate) struct Shell {
    state: Rc<State>,
    device: Device,
    visit: usize,
    script: RefCell<VecDeque<(Typed, Reply)>>,
    acts: RefCell<VecDeque<Act>>,
    /// The last line that was said or will be.
    question: RefCell<Vec<u8>>,
    /// The last thing that was typed is a line that makes devices ask for a password, or a name that one asked for
    /// behind it.
    asked: Cell<bool>,
    end: RefCell<Option<End>>,
    on_close: RefCell<Vec<Step>>,
    cancel_noticed: Cell<bool>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Closed(Option<u32>),
    Dropped,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.visit).finish()
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shell").field(&self.visit).finish()
    }
}

fn denied() -> SshError {
    SshError::new("denied", "this is not granted")
}

pub(crate) fn connect(
    capability: &str,
    host: &str,
    port: u16,
    login: Option<&Login>,
) -> Result<Connection, SshError> {
    let state = current().ok_or_else(denied)?;
    if !state.granted.borrow().contains(capability) {
        return Err(denied());
    }
    let reached = state.policy.borrow().reach(capability).is_some();
    if !reached && !state.policy.borrow().may_act(capability, "") {
        return Err(denied());
    }
    let device = state.devices.borrow().get(host).cloned();
    let Some(device) = device else {
        return Err(SshError::new("unresolved", "the name has no address").retryable());
    };
    let visit = state.visits.borrow().len();
    let host = host.to_owned();
    state.visits.borrow_mut().push(Visit { host, port, login: login.cloned(), ..Visit::default() });
    match &device.refuses {
        Some(error) => Err(error.clone()),
        None => Ok(Connection { state, device, visit }),
    }
}

impl Connection {
    pub(crate) fn exec(
        &self,
        command: &str,
        _: Option<Duration>,
        max_bytes: Option<u64>,
    ) -> Result<Output, SshError> {
        if command.is_empty() || command.chars().any(char::is_control) {
            return Err(SshError::new("invalid", "a command is one line of printable characters"));
        }
        if self.device.allows.as_ref().is_some_and(|allows| !allows(command)) {
            return Err(denied());
        }
        self.state.visits.borrow_mut()[self.visit].commands.push(command.to_owned());
        let answers = self.device.commands.iter().find(|(known, _)| known == command);
        let (_, answer) = answers.unwrap_or_else(|| panic!("the device has no answer to {command:?}"));
        answer.clone().map(|mut output| {
            let most = usize::try_from(max_bytes.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            if output.stdout.len() + output.stderr.len() > most {
                output.stdout.truncate(most);
                output.stderr.truncate(most - output.stdout.len());
                (output.cut, output.exit_status) = (true, None);
            }
            output
        })
    }

    pub(crate) fn open_shell(&self, _: &Terminal) -> Result<Shell, SshError> {
        self.state.visits.borrow_mut()[self.visit].open += 1;
        let shell = Shell {
            state: Rc::clone(&self.state),
            device: self.device.clone(),
            visit: self.visit,
            script: RefCell::new(self.device.script.clone()),
            acts: RefCell::default(),
            question: RefCell::default(),
            asked: Cell::default(),
            end: RefCell::default(),
            on_close: RefCell::default(),
            cancel_noticed: Cell::new(false),
        };
        shell.reply(self.device.greeting.clone());
        Ok(shell)
    }

    pub(crate) fn banner(&self) -> Option<String> {
        self.device.banner.clone()
    }
}

impl Shell {
    fn reply(&self, reply: Reply) {
        for act in &reply.0 {
            if let Act::Says(text) = act {
                let mut question = self.question.borrow_mut();
                question.extend_from_slice(text);
                let line = question.iter().rposition(|byte| b"\r\n".contains(byte)).map_or(0, |end| end + 1);
                question.drain(..line);
            }
        }
        self.acts.borrow_mut().extend(reply.0);
    }

    fn asks_for_password(&self) -> bool {
        let question = String::from_utf8_lossy(&self.question.borrow()).trim().to_lowercase();
        let words = ["password", "passwd", "passphrase", "passcode", "secret"];
        question.ends_with(':') && words.iter().any(|word| question.contains(word))
    }

    fn asks_for_name(&self) -> bool {
        let question = String::from_utf8_lossy(&self.question.borrow()).trim().to_lowercase();
        ["name:", "login:", "user:"].iter().any(|end| question.ends_with(end))
    }

    fn check_open(&self) -> Result<(), SshError> {
        match *self.end.borrow() {
            None => Ok(()),
            Some(End::Closed(_)) => Err(SshError::new("closed", "the terminal is closed")),
            Some(End::Dropped) => Err(dropped()),
        }
    }

    /// The device takes it in, and does what follows.
    fn typed(&self, typed: Typed) -> Result<(), SshError> {
        self.check_open()?;
        self.state.visits.borrow_mut()[self.visit].typed.push(typed.clone());
        let asked = match &typed {
            Typed::Line(line) => makes_devices_ask(line) || self.asked.get() && self.asks_for_name(),
            _ => false,
        };
        if self.device.echoes && !self.asks_for_password() {
            match &typed {
                Typed::Line(line) => self.reply(Reply::new().says(format!("{line}\r\n"))),
                Typed::Key(Key::Enter) => self.reply(Reply::new().says("\r\n")),
                _ => {}
            }
        }
        self.question.borrow_mut().clear();
        self.asked.set(asked);
        let reply = match &self.device.handler {
            Some(handler) => (handler.borrow_mut())(&typed),
            None => match self.script.borrow_mut().pop_front() {
                Some((expected, reply)) => {
                    assert_eq!(typed, expected, "the device expects something else to be typed");
                    reply
                }
                None => panic!("the device expects nothing more, and the plugin typed {typed:?}"),
            },
        };
        self.reply(reply);
        Ok(())
    }

    fn check_line(&self, line: &str) -> Result<(), SshError> {
        if line.len() > LONGEST_LINE || line.chars().any(char::is_control) {
            return Err(SshError::new("invalid", "a line has printable characters alone, and not too many"));
        }
        match &self.device.allows {
            Some(allows) if !allows(line) => Err(denied()),
            _ => Ok(()),
        }
    }

    pub(crate) fn send_line(&self, line: &str) -> Result<(), SshError> {
        if line.is_empty() {
            return self.send_key(Key::Enter);
        }
        self.check_line(line)?;
        self.typed(Typed::Line(line.to_owned()))
    }

    pub(crate) fn send_key(&self, key: Key) -> Result<(), SshError> {
        self.typed(Typed::Key(key))
    }

    pub(crate) fn send_secret(&self, secret: Secret) -> Result<(), SshError> {
        if !self.asked.get() || !self.asks_for_password() {
            let why = "is not typed: the device does not ask for a password, and would show it";
            return Err(SshError::new("echo", format!("{} {why}", secret.name())));
        }
        self.typed(Typed::Secret(secret))
    }

    pub(crate) fn write(&self, data: &[u8]) -> Result<(), SshError> {
        if self.device.allows.is_some() {
            return Err(denied());
        }
        self.typed(Typed::Bytes(data.to_vec()))
    }

    fn passes(&self, time: Duration) {
        self.state.slept.set(self.state.slept.get() + time);
    }

    pub(crate) fn read(&self, max: u32, timeout: Duration) -> Result<Chunk, SshError> {
        if self.state.cancelled.get() && !self.cancel_noticed.replace(true) {
            return Err(SshError::new("cancelled", "the call was cancelled").sent());
        }
        let mut patience = timeout.min(self.state.time_left());
        loop {
            let act = self.acts.borrow_mut().pop_front();
            match act {
                Some(Act::Says(mut text)) if !text.is_empty() => {
                    let rest = text.split_off(text.len().min((max as usize).max(1)));
                    if !rest.is_empty() {
                        self.acts.borrow_mut().push_front(Act::Says(rest));
                    }
                    return Ok(Chunk::Data(text));
                }
                Some(Act::Says(_)) => {}
                Some(Act::Pauses(time)) if time > patience => {
                    self.acts.borrow_mut().push_front(Act::Pauses(time - patience));
                    return self.waited(patience);
                }
                Some(Act::Pauses(time)) => {
                    self.passes(time);
                    patience -= time;
                }
                Some(Act::Closes(status)) => *self.end.borrow_mut() = Some(End::Closed(status)),
                Some(Act::Drops) => *self.end.borrow_mut() = Some(End::Dropped),
                None => match *self.end.borrow() {
                    Some(End::Closed(_)) => return Ok(Chunk::Closed),
                    Some(End::Dropped) => return Err(dropped()),
                    None => return self.waited(patience),
                },
            }
        }
    }

    fn waited(&self, time: Duration) -> Result<Chunk, SshError> {
        self.passes(time);
        if self.state.time_left().is_zero() {
            return Err(SshError::new("timeout", "reading was not done in time").retryable().sent());
        }
        Ok(Chunk::TimedOut)
    }

    pub(crate) fn on_close(&self, steps: &[Step]) -> Result<(), SshError> {
        if steps.len() > 8 {
            return Err(SshError::new("invalid", "at most 8 steps are typed before the end"));
        }
        for step in steps {
            if let Step::Line(line) = step {
                self.check_line(line)?;
            }
        }
        *self.on_close.borrow_mut() = steps.to_vec();
        Ok(())
    }

    pub(crate) fn exit_status(&self) -> Option<u32> {
        match *self.end.borrow() {
            Some(End::Closed(status)) => status,
            _ => None,
        }
    }
}

/// As a grant has it that does not say `password_after`.
fn makes_devices_ask(line: &str) -> bool {
    let lines = ["enable", "super", "su", "su -", "su - root", "sudo -i", "sudo -s", "sudo su", "sudo su -"];
    lines.contains(&line) || line.starts_with("enable ") || line.starts_with("super ")
}

fn dropped() -> SshError {
    SshError::new("dropped", "the connection broke; what was sent before may have taken effect")
        .retryable()
        .sent()
}

impl Drop for Shell {
    fn drop(&mut self) {
        let mut visits = self.state.visits.borrow_mut();
        let visit = &mut visits[self.visit];
        visit.open -= 1;
        if self.end.get_mut().is_none() {
            visit.left.append(self.on_close.get_mut());
        }
    }
}
