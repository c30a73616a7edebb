//! A binding with its grants and secrets, and the requests that are made through it.

use std::sync::Arc;

use bytes::Bytes;
use fleetgate_core::capability::BindingParts;
use fleetgate_core::diagnostic::Diagnostics;
use fleetgate_core::sandbox::CallInfo;
use fleetgate_http::testing::{HttpBinding, Session};
use fleetgate_http::{Failure, Http, HttpOptions};
pub use fleetgate_lab::{Answers, Watched};
use fleetgate_lab::{Binding, Subject};
use http::Response;
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Everything that a request may do, to be narrowed by what a test is about.
pub const ALL: &str = "methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]\npaths = [\"/**\"]";

/// `http.api`, with everything asked for.
pub struct Api;

pub type World = fleetgate_lab::World<Api>;

impl Subject for Api {
    const CAPABILITY: &'static str = "http.api";
    const REQUEST: &'static str = ALL;

    type Kind = Http;
    type Options = HttpOptions;
    type Bound = HttpBinding;
    type Caller = Caller;

    fn capability(options: HttpOptions) -> Http {
        Http::new(options)
    }

    fn bind(http: &Http, parts: BindingParts<'_>) -> Result<HttpBinding, Diagnostics> {
        http.bind_http(parts)
    }

    fn caller(binding: &Binding<Self>, call: Arc<CallInfo>) -> Caller {
        Caller { session: binding.binding.session(&call), call }
    }
}

/// A call that is going on.
pub struct Caller {
    pub session: Session,
    pub call: Arc<CallInfo>,
}

/// What a guest got.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<http::HeaderMap>,
}

impl Got {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Everything that the guest can see of it.
    pub fn everything(&self) -> String {
        format!("{:?}\n{}\n{:?}", self.headers, self.text(), self.trailers)
    }
}

pub fn request(method: &str, url: &str) -> http::Request<WasiBody> {
    with_body(method, url, "")
}

pub fn with_body(method: &str, url: &str, body: impl Into<Bytes>) -> http::Request<WasiBody> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    http::Request::builder().method(method).uri(url).body(body).unwrap()
}

impl Caller {
    pub async fn head(&self, request: http::Request<WasiBody>) -> Result<Response<WasiBody>, Failure> {
        self.session.send(request, RequestOptions::default()).await
    }

    /// Sends a request and reads the whole response.
    pub async fn send(&self, request: http::Request<WasiBody>) -> Result<Got, Failure> {
        let (head, mut body) = self.head(request).await?.into_parts();
        let mut got =
            Got { status: head.status.as_u16(), headers: head.headers, body: Vec::new(), trailers: None };
        while let Some(frame) = body.frame().await {
            match frame.map_err(Failure::Other)?.into_data() {
                Ok(data) => got.body.extend_from_slice(&data),
                Err(frame) => got.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(got)
    }

    pub async fn get(&self, url: &str) -> Result<Got, Failure> {
        self.send(request("GET", url)).await
    }

    /// What the guest gets of a request that fails.
    pub async fn error(&self, request: http::Request<WasiBody>) -> Error {
        match self.send(request).await {
            Ok(got) => panic!("it was answered with {}: {}", got.status, got.text()),
            Err(failure) => failure.into_guest(),
        }
    }

    /// Sends a request that must be refused, and returns what the operator reads.
    pub async fn refused(&self, request: http::Request<WasiBody>) -> String {
        let uri = request.uri().clone();
        let before = self.call.used.refused().len();
        let error = self.error(request).await;
        assert!(matches!(error, Error::HttpRequestDenied), "{uri}: {error:?}");
        let refused = self.call.used.refused();
        assert_eq!(refused.len(), before + 1, "{uri}: {refused:?}");
        refused.last().unwrap().clone()
    }
}
