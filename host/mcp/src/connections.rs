//! Connections of the HTTP listener: how many may be open, and how long one may take to begin a request.
//!
//! `axum::serve` bounds neither, so that whoever reaches the port could take all of the process's file descriptors
//! without ever saying who they are. Nor does it close a connection whose peer asks nothing more, or reads no answer
//! ([`uptake`](crate::uptake)), or on which nobody is known ([`strangers`](crate::strangers)). Otherwise this does as it
//! does: HTTP/1.1, and HTTP/2 by prior knowledge.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Version, header};
use axum::middleware::{Next, from_fn};
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::strangers::{Stranger, Strangers};
use crate::uptake::{Ready, Uptake};

/// Requests at once on a connection with HTTP/2.
const STREAMS: u32 = 32;

/// What connections are held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Open at once. More are not accepted until one of these closes.
    pub(crate) open: usize,
    /// Of these, from one address, those on which nobody is known.
    pub(crate) strangers: usize,
    /// From the connection, or the last answer on it, to the end of a request's headers.
    pub(crate) head: Duration,
    /// For a peer that takes nothing of an answer, or asks nothing; for a stranger no longer than `head`.
    pub(crate) patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let (head, patience) = (Duration::from_secs(10), Duration::from_secs(60));
        Self { open: 1024, strangers: 256, head, patience }
    }
}

/// Serves until `ending` trips; then accepts no more, and returns when the requests under way are answered.
pub(crate) async fn accept(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    ending: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(bounds.open));
    let strangers = Strangers::new(bounds.strangers);
    let ready = Ready::default();
    let open = TaskTracker::new();
    let next = async {
        loop {
            // It is never closed.
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            // axum's own: what is wrong with one connection, or for a while, does not end the listener.
            let (stream, peer) = Listener::accept(&mut listener).await;
            let Some(stranger) = strangers.from(peer.ip()) else {
                tracing::debug!(%peer, "closed: too many connections from there on which nobody is known");
                continue;
            };
            // A small event must not wait for the next one.
            let _ = stream.set_nodelay(true);
            let who = Peer { address: peer, stranger, uptake: Uptake::new(ready.clone()) };
            let serving = serve(stream, who, router.clone(), bounds, ending.clone());
            open.spawn(async move {
                serving.await;
                drop(slot);
            });
        }
    };
    ending.run_until_cancelled(next).await;
    drop(listener);
    open.close();
    open.wait().await;
}

/// The other side of a connection.
struct Peer {
    address: SocketAddr,
    stranger: Arc<Stranger>,
    uptake: Arc<Uptake>,
}

async fn serve(stream: TcpStream, who: Peer, router: Router, bounds: Bounds, ending: CancellationToken) {
    let Bounds { head, patience, .. } = bounds;
    let Peer { address: peer, stranger, uptake } = who;
    let (asked, refused) = (CancellationToken::new(), CancellationToken::new());
    let (begun, ended) = (asked.clone(), refused.clone());
    let (taken, caller) = (uptake.clone(), stranger.clone());
    let service = router.layer(from_fn(move |mut request: Request, next: Next| {
        begun.cancel();
        let version = request.version();
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(caller.clone());
        let under_way = taken.begin();
        let (caller, ended) = (caller.clone(), ended.clone());
        async move {
            let mut response = under_way.answer(next.run(request).await);
            if !caller.is_known() {
                ended.cancel();
                if version <= Version::HTTP_11 {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
            }
            response
        }
    }));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
    // A peer that is gone without a word is noticed.
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(head)
        .keep_alive_timeout(head)
        .max_concurrent_streams(STREAMS);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    // HTTP/1's own timer begins only when the first bytes have told the version.
    let mut late = pin!(tokio::time::sleep(head));
    let mut look = tokio::time::interval((patience.min(head) / 4).max(Duration::from_millis(1)));
    let (mut watched, mut told) = (true, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, %peer, "a connection ended");
                }
                return;
            }
            () = ending.cancelled(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            () = refused.cancelled(), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = look.tick() => {
                let patience = if stranger.is_known() { patience } else { patience.min(head) };
                if uptake.is_stuck(patience) {
                    tracing::debug!(%peer, "closed: it asks nothing, or takes no answers");
                    return;
                }
            }
            () = late.as_mut(), if watched => {
                watched = false;
                if !asked.is_cancelled() {
                    tracing::debug!(%peer, "closed: it did not begin a request");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Extension;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;

    /// Only to end what hangs.
    const HANG: Duration = Duration::from_secs(60);
    const ASK: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    async fn serving(router: Router, bounds: Bounds) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ending = CancellationToken::new();
        let task = tokio::spawn(accept(listener, router, bounds, ending.clone()));
        (address, ending, task)
    }

    async fn say(address: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Everything until the other side closes.
    async fn rest(mut stream: TcpStream) -> String {
        let mut heard = Vec::new();
        // A reset is a close, too.
        let _ = tokio::time::timeout(HANG, stream.read_to_end(&mut heard)).await.expect("it stays open");
        String::from_utf8(heard).unwrap()
    }

    #[tokio::test]
    async fn a_connection_that_begins_no_request_is_closed() {
        let router = Router::new().route("/", get(|| async { "here" }));
        let bounds = Bounds { head: Duration::from_millis(500), ..Bounds::default() };
        let (address, ..) = serving(router, bounds).await;
        for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2.0\r\n"] {
            let heard = rest(say(address, begun).await).await;
            assert!(!heard.contains("here"), "{begun}: {heard}");
        }
        let heard = rest(say(address, ASK).await).await;
        assert!(
            heard.ends_with("here"),
            "one that asks is answered, and closed when it asks no more: {heard}"
        );
    }

    #[tokio::test]
    async fn a_stranger_is_let_go_with_its_answer_and_who_is_known_stays() {
        let known = |Extension(caller): Extension<Arc<Stranger>>| async move {
            caller.known();
            "known"
        };
        let router = Router::new().route("/", get(known)).route("/no", get(|| async { "nobody" }));
        // Nothing but the answers closes these connections.
        let long = HANG * 60;
        let bounds = Bounds { head: long, patience: long, ..Bounds::default() };
        let (address, ..) = serving(router, bounds).await;
        let no = ASK.replace("GET /", "GET /no");
        for ask in [no.as_str(), &ASK.replace("GET /", "GET /missing")] {
            let heard = rest(say(address, &format!("{ask}{ASK}")).await).await;
            assert!(
                heard.to_lowercase().contains("connection: close") && !heard.contains("known"),
                "{heard}"
            );
        }
        let last = "GET /no HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let heard = rest(say(address, &format!("{ASK}{no}{ASK}{last}")).await).await;
        assert_eq!((heard.matches("known").count(), heard.matches("nobody").count()), (2, 2), "{heard}");
    }

    /// Everything until the other side closes, which it does although this one never would.
    async fn bytes(mut stream: TcpStream) -> usize {
        let mut heard = Vec::new();
        let _ = tokio::time::timeout(HANG, stream.read_to_end(&mut heard)).await.expect("it stays open");
        heard.len()
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_its_answer_is_let_go() {
        const SIZE: usize = 64 << 20;
        let router = Router::new().route("/", get(|| async { vec![b'x'; SIZE] }));
        let bounds = Bounds { patience: Duration::from_secs(1), ..Bounds::default() };
        let (address, ..) = serving(router, bounds).await;
        let stream = say(address, ASK).await;
        tokio::time::sleep(bounds.patience * 4).await;
        assert!(bytes(stream).await < SIZE, "what the kernel took is all that comes");
        let stream = say(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(bytes(stream).await > SIZE, "who reads gets all of it");
    }

    #[tokio::test]
    async fn a_connection_with_http_2_that_asks_nothing_more_is_closed() {
        let router = Router::new().route("/", get(|| async { "here" }));
        let bounds = Bounds { patience: Duration::from_secs(1), ..Bounds::default() };
        let (address, ..) = serving(router, bounds).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The preface, empty settings, and a request in HPACK's static table: GET http / of the host x (RFC 9113, 7541).
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        stream.write_all(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01x").await.unwrap();
        let mut heard = Vec::new();
        let _ = tokio::time::timeout(HANG, stream.read_to_end(&mut heard)).await.expect("it stays open");
        assert!(heard.windows(4).any(|four| four == b"here"), "{heard:?}");
    }

    #[tokio::test]
    async fn an_answer_may_take_longer_than_a_request_may() {
        let head = Duration::from_millis(300);
        let slow = move || async move {
            tokio::time::sleep(head * 6).await;
            "at last"
        };
        let (address, ..) =
            serving(Router::new().route("/", get(slow)), Bounds { head, ..Bounds::default() }).await;
        assert!(rest(say(address, ASK).await).await.ends_with("at last"));
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_until_another_closes() {
        let (asked, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (count, gate) = (asked.clone(), go.clone());
        let wait = move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
            let (count, gate) = (count.clone(), gate.clone());
            async move {
                count.fetch_add(1, Ordering::Relaxed);
                gate.notified().await;
                peer.to_string()
            }
        };
        let bounds = Bounds { open: 1, ..Bounds::default() };
        let (address, ending, task) = serving(Router::new().route("/", get(wait)), bounds).await;
        let once = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let streams = [say(address, once).await, say(address, once).await];
        let peers = streams.each_ref().map(|stream| stream.local_addr().unwrap().to_string());
        let one_asks = async {
            while asked.load(Ordering::Relaxed) == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(HANG, one_asks).await.expect("one of them asks");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        for (stream, peer) in streams.into_iter().zip(peers) {
            go.notify_one();
            let heard = rest(stream).await;
            assert!(heard.ends_with(&peer), "{heard}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        ending.cancel();
        tokio::time::timeout(HANG, task).await.expect("it goes on").unwrap();
    }
}
