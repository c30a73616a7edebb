//! An upstream that records what reaches it, and echoes everything back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// `GET`
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Lossily as text.
    pub body: String,
}

impl Arrived {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP server on a free port, ended when dropped.
pub struct Upstream {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Upstream {
    /// Starts it. `/granted/redirect?to=URL` redirects; `/granted/status/500` answers with that status;
    /// everything else echoes method, target, headers and body as JSON, and the credential in a header of its own.
    pub async fn start() -> Self {
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new().fallback(answer).with_state(arrived.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("it serves until it is ended");
        });
        Self { address, arrived, task }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// What reached it so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(arrived): State<Arc<Mutex<Vec<Arrived>>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Arrived {
        method: method.to_string(),
        target: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    arrived.lock().expect("nobody panics with it").push(request.clone());

    if let Some(to) = uri.query().and_then(|query| query.strip_prefix("to=")) {
        return (StatusCode::FOUND, [(header::LOCATION, to.to_owned())]).into_response();
    }
    if let Some(status) = uri.path().strip_prefix("/granted/status/").and_then(|status| status.parse().ok()) {
        return (StatusCode::from_u16(status).expect("a status"), "as asked").into_response();
    }
    let credential = request.header("authorization").unwrap_or("none").to_owned();
    let echo = json!({
        "method": request.method, "target": request.target, "headers": request.headers, "body": request.body,
    });
    ([("x-credential", credential)], axum::Json(echo)).into_response()
}
