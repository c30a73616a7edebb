//! The way in over HTTP.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use fleetgate_core::catalog::{Host, Scope};
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::connections::{self, Bounds};
use crate::endpoint::Endpoints;
use crate::front::{Allowed, Authenticate, Front};
use crate::keys::Key;
use crate::serving::Limits;
use crate::sessions::SessionLimits;
use crate::view::{Backend, Live};

pub use crate::front::OptionsError;

/// How often idle sessions are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// How the catalog is served over HTTP.
pub struct HttpOptions {
    /// Where the listener listens. Decides which Host and Origin headers are right.
    pub listen: SocketAddr,
    /// Who calls.
    pub authenticate: Arc<dyn Authenticate>,
    /// Items on one page of a list. 200 unless told otherwise: not every client asks for a second page.
    pub page_size: NonZeroUsize,
    /// The largest request body, in bytes. 4 MiB unless told otherwise.
    pub max_body: usize,
    /// How long a legacy session may be left alone. Must be longer than the longest call; 30 minutes unless told
    /// otherwise.
    pub session_idle: Duration,
    /// Legacy sessions of one principal on one endpoint; one more ends the one left alone longest. 64 unless told
    /// otherwise.
    pub sessions_per_principal: usize,
    /// How long a legacy call's stream stays open. Then it is closed, and a client of 2025-11-25, which is told at its
    /// beginning how soon to come back, takes it up again with `Last-Event-ID` (SEP-1699); older clients, which do not
    /// know that, are never let go. For proxies that cut long responses. None unless told otherwise: not every client
    /// that says 2025-11-25 does come back.
    pub stream_max: Option<Duration>,
    /// Open `subscriptions/listen` of one principal on one endpoint. 32 unless told otherwise.
    pub listens_per_principal: usize,
    /// The key of the session keys that plugins get. One that is kept makes them last longer than the process, for
    /// plugins that keep data under them; a fresh one unless told otherwise.
    pub session_key: Option<[u8; 32]>,
    public_url: Option<String>,
}

impl HttpOptions {
    /// The defaults, for a listener at this address.
    pub fn new(listen: SocketAddr, authenticate: Arc<dyn Authenticate>) -> Self {
        Self {
            listen,
            authenticate,
            page_size: const { NonZeroUsize::new(200).expect("not zero") },
            max_body: 4 << 20,
            session_idle: Duration::from_secs(30 * 60),
            sessions_per_principal: 64,
            stream_max: None,
            listens_per_principal: 32,
            session_key: None,
            public_url: None,
        }
    }

    /// The URL that clients use, when a TLS proxy stands before this server.
    ///
    /// # Errors
    /// It is not `https://host` or `http://host`, with or without a port.
    pub fn with_public_url(mut self, url: &str) -> Result<Self, OptionsError> {
        Allowed::new(self.listen, Some(url))?;
        self.public_url = Some(url.to_owned());
        Ok(self)
    }
}

/// A server that is ready to be served.
pub struct Mcp {
    /// `/mcp`, `/mcp/<binding>`, `/healthz` and `/readyz`. It needs the peer's address: serve it with [`serve`], or with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    pub router: Router,
    /// Ends it.
    pub shutdown: Shutdown,
}

/// Ends a server in two steps. Cheap to clone.
#[derive(Clone)]
pub struct Shutdown {
    endpoints: Arc<Endpoints>,
    cut: CancellationToken,
}

impl Shutdown {
    /// First step: `/readyz` says no, subscriptions get their final result, streams without a request end. Calls go
    /// on.
    pub fn begin(&self) {
        self.endpoints.closing.cancel();
    }

    /// Returns once [`Shutdown::begin`] was called.
    pub async fn begun(&self) {
        self.endpoints.closing.cancelled().await;
    }

    /// Second step: every session and every call is ended.
    pub async fn finish(&self) {
        self.begin();
        self.cut.cancel();
        self.endpoints.cut();
    }
}

/// The catalog of a running host, over HTTP. Must be called within a tokio runtime.
pub fn router(host: Arc<Host>, options: HttpOptions) -> Mcp {
    router_over(Arc::new(Live(host)), options)
}

/// The same over anything that serves tools.
pub fn router_over(backend: Arc<dyn Backend>, options: HttpOptions) -> Mcp {
    let allowed = Allowed::new(options.listen, options.public_url.as_deref())
        .expect("with_public_url lets nothing else through");
    let cut = CancellationToken::new();
    let tasks = CancellationToken::new();
    // rmcp checks Host, Origin and size again: the front is the first to look, not the only one.
    let mut config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(allowed.hosts())
        .with_allowed_origins(allowed.origins())
        .enforce_origin_validation()
        .with_json_response(true)
        // Sessions say themselves when to come back, to those who understand it.
        .with_sse_retry(None)
        .with_cancellation_token(cut.clone());
    config.max_request_body_bytes = options.max_body;
    let endpoints = Arc::new(Endpoints::new(
        backend,
        Limits { page_size: options.page_size, listens: options.listens_per_principal },
        SessionLimits {
            idle: options.session_idle,
            per_principal: options.sessions_per_principal,
            stream: options.stream_max,
        },
        config,
        options.session_key.map_or_else(Key::new, Key::of),
        tasks.clone().drop_guard(),
    ));
    look_after(&endpoints, &tasks);

    let front = Front {
        endpoints: endpoints.clone(),
        allowed,
        authenticate: options.authenticate,
        max_body: options.max_body,
    };
    let router = Router::new()
        .route("/mcp", any(shared))
        .route("/mcp/", any(shared))
        .route("/mcp/{binding}", any(binding))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(|| async { (StatusCode::NOT_FOUND, "MCP is at /mcp and at /mcp/<binding>\n") })
        .with_state(Arc::new(front));
    Mcp { router, shutdown: Shutdown { endpoints, cut } }
}

/// Serves until `until` completes, then lets calls end for at most `grace`.
///
/// At most 1,024 connections are open; more wait to be accepted. Of those on which nobody is known yet, one address has
/// at most 256. One that is silent for ten seconds when it should begin a request is closed, and one whose request did
/// not say who calls with its answer.
///
/// # Errors
/// None at present: a listener that fails is asked again.
pub async fn serve(
    listener: TcpListener,
    mcp: Mcp,
    until: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> std::io::Result<()> {
    let Mcp { router, shutdown } = mcp;
    let begin = shutdown.clone();
    let ending = CancellationToken::new();
    let end = ending.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = until => begin.begin(),
            () = begin.begun() => {}
        }
        end.cancel();
    });
    let serving = connections::accept(listener, router, Bounds::default(), ending);
    let mut serving = pin!(serving);
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = shutdown.begun() => {}
    }
    if tokio::time::timeout(grace, &mut serving).await.is_ok() {
        shutdown.finish().await;
        return Ok(());
    }
    shutdown.finish().await;
    // What is left had its time; a client that does not hang up must not keep the process.
    let _ = tokio::time::timeout(Duration::from_secs(2), serving).await;
    Ok(())
}

/// Two tasks that end with the server: one follows the catalog, one ends idle sessions.
fn look_after(endpoints: &Arc<Endpoints>, tasks: &CancellationToken) {
    let weak = Arc::downgrade(endpoints);
    let retire = move || {
        if let Some(endpoints) = Weak::upgrade(&weak) {
            endpoints.retire();
        }
    };
    let follow = endpoints.hub.clone().follow(endpoints.backend.changes(), retire);
    tokio::spawn(tasks.clone().run_until_cancelled_owned(follow));

    let weak = Arc::downgrade(endpoints);
    let sweep = async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            let Some(endpoints) = Weak::upgrade(&weak) else { return };
            endpoints.sweep();
        }
    };
    tokio::spawn(tasks.clone().run_until_cancelled_owned(sweep));
}

type Peer = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

async fn shared(State(front): State<Arc<Front>>, peer: Peer, request: Request) -> Response {
    front.answer(Scope::Shared, address(peer), request).await
}

async fn binding(
    State(front): State<Arc<Front>>,
    Path(binding): Path<String>,
    peer: Peer,
    request: Request,
) -> Response {
    front.answer(Scope::Binding(binding.into()), address(peer), request).await
}

/// Whose address is not known is nobody near.
fn address(peer: Peer) -> SocketAddr {
    peer.map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |peer| peer.0.0)
}

async fn ready(State(front): State<Arc<Front>>) -> Response {
    if front.endpoints.closing.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if front.endpoints.backend.view().revision() == 0 {
        return (StatusCode::SERVICE_UNAVAILABLE, "no catalog yet\n").into_response();
    }
    "ready\n".into_response()
}
