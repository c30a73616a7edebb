//! A plain HTTP client for the hub, knowing no more than the contract says.

use std::sync::Once;
use std::time::Duration;

use fleet_sim::nerveshub::{Hub, NoAnswer, Running, Seed};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, StatusCode, header, redirect};
use serde_json::Value;

/// A hub whose scripts fail fast: the limit is 200 ms, and what cannot be answered is refused at once.
pub async fn hub() -> Running {
    let script_limit = Duration::from_millis(200);
    Hub::start(Seed { script_limit, no_answer: NoAnswer::AtOnce, ..Seed::default() }).await
}

/// One path segment.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// `/api/orgs/…/products/…`
pub fn product((org, product): (&str, &str)) -> String {
    format!("/api/orgs/{}/products/{}", segment(org), segment(product))
}

/// The long address of a device.
pub fn device(home: (&str, &str), identifier: &str) -> String {
    format!("{}/devices/{}", product(home), segment(identifier))
}

/// One user of one hub.
pub struct Api {
    url: String,
    authorization: Option<String>,
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
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// `data` of a 200.
    #[track_caller]
    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["data"].clone()
    }

    /// The identifiers of a list.
    #[track_caller]
    pub fn identifiers(&self) -> Vec<String> {
        let data = self.data();
        let list = data.as_array().expect("a list");
        list.iter().map(|item| item["identifier"].as_str().expect("an identifier").to_owned()).collect()
    }

    /// The names of a list.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        let data = self.data();
        let list = data.as_array().expect("a list");
        list.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// A refusal with exactly this status and `errors.detail`.
    #[track_caller]
    pub fn refused(&self, status: u16, detail: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json(), serde_json::json!({"errors": {"detail": detail}}));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json; charset=utf-8");
    }

    /// 204 and nothing else.
    #[track_caller]
    pub fn empty(&self) {
        assert_eq!((self.status.as_u16(), self.text.as_str()), (204, ""));
    }
}

impl Api {
    /// The user with this handle.
    pub fn of(hub: &Running, handle: &str) -> Self {
        Self::with(hub, Some(format!("Bearer {}", hub.token(handle))))
    }

    /// Somebody with this `Authorization` header, or none.
    pub fn with(hub: &Running, authorization: Option<String>) -> Self {
        static PROVIDER: Once = Once::new();
        // reqwest is built without a TLS provider of its own and wants one even for plain HTTP.
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        Self { url: hub.url(), authorization, client }
    }

    /// A request with what the contract says to send always.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = request.header(header::ACCEPT, "application/json");
        match &self.authorization {
            Some(authorization) => request.header(header::AUTHORIZATION, authorization),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a body") }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn post_json(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put_json(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }
}
