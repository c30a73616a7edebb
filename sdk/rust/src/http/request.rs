//! One request, built step by step. The first mistake is kept and returned by `send`.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use crate::http::upstream::Base;
use crate::http::{Method, Response, Upstream, path};
use crate::{Fault, host};

/// A request that is not sent yet.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent without `.send()`"]
pub struct Request {
    label: String,
    /// The first mistake, or the request so far.
    state: Result<Outgoing, Fault>,
}

/// A request as the host takes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) base: Base,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) timeout: Option<Duration>,
}

impl Outgoing {
    pub(crate) fn path_with_query(&self) -> String {
        let path = if self.base.path.is_empty() { "/" } else { &self.base.path };
        if self.base.query.is_empty() { path.to_owned() } else { format!("{path}?{}", self.base.query) }
    }
}

impl Request {
    pub(crate) fn new(upstream: &Upstream, method: Method) -> Self {
        let state = upstream.base.clone().map(|base| Outgoing {
            method,
            base,
            headers: Vec::new(),
            body: None,
            timeout: None,
        });
        Self { label: upstream.label.clone(), state }
    }

    fn change(mut self, change: impl FnOnce(&mut Outgoing) -> Result<(), Fault>) -> Self {
        if let Ok(request) = &mut self.state
            && let Err(fault) = change(request)
        {
            self.state = Err(fault);
        }
        self
    }

    fn push(self, field: &str, value: &str) -> Self {
        self.change(|request| {
            path::push(&mut request.base.path, value).map_err(|reason| Fault::invalid(field, reason))
        })
    }

    /// One more path segment, encoded.
    ///
    /// `send` answers `invalid-arguments` and names the value when it is empty, `.` or `..`, or has a `/`, `\`, `;`
    /// or control character, in plain text or encoded any number of times. So no value can leave its segment.
    pub fn segment(self, value: impl AsRef<str>) -> Self {
        self.push("", value.as_ref())
    }

    /// The same for a value that is an argument: the fault's `field` is this JSON pointer (`/identifier`).
    pub fn segment_named(self, field: &str, value: impl AsRef<str>) -> Self {
        self.push(field, value.as_ref())
    }

    /// Several more path segments.
    pub fn segments<P: IntoIterator<Item: AsRef<str>>>(self, path: P) -> Self {
        path.into_iter().fold(self, |request, segment| request.segment(segment.as_ref()))
    }

    /// A slash at the path's end, where the upstream wants one.
    pub fn trailing_slash(self) -> Self {
        self.change(|request| {
            request.base.path.push('/');
            Ok(())
        })
    }

    /// One more pair of the query, encoded. The same key may come several times.
    pub fn query(self, key: &str, value: impl Display) -> Self {
        self.pair(key, &value.to_string())
    }

    fn pair(self, key: &str, value: &str) -> Self {
        self.change(|request| {
            let query = &mut request.base.query;
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&path::encode_query(key));
            query.push('=');
            query.push_str(&path::encode_query(value));
            Ok(())
        })
    }

    /// The same, when there is a value.
    pub fn query_opt(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// A header, instead of one of the same name. What the host owns (`Authorization`, `Cookie`, `Host`, `Proxy-*`)
    /// does not leave it.
    pub fn header(self, name: &str, value: impl Into<String>) -> Self {
        self.change(|request| {
            let value = value.into();
            let name_fits = !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            if !name_fits {
                return Err(Fault::internal(format!("{} is not a header's name.", path::quoted(name))));
            }
            if value.chars().any(|c| c.is_control() && c != '\t') {
                let message = format!("The value of the header `{name}` has a control character.");
                return Err(Fault::custom("invalid-arguments", message));
            }
            request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            request.headers.push((name.to_ascii_lowercase(), value));
            Ok(())
        })
    }

    /// HTTP Basic of a user's name and a secret argument of this call, which the plugin has a placeholder of. Instead of
    /// the granted credential, for this request alone, and only where the grant says `from_call = { basic = true }`.
    pub fn basic_from_call(self, user: &str, password: &str) -> Self {
        if user.contains(':') {
            return self.change(|_| {
                Err(Fault::custom("invalid-arguments", "A user's name with a colon cannot be in HTTP Basic."))
            });
        }
        self.header("fleetgate-basic", format!("{user}:{password}"))
    }

    /// A body in JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body(body, "application/json"),
            Err(error) => self.change(|_| {
                Err(Fault::internal(format!("The request's body cannot be written as JSON: {error}")))
            }),
        }
    }

    /// A body with its media type.
    pub fn body(self, bytes: impl Into<Vec<u8>>, mime_type: &str) -> Self {
        let request = self.header("content-type", mime_type);
        request.change(|request| {
            request.body = Some(bytes.into());
            Ok(())
        })
    }

    /// How long it may take until the whole answer is there. The call's own deadline holds beside it.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.change(|request| {
            request.timeout = Some(timeout);
            Ok(())
        })
    }

    /// Sends it and waits for the whole answer. Every status is an answer; [`Response::ok`] wants success.
    ///
    /// # Errors
    /// - `invalid-arguments`: a value that cannot be in a path or a header;
    /// - `denied`: not granted;
    /// - `timeout`, `unavailable` (both retryable): no answer;
    /// - `upstream`: an answer that is over a limit or not HTTP;
    /// - `cancelled`: the client gave up, or the call's deadline came.
    pub fn send(self) -> Result<Response, Fault> {
        let request = self.state?;
        let before = host::cancelled();
        match host::send(&request) {
            Ok(incoming) => Ok(Response::new(incoming, self.label, &request)),
            // Waiting ended because the call did. What is sent for cleaning up afterwards fails for its own reasons.
            Err(_) if !before && host::cancelled() => Err(Fault::cancelled()),
            Err(failure) => Err(failure.into_fault(&self.label, request.method, &request.base.path)),
        }
    }
}
