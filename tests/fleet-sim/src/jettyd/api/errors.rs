//! How the platform refuses. The bodies of 401 and 403 are those that jettyd documents; of the others nothing public
//! says more than that there is an `error`.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::auth::Scope;

/// A refusal.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400: no JSON.
    NotJson,
    /// 401: no token.
    NoToken,
    /// 401: a token that does not count (any more).
    BadToken,
    /// 403.
    Scope(Scope),
    /// 404.
    NotFound(&'static str),
    /// 405.
    WrongMethod,
    /// 409.
    Conflict(&'static str),
    /// 422.
    Invalid(String),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotJson => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::Scope(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn body(&self) -> Value {
        let said = |error: &str, description: &str| json!({"error": error, "error_description": description});
        match self {
            Self::NotJson => json!({"error": "request body is not valid JSON"}),
            Self::NoToken => said(
                "unauthorized",
                "Bearer token required. Authenticate via OAuth before calling MCP tools.",
            ),
            Self::BadToken => said(
                "invalid_token",
                "The access token is invalid or has expired. Obtain a new token via the OAuth flow.",
            ),
            Self::Scope(scope) => {
                let scope = scope.name();
                let description = format!(
                    "This tool requires the '{scope}' scope. Re-authorize with the additional scope."
                );
                json!({"error": "insufficient_scope", "error_description": description, "scope": scope})
            }
            Self::NotFound(what) => json!({"error": format!("{what} not found")}),
            Self::WrongMethod => json!({"error": "method not allowed"}),
            Self::Conflict(error) => json!({ "error": error }),
            Self::Invalid(error) => json!({ "error": error }),
        }
    }

    fn challenge(&self) -> Option<HeaderValue> {
        let challenge = match self {
            Self::NoToken => "Bearer".to_owned(),
            Self::BadToken => r#"Bearer error="invalid_token""#.to_owned(),
            Self::Scope(scope) => format!(r#"Bearer error="insufficient_scope", scope="{}""#, scope.name()),
            _ => return None,
        };
        HeaderValue::from_str(&challenge).ok()
    }
}

/// A JSON answer with this status.
pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let challenge = self.challenge().map(|challenge| (header::WWW_AUTHENTICATE, challenge));
        let headers: HeaderMap = challenge.into_iter().collect();
        (headers, answer(self.status(), &self.body())).into_response()
    }
}
