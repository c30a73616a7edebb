//! A terminal on a device.
//!
//! Two sides: [`Shell`] is the guest's, which types and reads; a task of the host's takes what the device says to the
//! [`Screen`], and stays when the guest is gone. It types then what the guest left for that case, within a bounded
//! time, and closes the channel.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use serde::Deserialize;
use tokio_util::sync::{CancellationToken, DropGuard};
use zeroize::Zeroizing;

use crate::closing::{Open, close, in_background};
use crate::credential::SHORTEST_TYPED;
use crate::failure::Failure;
use crate::method::Method;
use crate::pool::Lease;
use crate::screen::{End, Read, Screen};
use crate::session::{Device, Room};
use crate::typed::{Key, LONGEST_LINE, Step, printable};

/// Steps that are typed before a terminal is closed.
const MOST_STEPS: usize = 8;
/// How long the device has for all of them, and for one.
const STEPS: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_secs(1);
/// After so long a silence a step is taken for done.
const QUIET: Duration = Duration::from_millis(250);
/// How long a device may take to open a terminal, and to take what is typed.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes that are written as they are, at once.
const MOST_RAW: usize = 64 << 10;

/// How a terminal looks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Terminal {
    /// Its kind, as `$TERM` names it.
    pub term: String,
    /// Characters in a line. Wide by default, so that lines are not folded.
    pub columns: u32,
    /// Lines. Many by default, so that devices seldom stop for the next page.
    pub rows: u32,
    /// What Enter sends.
    pub line_end: LineEnd,
}

/// What Enter sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum LineEnd {
    Lf,
    Cr,
    CrLf,
}

impl LineEnd {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Cr => b"\r",
            Self::CrLf => b"\r\n",
        }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self { term: "vt100".into(), columns: 511, rows: 1000, line_end: LineEnd::Lf }
    }
}

impl Terminal {
    /// Reads what a guest says.
    pub fn parse(options: Option<&str>) -> Result<Self, Failure> {
        let invalid = |why: String| Failure::Invalid(format!("the terminal's options: {why}"));
        let Some(options) = options else { return Ok(Self::default()) };
        // A list would be taken for the values in their order.
        let options: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(options).map_err(|error| invalid(error.to_string()))?;
        let terminal: Self =
            serde_json::from_value(options.into()).map_err(|error| invalid(error.to_string()))?;
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.');
        if !(1..=32).contains(&terminal.term.len()) || !terminal.term.chars().all(name) {
            return Err(invalid("term is not the name of a terminal".into()));
        }
        if !(1..=4096).contains(&terminal.columns) || !(1..=4096).contains(&terminal.rows) {
            return Err(invalid("columns and rows are 1 to 4096".into()));
        }
        Ok(terminal)
    }
}

/// The guest's side of a terminal. When it is dropped, the host closes the terminal.
pub struct Shell {
    device: Arc<Device>,
    write: Arc<ChannelWriteHalf<Msg>>,
    screen: Arc<Screen>,
    line_end: LineEnd,
    on_close: Arc<Mutex<Vec<Step>>>,
    _gone: DropGuard,
}

/// What comes of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// The next bytes.
    Data(Bytes),
    /// Nothing came in time.
    TimedOut,
    /// The device closed the terminal.
    Closed,
}

impl Device {
    /// Opens a terminal.
    pub async fn open_shell(self: &Arc<Self>, terminal: Terminal) -> Result<Shell, Failure> {
        self.session.noted(self.opened(terminal)).await
    }

    async fn opened(self: &Arc<Self>, terminal: Terminal) -> Result<Shell, Failure> {
        self.permit.method(Method::Shell).map_err(Failure::Refused)?;
        let room = self.session.room(&self.permit)?;
        let entry =
            self.session.call().used.begin(format!("{} shell {}", self.permit.route.capability, self.name()));
        let work = self.open_terminal(&terminal, room);
        let done = self.session.in_time(None, work).await;
        let done = done.unwrap_or_else(|ended| Err(ended.failure("opening a terminal", false)));
        entry.end(match &done {
            Ok(_) => "opened".to_owned(),
            Err(failure) => format!("failed: {}", failure.guest().code),
        });
        done
    }

    async fn open_terminal(self: &Arc<Self>, terminal: &Terminal, room: Room) -> Result<Shell, Failure> {
        let (channel, lease) = self.channel().await?;
        let (read, write) = channel.split();
        let mut opening = Opening(Some(Open { write, read, lease, room }));
        let screen = Arc::new(Screen::new(self.login.mask.clone(), self.permit.route.limits.output));
        opening.ask(terminal, &screen).await?;
        let Open { write, read, lease, room } = opening.0.take().expect("it was not taken before");
        let gone = CancellationToken::new();
        let on_close = Arc::new(Mutex::new(Vec::new()));
        let write = Arc::new(write);
        let host_side = HostSide {
            device: self.name(),
            write: Arc::clone(&write),
            read,
            lease,
            room,
            screen: Arc::clone(&screen),
            on_close: Arc::clone(&on_close),
            line_end: terminal.line_end,
        };
        in_background(host_side.run(gone.clone()));
        Ok(Shell {
            device: Arc::clone(self),
            write,
            screen,
            line_end: terminal.line_end,
            on_close,
            _gone: gone.drop_guard(),
        })
    }
}

/// A channel that is to become a terminal. Dropped before, it is closed.
struct Opening(Option<Open>);

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            in_background(open.close());
        }
    }
}

impl Opening {
    /// Asks for a terminal and a shell in it, and waits for both answers.
    async fn ask(&mut self, terminal: &Terminal, screen: &Screen) -> Result<(), Failure> {
        let open = self.0.as_mut().expect("it was not taken before");
        let dropped = |open: &Open| Failure::Dropped { why: open.lease.connection.gone(), sent: false };
        let Terminal { term, columns, rows, .. } = terminal;
        let asked = async {
            open.write.request_pty(true, term, *columns, *rows, 0, 0, &[]).await?;
            open.write.request_shell(true).await
        };
        if asked.await.is_err() {
            return Err(dropped(open));
        }
        let answers = async {
            for what in ["a terminal", "a shell"] {
                loop {
                    match open.read.wait().await {
                        Some(ChannelMsg::Success) => break,
                        Some(ChannelMsg::Failure) => return Err(Failure::ChannelRefused { what }),
                        Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                            screen.said(data);
                        }
                        Some(ChannelMsg::Close) => return Err(Failure::ChannelRefused { what }),
                        None => return Err(dropped(open)),
                        Some(_) => {}
                    }
                }
            }
            Ok(())
        };
        tokio::time::timeout(ANSWER, answers)
            .await
            .unwrap_or(Err(Failure::Timeout { what: "opening a terminal", sent: false }))
    }
}

impl Shell {
    fn noted<T>(&self, done: Result<T, Failure>) -> Result<T, Failure> {
        done.inspect_err(|failure| self.device.session.note(failure))
    }

    /// Types a line.
    pub async fn send_line(&self, line: &str) -> Result<(), Failure> {
        self.noted(self.type_line(line).await)
    }

    async fn type_line(&self, line: &str) -> Result<(), Failure> {
        if line.is_empty() {
            return self.type_key(Key::Enter).await;
        }
        self.check(&Step::Line(line.to_owned()))?;
        self.check_open()?;
        let shown = match self.screen.hides() {
            // The answer to a question for a password is not for the record.
            true => "(not shown)",
            false => line,
        };
        let entry = self.device.session.call().used.begin(self.device.record("line", shown));
        self.screen.typing(line.as_bytes());
        let mut bytes = line.as_bytes().to_vec();
        bytes.extend_from_slice(self.line_end.bytes());
        let typed = self.put(bytes.into()).await;
        entry.end(outcome(&typed));
        typed
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
        self.check_open()?;
        let record =
            || format!("{} key {} {}", self.device.permit.route.capability, self.device.name(), key.name());
        let entry = key.decides().then(|| self.device.session.call().used.begin(record()));
        self.screen.typing(b"");
        let typed = self.put(Bytes::from_static(key.bytes(self.line_end.bytes()))).await;
        if let Some(entry) = entry {
            entry.end(outcome(&typed));
        }
        typed
    }

    /// Types a password that the guest never sees.
    pub async fn send_secret(&self, name: &str) -> Result<(), Failure> {
        self.noted(self.type_secret(name).await)
    }

    async fn type_secret(&self, name: &str) -> Result<(), Failure> {
        let shortened = name[..name.floor_char_boundary(32)].to_owned();
        let secret = self.device.login.typed(name).ok_or(Failure::NoSecret(shortened))?;
        if secret.expose().len() < SHORTEST_TYPED {
            return Err(Failure::Credential(format!(
                "the password {name} has less than {SHORTEST_TYPED} characters: it cannot be masked in what a terminal \
                 says, and is not typed"
            )));
        }
        self.check_open()?;
        if !self.screen.hides() {
            return Err(Failure::Echo(name.to_owned()));
        }
        let record = format!("{} secret {} {name}", self.device.permit.route.capability, self.device.name());
        let entry = self.device.session.call().used.begin(record);
        self.screen.typing(b"");
        let mut bytes = Zeroizing::new(Vec::with_capacity(secret.expose().len() + 2));
        bytes.extend_from_slice(secret.expose().as_bytes());
        bytes.extend_from_slice(self.line_end.bytes());
        let typed = self.put(Bytes::from_owner(bytes)).await;
        entry.end(outcome(&typed));
        typed
    }

    /// Types bytes as they are.
    pub async fn write(&self, data: Vec<u8>) -> Result<(), Failure> {
        self.noted(self.type_raw(data).await)
    }

    async fn type_raw(&self, data: Vec<u8>) -> Result<(), Failure> {
        self.device.permit.raw().map_err(Failure::Refused)?;
        if data.is_empty() || data.len() > MOST_RAW {
            return Err(Failure::Invalid(format!("1 to {MOST_RAW} bytes are written at once")));
        }
        self.check_open()?;
        let text = String::from_utf8_lossy(&data).into_owned();
        let entry = self.device.session.call().used.begin(self.device.record("write", &text));
        self.screen.typing(&data);
        let typed = self.put(data.into()).await;
        entry.end(outcome(&typed));
        typed
    }

    /// Reads what the device says: up to `most` bytes, as soon as there is one.
    pub async fn read(&self, most: u32, timeout: Duration) -> Result<Chunk, Failure> {
        let work = self.screen.read(usize::try_from(most).unwrap_or(usize::MAX), timeout);
        match self.device.session.in_time(None, work).await {
            Ok(Read::Data(data)) => Ok(Chunk::Data(data)),
            Ok(Read::TimedOut) => Ok(Chunk::TimedOut),
            Ok(Read::End(End::Closed(_))) => Ok(Chunk::Closed),
            Ok(Read::End(End::Broke(why))) => self.noted(Err(Failure::Dropped { why, sent: true })),
            Ok(Read::End(End::Full)) => {
                self.noted(Err(Failure::OutputLimit(self.device.permit.route.limits.output)))
            }
            Err(ended) => Err(ended.failure("reading", true)),
        }
    }

    /// What the host types before it closes the terminal.
    pub fn on_close(&self, steps: Vec<Step>) -> Result<(), Failure> {
        self.noted(self.leave(steps))
    }

    fn leave(&self, steps: Vec<Step>) -> Result<(), Failure> {
        if steps.len() > MOST_STEPS {
            return Err(Failure::Invalid(format!("at most {MOST_STEPS} steps are typed before the end")));
        }
        steps.iter().try_for_each(|step| self.check(step))?;
        *self.on_close.lock().unwrap_or_else(PoisonError::into_inner) = steps;
        Ok(())
    }

    /// The shell's exit status, once the device closed the terminal.
    pub fn exit_status(&self) -> Option<u32> {
        match self.screen.end()? {
            End::Closed(status) => status,
            End::Broke(_) | End::Full => None,
        }
    }

    fn check(&self, step: &Step) -> Result<(), Failure> {
        if let Step::Line(line) = step
            && (line.len() > LONGEST_LINE || !printable(line))
        {
            return Err(Failure::Invalid(format!(
                "a line has at most {LONGEST_LINE} bytes, and printable characters alone: no tab, line end or escape"
            )));
        }
        self.device.permit.step(step).map_err(Failure::Refused)
    }

    fn check_open(&self) -> Result<(), Failure> {
        match self.screen.end() {
            None => Ok(()),
            Some(End::Broke(why)) => Err(Failure::Dropped { why, sent: false }),
            Some(End::Closed(_)) => Err(Failure::Closed),
            Some(End::Full) => Err(Failure::OutputLimit(self.device.permit.route.limits.output)),
        }
    }

    /// Types bytes that were checked.
    async fn put(&self, bytes: Bytes) -> Result<(), Failure> {
        match self.device.session.in_time(Some(ANSWER), self.write.data_bytes(bytes)).await {
            Ok(Ok(())) => Ok(()),
            // The host's side knows why, a moment later.
            Ok(Err(_)) => Err(match self.screen.end() {
                Some(End::Closed(_)) => Failure::Closed,
                Some(End::Broke(why)) => Failure::Dropped { why, sent: true },
                _ => Failure::Dropped { why: "the other side closed it".into(), sent: true },
            }),
            Err(ended) => Err(ended.failure("typing", true)),
        }
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

/// The host's side of a terminal.
struct HostSide {
    device: String,
    write: Arc<ChannelWriteHalf<Msg>>,
    read: ChannelReadHalf,
    lease: Lease,
    room: Room,
    screen: Arc<Screen>,
    on_close: Arc<Mutex<Vec<Step>>>,
    line_end: LineEnd,
}

impl HostSide {
    /// Takes what the device says, until one of the two is gone.
    async fn run(mut self, gone: CancellationToken) {
        let mut status = None;
        loop {
            let message = tokio::select! {
                message = self.read.wait() => message,
                () = gone.cancelled() => break,
            };
            if !self.took(message, &mut status) {
                break;
            }
        }
        match self.screen.end() {
            // The device closed it, or is gone: there is nobody to type to.
            Some(End::Closed(_) | End::Broke(_)) => {}
            Some(End::Full) => self.close().await,
            None => {
                self.leave(&mut status).await;
                self.close().await;
            }
        }
    }

    /// False: it is over.
    fn took(&self, message: Option<ChannelMsg>, status: &mut Option<u32>) -> bool {
        match message {
            Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => self.screen.said(data),
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                *status = Some(exit_status);
                true
            }
            Some(ChannelMsg::Close) => {
                self.screen.ended(End::Closed(*status));
                false
            }
            None => {
                self.screen.ended(match *status {
                    Some(status) => End::Closed(Some(status)),
                    None => End::Broke(self.lease.connection.gone()),
                });
                false
            }
            Some(_) => true,
        }
    }

    /// Types what the guest left for the end. Each step is given a moment: the next one is typed when the device has
    /// been silent for a while.
    async fn leave(&mut self, status: &mut Option<u32>) {
        let steps = std::mem::take(&mut *self.on_close.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async {
            for step in steps {
                let (bytes, shown) = match &step {
                    Step::Key(key) => (Bytes::from_static(key.bytes(self.line_end.bytes())), key.name()),
                    Step::Line(line) => {
                        ([line.as_bytes(), self.line_end.bytes()].concat().into(), line.as_str())
                    }
                };
                tracing::info!(device = %self.device, step = shown, "typed before a terminal is closed");
                if self.write.data_bytes(bytes).await.is_err() {
                    return;
                }
                let begin = tokio::time::Instant::now();
                while begin.elapsed() < STEP {
                    match tokio::time::timeout(QUIET, self.read.wait()).await {
                        Err(_) => break,
                        Ok(message) => {
                            // Nobody reads it any more, and a full screen is no reason to stop here.
                            let over = matches!(message, None | Some(ChannelMsg::Close));
                            self.took(message, status);
                            if over {
                                return;
                            }
                        }
                    }
                }
            }
        };
        let _ = tokio::time::timeout(STEPS, all).await;
    }

    async fn close(mut self) {
        if matches!(self.screen.end(), Some(End::Closed(_) | End::Broke(_))) {
            return;
        }
        self.screen.ended(End::Closed(None));
        close(&self.write, &mut self.read, &self.lease).await;
        drop((self.lease, self.room));
    }
}
