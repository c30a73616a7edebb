//! The HTTP client: connections that are kept open, one call after the other on each, every answer checked. It is lean,
//! since what it costs is added to both sides and pulls every ratio towards 1.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::message;

/// The most calls of one round, over all connections: bounds what is kept of them.
const MOST: usize = 4_000_000;
/// How long a round may take beyond its length. Only to end a round that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tool at an address.
#[derive(Debug, Clone)]
pub struct Target {
    authority: String,
    path: Uri,
    headers: HeaderMap,
    tool: String,
    asks: Asks,
}

/// What is asked, and what answer is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    ToBeGreeted,
    ToBeEnded,
}

/// When a round ends: at whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub length: Duration,
    /// On each connection.
    pub calls: usize,
}

/// What a round gave.
#[derive(Debug, Default)]
pub struct Load {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Of each call, in microseconds.
    pub latencies: Vec<f64>,
    /// The first wrong answer.
    pub wrong: Option<String>,
}

impl Load {
    /// Calls a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

impl Target {
    /// A tool that greets by name.
    pub fn greeting(url: &str, tool: &str) -> Result<Self> {
        Self::new(url, tool, Asks::ToBeGreeted)
    }

    /// A tool that the host has to end.
    pub fn endless(url: &str, tool: &str) -> Result<Self> {
        Self::new(url, tool, Asks::ToBeEnded)
    }

    fn new(url: &str, tool: &str, asks: Asks) -> Result<Self> {
        let url: Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
        let authority = url.authority().with_context(|| format!("{url} names no host"))?.to_string();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, authority.parse()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("mcp-protocol-version", HeaderValue::from_static(message::VERSION));
        headers.insert("mcp-method", HeaderValue::from_static("tools/call"));
        headers.insert("mcp-name", tool.parse()?);
        Ok(Self { authority, path: url.path().parse()?, headers, tool: tool.to_owned(), asks })
    }

    /// So many connections, each with one call under way until the round ends. They are open before the clock starts.
    pub async fn load(&self, connections: usize, bounds: Bounds) -> Result<Load> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(self).await?);
        }
        let bounds = Bounds { calls: bounds.calls.min(MOST / connections.max(1)), ..bounds };
        let (target, start) = (Arc::new(self.clone()), Instant::now());
        let mut tasks = JoinSet::new();
        for (number, connection) in open.into_iter().enumerate() {
            tasks.spawn(connection.run(target.clone(), number, start, bounds));
        }
        let done = tokio::time::timeout(bounds.length.saturating_add(PATIENCE), tasks.join_all()).await;
        let Ok(done) = done else { bail!("{} did not answer within a minute", self.authority) };
        let mut load = Load { elapsed: start.elapsed(), ..Load::default() };
        for (latencies, wrong) in done {
            load.latencies.extend(latencies);
            load.wrong = load.wrong.or(wrong);
        }
        if load.latencies.is_empty() && load.wrong.is_none() {
            load.wrong = Some("no call was answered".into());
        }
        Ok(load)
    }
}

/// One call of a tool on a connection of its own: its structured result.
pub async fn ask(url: &str, tool: &str, arguments: &Value) -> Result<Value> {
    let target = Target::new(url, tool, Asks::ToBeGreeted)?;
    let Connection { mut sender, driver } = Connection::open(&target).await?;
    let answer = async {
        let request = target.request(message::any_call(1, tool, arguments));
        let response = sender.send_request(request).await?;
        Ok::<_, anyhow::Error>(response.into_body().collect().await?.to_bytes())
    };
    let body = tokio::select! {
        biased;
        body = answer => body?,
        broken = driver => bail!("the connection was closed: {broken:?}"),
    };
    let result = message::structured(&body);
    result.with_context(|| format!("{tool} gave no result: {}", String::from_utf8_lossy(&body)))
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: hyper::client::conn::http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
}

impl Connection {
    async fn open(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(&target.authority)
            .await
            .with_context(|| format!("{} does not take connections", target.authority))?;
        stream.set_nodelay(true)?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver })
    }

    /// Calls until the round ends, or until an answer is wrong. The connection is driven by the same task: no hop from
    /// one to another for each message.
    async fn run(
        self,
        target: Arc<Target>,
        number: usize,
        start: Instant,
        bounds: Bounds,
    ) -> (Vec<f64>, Option<String>) {
        let Self { mut sender, driver } = self;
        let mut latencies = Vec::with_capacity(bounds.calls.min(1 << 16));
        let calls = async {
            for count in 0..bounds.calls {
                if start.elapsed() >= bounds.length {
                    break;
                }
                // No two calls of a round are alike, so that no answer can pass for another's.
                let id = (number * MOST + count) as u64;
                let sent = Instant::now();
                if let Err(wrong) = target.call(&mut sender, id).await {
                    return Some(wrong);
                }
                latencies.push(sent.elapsed().as_secs_f64() * 1e6);
            }
            None
        };
        let wrong = tokio::select! {
            biased;
            wrong = calls => wrong,
            broken = driver => Some(format!("the connection was closed: {broken:?}")),
        };
        (latencies, wrong)
    }
}

impl Target {
    fn request(&self, body: String) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    async fn call(&self, sender: &mut SendRequest<Full<Bytes>>, id: u64) -> Result<(), String> {
        let name = format!("n{id}");
        let body = match self.asks {
            Asks::ToBeGreeted => message::call(id, &self.tool, &name),
            Asks::ToBeEnded => message::bare_call(id, &self.tool),
        };
        let request = self.request(body);
        let failed = |error: hyper::Error| format!("the request failed: {error}");
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(failed)?.to_bytes();
        let right = status == StatusCode::OK
            && match self.asks {
                Asks::ToBeGreeted => message::greets(&body, id, &name),
                Asks::ToBeEnded => message::ended(&body, id),
            };
        if right { Ok(()) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&body))) }
    }
}
