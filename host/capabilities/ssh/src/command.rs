//! One command without a terminal (RFC 4254, 6.5).

use std::time::Duration;

use bytes::Bytes;
use fleetgate_core::mask::Masker;
use russh::{ChannelMsg, Sig};
use tokio::time::timeout;

use crate::closing::{Open, in_background};
use crate::failure::Failure;
use crate::method::Method;
use crate::session::Device;
use crate::typed::{LONGEST_COMMAND, printable};

/// How long a device may take to close the channel after it said how the command ended and that all was printed.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// How long it may be silent after it said how the command ended alone: what was printed may come behind that, since
/// RFC 4254 (6.10) does not order the two, and OpenSSH says the status as soon as the process is gone.
const STILL_PRINTING: Duration = Duration::from_secs(10);

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed as errors.
    pub stderr: Vec<u8>,
    /// Its exit status.
    pub exit_status: Option<u32>,
    /// The signal that ended it.
    pub exit_signal: Option<String>,
    /// It printed more than is kept, and was ended.
    pub cut: bool,
}

/// A command that runs. Dropped before its end, it is ended by the host.
struct Running(Option<Open>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            in_background(open.kill());
        }
    }
}

/// One stream of output.
struct Kept {
    bytes: Vec<u8>,
    masker: Option<Masker>,
}

impl Kept {
    fn push(&mut self, data: Bytes) {
        let clean = match &mut self.masker {
            Some(masker) => masker.push(data),
            None => data,
        };
        self.bytes.extend_from_slice(&clean);
    }

    /// `whole`: nothing is missing at its end. What was held back may be the beginning of a password that was cut.
    fn finish(mut self, whole: bool) -> Vec<u8> {
        if let Some(masker) = &mut self.masker
            && whole
        {
            let held = masker.finish();
            self.bytes.extend_from_slice(&held);
        }
        self.bytes
    }
}

impl Device {
    /// Runs a command. `most`: what is kept of its output, in bytes.
    pub async fn exec(
        &self,
        command: &str,
        time: Option<Duration>,
        most: Option<u64>,
    ) -> Result<Output, Failure> {
        self.session.noted(self.run(command, time, most)).await
    }

    async fn run(&self, command: &str, time: Option<Duration>, most: Option<u64>) -> Result<Output, Failure> {
        check(command)?;
        self.permit.method(Method::Exec).map_err(Failure::Refused)?;
        self.session.no_placeholder(command.as_bytes())?;
        self.permit.line(command).map_err(Failure::Refused)?;
        let room = self.session.room(&self.permit)?;
        let limits = &self.permit.route.limits;
        let most = most.map_or(limits.output, |most| most.min(limits.output));
        let time = match (time, limits.timeout) {
            (Some(asked), Some(granted)) => Some(asked.min(granted)),
            (asked, granted) => asked.or(granted),
        };
        let entry = self.session.uses(self.record("exec", command))?;
        let mut sent = false;
        let work = async {
            let (channel, lease) = self.channel().await?;
            let (read, write) = channel.split();
            let mut running = Running(Some(Open { write, read, lease, room }));
            sent = true;
            let output = self.output(&mut running, command, most).await?;
            if !output.cut {
                // It is over, and its channel closed.
                running.0.take();
            }
            Ok(output)
        };
        let done = self.session.call().in_time(time, work).await;
        let done = done.unwrap_or_else(|cut| Err(Failure::cut_short(cut, "the command", sent)));
        entry.end(match &done {
            Ok(Output { cut: true, .. }) => "cut: it printed too much".to_owned(),
            Ok(Output { exit_status: Some(status), .. }) => format!("exit {status}"),
            Ok(Output { exit_signal: Some(signal), .. }) => format!("ended by {signal}"),
            Ok(_) => "ended".to_owned(),
            Err(failure) => format!("failed: {}", failure.guest().code),
        });
        done
    }

    fn signal(&self, signal: Sig) -> String {
        match signal {
            Sig::Custom(name) => {
                let name = self.mask.as_ref().map_or_else(|| name.clone(), |mask| mask.replace(&name));
                fleetgate_core::text::clean(&name[..name.floor_char_boundary(32)]).into_owned()
            }
            known => format!("{known:?}"),
        }
    }

    async fn output(&self, running: &mut Running, command: &str, most: u64) -> Result<Output, Failure> {
        let open = running.0.as_mut().expect("it runs");
        let dropped = |open: &Open| Failure::Dropped { why: open.lease.connection.gone(), sent: true };
        if open.write.exec(true, command).await.is_err() {
            return Err(dropped(open));
        }
        let kept = || Kept { bytes: Vec::new(), masker: self.mask.clone().map(Masker::new) };
        let (mut stdout, mut stderr) = (kept(), kept());
        let (mut exit_status, mut exit_signal) = (None, None);
        let (mut left, mut all_printed) = (most, false);
        let cut = loop {
            let over = exit_status.is_some() || exit_signal.is_some();
            let patience = match (over, all_printed) {
                (true, true) => GOOD_BYE,
                (true, false) => STILL_PRINTING,
                (false, _) => Duration::MAX,
            };
            let message = match timeout(patience, open.read.wait()).await {
                Ok(message) => message,
                // Some devices say how it ended and leave the closing to us.
                Err(_) => break false,
            };
            match message {
                Some(ChannelMsg::Data { data }) => {
                    left = match take(&mut stdout, data, left) {
                        Some(left) => left,
                        None => break true,
                    }
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    left = match take(&mut stderr, data, left) {
                        Some(left) => left,
                        None => break true,
                    }
                }
                Some(ChannelMsg::ExitStatus { exit_status: status }) => exit_status = Some(status),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    exit_signal = Some(self.signal(signal_name))
                }
                Some(ChannelMsg::Eof) => all_printed = true,
                Some(ChannelMsg::Failure) => return Err(Failure::ChannelRefused { what: "the command" }),
                Some(ChannelMsg::Close) => {
                    // A connection that breaks is no end of a command, one that is closed is.
                    break false;
                }
                None if over => break false,
                None => return Err(dropped(open)),
                Some(_) => {}
            }
        };
        Ok(Output {
            stdout: stdout.finish(!cut),
            stderr: stderr.finish(!cut),
            exit_status: exit_status.filter(|_| !cut),
            exit_signal,
            cut,
        })
    }
}

/// Keeps as much as there is room for. None: there is no more.
fn take(kept: &mut Kept, data: Bytes, left: u64) -> Option<u64> {
    match left.checked_sub(data.len() as u64) {
        Some(left) => {
            kept.push(data);
            Some(left)
        }
        None => {
            kept.push(data.slice(..usize::try_from(left).unwrap_or(0)));
            None
        }
    }
}

/// A script of several lines is one command where nothing restricts commands; patterns refuse its line ends.
fn check(command: &str) -> Result<(), Failure> {
    let lines = command.split(['\n', '\t']);
    let fine = command.len() <= LONGEST_COMMAND && !command.trim().is_empty() && lines.clone().all(printable);
    if fine {
        return Ok(());
    }
    Err(Failure::Invalid(format!(
        "a command has 1 to {LONGEST_COMMAND} bytes, and no control characters but line feeds and tabs"
    )))
}
