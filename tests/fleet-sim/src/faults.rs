//! Misbehaviour on demand: what an upstream does on a bad day, switched on per method and path.
//!
//! A fault stands in front of the backend. Only [`Fault::Delay`] and [`Fault::DropAfter`] let the request
//! reach it; all others answer in its place, so nothing changes behind them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tower::ServiceExt;

/// Which requests a fault hits. Paths are compared as they were sent, percent-encoding included, without query.
#[derive(Debug, Clone)]
pub struct Matcher {
    method: Option<Method>,
    path: Path,
    left: Option<usize>,
}

#[derive(Debug, Clone)]
enum Path {
    Any,
    Is(String),
    StartsWith(String),
    EndsWith(String),
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self { method: None, path: Path::Any, left: None }
    }

    /// Requests with exactly this path.
    pub fn path(path: impl Into<String>) -> Self {
        Self { path: Path::Is(path.into()), ..Self::any() }
    }

    /// Requests whose path begins with `start`.
    pub fn starting_with(start: impl Into<String>) -> Self {
        Self { path: Path::StartsWith(start.into()), ..Self::any() }
    }

    /// Requests whose path ends with `end`, such as `/reboot`.
    pub fn ending_with(end: impl Into<String>) -> Self {
        Self { path: Path::EndsWith(end.into()), ..Self::any() }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only the next `times` matching requests; without this, all until the faults are cleared.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    /// Only the next matching request.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    fn hits(&self, method: &Method, path: &str) -> bool {
        self.left != Some(0)
            && self.method.as_ref().is_none_or(|wanted| wanted == method)
            && match &self.path {
                Path::Any => true,
                Path::Is(wanted) => path == wanted,
                Path::StartsWith(start) => path.starts_with(start),
                Path::EndsWith(end) => path.ends_with(end),
            }
    }
}

/// What happens to a request that a [`Matcher`] hits.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The backend answers, this much later.
    Delay(Duration),
    /// 503 with a `Retry-After` of so many seconds.
    Unavailable {
        /// Seconds for `Retry-After`.
        retry_after: u32,
    },
    /// 200 with a JSON content type and a body that stops in the middle of a string.
    MalformedJson,
    /// 200 with a valid JSON document of at least this many bytes, streamed without a length.
    HugeBody {
        /// Bytes of body.
        bytes: usize,
    },
    /// 200 with headers at once and then one byte of body per interval, for ever.
    Trickle {
        /// The interval.
        every: Duration,
    },
    /// The connection closes without a byte of answer, and the backend has not seen the request.
    Drop,
    /// The backend does what was asked, then the connection closes without a byte of answer.
    DropAfter,
    /// Headers promise a body, half of it comes, the connection closes.
    CutBody,
    /// A redirect.
    Redirect {
        /// The status, such as 302, 307 or 308.
        status: u16,
        /// The `Location`.
        to: String,
    },
    /// 200 with all request headers in the body: `{"data":{"headers":{"name":["value", …]}}}`.
    EchoHeaders,
    /// Any answer at all.
    Reply {
        /// The status.
        status: u16,
        /// Header names and values.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
}

/// The request is not answered; the server closes its connection.
#[derive(Debug)]
pub(crate) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// The faults of one backend; the newest that matches wins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    rules: Arc<Mutex<Vec<(Matcher, Fault)>>>,
}

impl Faults {
    pub(crate) fn add(&self, matcher: Matcher, fault: Fault) {
        self.lock().push((matcher, fault));
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The fault for this request, counted as used.
    pub(crate) fn take(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut rules = self.lock();
        let (matcher, fault) = rules.iter_mut().rev().find(|(matcher, _)| matcher.hits(method, path))?;
        if let Some(left) = &mut matcher.left {
            *left -= 1;
        }
        Some(fault.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Matcher, Fault)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The backend's own answer.
pub(crate) async fn ask(app: &Router, request: Request<Body>) -> Response<Body> {
    match app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

const JSON: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));

impl Fault {
    pub(crate) async fn play(self, app: &Router, request: Request<Body>) -> Result<Response<Body>, Dropped> {
        Ok(match self {
            Self::Delay(delay) => {
                tokio::time::sleep(delay).await;
                ask(app, request).await
            }
            Self::Unavailable { retry_after } => {
                let body = json!({"errors": {"detail": "Service Unavailable"}}).to_string();
                let retry_after = (header::RETRY_AFTER, HeaderValue::from(retry_after));
                (StatusCode::SERVICE_UNAVAILABLE, [JSON, retry_after], body).into_response()
            }
            Self::MalformedJson => ([JSON], r#"{"data":[{"identifier":"sn-00"#).into_response(),
            Self::HugeBody { bytes } => ([JSON], huge(bytes)).into_response(),
            Self::Trickle { every } => ([JSON], trickle(every)).into_response(),
            Self::Drop => return Err(Dropped),
            Self::DropAfter => {
                ask(app, request).await;
                return Err(Dropped);
            }
            Self::CutBody => {
                let body = r#"{"data":{"identifier":"sn-0001","#;
                let promised = (header::CONTENT_LENGTH, HeaderValue::from(body.len() * 2));
                let parts =
                    stream::iter([Ok(Bytes::from_static(body.as_bytes()))]).chain(stream::once(cut()));
                ([JSON, promised], Body::from_stream(parts)).into_response()
            }
            Self::Redirect { status, to } => reply(status, &[("location".to_owned(), to)], Vec::new()),
            Self::EchoHeaders => ([JSON], echo(&request)).into_response(),
            Self::Reply { status, headers, body } => reply(status, &headers, body),
        })
    }
}

/// A status or header that cannot be sent is a mistake in the test that asked for it, and panics there by
/// dropping the connection with the message on stderr.
fn reply(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).expect("a fault needs a valid status and valid headers")
}

fn huge(bytes: usize) -> Body {
    const CHUNK: usize = 64 * 1024;
    let filler = Bytes::from(vec![b'x'; CHUNK]);
    let chunks = bytes.div_ceil(CHUNK);
    let parts = stream::unfold(0, move |index| {
        let part = match index {
            0 => Some(Bytes::from_static(b"{\"data\":\"")),
            n if n <= chunks => Some(filler.clone()),
            n if n == chunks + 1 => Some(Bytes::from_static(b"\"}")),
            _ => None,
        };
        async move { part.map(|part| (Ok::<_, Dropped>(part), index + 1)) }
    });
    Body::from_stream(parts)
}

/// The wait lets what came before leave; an error at once would take it along.
async fn cut() -> Result<Bytes, Dropped> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    Err(Dropped)
}

fn trickle(every: Duration) -> Body {
    Body::from_stream(stream::unfold((), move |()| async move {
        tokio::time::sleep(every).await;
        Some((Ok::<_, Dropped>(Bytes::from_static(b" ")), ()))
    }))
}

fn echo(request: &Request<Body>) -> String {
    let mut headers = serde_json::Map::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let values = headers.entry(name.as_str()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value.into());
        }
    }
    json!({"data": {"headers": headers}}).to_string()
}
