//! Connections of one grant, kept across calls.
//!
//! The connection is what costs (name, TCP, TLS), so it outlives the call that made it; it belongs to the binding
//! and ends with it. Each was made to an address that was judged, and is never handed to another origin.
//!
//! This is a pool of our own and not hyper-util's, since a grant caps its connections over all of its hosts: every
//! connection holds one of the grant's slots until it is closed, and when there is none left, an idle one to
//! another host gives way.

mod arriving;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use fleetgate_core::address::Connector;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::body::RequestBody;
use crate::connect::{ConnectFailed, Endpoint, connect};

pub(crate) use arriving::Arriving;
use arriving::Home;

/// The most bytes of a response's header section. HTTP/1 takes 100 fields as well, hyper's default.
pub(crate) const HEADER_BYTES: usize = 64 << 10;
/// How long a returned connection may take to be ready again; it is a matter of microseconds.
const READY: Duration = Duration::from_millis(250);

/// The connections of one grant.
pub(crate) struct Pool {
    pub(crate) endpoints: Vec<Endpoint>,
    connector: Connector,
    slots: Arc<Semaphore>,
    shelf: Mutex<Shelf>,
    returned: Notify,
    idle: Duration,
    connect: Duration,
}

#[derive(Default)]
struct Shelf {
    /// HTTP/1 connections that nobody uses, the oldest first.
    idle: VecDeque<Idle>,
    /// HTTP/2 connections, which are used by many at once.
    shared: Vec<Shared>,
    sweeping: bool,
}

struct Idle {
    endpoint: usize,
    sender: http1::SendRequest<RequestBody>,
    since: Instant,
}

#[derive(Clone)]
struct Shared {
    endpoint: usize,
    sender: http2::SendRequest<RequestBody>,
    since: Instant,
    /// One for the shelf, and one for each response under way.
    users: Arc<()>,
}

enum Connection {
    One(http1::SendRequest<RequestBody>),
    Many(Shared),
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendFailed {
    #[error(transparent)]
    Connect(#[from] ConnectFailed),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl Pool {
    /// An empty one. At most `connections` at once, closed when unused for `idle`; `connect` bounds the making of
    /// one, with the waiting for a slot.
    pub(crate) fn new(
        endpoints: Vec<Endpoint>,
        connector: Connector,
        connections: usize,
        idle: Duration,
        connect: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            endpoints,
            connector,
            slots: Arc::new(Semaphore::new(connections)),
            shelf: Mutex::default(),
            returned: Notify::new(),
            idle,
            connect,
        })
    }

    /// Sends a request, whose URI is absolute, and returns when the response's head is there. `connect` may
    /// shorten the time for a connection; `sending` is told before the first byte. What was not even begun on a kept connection is begun again on another.
    pub(crate) async fn send(
        self: &Arc<Self>,
        endpoint: usize,
        mut request: Request<RequestBody>,
        connect: Option<Duration>,
        sending: impl FnOnce(),
    ) -> Result<Response<Arriving>, SendFailed> {
        let mut sending = Some(sending);
        let absolute = request.uri().clone();
        let progress = request.body().progress();
        let time = connect.map_or(self.connect, |connect| connect.min(self.connect));
        loop {
            let leased = tokio::time::timeout(time, self.lease(endpoint, time)).await;
            let timeout = |_| ConnectFailed::Timeout(self.endpoints[endpoint].origin.host.to_string());
            let (connection, kept) = leased.map_err(timeout)??;
            if let Some(sending) = sending.take() {
                sending();
            }
            let (sent, home) = match connection {
                Connection::One(mut sender) => {
                    origin_form(&mut request, &absolute);
                    let sent = sender.try_send_request(request).await;
                    (sent, Home::One(Arc::clone(self), endpoint, sender))
                }
                Connection::Many(mut shared) => {
                    *request.uri_mut() = absolute.clone();
                    request.headers_mut().remove(HOST);
                    (shared.sender.try_send_request(request).await, Home::Many(shared))
                }
            };
            match sent {
                Ok(response) => return Ok(response.map(|body| Arriving::new(body, home, progress))),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) if kept => {
                        self.forget(&home);
                        request = unsent;
                    }
                    _ => return Err(failed.into_error().into()),
                },
            }
        }
    }

    /// A connection, and whether it was kept from before.
    async fn lease(
        self: &Arc<Self>,
        endpoint: usize,
        time: Duration,
    ) -> Result<(Connection, bool), ConnectFailed> {
        loop {
            // Registered before looking, so that nothing that comes back in between is missed.
            let mut returned = std::pin::pin!(self.returned.notified());
            returned.as_mut().enable();
            match self.take(endpoint) {
                Some(Connection::One(mut sender)) => {
                    match tokio::time::timeout(READY, sender.ready()).await {
                        Ok(Ok(())) => return Ok((Connection::One(sender), true)),
                        _ => continue,
                    }
                }
                Some(many) => return Ok((many, true)),
                None => {}
            }
            let slot = match Arc::clone(&self.slots).try_acquire_owned() {
                Ok(slot) => slot,
                Err(_) => {
                    self.make_room(endpoint);
                    tokio::select! {
                        slot = Arc::clone(&self.slots).acquire_owned() => match slot {
                            Ok(slot) => slot,
                            Err(_) => continue,
                        },
                        () = returned => continue,
                    }
                }
            };
            return Ok((self.open(endpoint, slot, time).await?, false));
        }
    }

    async fn open(
        self: &Arc<Self>,
        endpoint: usize,
        slot: OwnedSemaphorePermit,
        time: Duration,
    ) -> Result<Connection, ConnectFailed> {
        let to = &self.endpoints[endpoint];
        let transport = connect(&self.connector, to, time).await?;
        let handshake = |error| ConnectFailed::Handshake { host: to.origin.host.to_string(), error };
        if transport.is_http2() {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_header_list_size(HEADER_BYTES as u32)
                .keep_alive_interval(Duration::from_secs(20))
                .handshake(TokioIo::new(transport))
                .await
                .map_err(handshake)?;
            drive(connection, slot);
            let shared = Shared { endpoint, sender, since: Instant::now(), users: Arc::new(()) };
            self.shelf().shared.push(shared.clone());
            self.sweep();
            return Ok(Connection::Many(shared));
        }
        let (sender, connection) = http1::Builder::new()
            .max_header_size(HEADER_BYTES)
            .handshake(TokioIo::new(transport))
            .await
            .map_err(handshake)?;
        drive(connection, slot);
        Ok(Connection::One(sender))
    }

    fn take(&self, endpoint: usize) -> Option<Connection> {
        let mut shelf = self.shelf();
        shelf.tidy(self.idle);
        if let Some(shared) = shelf.shared.iter_mut().find(|shared| shared.endpoint == endpoint) {
            shared.since = Instant::now();
            return Some(Connection::Many(shared.clone()));
        }
        // The one that was used last: it is the least likely to have been closed by the other side.
        let at = shelf.idle.iter().rposition(|idle| idle.endpoint == endpoint)?;
        shelf.idle.remove(at).map(|idle| Connection::One(idle.sender))
    }

    /// Lets nobody else have a connection that takes no more requests.
    fn forget(&self, home: &Home) {
        if let Home::Many(gone) = home {
            self.shelf().shared.retain(|shared| !Arc::ptr_eq(&shared.users, &gone.users));
        }
    }

    /// Closes one idle connection to somewhere else.
    fn make_room(&self, endpoint: usize) {
        let mut shelf = self.shelf();
        if let Some(at) = shelf.idle.iter().position(|idle| idle.endpoint != endpoint) {
            shelf.idle.remove(at);
        } else if let Some(at) = shelf
            .shared
            .iter()
            .position(|shared| shared.endpoint != endpoint && Arc::strong_count(&shared.users) == 1)
        {
            shelf.shared.remove(at);
        }
    }

    fn give_back(self: &Arc<Self>, endpoint: usize, sender: http1::SendRequest<RequestBody>) {
        if sender.is_closed() {
            return;
        }
        self.shelf().idle.push_back(Idle { endpoint, sender, since: Instant::now() });
        self.returned.notify_one();
        self.sweep();
    }

    /// Closes what is unused for too long, while there is something to close.
    fn sweep(self: &Arc<Self>) {
        if std::mem::replace(&mut self.shelf().sweeping, true) {
            return;
        }
        let pool: Weak<Self> = Arc::downgrade(self);
        let idle = self.idle;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(idle).await;
                let Some(pool) = pool.upgrade() else { return };
                let mut shelf = pool.shelf();
                shelf.tidy(idle);
                if shelf.idle.is_empty() && shelf.shared.is_empty() {
                    shelf.sweeping = false;
                    return;
                }
            }
        });
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn tidy(&mut self, longest: Duration) {
        self.idle.retain(|idle| !idle.sender.is_closed() && idle.since.elapsed() < longest);
        self.shared.retain(|shared| {
            let unused = Arc::strong_count(&shared.users) == 1 && shared.since.elapsed() >= longest;
            !shared.sender.is_closed() && !unused
        });
    }
}

/// Runs a connection until it is closed; it holds its slot for as long.
fn drive<E: std::error::Error + Send + 'static>(
    connection: impl Future<Output = Result<(), E>> + Send + 'static,
    slot: OwnedSemaphorePermit,
) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to an upstream ended");
        }
        drop(slot);
    });
}

/// What HTTP/1 has in its first line, and the host beside it (RFC 9112, 3.2.1).
fn origin_form(request: &mut Request<RequestBody>, absolute: &Uri) {
    let authority = absolute.authority().map_or("", |authority| authority.as_str());
    if let Ok(host) = HeaderValue::from_str(authority) {
        request.headers_mut().insert(HOST, host);
    }
    let path = absolute.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
}
