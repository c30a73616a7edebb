//! How the hub refuses: the error table in section 1 of the contract.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Said for a bad token, a low role, an unknown thing and a foreign one alike, so that none can be told apart.
const HIDDEN: &str = "Resource Not Found or Authorization Insufficient";
const LOGIN: &str = "Authentication failed, please check your username and password and try again.";
const NO_ANSWER: &str = "device not available or responding";
const FAULT: &str = "Sorry, an unexpected error occurred. The masters of the web have been notified.";
/// For exceptions that carry no message of their own.
const INVALID: &str = "Invalid request";

/// A refusal.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 401: no valid token, or a role that is too low.
    Unauthorized,
    /// 401 of the login.
    LoginFailed,
    /// 404: unknown, or not a member of the org.
    NotFound,
    /// 403: a device did not answer a script in time.
    NoAnswer,
    /// 400 without a message of its own.
    InvalidRequest,
    /// 400 with a message.
    BadRequest(String),
    /// 422: field to messages.
    Invalid(Map<String, Value>),
    /// 500, whatever the reason; the real server raised something it did not expect.
    Fault,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized | Self::LoginFailed => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NoAnswer => StatusCode::FORBIDDEN,
            Self::InvalidRequest | Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(self) -> Value {
        let detail = match self {
            Self::Unauthorized | Self::NotFound => HIDDEN.to_owned(),
            Self::LoginFailed => LOGIN.to_owned(),
            Self::NoAnswer => NO_ANSWER.to_owned(),
            Self::InvalidRequest => INVALID.to_owned(),
            Self::BadRequest(message) => message,
            Self::Fault => FAULT.to_owned(),
            Self::Invalid(fields) => return json!({"errors": fields}),
        };
        json!({"errors": {"detail": detail}})
    }

    /// A value that a filter's column cannot hold: 400 with the database layer's message.
    pub(crate) fn cast(value: &str) -> Self {
        Self::BadRequest(format!("value `{value:?}` in `where` cannot be cast to the type of its column"))
    }

    /// The answer when the request fails before the API's own pipeline has settled on JSON: an HTML page,
    /// unless the client asked for JSON.
    pub(crate) fn before_routing(self, headers: &HeaderMap) -> Response {
        let json = headers
            .get_all(header::ACCEPT)
            .iter()
            .any(|value| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("json")));
        if json {
            return self.into_response();
        }
        let status = self.status();
        let reason = status.canonical_reason().unwrap_or_default();
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><title>{reason}</title></head>\
             <body><h1>{}</h1><p>{reason}</p></body></html>\n",
            status.as_u16()
        );
        (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        (status, [(header::CONTENT_TYPE, super::shapes::JSON)], self.body().to_string()).into_response()
    }
}
