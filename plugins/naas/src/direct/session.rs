//! One job on one device: connect, meet its prompt, reach the right level, make the terminal fit.

use std::time::Duration;

use fleetgate_sdk::config;
use fleetgate_sdk::ssh::{Connection, Login, SshError};

use super::failure::Failure;
use super::platform::Platform;
use super::terminal::Terminal;
use crate::job::{DeviceJob, Kind};

/// The request in the manifest.
const DEVICES: &str = "ssh.devices";
/// How long a device may be silent before it answers, unless `read_timeout` says otherwise.
const SILENCE: Duration = Duration::from_secs(30);

/// See the [module](self).
pub struct Session<'a> {
    /// What is to be done.
    pub job: &'a DeviceJob,
    /// Where.
    pub terminal: Terminal,
    /// How long the device may be silent.
    pub silence: Duration,
    /// Why the device is not at the privileged level although it has one.
    pub unprivileged: Option<String>,
    platform: &'static Platform,
    connection: Connection,
}

/// How long a device may be silent before it answers.
pub fn silence() -> Duration {
    config::duration("read_timeout").ok().flatten().filter(|time| !time.is_zero()).unwrap_or(SILENCE)
}

/// Connects and logs in, with the call's own login where it brings one.
pub fn connect(job: &DeviceJob, user_suffix: &str) -> Result<Connection, Failure> {
    let given = job.username.is_some() || job.password.is_some() || job.enable.is_some();
    let connected: Result<Connection, SshError> = if given {
        // The suffix makes another name of it, which goes only with a password of its own.
        let suffix = |user: &String| match &job.password {
            Some(_) if !user.contains('+') => format!("{user}{user_suffix}"),
            _ => user.clone(),
        };
        let login = Login {
            user: job.username.as_ref().map(suffix),
            password: job.password.clone(),
            enable: job.enable.clone(),
        };
        Connection::connect_with(DEVICES, &job.host, job.port, &login)
    } else {
        Connection::connect(DEVICES, &job.host, job.port)
    };
    connected.map_err(|error| Failure::connecting(&error, job))
}

impl<'a> Session<'a> {
    /// The whole way to the prompt at which work begins.
    pub fn open(job: &'a DeviceJob, platform: &'static Platform) -> Result<Self, Failure> {
        let connection = connect(job, platform.user_suffix)?;
        let terminal = Terminal::open(&connection, platform)?;
        let mut session =
            Self { job, terminal, silence: silence(), unprivileged: None, platform, connection };
        session.prepare()?;
        Ok(session)
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        self.terminal.log_in(self.job)?;
        self.unprivileged = match self.terminal.enable(self.job) {
            Ok(why) => why,
            // Whoever asked for the privileged level is told; who only wants to see something may see it without.
            Err(failure) if self.job.enable.is_some() || self.job.kind == Kind::Config => {
                return Err(failure);
            }
            Err(failure) => Some(failure.message),
        };
        self.terminal.widen()
    }

    /// After an answer that the device would not stop: another terminal.
    pub fn reopen_if_gone(&mut self) -> Result<(), Failure> {
        if self.terminal.is_gone() {
            self.terminal.close();
            self.terminal = Terminal::open(&self.connection, self.platform)?;
            self.prepare()?;
        }
        Ok(())
    }
}
