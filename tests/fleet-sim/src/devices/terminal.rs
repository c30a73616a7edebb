//! The wire between a device and the person at its terminal: bytes out, keys in, and the faults that lie
//! between the two.

mod key;
mod striking;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelId, ChannelMsg};
use tokio_util::sync::CancellationToken;

use super::Fault;
use super::device::Shared;
use super::journal::What;
pub(crate) use key::Key;

/// Why a session ends before it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The other side closed it, or the connection broke.
    Closed,
    /// Nothing was typed for too long.
    Idle,
}

/// The terminal that was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screen {
    pub(crate) term: String,
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

/// One session's terminal. What is put is sent when the device waits for a key.
pub(crate) struct Terminal {
    pub(crate) shared: Arc<Shared>,
    /// The user as the login named it, with what options came with the name.
    pub(crate) user: String,
    /// Characters in a line.
    pub(crate) columns: usize,
    /// Lines on a page.
    pub(crate) rows: usize,
    /// CR LF is one end of a line, as it is for everything but a Unix terminal.
    pub(crate) joins_crlf: bool,
    screen: Screen,
    connection: u64,
    cut: CancellationToken,
    /// Cancelled when the other side closed this session: nobody reads any more.
    closed: CancellationToken,
    id: ChannelId,
    handle: Handle,
    channel: Option<Channel<Msg>>,
    typed: VecDeque<u8>,
    output: Vec<u8>,
    after_cr: bool,
    ended: bool,
    /// The next output breaks off in the middle, and the connection with it.
    doomed: bool,
}

impl Terminal {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connection: u64,
        (cut, closed): (CancellationToken, CancellationToken),
        user: String,
        screen: Screen,
        id: ChannelId,
        handle: Handle,
    ) -> Self {
        let or = |asked: u32, default: usize| match asked {
            0 => default,
            asked => asked as usize,
        };
        Self {
            shared,
            user,
            columns: or(screen.columns, 80),
            rows: or(screen.rows, 24),
            joins_crlf: true,
            screen,
            connection,
            cut,
            closed,
            id,
            handle,
            channel: None,
            typed: VecDeque::new(),
            output: Vec::new(),
            after_cr: false,
            ended: false,
            doomed: false,
        }
    }

    pub(crate) fn attach(&mut self, channel: Channel<Msg>) {
        self.channel = Some(channel);
    }

    pub(crate) fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// Whether somebody sits at it: false for a command without a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        !self.screen.term.is_empty()
    }

    pub(crate) fn write_down(&self, what: What) {
        self.shared.journal.write(self.connection, what);
    }

    /// Puts bytes as they are.
    pub(crate) fn put(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn put_byte(&mut self, byte: u8) {
        self.output.push(byte);
    }

    /// Puts text whose lines end with LF; the terminal gets CR LF.
    pub(crate) fn say(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            match piece.strip_suffix('\n') {
                Some(line) => {
                    self.put(line);
                    self.put("\r\n");
                }
                None => self.put(piece),
            }
        }
    }

    /// Sends what was put.
    pub(crate) async fn flush(&mut self) -> Result<(), Gone> {
        let output = std::mem::take(&mut self.output);
        if output.is_empty() {
            return if self.ended { Err(Gone::Closed) } else { Ok(()) };
        }
        if std::mem::take(&mut self.doomed) {
            let half = &output[..output.len().div_ceil(2)];
            self.send(half).await?;
            // What was sent shall arrive before the line goes dead.
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.cut.cancel();
            self.ended = true;
            return Err(Gone::Closed);
        }
        let slow = self.shared.fault(|fault| match fault {
            Fault::SlowOutput { bytes, pause } => Some(((*bytes).max(1), *pause)),
            _ => None,
        });
        match slow {
            Some((bytes, pause)) => {
                for piece in output.chunks(bytes) {
                    self.send(piece).await?;
                    tokio::time::sleep(pause).await;
                }
                Ok(())
            }
            None => self.send(&output).await,
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let Some(channel) = &self.channel else { return Err(Gone::Closed) };
        for piece in bytes.chunks(16 << 10) {
            let sent = tokio::select! {
                sent = channel.data_bytes(piece.to_vec()) => sent.is_ok(),
                () = self.closed.cancelled() => false,
            };
            if !sent {
                self.ended = true;
                return Err(Gone::Closed);
            }
        }
        Ok(())
    }

    /// Writes to standard error, where there is one.
    pub(crate) async fn error(&mut self, text: &str) -> Result<(), Gone> {
        self.flush().await?;
        self.handle.extended_data(self.id, 1, text.as_bytes().to_vec()).await.map_err(|_| Gone::Closed)
    }

    /// Whether keys were typed ahead.
    pub(crate) fn typed_ahead(&self) -> bool {
        !self.typed.is_empty()
    }

    async fn receive(&mut self) -> Result<(), Gone> {
        let Some(channel) = self.channel.as_mut().filter(|_| !self.ended) else { return Err(Gone::Closed) };
        let message = tokio::select! {
            message = channel.wait() => message,
            () = self.cut.cancelled() => None,
        };
        match message {
            Some(ChannelMsg::Data { data }) => self.typed.extend(data),
            Some(ChannelMsg::WindowChange { col_width, row_height, .. }) => {
                self.columns = (col_width as usize).max(1);
                self.rows = (row_height as usize).max(1);
            }
            Some(ChannelMsg::Eof) if !self.is_terminal() => {
                self.ended = true;
                return Err(Gone::Closed);
            }
            Some(ChannelMsg::Close) | None => {
                self.ended = true;
                return Err(Gone::Closed);
            }
            Some(_) => {}
        }
        Ok(())
    }

    async fn byte(&mut self) -> Result<u8, Gone> {
        loop {
            if let Some(byte) = self.typed.pop_front() {
                return Ok(byte);
            }
            self.flush().await?;
            match self.shared.setup.idle {
                None => self.receive().await?,
                Some(idle) => match tokio::time::timeout(idle, self.receive()).await {
                    Ok(received) => received?,
                    Err(_) => return Err(Gone::Idle),
                },
            }
        }
    }

    /// Lets time pass; true if ctrl-c was typed meanwhile. Other keys are kept.
    pub(crate) async fn pause(&mut self, time: Duration) -> Result<bool, Gone> {
        self.flush().await?;
        let passed = async {
            match time {
                Duration::ZERO => tokio::task::yield_now().await,
                time => tokio::time::sleep(time).await,
            }
        };
        tokio::pin!(passed);
        loop {
            if let Some(at) = self.typed.iter().position(|byte| *byte == 0x03) {
                self.typed.drain(..=at);
                return Ok(true);
            }
            tokio::select! {
                () = &mut passed => return Ok(false),
                received = self.receive() => received?,
            }
        }
    }
}
