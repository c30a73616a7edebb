//! A plain HTTP client for the platform, knowing no more than the contract says.

use std::sync::Once;

use fleet_sim::jettyd::api::{Jettyd, Running, Seed};
use jiff::Timestamp;
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;

/// A moment at which the platform's clock stands still: nobody's heartbeat is due.
pub fn noon() -> Timestamp {
    "2026-05-20T12:00:07Z".parse().expect("a time")
}

/// A platform whose time passes only when a test says so.
pub async fn platform() -> Running {
    seeded(Seed::default()).await
}

pub async fn seeded(seed: Seed) -> Running {
    Jettyd::start(Seed { now: Some(noon()), ..seed }).await
}

/// Somebody at one platform.
pub struct Api<'a> {
    platform: &'a Running,
    token: Option<String>,
    client: Client,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub fn of(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A refusal with this status and `error`.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str) {
        assert_eq!(self.of(status)["error"], error);
    }
}

impl<'a> Api<'a> {
    /// The API key with this handle.
    pub fn of(platform: &'a Running, handle: &str) -> Self {
        Self::with(platform, Some(platform.token(handle)))
    }

    /// Somebody with this token, or none.
    pub fn with(platform: &'a Running, token: Option<&str>) -> Self {
        static PROVIDER: Once = Once::new();
        // reqwest is built without a TLS provider of its own and wants one even for plain HTTP.
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        Self { platform, token: token.map(str::to_owned), client: Client::new() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = self.client.request(method, format!("{}/v1{path}", self.platform.url()));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a body") }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string())).await
    }

    /// A body that is sent as it stands.
    pub async fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, Some(body.to_owned())).await
    }
}
