//! In a component: the imports of `fleetgate:ssh`.

use std::time::Duration;

use super::{Chunk, Key, Login, Output, Secret, SshError, Step, Terminal};
use crate::bindings::ssh::fleetgate::ssh::ssh;
use crate::capability;

#[derive(Debug)]
pub(crate) struct Connection(ssh::Connection);

#[derive(Debug)]
pub(crate) struct Shell(ssh::Shell);

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn failed(failure: ssh::Failure) -> SshError {
    SshError {
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
        sent: failure.sent,
        details: capability::details(failure.details),
    }
}

pub(crate) fn connect(
    capability: &str,
    host: &str,
    port: u16,
    login: Option<&Login>,
) -> Result<Connection, SshError> {
    let login = login.cloned().map(|Login { user, password, enable }| ssh::Login { user, password, enable });
    ssh::Connection::connect(capability, host, port, login.as_ref()).map(Connection).map_err(failed)
}

impl Connection {
    pub(crate) fn exec(
        &self,
        command: &str,
        timeout: Option<Duration>,
        max_bytes: Option<u64>,
    ) -> Result<Output, SshError> {
        let ssh::Output { stdout, stderr, exit_status, exit_signal, cut } =
            self.0.exec(command, timeout.map(milliseconds), max_bytes).map_err(failed)?;
        Ok(Output { stdout, stderr, exit_status, exit_signal, cut })
    }

    pub(crate) fn open_shell(&self, terminal: &Terminal) -> Result<Shell, SshError> {
        let options = serde_json::to_string(terminal)
            .map_err(|error| SshError::new("invalid", format!("the terminal's options: {error}")))?;
        self.0.open_shell(Some(&options)).map(Shell).map_err(failed)
    }

    pub(crate) fn banner(&self) -> Option<String> {
        self.0.banner()
    }
}

impl Shell {
    pub(crate) fn send_line(&self, line: &str) -> Result<(), SshError> {
        self.0.send_line(line).map_err(failed)
    }

    pub(crate) fn send_key(&self, key: Key) -> Result<(), SshError> {
        self.0.send_key(key.name()).map_err(failed)
    }

    pub(crate) fn send_secret(&self, secret: Secret) -> Result<(), SshError> {
        self.0.send_secret(secret.name()).map_err(failed)
    }

    pub(crate) fn write(&self, data: &[u8]) -> Result<(), SshError> {
        self.0.write(data).map_err(failed)
    }

    pub(crate) fn read(&self, max: u32, timeout: Duration) -> Result<Chunk, SshError> {
        match self.0.read(max, milliseconds(timeout)).map_err(failed)? {
            ssh::Chunk::Data(data) => Ok(Chunk::Data(data)),
            ssh::Chunk::TimedOut => Ok(Chunk::TimedOut),
            ssh::Chunk::Closed => Ok(Chunk::Closed),
        }
    }

    pub(crate) fn on_close(&self, steps: &[Step]) -> Result<(), SshError> {
        let steps: Vec<_> = steps
            .iter()
            .map(|step| match step {
                Step::Line(line) => ssh::Step::Line(line.clone()),
                Step::Key(key) => ssh::Step::Key(key.name().to_owned()),
            })
            .collect();
        self.0.on_close(&steps).map_err(failed)
    }

    pub(crate) fn exit_status(&self) -> Option<u32> {
        self.0.exit_status()
    }
}
