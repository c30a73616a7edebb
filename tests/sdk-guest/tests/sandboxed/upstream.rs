//! The server that the guest talks to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A server on a free port. It ends with the test's runtime.
#[derive(Clone, Default)]
pub(crate) struct Upstream {
    /// Trips when somebody asks for what never comes.
    pub(crate) asked: CancellationToken,
    /// `METHOD path` of each request that was echoed.
    pub(crate) echoed: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub(crate) async fn start(&self) -> SocketAddr {
        let routes = Router::new()
            .route("/echo/{*rest}", any(echo))
            .route("/never", any(never))
            .route("/drip", any(drip))
            .route("/early", any(early))
            .route("/big/{bytes}", get(big))
            .route("/status/{status}", any(status))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }
}

async fn echo(State(upstream): State<Upstream>, request: Request) -> Json<Value> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the body arrives");
    let path = parts.uri.path().to_owned();
    upstream.echoed.lock().expect("no test panics here").push(format!("{} {path}", parts.method));
    let header =
        |name: &str| parts.headers.get(name).map(|value| value.to_str().expect("it is text").to_owned());
    Json(json!({
        "method": parts.method.as_str(),
        "path": path,
        "query": parts.uri.query(),
        "host": header("host"),
        "x-guest": header("x-guest"),
        "content-type": header("content-type"),
        "content-length": header("content-length"),
        "transfer-encoding": header("transfer-encoding"),
        "bytes": body.len(),
        "body": String::from_utf8_lossy(&body[..body.len().min(100)]),
    }))
}

async fn never(State(upstream): State<Upstream>) {
    upstream.asked.cancel();
    std::future::pending::<()>().await;
}

/// A body that begins and does not end.
async fn drip() -> Response {
    struct Drip(Option<Bytes>);
    impl hyper::body::Body for Drip {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            match self.0.take() {
                Some(bytes) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))),
                None => std::task::Poll::Pending,
            }
        }
    }
    Body::new(Drip(Some(Bytes::from_static(b"begin")))).into_response()
}

/// Answers without having read the body.
async fn early() -> (StatusCode, &'static str) {
    (StatusCode::PAYLOAD_TOO_LARGE, "too much")
}

async fn big(Path(bytes): Path<usize>) -> Vec<u8> {
    vec![b'y'; bytes]
}

async fn status(Path(status): Path<u16>) -> Response {
    let status = StatusCode::from_u16(status).expect("it is a status");
    (status, [("retry-after", "7")], "said so").into_response()
}
