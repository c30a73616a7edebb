//! A real MQTT broker: mosquitto, started on a free port of 127.0.0.1, with its files in a temporary folder.
//!
//! Nothing of it is simulated. Passwords are hashed by mosquitto's own `mosquitto_passwd`, topics are guarded by its
//! ACL file, and TLS is its own, with an authority made for this broker alone. What a broker does on a bad day is
//! done to the process: [`Broker::kill`], [`Broker::hang`], [`Broker::restart`] on the same port with the same folder.

mod authority;
mod program;
mod settings;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::process::Signal;
use tempfile::TempDir;

pub use authority::Identity;
pub use program::{installed, missing};
pub use settings::{Account, May, Setup, Tls};

use authority::Authority;
use program::Guard;

/// How often a port that was free is taken by another before we give up.
const ATTEMPTS: usize = 5;

/// For how long a broker that is started again waits for its own port, which another may have got meanwhile: every
/// connection of this machine takes one.
const ANOTHERS: Duration = Duration::from_secs(60);

/// Its process, and what ends that if this one is killed.
#[derive(Debug)]
struct Running {
    child: Child,
    _guard: Guard,
}

impl Running {
    fn start(folder: &Path, port: u16) -> io::Result<Self> {
        let mut child = program::start(folder, port)?;
        match Guard::over(&child) {
            Ok(guard) => Ok(Self { child, _guard: guard }),
            Err(error) => {
                child.kill().ok();
                child.wait().ok();
                Err(error)
            }
        }
    }
}

/// A broker that runs; ended when dropped, its folder removed.
#[derive(Debug)]
pub struct Broker {
    child: Option<Running>,
    port: u16,
    folder: TempDir,
    setup: Setup,
    authority: Option<Authority>,
}

impl Broker {
    /// Starts mosquitto on a free port, and returns once it accepts connections.
    ///
    /// # Errors
    /// If mosquitto is not installed (see [`missing`]), or does not start; its log is in the error.
    pub fn start(setup: Setup) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mosquitto-").tempdir()?;
        let authority = match setup.tls {
            Tls::Off => None,
            Tls::Server | Tls::Mutual => Some(Authority::new(folder.path())?),
        };
        let mut broker = Self { child: None, port: 0, folder, setup, authority };
        settings::write_accounts(broker.folder.path(), &broker.setup.accounts)?;
        let mut attempt = 1;
        loop {
            broker.port = free_port()?;
            settings::write(broker.folder.path(), broker.port, &broker.setup)?;
            match Running::start(broker.folder.path(), broker.port) {
                Ok(child) => {
                    broker.child = Some(child);
                    return Ok(broker);
                }
                Err(error) if attempt == ATTEMPTS || error.kind() != io::ErrorKind::AddrInUse => {
                    return Err(error);
                }
                Err(_) => attempt += 1,
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The same, as a grant names it: `mqtt://127.0.0.1:PORT`, or `mqtts://…` with TLS.
    pub fn url(&self) -> String {
        let scheme = if self.setup.tls == Tls::Off { "mqtt" } else { "mqtts" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Its folder: settings, passwords, topics, certificates, log, and what it keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The certificate of its authority, a PEM file.
    ///
    /// # Panics
    /// Without TLS.
    pub fn ca(&self) -> PathBuf {
        self.authority().certificate_path()
    }

    /// A client's certificate by its authority.
    ///
    /// # Panics
    /// Without TLS.
    pub fn identity(&self, name: &str) -> Identity {
        self.authority().identify(name)
    }

    fn authority(&self) -> &Authority {
        self.authority.as_ref().expect("a broker with TLS")
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        program::log(self.folder.path())
    }

    /// Its process; none while it is down.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(|running| running.child.id())
    }

    /// SIGKILL: connections break, and what was not yet saved is lost.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.child.take() {
            running.child.kill().ok();
            running.child.wait().ok();
        }
    }

    /// SIGTERM: it says goodbye, and saves what it keeps.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.child.take() {
            program::signal(&running.child, Signal::TERM);
            running.child.wait().ok();
        }
    }

    /// SIGSTOP: connections stand, and nothing is answered until [`Self::resume`].
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.child.iter().for_each(|running| program::signal(&running.child, signal));
    }

    /// Starts it again on the same port with what it has kept; kills it before if it runs.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill();
        let begin = Instant::now();
        loop {
            match Running::start(self.folder.path(), self.port) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && begin.elapsed() < ANOTHERS => {
                    thread::sleep(Duration::from_millis(100));
                }
                started => {
                    self.child = Some(started?);
                    return Ok(());
                }
            }
        }
    }

    /// Other accounts, from now on. Mosquitto disconnects who could not connect any more, and looks at the topics with
    /// every message. A broker that was started without accounts goes on letting everybody in.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn set_accounts(&mut self, accounts: Vec<Account>) -> io::Result<()> {
        settings::write_accounts(self.folder.path(), &accounts)?;
        self.setup.accounts = accounts;
        self.signal(Signal::HUP);
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
