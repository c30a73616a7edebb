//! A terminal on a device: how it comes about, is read, and ends. What is typed into it: [`crate::typing`].
//!
//! Two sides: [`Shell`] is the guest's, which types and reads; a task of the host's takes what the device says to the
//! [`Screen`], and stays when the guest is gone. It types then what the guest left for that case, within a bounded
//! time, and closes the channel.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::closing::{Open, close, in_background};
use crate::failure::Failure;
use crate::keyboard::Keyboard;
use crate::method::Method;
use crate::pool::Lease;
use crate::screen::{End, Read, Screen};
use crate::session::{Device, Room};
use crate::terminal::{LineEnd, Terminal};
use crate::typed::{Key, Step};
use crate::typing::Guessed;

/// How long the device has for all of them, and for one.
const STEPS: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_secs(1);
/// After so long a silence a step is taken for done.
const QUIET: Duration = Duration::from_millis(250);
/// How long a device may take to open a terminal.
const ANSWER: Duration = Duration::from_secs(10);

/// The guest's side of a terminal. When it is dropped, the host closes the terminal.
pub struct Shell {
    pub(crate) device: Arc<Device>,
    pub(crate) write: Arc<ChannelWriteHalf<Msg>>,
    pub(crate) screen: Arc<Screen>,
    pub(crate) keyboard: Arc<Keyboard>,
    pub(crate) line_end: LineEnd,
    pub(crate) on_close: Arc<Mutex<Vec<Step>>>,
    pub(crate) guessed: Mutex<Option<Guessed>>,
    /// Tells the host's side that the guest is gone, or can type no more.
    pub(crate) gone: CancellationToken,
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
        let entry = self.session.uses(format!("{} shell {}", self.permit.route.capability, self.name()))?;
        let work = self.open_terminal(&terminal, room);
        let done = self.session.call().in_time(None, work).await;
        let done = done.unwrap_or_else(|cut| Err(Failure::cut_short(cut, "opening a terminal", false)));
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
        let screen = Arc::new(Screen::new(self.mask.clone(), self.permit.route.limits.output));
        opening.ask(terminal, &screen).await?;
        let Open { write, read, lease, room } = opening.0.take().expect("it was not taken before");
        let gone = CancellationToken::new();
        let on_close = Arc::new(Mutex::new(Vec::new()));
        let (write, keyboard) = (Arc::new(write), Arc::new(Keyboard::default()));
        let host_side = HostSide {
            device: self.name(),
            restricted: self.permit.restricted(),
            write: Arc::clone(&write),
            read,
            lease,
            room,
            screen: Arc::clone(&screen),
            keyboard: Arc::clone(&keyboard),
            on_close: Arc::clone(&on_close),
            line_end: terminal.line_end,
        };
        in_background(host_side.run(gone.clone()));
        Ok(Shell {
            device: Arc::clone(self),
            write,
            screen,
            keyboard,
            line_end: terminal.line_end,
            on_close,
            guessed: Mutex::default(),
            gone: gone.clone(),
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
    pub(crate) fn noted<T>(&self, done: Result<T, Failure>) -> Result<T, Failure> {
        done.inspect_err(|failure| self.device.session.note(failure))
    }

    /// Why nothing can be typed or read any more.
    pub(crate) fn over(&self, end: End, sent: bool) -> Failure {
        match end {
            End::Closed(_) => Failure::Closed,
            End::Broke(why) => Failure::Dropped { why, sent },
            End::Full => Failure::OutputLimit(self.device.permit.route.limits.output),
            End::Cut => Failure::Dropped { why: "the device took no more, and was left".into(), sent },
        }
    }

    /// Reads what the device says: up to `most` bytes, as soon as there is one.
    pub async fn read(&self, most: u32, timeout: Duration) -> Result<Chunk, Failure> {
        let work = self.screen.read(usize::try_from(most).unwrap_or(usize::MAX), timeout);
        match self.device.session.call().in_time(None, work).await {
            Ok(Read::Data(data)) => Ok(Chunk::Data(data)),
            Ok(Read::TimedOut) => Ok(Chunk::TimedOut),
            Ok(Read::End(End::Closed(_))) => Ok(Chunk::Closed),
            Ok(Read::End(end)) => self.noted(Err(self.over(end, true))),
            Err(cut) => Err(Failure::cut_short(cut, "reading", true)),
        }
    }

    /// The shell's exit status, once the device closed the terminal.
    pub fn exit_status(&self) -> Option<u32> {
        match self.screen.end()? {
            End::Closed(status) => status,
            End::Broke(_) | End::Full | End::Cut => None,
        }
    }
}

/// The host's side of a terminal.
struct HostSide {
    device: String,
    restricted: bool,
    write: Arc<ChannelWriteHalf<Msg>>,
    read: ChannelReadHalf,
    lease: Lease,
    room: Room,
    screen: Arc<Screen>,
    keyboard: Arc<Keyboard>,
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
            Some(End::Full | End::Cut) => self.close().await,
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
        let mut steps = std::mem::take(&mut *self.on_close.lock().unwrap_or_else(PoisonError::into_inner));
        if self.restricted && self.keyboard.typed().begun && !steps.is_empty() {
            // They were allowed as whole lines.
            steps.insert(0, Step::Key(Key::Enter));
        }
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
