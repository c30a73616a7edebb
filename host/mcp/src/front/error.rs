//! A request that is not let through, as HTTP and as JSON-RPC.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rmcp::model::ErrorCode;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::incoming::{Wrong, says_null};
use crate::sessions::SessionError;

/// Why a request goes no further. The text is for whoever wrote the client.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: i32,
    message: String,
    data: Option<Value>,
    headers: HeaderMap,
    id: Option<Box<RawValue>>,
    /// It answers something whose id could not be read.
    unread: bool,
}

impl Refusal {
    /// A refusal with the JSON-RPC code that fits the status.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let code =
            if status.is_server_error() { ErrorCode::INTERNAL_ERROR } else { ErrorCode::INVALID_REQUEST };
        Self {
            status,
            code: code.0,
            message: message.into(),
            data: None,
            headers: HeaderMap::new(),
            id: None,
            unread: false,
        }
    }

    pub(super) fn with(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn code(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    pub(super) fn data(mut self, data: Option<Value>) -> Self {
        self.data = data;
        self
    }

    pub(super) fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The refusal of the request with this id. Without one it is nobody's: a notification, or something whose id
    /// could not be read.
    pub(super) fn to(mut self, id: Option<&[u8]>) -> Self {
        self.id = id.and_then(|id| serde_json::from_slice(id).ok());
        self
    }

    /// The answer to something that is no message.
    pub(super) fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// The same, as its client's version spells an id that there is none of.
    pub(super) fn for_version(mut self, version: Option<&str>) -> Self {
        if self.unread && self.id.is_none() && says_null(version) {
            self.id = Some(RawValue::NULL.to_owned());
        }
        self
    }

    pub(super) fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Error<'a> {
            code: i32,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<&'a Value>,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            jsonrpc: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a RawValue>,
            error: Error<'a>,
        }
        let body = Body {
            jsonrpc: "2.0",
            id: self.id.as_deref(),
            error: Error { code: self.code, message: &self.message, data: self.data.as_ref() },
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        let id = wrong.id.as_ref().and_then(|id| serde_json::value::to_raw_value(id).ok());
        let refusal = Self::new(StatusCode::BAD_REQUEST, wrong.message).code(wrong.code.0).data(wrong.data);
        let refusal = refusal.unread();
        Self { id, ..refusal }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        let status = match error {
            SessionError::Unknown | SessionError::Ended | SessionError::Gone => StatusCode::NOT_FOUND,
            SessionError::Repeated(_) => StatusCode::BAD_REQUEST,
            SessionError::TooMany => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}
