//! The endpoints: `/mcp` for everything, `/mcp/<binding>` for one binding. Each has an rmcp service of its own, made
//! when it is first asked for and retired when its binding goes: new requests no longer find it, its listeners get
//! their final result, and its sessions end after the calls that they still have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::{Request, Response};
use fleetgate_core::catalog::Scope;
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use rmcp::service::serve_server_with_ct;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::caller::Who;
use crate::changes::Hub;
use crate::keys::Key;
use crate::server::Server;
use crate::serving::{Keys, Limits, Serving};
use crate::sessions::{Session, SessionLimits, SessionTransport, Sessions};
use crate::view::Backend;

/// All of them.
pub(crate) struct Endpoints {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) hub: Arc<Hub>,
    limits: Limits,
    session_limits: SessionLimits,
    config: StreamableHttpServerConfig,
    keys: Keys,
    /// Trips when the server stops taking requests.
    pub(crate) closing: CancellationToken,
    live: Mutex<HashMap<Scope, Arc<Endpoint>>>,
    leaving: Mutex<Vec<Arc<Endpoint>>>,
    /// The tasks that look after all this.
    _tasks: DropGuard,
}

/// One of them.
pub(crate) struct Endpoint {
    pub(crate) serving: Arc<Serving>,
    pub(crate) sessions: Arc<Sessions>,
    service: StreamableHttpService<Server, Sessions>,
    gone: CancellationToken,
}

impl Endpoints {
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        limits: Limits,
        session_limits: SessionLimits,
        config: StreamableHttpServerConfig,
        sessions: Key,
        tasks: DropGuard,
    ) -> Self {
        Self {
            backend,
            hub: Arc::default(),
            limits,
            session_limits,
            config,
            keys: Keys { cursors: Key::new(), sessions, asking: Arc::default() },
            closing: CancellationToken::new(),
            live: Mutex::default(),
            leaving: Mutex::default(),
            _tasks: tasks,
        }
    }

    /// The endpoint of this scope, if the catalog has it.
    pub(crate) fn get(&self, scope: &Scope) -> Option<Arc<Endpoint>> {
        // Asked under the lock: what is retired meanwhile must not be made again by whoever asked before.
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.backend.view().serves(scope) {
            return None;
        }
        if let Some(endpoint) = live.get(scope) {
            return Some(endpoint.clone());
        }
        let endpoint = Arc::new(self.born(scope));
        live.insert(scope.clone(), endpoint.clone());
        Some(endpoint)
    }

    /// Retires what the catalog no longer has.
    pub(crate) fn retire(&self) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self.backend.view();
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|scope, endpoint| {
            let stays = view.serves(scope);
            if !stays {
                endpoint.gone.cancel();
                leaving.push(endpoint.clone());
            }
            stays
        });
    }

    /// Ends sessions that were left alone, and forgets retired endpoints that have none left.
    pub(crate) fn sweep(&self) {
        for endpoint in self.all() {
            let left = endpoint.sessions.sweep();
            if left == 0 && endpoint.gone.is_cancelled() {
                let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
                leaving.retain(|other| !Arc::ptr_eq(other, &endpoint));
            }
        }
    }

    /// Ends every session now.
    pub(crate) fn cut(&self) {
        for endpoint in self.all() {
            endpoint.sessions.cut();
        }
    }

    fn all(&self) -> Vec<Arc<Endpoint>> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        live.values().chain(leaving.iter()).cloned().collect()
    }

    fn born(&self, scope: &Scope) -> Endpoint {
        let gone = self.closing.child_token();
        let serving = Arc::new(Serving::new(
            self.backend.clone(),
            scope.clone(),
            self.hub.clone(),
            &self.keys,
            self.limits,
            gone.clone(),
        ));
        let sessions = Arc::new(Sessions::new(self.session_limits, gone.clone()));
        let made = serving.clone();
        let factory = move || Ok(Server::new(made.clone(), Who::OfRequest));
        let service = StreamableHttpService::new(factory, sessions.clone(), self.config.clone());
        Endpoint { serving, sessions, service, gone }
    }
}

impl Endpoint {
    /// rmcp's answer to a request that came through [`crate::front`].
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<Full<Bytes>>,
    ) -> Response<BoxBody<Bytes, std::convert::Infallible>> {
        self.service.handle(request).await
    }

    /// Answers a session of the transport of 2024-11-05 until it ends. When the endpoint goes, it ends after the
    /// calls that it still has.
    pub(crate) fn serve_old(&self, session: Arc<Session>, transport: SessionTransport) {
        let server = Server::new(self.serving.clone(), Who::OfRequest);
        let (sessions, gone) = (self.sessions.clone(), self.gone.clone());
        tokio::spawn(async move {
            let serving = async {
                // Given up means cancelled at once: there is nobody left to hear the answers.
                match serve_server_with_ct(server, transport, session.ended().clone()).await {
                    Ok(running) => drop(running.waiting().await),
                    Err(error) => tracing::debug!(%error, "a session ended before it began"),
                }
            };
            let ending = async {
                tokio::select! {
                    () = gone.cancelled() => session.finish(),
                    () = session.finished() => {}
                }
                session.finished().await;
            };
            tokio::select! {
                () = serving => {}
                () = ending => {}
            }
            sessions.close(session.id());
        });
    }
}
