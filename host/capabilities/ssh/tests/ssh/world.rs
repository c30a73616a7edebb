//! A binding with its grants and secrets, and the calls that are made to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fleetgate_core::abi::log::LogGate;
use fleetgate_core::address::{Connector, Dialer, Resolver, TcpDialer};
use fleetgate_core::capability::{BindingParts, Capability, Grant, Reach, Request};
use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::sandbox::{CallInfo, CallLimits, CallPolicy, Nobody, Used};
use fleetgate_core::secret_arguments::Vault;
use fleetgate_core::settings::{Limits, SecretSource, Secrets};
use fleetgate_core::store::{Memory, Store};
use fleetgate_ssh::testing::{Chunk, Device, Output, Session, Shell, SshBinding, Terminal};
use fleetgate_ssh::{Failure, GuestFailure, LoginArguments, Ssh};
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::sshd::Sshd;

/// What an operator and an author wrote.
pub struct World {
    pub directory: Arc<TempDir>,
    pub ssh: Ssh,
    request: String,
    grant: Option<String>,
    secrets: BTreeMap<String, SecretSource>,
}

impl World {
    /// `ssh.devices` with everything asked for, and this grant.
    pub fn new(grant: &str) -> Self {
        Self::with(Connector::default(), grant)
    }

    pub fn with(connector: Connector, grant: &str) -> Self {
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            ssh: Ssh::new(connector),
            request: String::new(),
            grant: Some(grant.to_owned()),
            secrets: BTreeMap::new(),
        }
    }

    pub fn request(mut self, request: &str) -> Self {
        request.clone_into(&mut self.request);
        self
    }

    pub fn grant(&self) -> String {
        self.grant.clone().unwrap_or_default()
    }

    /// The same with another grant.
    pub fn granting(mut self, grant: &str) -> Self {
        self.grant = Some(grant.to_owned());
        self
    }

    pub fn ungranted(mut self) -> Self {
        self.grant = None;
        self
    }

    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.into(), SecretSource::File(self.path(name)));
        self.write(name, value);
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file beside `fleetgate.toml`, for its owner alone.
    pub fn write(&self, name: &str, content: &str) {
        write_private(&self.path(name), content);
    }

    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.directory.path(), self.secrets.clone())
    }

    /// Reads the request and its grant.
    #[allow(clippy::type_complexity)]
    pub fn read(&self) -> Result<(Arc<dyn Request>, Option<Arc<dyn Grant>>), Diagnostics> {
        let mut text = format!("[capabilities.ssh.devices]\n{}\n", self.request);
        if let Some(grant) = &self.grant {
            text += &format!("[plugins.lab.grant.ssh.devices]\n{grant}\n");
        }
        let document = Arc::new(Document::new(self.path("fleetgate.toml"), text));
        let request =
            document.read_at(&["capabilities", "ssh", "devices"], |table| self.ssh.parse_request(table))?;
        let grant = match self.grant {
            None => None,
            Some(_) => Some(document.read_at(&["plugins", "lab", "grant", "ssh", "devices"], |table| {
                self.ssh.parse_grant(table, &*request, &self.secrets())
            })?),
        };
        Ok((request, grant))
    }

    pub fn try_bind(&self) -> Result<SshBinding, Diagnostics> {
        let wants = BTreeMap::from([("devices".to_owned(), self.read()?)]);
        let (secrets, limits, state) = (self.secrets(), Limits::default(), self.path("state"));
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let parts = BindingParts {
            name: "lab",
            wants,
            secrets: &secrets,
            limits: &limits,
            state: &state,
            store: &store,
        };
        self.ssh.bind_ssh(parts)
    }

    pub fn bind(&self) -> Binding {
        let binding = self.try_bind().unwrap_or_else(|problems| panic!("{problems}"));
        Binding { binding, directory: Arc::clone(&self.directory) }
    }

    /// What is wrong with the grant.
    pub fn problem(&self) -> String {
        match self.try_bind() {
            Ok(_) => panic!("nothing is wrong"),
            Err(problems) => problems.to_string(),
        }
    }

    /// A tool's reach on the request.
    pub fn reach(&self, reach: &str) -> Arc<dyn Reach> {
        let (request, _) = self.read().unwrap();
        let document = Arc::new(Document::new("plugin.toml", reach.to_owned()));
        document
            .read(|table| self.ssh.parse_reach(table, &*request))
            .unwrap_or_else(|problems| panic!("{problems}"))
    }
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

/// What becomes of a world, with the files that it reads while it is used.
pub struct Binding {
    binding: SshBinding,
    directory: Arc<TempDir>,
}

pub fn write_private(path: &Path, content: &str) {
    let temporary = path.with_extension("new");
    fs::write(&temporary, content).unwrap();
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(temporary, path).unwrap();
}

/// One call to be made.
#[derive(Default)]
pub struct Call {
    read_only: bool,
    reach: Option<Arc<dyn Reach>>,
    timeout: Option<Duration>,
    secrets: Vault,
}

/// A call that may do all that is granted.
pub fn call() -> Call {
    Call::default()
}

impl Call {
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub fn reaching(mut self, reach: Arc<dyn Reach>) -> Self {
        self.reach = Some(reach);
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With secret arguments of these values; their placeholders come back.
    pub fn with_secrets<const N: usize>(mut self, values: [&str; N]) -> (Self, [String; N]) {
        let placeholders;
        (self.secrets, placeholders) = Vault::for_tests(values);
        (self, placeholders.try_into().unwrap())
    }

    pub fn to(self, binding: &Binding) -> Caller {
        let timeout = self.timeout.unwrap_or(Duration::from_secs(60));
        let reach = self.reach.map(|reach| ("ssh.devices".to_owned(), reach));
        let call = Arc::new(CallInfo {
            id: "call-1".into(),
            binding: "lab".into(),
            plugin: "lab".into(),
            tool: "tool".into(),
            principal: "ann".into(),
            roles: Vec::new(),
            session: String::new(),
            client_capabilities: "{}".into(),
            config: Arc::default(),
            granted: Arc::new(BTreeSet::from(["ssh.devices".to_owned()])),
            policy: Arc::new(CallPolicy {
                read_only: self.read_only,
                reach: reach.into_iter().collect(),
                ..CallPolicy::default()
            }),
            limits: CallLimits {
                memory: 1 << 20,
                cpu: Duration::from_secs(1),
                timeout,
                result: 1 << 20,
                response: 1 << 20,
            },
            deadline: Instant::now() + timeout,
            cancel: Default::default(),
            log: LogGate::new(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::hiding(self.secrets.mask().cloned()),
            jobs: Default::default(),
            secrets: self.secrets,
        });
        Caller { session: binding.binding.session(&call), call, _directory: Arc::clone(&binding.directory) }
    }
}

/// A call that is going on.
#[derive(Clone)]
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
    _directory: Arc<TempDir>,
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
        match self.0.read(4096, Duration::from_secs(10)).await.unwrap() {
            Chunk::Data(data) => text(&data),
            other => panic!("{other:?}"),
        }
    }

    /// Reads until the device said this, at the end of what it said.
    pub async fn until(&self, end: &str) -> String {
        let mut said = String::new();
        loop {
            match self.0.read(4096, Duration::from_secs(10)).await.unwrap() {
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
            match self.0.read(1 << 20, Duration::from_secs(10)).await? {
                Chunk::Data(data) => said.push_str(&text(&data)),
                Chunk::Closed => return Ok(said),
                Chunk::TimedOut => panic!("the terminal is open, after {said:?}"),
            }
        }
    }
}

/// Waits until something is so. Fails after ten seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let begin = Instant::now();
    while !is().await {
        assert!(begin.elapsed() < Duration::from_secs(10), "{what}: not after ten seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A resolver that answers from a list, one answer after the other, over and over.
pub struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolver for Answers {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let next = answers.remove(0);
        answers.push(next.clone());
        Box::pin(async move { Ok(next) })
    }
}

/// Writes down what is looked up and what is dialled. Addresses that are not near lead nowhere.
#[derive(Default)]
pub struct Watched {
    pub names: Mutex<Vec<String>>,
    pub addresses: Mutex<Vec<SocketAddr>>,
}

impl Resolver for Watched {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.names.lock().unwrap().push(name.to_owned());
        Box::pin(async { Err(io::Error::other("no such name")) })
    }
}

impl Dialer for Watched {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.addresses.lock().unwrap().push(address);
        match address.ip().is_loopback() {
            true => Box::pin(async move { TcpDialer.dial(address).await }),
            false => Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }),
        }
    }
}
