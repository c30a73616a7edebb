//! A served backend, and clients of both eras by hand.

use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use fleetgate_core::principal::Principal;
use fleetgate_mcp::{Authenticate, Challenge, HttpOptions, Shutdown, router_over, serve};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::backend::{Fake, principal};

/// `Authorization: Bearer <name>` is that name. `ann` holds every role of `lab`, `bob` none.
pub struct Names;

impl Authenticate for Names {
    fn principal(&self, parts: &Parts, _: SocketAddr) -> Result<Principal, Challenge> {
        match parts
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        {
            Some("ann") => Ok(principal("ann", &["lab:*"])),
            Some(name) => Ok(principal(name, &[])),
            None => Err(Challenge {
                status: StatusCode::UNAUTHORIZED,
                authenticate: Some(HeaderValue::from_static("Bearer realm=\"test\"")),
                message: "say who you are".into(),
            }),
        }
    }
}

/// A server on a free port. It stops with the test.
pub struct Served {
    pub address: SocketAddr,
    pub http: Client,
    pub shutdown: Shutdown,
}

pub async fn served(backend: &Arc<Fake>) -> Served {
    served_with(backend, |options| options).await
}

pub async fn served_with(backend: &Arc<Fake>, options: impl FnOnce(HttpOptions) -> HttpOptions) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = options(HttpOptions::new(address, Arc::new(Names)));
    let mcp = router_over(backend.clone(), options);
    let shutdown = mcp.shutdown.clone();
    tokio::spawn(serve(listener, mcp, std::future::pending(), Duration::from_secs(5)));
    Served { address, http: client(), shutdown }
}

pub fn client() -> Client {
    static PROVIDER: Once = Once::new();
    // reqwest wants a provider even where it will not use it.
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    Client::builder().timeout(HANG).build().unwrap()
}

/// Nothing here takes long; whatever does hangs.
pub const HANG: Duration = Duration::from_secs(60);

pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, work).await.expect("it hangs")
}

impl Served {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A POST with nothing but a body and a caller.
    pub fn post(&self, path: &str, caller: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.http
            .post(self.url(path))
            .bearer_auth(caller)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
    }

    /// A request of 2026-07-28.
    pub fn modern(&self, path: &str, caller: &str, method: &str, params: Value) -> RequestBuilder {
        let mut params = params;
        let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
        meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        let capabilities = &mut meta["io.modelcontextprotocol/clientCapabilities"];
        if capabilities.is_null() {
            *capabilities = json!({"sampling": {}});
        }
        let name = if method.starts_with("resources/") { params.get("uri") } else { params.get("name") };
        let name = name.and_then(Value::as_str).map(str::to_owned);
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let request = self
            .post(path, caller, body.to_string())
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        match name {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    /// The answer to a request of 2026-07-28.
    pub async fn ask(&self, path: &str, caller: &str, method: &str, params: Value) -> Value {
        last(self.modern(path, caller, method, params).send().await.unwrap()).await
    }

    /// The answer to a legacy client's first message, and the id of its session.
    async fn opened(&self, path: &str, caller: &str, version: &str, can: Value) -> (Response, String) {
        let params = json!({"protocolVersion": version, "capabilities": can, "clientInfo": {"name": "t", "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response = self.post(path, caller, body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        (response, id)
    }

    /// A session of which nothing but the id is wanted.
    pub async fn legacy_id(&self, path: &str, caller: &str, version: &str) -> String {
        self.opened(path, caller, version, json!({})).await.1
    }

    /// A session of a legacy client.
    pub async fn legacy(&self, path: &str, caller: &str, version: &str) -> Session<'_> {
        self.legacy_that_can(path, caller, version, json!({})).await
    }

    /// A session of a legacy client with these capabilities.
    pub async fn legacy_that_can(&self, path: &str, caller: &str, version: &str, can: Value) -> Session<'_> {
        let (response, id) = self.opened(path, caller, version, can).await;
        let initialized = last(response).await;
        let version = initialized["result"]["protocolVersion"].as_str().unwrap().to_owned();
        let session =
            Session { served: self, path: path.into(), caller: caller.into(), id, version, initialized };
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(session.post(note).send().await.unwrap().status(), 202);
        session
    }
}

pub struct Session<'a> {
    served: &'a Served,
    pub path: String,
    pub caller: String,
    pub id: String,
    pub version: String,
    pub initialized: Value,
}

impl Session<'_> {
    pub fn post(&self, message: Value) -> RequestBuilder {
        self.served
            .post(&self.path, &self.caller, message.to_string())
            .header("mcp-session-id", &self.id)
            .header("mcp-protocol-version", &self.version)
    }

    pub fn request(&self, id: u64, method: &str, params: Value) -> RequestBuilder {
        self.post(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    pub async fn ask(&self, method: &str, params: Value) -> Value {
        last(self.request(5, method, params).send().await.unwrap()).await
    }

    pub fn get(&self) -> RequestBuilder {
        self.served
            .http
            .get(self.served.url(&self.path))
            .bearer_auth(&self.caller)
            .header("accept", "text/event-stream")
            .header("mcp-session-id", &self.id)
            .header("mcp-protocol-version", &self.version)
    }
}

/// One event of a stream: its fields, and its message if it has any.
#[derive(Debug, Clone)]
pub struct Event {
    pub kind: Option<String>,
    pub id: Option<String>,
    pub retry: Option<String>,
    pub data: Option<String>,
    pub message: Option<Value>,
}

/// A stream of events, read one by one.
pub struct Events {
    response: Response,
    pending: String,
}

impl Events {
    pub fn of(response: Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, pending: String::new() }
    }

    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.pending.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start().to_owned()))
                };
                let data = field("data:");
                let message = data.as_deref().and_then(|data| serde_json::from_str(data).ok());
                let event =
                    Event { kind: field("event:"), id: field("id:"), retry: field("retry:"), data, message };
                self.pending = rest.to_owned();
                // A comment, which only keeps the connection open.
                if event.data.is_none() && event.id.is_none() && event.retry.is_none() {
                    continue;
                }
                return Some(event);
            }
            let chunk = in_time(self.response.chunk()).await.ok()??;
            self.pending.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    pub async fn message(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.next().await?.message {
                return Some(message);
            }
        }
    }

    pub async fn rest(mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(message) = self.message().await {
            messages.push(message);
        }
        messages
    }
}

/// All messages of an answer, whatever its form.
pub async fn messages(response: Response) -> Vec<Value> {
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    match kind.as_deref() {
        Some("text/event-stream") => Events::of(response).rest().await,
        _ => vec![response.json().await.unwrap()],
    }
}

/// The last of them: the answer.
pub async fn last(response: Response) -> Value {
    messages(response).await.pop().expect("an answer")
}
