//! Servers on loopback that count who comes.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A running server; it stops when this goes.
pub struct Upstream {
    pub address: SocketAddr,
    /// Connections that were accepted.
    pub accepted: Arc<AtomicUsize>,
    /// Connections that are closed again, of a raw server.
    pub closed: Arc<AtomicUsize>,
    /// Requests that arrived.
    pub requests: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Counted {
    listener: TcpListener,
    accepted: Arc<AtomicUsize>,
}

impl Listener for Counted {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let connection = Listener::accept(&mut self.listener).await;
        self.accepted.fetch_add(1, Ordering::SeqCst);
        connection
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Encrypted {
    inner: Counted,
    tls: TlsAcceptor,
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.inner.accept().await;
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Upstream {
    /// Serves these routes.
    pub async fn serve(routes: Router) -> Self {
        Self::start(routes, |inner| inner).await
    }

    /// Answers everything with what it got: method, path and query, headers, body.
    pub async fn echo() -> Self {
        Self::serve(Router::new().fallback(echo)).await
    }

    /// Serves these routes with TLS.
    pub async fn encrypted(routes: Router, config: ServerConfig) -> Self {
        let tls = TlsAcceptor::from(Arc::new(config));
        Self::start(routes, |inner| Encrypted { inner, tls }).await
    }

    async fn start<L: Listener<Addr = SocketAddr>>(
        routes: Router,
        listener: impl FnOnce(Counted) -> L,
    ) -> Self {
        let (inner, mut upstream) = Self::listen().await;
        let requests = Arc::clone(&upstream.requests);
        let routes = routes.layer(axum::middleware::map_request(move |request: Request| {
            requests.fetch_add(1, Ordering::SeqCst);
            async { request }
        }));
        let listener = listener(inner);
        upstream.task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        upstream
    }

    /// Hands each connection to `serve`, which speaks for itself.
    pub async fn raw<F: Future<Output = ()> + Send>(
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let (mut inner, mut upstream) = Self::listen().await;
        let serve = Arc::new(serve);
        let closed = Arc::clone(&upstream.closed);
        upstream.task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = inner.accept().await;
                let (serve, closed) = (Arc::clone(&serve), Arc::clone(&closed));
                serving.spawn(async move {
                    serve(stream).await;
                    closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        upstream
    }

    /// Answers each request of each connection with these bytes, and keeps the connection open.
    pub async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::raw(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                while read_head(&mut stream).await.is_some() {
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    /// Answers once with these bytes and closes.
    pub async fn saying_once(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::raw(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                if read_head(&mut stream).await.is_some() {
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                }
            }
        })
        .await
    }

    async fn listen() -> (Counted, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let upstream = Self {
            address,
            accepted: Arc::clone(&accepted),
            closed: Arc::default(),
            requests: Arc::default(),
            task: tokio::spawn(async {}),
        };
        (Counted { listener, accepted }, upstream)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// As a grant's URL, without slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn grant(&self) -> String {
        format!("url = \"{}\"", self.url())
    }

    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Waits until this many connections of a raw server are closed.
    pub async fn closed(&self, connections: usize) {
        while self.closed.load(Ordering::SeqCst) < connections {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}

/// Reads one request's head; a body must be short enough to come with it.
pub async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// What arrived, as text: request line, headers, empty line, body.
pub async fn echo(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut text =
        format!("{} {}\n", head.method, head.uri.path_and_query().map_or("", |path| path.as_str()));
    let mut response = Response::builder();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        text += &format!("{name}: {value}\n");
        response = response.header(format!("x-echo-{name}"), value.as_ref());
    }
    text.push('\n');
    response.body(Body::from(Bytes::from([text.as_bytes(), &body].concat()))).unwrap()
}

/// Compressed as an upstream would.
pub async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut encoder = async_compression::tokio::bufread::GzipEncoder::new(bytes);
    encoder.read_to_end(&mut packed).await.unwrap();
    packed
}

/// A certificate authority of the test's own.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for a name, and its key.
    pub fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    /// A server's side of TLS for a name.
    pub fn server(&self, name: &str) -> ServerConfig {
        let (certificate, key) = self.issue(name);
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key.into()).unwrap()
    }

    /// The same, for clients that show a certificate of this authority.
    pub fn server_for_known_clients(&self, name: &str) -> ServerConfig {
        let (certificate, key) = self.issue(name);
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap()
    }
}

fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}
