//! A plain HTTP client for the server, knowing no more than the contract says.

use std::sync::Once;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet_sim::naas::{Behaviour, Naas, Running, Seed, known};
use jiff::Timestamp;
use reqwest::{Client, Method, StatusCode, header, redirect};
use serde_json::{Value, json};

pub const NOT_AUTHENTICATED: &str =
    "You must authenticate with HTTP Basic authentication to use this resource";
pub const NOT_ALLOWED: &str = "You are not currently allowed to access this resource";
pub const BOTH: [Behaviour; 2] = [Behaviour::AsDocumented, Behaviour::StrictUpstream];

/// A moment at which the server's clock stands still.
pub fn noon() -> Timestamp {
    "2026-11-20T09:32:38.426023Z".parse().expect("a time")
}

/// A server whose time passes only when a test says so.
pub async fn server() -> Running {
    server_of(Behaviour::AsDocumented).await
}

pub async fn server_of(behaviour: Behaviour) -> Running {
    seeded(Seed { behaviour, ..Seed::default() }).await
}

pub async fn seeded(seed: Seed) -> Running {
    Naas::start(Seed { now: Some(noon()), ..seed }).await
}

/// A submit of one command with the devices' own login.
pub fn show(host: &str, command: &str) -> Value {
    json!({
        "host": host, "platform": "cisco_ios", "commands": [command],
        "username": known::USER, "password": known::PASSWORD,
    })
}

/// An object, and more of it.
pub fn with(mut object: Value, more: Value) -> Value {
    let (Some(all), Value::Object(more)) = (object.as_object_mut(), more) else { panic!("two objects") };
    all.extend(more);
    object
}

/// Somebody at one server.
pub struct Api<'a> {
    server: &'a Running,
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

    /// The body of an answer with this status.
    #[track_caller]
    pub fn of(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// The job that a submit made.
    #[track_caller]
    pub fn job(&self) -> String {
        self.of(202)["job_id"].as_str().expect("a job").to_owned()
    }

    /// A refusal with this status and `error`, as the server says most of them.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str) {
        let body = self.of(status);
        assert_eq!((&body["status"], &body["error"]), (&json!(status), &json!(error)), "{body}");
        assert!(body["message"].is_string(), "{body}");
        assert_eq!((&body["app"], &body["version"]), (&json!("naas"), &json!("2.1.0")));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
    }

    /// 204 and nothing else.
    #[track_caller]
    pub fn empty(&self) {
        assert_eq!((self.status.as_u16(), self.text.as_str()), (204, ""));
    }
}

impl<'a> Api<'a> {
    /// The bearer of the API key with this handle.
    pub fn of(server: &'a Running, handle: &str) -> Self {
        Self::with(server, Some(format!("Bearer {}", server.token(handle))))
    }

    /// A user with a password.
    pub fn basic(server: &'a Running, username: &str, password: &str) -> Self {
        Self::with(server, Some(format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))))
    }

    /// The user of the devices.
    pub fn owner(server: &'a Running) -> Self {
        Self::basic(server, known::USER, known::PASSWORD)
    }

    /// Somebody with this `Authorization`, or none.
    pub fn with(server: &'a Running, authorization: Option<String>) -> Self {
        static PROVIDER: Once = Once::new();
        // reqwest is built without a TLS provider of its own and wants one even for plain HTTP.
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        Self { server, authorization, client }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.server.url()));
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

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `send-command`
    pub async fn command(&self, body: &Value) -> Answer {
        self.post("/v2/send-command", body).await
    }

    pub async fn cancel(&self, job: &str) -> Answer {
        self.delete(&format!("/v2/jobs/{job}")).await
    }

    pub async fn result(&self, job: &str) -> Answer {
        self.get(&format!("/v2/send-command/{job}")).await
    }

    /// Submits and lets so much time pass that any job is over; the result, as its owner reads it.
    pub async fn run(&self, path: &str, body: &Value) -> Value {
        let job = self.post(path, body).await.job();
        self.server.state().pass(Duration::from_secs(121));
        Api::owner(self.server).result(&job).await.of(200)
    }
}
