//! How the server refuses: the table in section 6 of the contract.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::VERSION;

/// A refusal.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400: a UUID that is none, in the path or in `X-Request-ID`.
    BadRequest(String),
    /// 400: `X-Request-ID` names a job that exists.
    RequestIdUsed,
    /// 400.
    UnknownContext,
    /// 400: no JSON, or not said to be JSON.
    NotJson,
    /// 401: no credentials, or none that count here.
    Unauthorized,
    /// 403: role, context or ownership.
    Forbidden,
    /// 403: too many failures of the user or the device.
    LockedOut,
    /// 404 of a job.
    NoSuchJob(String),
    /// 404 of an API key.
    NoSuchKey(String),
    /// 404 of the router.
    NoSuchRoute,
    /// 405 of the router.
    WrongMethod,
    /// 409: the job is over; how.
    Over(String, &'static str),
    /// 422: one object per field.
    Invalid(Vec<Value>),
    /// 422 about the payload as a whole.
    Payload(&'static str),
    /// 429, with the seconds left.
    RateLimited(i64),
    /// 503.
    NoWorkers,
    /// 503.
    QueueFull,
    /// 503: Redis does not answer.
    BackendDown,
}

/// What the web framework says of a status when nobody says more.
mod phrase {
    pub(super) const BAD_REQUEST: &str =
        "The browser (or proxy) sent a request that this server could not understand.";
    pub(super) const UNAUTHORIZED: &str = "The server could not verify that you are authorized to access the \
         URL requested. You either supplied the wrong credentials (e.g. a bad password), or your browser doesn't \
         understand how to supply the credentials required.";
    pub(super) const FORBIDDEN: &str = "You don't have the permission to access the requested resource. It is \
         either read-protected or not readable by the server.";
    pub(super) const NOT_FOUND: &str = "The requested URL was not found on the server. If you entered the URL \
         manually please check your spelling and try again.";
    pub(super) const WRONG_METHOD: &str = "The method is not allowed for the requested URL.";
    pub(super) const UNAVAILABLE: &str = "The server is temporarily unable to service your request due to \
         maintenance downtime or capacity problems. Please try again later.";
}

const NOT_AUTHENTICATED: &str = "You must authenticate with HTTP Basic authentication to use this resource";
const NOT_ALLOWED: &str = "You are not currently allowed to access this resource";
const LOCKED_OUT: &str = "You are currently locked out for excessive login failures, please try again later";
const BAD_PAYLOAD: &str = "Invalid type of data in request payload, please see documentation";

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::RequestIdUsed | Self::UnknownContext | Self::NotJson => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::LockedOut => StatusCode::FORBIDDEN,
            Self::NoSuchJob(_) | Self::NoSuchKey(_) | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Over(..) => StatusCode::CONFLICT,
            Self::Invalid(_) | Self::Payload(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NoWorkers | Self::QueueFull | Self::BackendDown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn body(self) -> Value {
        let status = self.status().as_u16();
        let named = |message: &str, error: &str| {
            signed(json!({"message": message, "status": status, "error": error}))
        };
        match self {
            Self::BadRequest(message) => named(&message, "Invalid syntax in request"),
            Self::RequestIdUsed => named(phrase::BAD_REQUEST, "Please provide a unique X-Request-ID"),
            Self::UnknownContext => {
                named(phrase::BAD_REQUEST, "Unknown context. See GET /v1/contexts for valid contexts.")
            }
            Self::NotJson => named(phrase::BAD_REQUEST, "Payload must be JSON"),
            Self::Unauthorized => named(phrase::UNAUTHORIZED, NOT_AUTHENTICATED),
            Self::Forbidden => named(phrase::FORBIDDEN, NOT_ALLOWED),
            Self::LockedOut => named(phrase::FORBIDDEN, LOCKED_OUT),
            Self::NoSuchJob(id) => signed(json!({"job_id": id, "status": "not_found"})),
            Self::NoSuchKey(id) => signed(json!({"error": format!("Key '{id}' not found")})),
            Self::NoSuchRoute => json!({"message": phrase::NOT_FOUND}),
            Self::WrongMethod => json!({"message": phrase::WRONG_METHOD}),
            Self::Over(id, how) => json!({"message": format!("Job {id} already {how}")}),
            Self::Invalid(fields) => Value::Array(fields),
            Self::Payload(message) => named(message, BAD_PAYLOAD),
            Self::RateLimited(seconds) => {
                signed(json!({"error": "Rate limit exceeded", "retry_after": seconds}))
            }
            Self::NoWorkers => named(phrase::UNAVAILABLE, "No workers available for the requested context"),
            Self::QueueFull => named(phrase::UNAVAILABLE, "Queue depth limit reached, please retry later"),
            Self::BackendDown => json!({"error": "Queue backend unavailable", "status": 503}),
        }
    }

    fn headers(&self) -> HeaderMap {
        let retry_after = match self {
            Self::RateLimited(seconds) => Some(HeaderValue::from(*seconds)),
            Self::BackendDown => Some(HeaderValue::from(10)),
            _ => None,
        };
        retry_after.map(|value| (header::RETRY_AFTER, value)).into_iter().collect()
    }
}

/// An object as the server sends nearly all of them: with its name and version at the end.
pub(crate) fn signed(mut body: Value) -> Value {
    if let Some(body) = body.as_object_mut() {
        body.extend(Map::from_iter([
            ("app".to_owned(), "naas".into()),
            ("version".to_owned(), VERSION.into()),
        ]));
    }
    body
}

/// A JSON answer with this status.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, headers) = (self.status(), self.headers());
        (headers, answer(status, &self.body())).into_response()
    }
}
