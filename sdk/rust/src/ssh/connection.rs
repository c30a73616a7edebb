//! A device that the host is logged in to, and commands on it.

use std::fmt;
use std::time::Duration;

use super::{Shell, SshError, Terminal, host};

/// A login of the call's own, where the grant says `from_call = true`: secret arguments replace the granted credential.
/// The passwords are what the plugin got in its arguments, which are placeholders; other text is refused.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The user's name, in the clear. None: the grant's.
    pub user: Option<String>,
    /// The placeholder of the password.
    pub password: Option<String>,
    /// The placeholder of the password that `enable` asks for.
    pub enable: Option<String>,
}

/// Placeholders stay out of logs, for whoever reads them would look for what they stand for.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("password", &self.password.is_some())
            .field("enable", &self.enable.is_some())
            .finish()
    }
}

/// What a command left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// What it printed, as far as it was kept.
    pub stdout: Vec<u8>,
    /// What it printed as errors. Network devices do not tell them apart.
    pub stderr: Vec<u8>,
    /// Its exit status. None: it ended by a signal, it was cut short, or the device does not say.
    pub exit_status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub exit_signal: Option<String>,
    /// It printed more than is kept, and was ended there.
    pub cut: bool,
}

impl Output {
    /// What it printed, as text. Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it printed as errors, as text.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A device that the host is logged in to. The connection behind it is the host's: calls with the same credential share
/// it, and it is replaced when it breaks before anything was sent.
#[derive(Debug)]
pub struct Connection {
    pub(crate) host: host::Connection,
}

impl Connection {
    /// Connects to a granted target and logs in with the granted credential. `capability`: the name of the request,
    /// like `ssh.devices`. `host`: a name or an address, as the user gave it.
    ///
    /// # Errors
    /// `denied`, `invalid`, and everything that connecting can fail with; see [`SshError::code`].
    pub fn connect(capability: &str, host: &str, port: u16) -> Result<Self, SshError> {
        host::connect(capability, host, port, None).map(|host| Self { host })
    }

    /// As [`Self::connect`], with a login of the call's own.
    ///
    /// # Errors
    /// As [`Self::connect`]; `denied` also where the grant does not allow that.
    pub fn connect_with(capability: &str, host: &str, port: u16, login: &Login) -> Result<Self, SshError> {
        host::connect(capability, host, port, Some(login)).map(|host| Self { host })
    }

    /// Runs one command without a terminal and waits for its end.
    ///
    /// # Errors
    /// `denied`, `invalid`, `channel-refused`, `timeout`, `dropped`, `cancelled`.
    pub fn exec(&self, command: &str) -> Result<Output, SshError> {
        self.command(command).run()
    }

    /// A command with limits of its own.
    pub fn command<'a>(&'a self, command: &'a str) -> Command<'a> {
        Command { connection: self, command, timeout: None, max_bytes: None }
    }

    /// Opens a terminal with the user's shell in it.
    ///
    /// # Errors
    /// `denied`, `invalid`, `too-many-sessions`, `channel-refused`, `timeout`, `dropped`.
    pub fn open_shell(&self, terminal: &Terminal) -> Result<Shell, SshError> {
        self.host.open_shell(terminal).map(|host| Shell { host })
    }

    /// What the device said before the login (RFC 4252, 5.4), as far as it was kept: at most 8 KiB.
    #[must_use]
    pub fn banner(&self) -> Option<String> {
        self.host.banner()
    }
}

/// A command that is about to run.
#[derive(Debug)]
#[must_use = "nothing is run until `.run()?`"]
pub struct Command<'a> {
    connection: &'a Connection,
    command: &'a str,
    timeout: Option<Duration>,
    max_bytes: Option<u64>,
}

impl Command<'_> {
    /// After so long the command is ended. Without it: the grant's time, or the call's.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How much of its output is kept, both streams together; never more than the grant keeps. A command that prints
    /// more is ended.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Runs it and waits for its end.
    ///
    /// # Errors
    /// As [`Connection::exec`].
    pub fn run(self) -> Result<Output, SshError> {
        self.connection.host.exec(self.command, self.timeout, self.max_bytes)
    }
}
