//! One answer.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use crate::Fault;
use crate::fault::cut;
use crate::http::{Method, Outgoing, retry_after};

/// How much of an unsuccessful answer's body goes into the fault's details, in bytes.
const EXCERPT: usize = 1024;
/// How much of it goes into the message.
const MESSAGE_EXCERPT: usize = 300;

/// An answer as the host gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// An answer of any status, with its whole body.
#[derive(Debug, Clone)]
pub struct Response {
    incoming: Incoming,
    label: String,
    method: Method,
    path: String,
}

impl Response {
    pub(crate) fn new(incoming: Incoming, label: String, request: &Outgoing) -> Self {
        Self { incoming, label, method: request.method, path: request.base.path.clone() }
    }

    /// The status (200, 404, …).
    #[must_use]
    pub fn status(&self) -> u16 {
        self.incoming.status
    }

    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// The first header of this name, in any case. None: it is not there, or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.incoming
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The body.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.incoming.body
    }

    /// The body, taken out.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.incoming.body
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.incoming.body)
    }

    /// The body as JSON, of any status.
    ///
    /// # Errors
    /// `upstream` when it is not JSON or not a `T`; the message says where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.incoming.body);
        let parsed =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| self.unfit(&error))?;
        match deserializer.end() {
            Ok(()) => Ok(parsed),
            Err(error) => Err(self.unfit(&error)),
        }
    }

    /// Apart from [`Self::json`], which is compiled once for each type.
    fn unfit(&self, why: &dyn std::fmt::Display) -> Fault {
        let Self { label, method, path, .. } = self;
        Fault::upstream(format!(
            "The answer of `{label}` to {method} {} is not as expected: {why}",
            or_root(path)
        ))
        .detail("status", self.status())
        .detail("body", self.excerpt(EXCERPT))
    }

    /// The answer itself when it is a success.
    ///
    /// # Errors
    /// [`Response::fault`] when the status is not 200 to 299.
    pub fn ok(self) -> Result<Self, Fault> {
        if self.is_ok() { Ok(self) } else { Err(self.fault()) }
    }

    /// `upstream`, with `status` and the first KiB of the `body` in its details. Retryable for 408, 425, 429 and 5xx,
    /// with the wait that `Retry-After` asks for.
    pub fn fault(&self) -> Fault {
        let Self { label, method, path, .. } = self;
        let status = self.status();
        let mut message = format!("`{label}` answered {status} to {method} {}", or_root(path));
        match self.readable_excerpt() {
            Some(excerpt) => message.push_str(&format!(": {excerpt}")),
            None => message.push('.'),
        }
        let mut fault =
            Fault::upstream(message).detail("status", status).detail("body", self.excerpt(EXCERPT));
        if matches!(status, 408 | 425 | 429 | 500..=599) {
            fault = self.worth_another_try(fault);
        }
        fault
    }

    /// A fault in the plugin's own words, for an upstream whose statuses mean what they say. Add the argument that is
    /// meant, and in the details what a program could act on.
    ///
    /// | status | code | retryable |
    /// |---|---|---|
    /// | 400, 422 | `invalid-arguments` | no |
    /// | 401, 403 | `denied` | no |
    /// | 404 | `unknown` | no |
    /// | 409 | `conflict` | no |
    /// | 429, 502, 503, 504 | `unavailable` | yes, with the wait that `Retry-After` asks for |
    /// | any other | `upstream` | no: nobody knows what was done |
    ///
    /// ```
    /// # use fleetgate_sdk::prelude::*;
    /// # fn read(response: &http::Response) -> Result<Value, Fault> {
    /// if !response.is_ok() {
    ///     let status = response.status();
    ///     return Err(response.refusal(format!("The hub answered {status}.")).detail("status", status));
    /// }
    /// response.json()
    /// # }
    /// ```
    pub fn refusal(&self, message: impl Into<String>) -> Fault {
        let code = match self.status() {
            400 | 422 => "invalid-arguments",
            401 | 403 => "denied",
            404 => "unknown",
            409 => "conflict",
            429 | 502..=504 => {
                return self.worth_another_try(Fault::custom("unavailable", message));
            }
            _ => "upstream",
        };
        Fault::custom(code, message)
    }

    /// How long the upstream asks to wait (`Retry-After`, in seconds or as a date). None: it does not say.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::parse(self.header("retry-after")?, SystemTime::now)
    }

    fn worth_another_try(&self, fault: Fault) -> Fault {
        match self.retry_after() {
            Some(wait) => fault.retry_after(wait),
            None => fault.retryable(),
        }
    }

    fn excerpt(&self, limit: usize) -> String {
        // Cutting bytes first bounds the work; the replacement character then may make it longer again.
        let bytes = &self.incoming.body[..self.incoming.body.len().min(limit)];
        cut(&String::from_utf8_lossy(bytes), limit).to_owned()
    }

    /// Plain text and JSON say something in a sentence; a page of HTML does not.
    fn readable_excerpt(&self) -> Option<String> {
        let kind = self.header("content-type")?.to_ascii_lowercase();
        let readable = kind.starts_with("text/plain") || kind.contains("json");
        let excerpt = self.excerpt(MESSAGE_EXCERPT);
        (readable && !excerpt.trim().is_empty()).then(|| excerpt.trim().to_owned())
    }
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}
