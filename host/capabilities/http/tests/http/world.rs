//! A binding with its grants and secrets, and the calls that are made to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetgate_core::abi::log::LogGate;
use fleetgate_core::address::{Dialer, Resolver, TcpDialer};
use fleetgate_core::capability::{BindingParts, Capability, Grant, Reach, Request};
use fleetgate_core::diagnostic::{Diagnostics, Document};
use fleetgate_core::sandbox::{CallInfo, CallLimits, CallPolicy, Nobody, Used};
use fleetgate_core::secret_arguments::Vault;
use fleetgate_core::settings::{Limits, SecretSource, Secrets};
use fleetgate_core::store::{Memory, Store};
use fleetgate_http::testing::{HttpBinding, Session};
use fleetgate_http::{Failure, Http, HttpOptions};
use futures_util::future::BoxFuture;
use http::Response;
use http_body_util::{BodyExt, Full};
use tempfile::TempDir;
use tokio::net::TcpStream;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Everything that a request may do, to be narrowed by what a test is about.
pub const ALL: &str = "methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]\npaths = [\"/**\"]";

/// What an operator and an author wrote.
pub struct World {
    pub directory: TempDir,
    pub http: Http,
    wants: Vec<(String, String, Option<String>)>,
    secrets: BTreeMap<String, SecretSource>,
}

impl World {
    pub fn new() -> Self {
        Self::with(HttpOptions::default())
    }

    pub fn with(options: HttpOptions) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            http: Http::new(options),
            wants: Vec::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// `http.api` with everything asked for, and this grant.
    pub fn api(grant: &str) -> Self {
        Self::new().want("api", ALL, Some(grant))
    }

    pub fn want(mut self, name: &str, request: &str, grant: Option<&str>) -> Self {
        self.wants.push((name.into(), request.into(), grant.map(str::to_owned)));
        self
    }

    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.into(), SecretSource::File(self.path(name)));
        self.write_secret(name, value);
        self
    }

    pub fn write_secret(&self, name: &str, value: &str) {
        self.write(name, value);
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// A file beside `fleetgate.toml`, for its owner alone.
    pub fn write(&self, name: &str, content: &str) {
        write_private(&self.path(name), content);
    }

    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.directory.path(), self.secrets.clone())
    }

    /// Reads one request and its grant.
    #[allow(clippy::type_complexity)]
    pub fn read(
        &self,
        name: &str,
        request: &str,
        grant: Option<&str>,
    ) -> Result<(Arc<dyn Request>, Option<Arc<dyn Grant>>), Diagnostics> {
        let mut text = format!("[capabilities.http.{name}]\n{request}\n");
        if let Some(grant) = grant {
            text += &format!("[plugins.lab.grant.http.{name}]\n{grant}\n");
        }
        let document = Arc::new(Document::new(self.path("fleetgate.toml"), text));
        let request =
            document.read_at(&["capabilities", "http", name], |table| self.http.parse_request(table))?;
        let grant = match grant {
            None => None,
            Some(_) => Some(document.read_at(&["plugins", "lab", "grant", "http", name], |table| {
                self.http.parse_grant(table, &*request, &self.secrets())
            })?),
        };
        Ok((request, grant))
    }

    pub fn try_bind(&self) -> Result<HttpBinding, Diagnostics> {
        let mut wants = BTreeMap::new();
        for (name, request, grant) in &self.wants {
            wants.insert(name.clone(), self.read(name, request, grant.as_deref())?);
        }
        let (secrets, limits) = (self.secrets(), Limits::default());
        let state = self.directory.path();
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let parts =
            BindingParts { name: "lab", wants, secrets: &secrets, limits: &limits, state, store: &store };
        self.http.bind_http(parts)
    }

    pub fn bind(&self) -> HttpBinding {
        self.try_bind().unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// A call that may do all that is granted.
    pub fn call(&self) -> Call {
        Call {
            granted: self
                .wants
                .iter()
                .filter(|want| want.2.is_some())
                .map(|want| format!("http.{}", want.0))
                .collect(),
            read_only: false,
            reach: BTreeMap::new(),
            timeout: Duration::from_secs(30),
            response: 1 << 20,
            secrets: Vault::default(),
        }
    }

    /// A tool's reach on a request of this world.
    pub fn reach(&self, name: &str, reach: &str) -> Arc<dyn Reach> {
        let want = self.wants.iter().find(|want| want.0 == name).unwrap();
        let (request, _) = self.read(name, &want.1, None).unwrap();
        let document = Arc::new(Document::new("plugin.toml", reach.to_owned()));
        document
            .read(|table| self.http.parse_reach(table, &*request))
            .unwrap_or_else(|problems| panic!("{problems}"))
    }
}

pub fn write_private(path: &Path, content: &str) {
    let temporary = path.with_extension("new");
    fs::write(&temporary, content).unwrap();
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(temporary, path).unwrap();
}

/// One call to be made.
pub struct Call {
    pub granted: BTreeSet<String>,
    pub read_only: bool,
    pub reach: BTreeMap<String, Arc<dyn Reach>>,
    pub timeout: Duration,
    pub response: u64,
    pub secrets: Vault,
}

impl Call {
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub fn reaching(mut self, name: &str, reach: Arc<dyn Reach>) -> Self {
        self.reach.insert(format!("http.{name}"), reach);
        self
    }

    pub fn response(mut self, bytes: u64) -> Self {
        self.response = bytes;
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With secret arguments of these values; their placeholders come back.
    pub fn with_secrets<const N: usize>(mut self, values: [&str; N]) -> (Self, [String; N]) {
        let placeholders;
        (self.secrets, placeholders) = Vault::for_tests(values);
        (self, placeholders.try_into().unwrap())
    }

    pub fn to(self, binding: &HttpBinding) -> Caller {
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
            granted: Arc::new(self.granted),
            policy: Arc::new(CallPolicy {
                read_only: self.read_only,
                reach: self.reach,
                ..CallPolicy::default()
            }),
            limits: CallLimits {
                memory: 1 << 20,
                cpu: Duration::from_secs(1),
                timeout: self.timeout,
                result: 1 << 20,
                response: self.response,
            },
            deadline: Instant::now() + self.timeout,
            cancel: Default::default(),
            log: LogGate::new(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::hiding(self.secrets.mask().cloned()),
            jobs: Default::default(),
            secrets: self.secrets,
        });
        Caller { session: binding.session(&call), call }
    }
}

/// A call that is going on.
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
}

/// What a guest got.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<http::HeaderMap>,
}

impl Got {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Everything that the guest can see of it.
    pub fn everything(&self) -> String {
        format!("{:?}\n{}\n{:?}", self.headers, self.text(), self.trailers)
    }
}

pub fn request(method: &str, url: &str) -> http::Request<WasiBody> {
    with_body(method, url, "")
}

pub fn with_body(method: &str, url: &str, body: impl Into<Bytes>) -> http::Request<WasiBody> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    http::Request::builder().method(method).uri(url).body(body).unwrap()
}

impl Caller {
    pub async fn head(&self, request: http::Request<WasiBody>) -> Result<Response<WasiBody>, Failure> {
        self.session.send(request, RequestOptions::default()).await
    }

    /// Sends a request and reads the whole response.
    pub async fn send(&self, request: http::Request<WasiBody>) -> Result<Got, Failure> {
        let (head, mut body) = self.head(request).await?.into_parts();
        let mut got =
            Got { status: head.status.as_u16(), headers: head.headers, body: Vec::new(), trailers: None };
        while let Some(frame) = body.frame().await {
            match frame.map_err(Failure::Other)?.into_data() {
                Ok(data) => got.body.extend_from_slice(&data),
                Err(frame) => got.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(got)
    }

    pub async fn get(&self, url: &str) -> Result<Got, Failure> {
        self.send(request("GET", url)).await
    }

    /// What the guest gets of a request that fails.
    pub async fn error(&self, request: http::Request<WasiBody>) -> Error {
        match self.send(request).await {
            Ok(got) => panic!("it was answered with {}: {}", got.status, got.text()),
            Err(failure) => failure.into_guest(),
        }
    }

    /// Sends a request that must be refused, and returns what the operator reads.
    pub async fn refused(&self, request: http::Request<WasiBody>) -> String {
        let uri = request.uri().clone();
        let before = self.call.used.refused().len();
        let error = self.error(request).await;
        assert!(matches!(error, Error::HttpRequestDenied), "{uri}: {error:?}");
        let refused = self.call.used.refused();
        assert_eq!(refused.len(), before + 1, "{uri}: {refused:?}");
        refused.last().unwrap().clone()
    }
}

/// A resolver that answers from a list, one answer after the other, over and over.
pub struct Answers(pub Mutex<Vec<Vec<IpAddr>>>);

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

/// Knows no name.
pub struct Unknown;

impl Resolver for Unknown {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Err(io::Error::other("no such name")) })
    }
}

/// Writes down what is dialled. Public addresses lead nowhere, or to where `instead` says.
#[derive(Default)]
pub struct Dialled {
    pub addresses: Mutex<Vec<SocketAddr>>,
    pub instead: Option<SocketAddr>,
    /// This one neither answers nor refuses.
    pub dead: Option<IpAddr>,
}

impl Dialer for Dialled {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.addresses.lock().unwrap().push(address);
        if self.dead == Some(address.ip()) {
            return Box::pin(std::future::pending());
        }
        let near = address.ip().is_loopback();
        match self.instead {
            _ if near => Box::pin(async move { TcpDialer.dial(address).await }),
            Some(instead) => Box::pin(async move { TcpDialer.dial(instead).await }),
            None => Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }),
        }
    }
}
