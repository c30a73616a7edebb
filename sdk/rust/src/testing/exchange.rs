//! A request that the tool sent, and what it gets back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{Failure, Incoming, Outgoing};

/// A request as it left the plugin.
#[derive(Debug, Clone)]
pub struct Request {
    outgoing: Outgoing,
    path: String,
}

impl Request {
    pub(crate) fn new(outgoing: &Outgoing) -> Self {
        let path = if outgoing.base.path.is_empty() { "/" } else { &outgoing.base.path }.to_owned();
        Self { outgoing: outgoing.clone(), path }
    }

    /// `GET`, `POST`, …
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.outgoing.method.as_str()
    }

    /// The name of the upstream (`api`). None: a fixed URL.
    #[must_use]
    pub fn upstream(&self) -> Option<&str> {
        self.outgoing.base.authority.strip_suffix(".upstream")
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.outgoing.base.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.outgoing.base.authority, self.outgoing.path_with_query())
    }

    /// The path, encoded as it is sent.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path's segments, decoded.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(decode).collect()
    }

    /// Everything after the question mark, encoded as it is sent. Empty: there is none.
    #[must_use]
    pub fn query_string(&self) -> &str {
        &self.outgoing.base.query
    }

    /// The first value of this key in the query, decoded.
    #[must_use]
    pub fn query(&self, key: &str) -> Option<String> {
        self.outgoing.base.query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name) == key).then(|| decode(value))
        })
    }

    /// A header, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.outgoing
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body. Empty: there is none.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.outgoing.body.as_deref().unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(self.body()).expect("the request's body is the expected JSON")
    }

    /// How long the plugin is willing to wait.
    #[must_use]
    pub fn timeout(&self) -> Option<std::time::Duration> {
        self.outgoing.timeout
    }
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What a request gets back.
#[derive(Debug, Clone)]
pub struct Response {
    result: Result<Incoming, Failure>,
}

impl Response {
    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { result: Ok(Incoming { status, ..Incoming::default() }) }
    }

    /// JSON.
    ///
    /// # Panics
    /// When the value cannot be JSON.
    #[must_use]
    #[track_caller]
    pub fn json(status: u16, body: impl Serialize) -> Self {
        let body = serde_json::to_vec(&body).expect("the response's body can be JSON");
        Self::status(status).header("content-type", "application/json").body(body)
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::status(status).header("content-type", "text/plain").body(body.into())
    }

    /// No answer at all.
    #[must_use]
    pub fn fails(failure: Failure) -> Self {
        Self { result: Err(failure) }
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(incoming) = &mut self.result {
            incoming.headers.push((name.to_ascii_lowercase(), value.as_bytes().to_vec()));
        }
        self
    }

    /// The body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        if let Ok(incoming) = &mut self.result {
            incoming.body = body.into();
        }
        self
    }

    pub(crate) fn into_result(self) -> Result<Incoming, Failure> {
        self.result
    }
}

impl From<Value> for Response {
    /// 200 with this JSON.
    fn from(body: Value) -> Self {
        Self::json(200, body)
    }
}
