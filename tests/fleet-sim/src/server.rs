//! The HTTP/1.1 server under every backend: it notes each request, plays the fault that a test asked for,
//! and else hands the request to the backend's router.
//!
//! It drives hyper itself instead of `axum::serve` because a router cannot refuse to answer, and a dropped
//! connection is one of the things a client must survive.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::faults::{Dropped, Faults};
use crate::journal::Journal;

/// Bytes of a request body that are read; more is answered 413, as Plug.Parsers does by default.
const BODY_LIMIT: usize = 8_000_000;

/// A listening backend. Dropping it closes the listener and every connection.
pub(crate) struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
}

impl Server {
    /// Binds `listen` and serves `app` on the current runtime.
    pub(crate) async fn start(listen: SocketAddr, app: Router) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let front = Front { app, journal: Journal::default(), faults: Faults::default() };
        let (journal, faults) = (front.journal.clone(), front.faults.clone());
        let task = tokio::spawn(accept(listener, front, stop.clone()));
        Ok(Self { address, stop, task: Some(task), journal, faults })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the listener and all connections, and returns once both are closed.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, front: Front, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, front.clone())); }
                // Out of descriptors, most likely: give connections time to close instead of spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, front: Front) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let front = front.clone();
        async move { front.answer(request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away and a fault that drops the connection both end here, as intended.
    let _ = connection.await;
}

#[derive(Clone)]
struct Front {
    app: Router,
    journal: Journal,
    faults: Faults,
}

impl Front {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(Body::new(body), BODY_LIMIT).await else {
            return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
        };
        let entry = self.journal.record(&parts, &body);
        let fault = self.faults.take(&parts.method, parts.uri.path());
        let request = Request::from_parts(parts, Body::from(body));
        let response = match fault {
            None => crate::faults::ask(&self.app, request).await,
            Some(fault) => fault.play(&self.app, request).await?,
        };
        self.journal.answered(entry, response.status().as_u16());
        Ok(response)
    }
}
