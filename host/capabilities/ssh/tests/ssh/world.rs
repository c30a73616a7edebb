//! A binding with its grants and secrets, and the devices that are used through it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::address::Connector;
use fleetgate_core::capability::BindingParts;
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::sandbox::CallInfo;
pub use fleetgate_lab::{Answers, Watched, until};
use fleetgate_lab::{Place, Subject};
use fleetgate_ssh::testing::{Chunk, Device, Output, Session, Shell, SshBinding, Terminal};
use fleetgate_ssh::{Failure, GuestFailure, LoginArguments, Ssh};

use crate::sshd::Sshd;

/// `ssh.devices`, with everything asked for.
pub struct Devices;

/// How long a device may take to say what it says at once: less than the time of a call.
const SOON: Duration = Duration::from_secs(50);

pub type World = fleetgate_lab::World<Devices>;
pub type Binding = fleetgate_lab::Binding<Devices>;
pub type Call = fleetgate_lab::Call<Devices>;

impl Subject for Devices {
    const CAPABILITY: &'static str = "ssh.devices";
    const REQUEST: &'static str = "";

    type Kind = Ssh;
    type Options = Connector;
    type Bound = SshBinding;
    type Caller = Caller;

    fn capability(connector: Connector) -> Ssh {
        Ssh::new(connector)
    }

    fn bind(ssh: &Ssh, parts: BindingParts<'_>) -> Result<SshBinding, Diagnostics> {
        ssh.bind_ssh(parts)
    }

    fn caller(binding: &Binding, call: Arc<CallInfo>) -> Caller {
        Caller { session: binding.binding.session(&call), call, _place: binding.place.clone() }
    }
}

/// A call that may do all that is granted.
pub fn call() -> Call {
    Call::default()
}

impl Sshd {
    /// A world with that grant.
    pub fn world(&self) -> World {
        self.world_with("")
    }

    /// The same with more lines in the grant.
    pub fn world_with(&self, lines: &str) -> World {
        let world = World::new(&format!("{}\n{lines}", self.grant())).secret("key", &self.user_key());
        world.write("known_hosts", &self.known_hosts());
        world
    }
}

/// A call that is going on.
#[derive(Clone)]
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
    /// Files that are read while it goes on.
    _place: Place,
}

impl Caller {
    pub async fn connect(&self, to: SocketAddr) -> Result<Arc<Device>, Failure> {
        self.connect_to(&to.ip().to_string(), to.port()).await
    }

    pub async fn connect_to(&self, host: &str, port: u16) -> Result<Arc<Device>, Failure> {
        Ok(Arc::new(self.session.connect("ssh.devices", host, port, None).await?))
    }

    pub async fn connect_as(&self, to: SocketAddr, login: LoginArguments) -> Result<Arc<Device>, Failure> {
        let host = to.ip().to_string();
        Ok(Arc::new(self.session.connect("ssh.devices", &host, to.port(), Some(login)).await?))
    }

    pub async fn exec(&self, to: SocketAddr, command: &str) -> Result<Output, Failure> {
        self.connect(to).await?.exec(command, None, None).await
    }

    pub async fn shell(&self, to: SocketAddr) -> Typing {
        let device = self.connect(to).await.unwrap();
        Typing(device.open_shell(Terminal::default()).await.unwrap())
    }

    /// What the operator reads of what was refused last.
    pub fn refused(&self) -> String {
        self.call.used.refused().last().cloned().unwrap_or_default()
    }

    /// What the guest gets of a connection that fails.
    pub async fn fails(&self, to: SocketAddr) -> GuestFailure {
        match self.connect(to).await {
            Ok(_) => panic!("connected to {to}"),
            Err(failure) => failure.guest(),
        }
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A terminal, as a guest uses it.
pub struct Typing(pub Shell);

impl Typing {
    /// What the device says next.
    pub async fn some(&self) -> String {
        match self.0.read(4096, SOON).await.unwrap() {
            Chunk::Data(data) => text(&data),
            other => panic!("{other:?}"),
        }
    }

    /// Reads until the device said this, at the end of what it said.
    pub async fn until(&self, end: &str) -> String {
        let mut said = String::new();
        loop {
            match self.0.read(4096, SOON).await.unwrap() {
                Chunk::Data(data) => said.push_str(&text(&data)),
                other => panic!("{other:?} while waiting for {end:?}, after {said:?}"),
            }
            if said.ends_with(end) {
                return said;
            }
        }
    }

    /// Types a line and reads until the device said this.
    pub async fn line(&self, line: &str, end: &str) -> String {
        self.0.send_line(line).await.unwrap();
        self.until(end).await
    }

    /// Everything up to the end of the terminal.
    pub async fn rest(&self) -> Result<String, Failure> {
        let mut said = String::new();
        loop {
            match self.0.read(1 << 20, SOON).await? {
                Chunk::Data(data) => said.push_str(&text(&data)),
                Chunk::Closed => return Ok(said),
                Chunk::TimedOut => panic!("the terminal is open, after {said:?}"),
            }
        }
    }
}
