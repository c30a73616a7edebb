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
use fleetgate_mqtt::testing::{Heard, HeardMessage, MqttBinding, Session, Subscription};
use fleetgate_mqtt::{Failure, GuestFailure, Mqtt};
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::mosquitto::Mosquitto;

pub const BROKER: &str = "mqtt.broker";
/// The password of the strict broker.
pub const PASSWORD: &str = "s3cr3t-p4ssword";

/// What an operator and an author wrote.
pub struct World {
    pub directory: Arc<TempDir>,
    pub mqtt: Mqtt,
    request: String,
    grant: Option<String>,
    secrets: BTreeMap<String, SecretSource>,
}

impl World {
    /// `mqtt.broker` with every topic asked for, and this grant.
    pub fn new(grant: &str) -> Self {
        Self::with(Connector::default(), grant)
    }

    pub fn with(connector: Connector, grant: &str) -> Self {
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            mqtt: Mqtt::new(connector),
            request: "publish = [\"#\"]\nsubscribe = [\"#\"]".to_owned(),
            grant: Some(grant.to_owned()),
            secrets: BTreeMap::new(),
        }
    }

    pub fn request(mut self, request: &str) -> Self {
        request.clone_into(&mut self.request);
        self
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
        let mut text = format!("[capabilities.mqtt.broker]\n{}\n", self.request);
        if let Some(grant) = &self.grant {
            text += &format!("[plugins.lab.grant.mqtt.broker]\n{grant}\n");
        }
        let document = Arc::new(Document::new(self.path("fleetgate.toml"), text));
        let request =
            document.read_at(&["capabilities", "mqtt", "broker"], |table| self.mqtt.parse_request(table))?;
        let grant = match self.grant {
            None => None,
            Some(_) => Some(document.read_at(&["plugins", "lab", "grant", "mqtt", "broker"], |table| {
                self.mqtt.parse_grant(table, &*request, &self.secrets())
            })?),
        };
        Ok((request, grant))
    }

    pub fn try_bind(&self) -> Result<MqttBinding, Diagnostics> {
        let wants = BTreeMap::from([("broker".to_owned(), self.read()?)]);
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
        self.mqtt.bind_mqtt(parts)
    }

    pub fn bind(&self) -> Binding {
        let binding = self.try_bind().unwrap_or_else(|problems| panic!("{problems}"));
        Binding { binding, _directory: Arc::clone(&self.directory) }
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
        self.try_reach(reach).unwrap_or_else(|problems| panic!("{problems}"))
    }

    pub fn try_reach(&self, reach: &str) -> Result<Arc<dyn Reach>, Diagnostics> {
        let (request, _) = self.read().unwrap();
        let document = Arc::new(Document::new("plugin.toml", reach.to_owned()));
        document.read(|table| self.mqtt.parse_reach(table, &*request))
    }
}

impl Mosquitto {
    /// A world with everything at this broker granted.
    pub fn world(&self) -> World {
        self.world_with("")
    }

    /// The same with more lines in the grant.
    pub fn world_with(&self, lines: &str) -> World {
        World::new(&format!("{}\n{lines}", self.grant()))
    }

    pub fn grant(&self) -> String {
        granting(&format!("mqtt://{}", self.address))
    }
}

/// A grant of every topic at a broker.
pub fn granting(url: &str) -> String {
    format!("url = \"{url}\"\npublish = [\"#\"]\nsubscribe = [\"#\"]")
}

/// The grant's lines for the strict broker's only user.
pub const AS_FLEET: &str = "credential = { user = \"fleet\", password = \"password\" }";

/// What becomes of a world, with the files that it reads while it is used.
pub struct Binding {
    pub binding: MqttBinding,
    _directory: Arc<TempDir>,
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
    handler: Option<String>,
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

    /// A handler of events.
    pub fn handling(mut self, grant: &str) -> Self {
        self.handler = Some(grant.to_owned());
        self.read_only()
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
        let reach = self.reach.map(|reach| (BROKER.to_owned(), reach));
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
            granted: Arc::new(BTreeSet::from([BROKER.to_owned()])),
            policy: Arc::new(CallPolicy {
                read_only: self.read_only,
                reach: reach.into_iter().collect(),
                handler: self.handler,
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
        Caller { session: binding.binding.session(&call), call }
    }
}

/// A call that is going on.
#[derive(Clone)]
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
}

impl Caller {
    pub async fn publish(&self, topic: &str, payload: &str) -> Result<(), Failure> {
        self.publish_with(topic, payload, "{}").await
    }

    pub async fn publish_with(&self, topic: &str, payload: &str, options: &str) -> Result<(), Failure> {
        self.session.publish(BROKER, topic, payload.as_bytes().to_vec(), Some(options)).await
    }

    pub async fn open(&self, filters: &[&str]) -> Result<Subscription, Failure> {
        self.open_with(filters, "{}").await
    }

    pub async fn open_with(&self, filters: &[&str], options: &str) -> Result<Subscription, Failure> {
        let filters: Vec<_> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        self.session.open(BROKER, &filters, Some(options)).await
    }

    pub async fn listening(&self, filters: &[&str]) -> Listening {
        Listening(self.open(filters).await.unwrap_or_else(|failure| panic!("{filters:?}: {failure}")))
    }

    /// What the guest gets of a publication that fails.
    pub async fn fails(&self, topic: &str) -> GuestFailure {
        self.publish(topic, "x").await.expect_err(topic).guest()
    }

    /// What the guest gets of a subscription that fails.
    pub async fn cannot_hear(&self, filter: &str) -> GuestFailure {
        match self.open(&[filter]).await {
            Ok(_) => panic!("{filter} is heard"),
            Err(failure) => failure.guest(),
        }
    }

    /// What the operator reads of what was refused last.
    pub fn refused(&self) -> String {
        self.call.used.refused().last().cloned().unwrap_or_default()
    }

    pub fn used(&self) -> Vec<String> {
        self.call.used.used()
    }
}

/// A subscription, as a guest uses it.
pub struct Listening(pub Subscription);

impl Listening {
    pub async fn next(&self) -> Heard {
        self.0.read(Duration::from_secs(10)).await.unwrap()
    }

    pub async fn message(&self) -> HeardMessage {
        match self.next().await {
            Heard::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    /// Topic and payload of the next message.
    pub async fn hears(&self) -> (String, String) {
        let message = self.message().await;
        (message.topic, String::from_utf8(message.payload).unwrap())
    }

    /// The next payload.
    pub async fn payload(&self) -> String {
        self.hears().await.1
    }

    /// Nothing waits, and nothing comes for a moment.
    pub async fn hears_nothing(&self) {
        assert_eq!(self.0.read(Duration::from_millis(300)).await.unwrap(), Heard::TimedOut);
    }
}

/// Waits until something is so. Fails after twenty seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let begin = Instant::now();
    while !is().await {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}: not after twenty seconds");
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

/// Writes down what is dialled. Addresses that are not near lead nowhere.
#[derive(Default)]
pub struct Watched {
    pub addresses: Mutex<Vec<SocketAddr>>,
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
