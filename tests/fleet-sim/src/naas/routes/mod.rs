//! The routes of sections 2 and 3 of the contract. Batches, replay, streams, rotation of keys and all of `/v1` are
//! not simulated; they are answered 404 like any unknown route.

mod keys;
mod lists;
mod read;
mod submit;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post};

use super::errors::ApiError;
use super::state::State;

pub(crate) fn router(state: State) -> Router {
    Router::new()
        .route("/healthcheck", get(lists::health))
        .route("/v2/send-command", post(submit::command))
        .route("/v2/send-command-structured", post(submit::structured))
        .route("/v2/send-config", post(submit::config))
        // One resource under three names.
        .route("/v2/send-command/{id}", get(read::result))
        .route("/v2/send-command-structured/{id}", get(read::result))
        .route("/v2/send-config/{id}", get(read::result))
        .route("/v2/jobs", get(lists::jobs))
        .route("/v2/jobs/failed", get(lists::failed))
        .route("/v2/jobs/{id}", delete(read::cancel))
        .route("/v2/contexts", get(lists::contexts))
        .route("/v2/api-keys", post(keys::create))
        .route("/v2/api-keys/{id}", delete(keys::revoke))
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::WrongMethod)
        .layer(middleware::from_fn(versioned))
        .with_state(state)
}

/// Everything under `/v2` says so.
async fn versioned(request: Request, next: Next) -> Response {
    let v2 = request.uri().path().starts_with("/v2/");
    let mut response = next.run(request).await;
    if v2 {
        response.headers_mut().insert("x-api-version", HeaderValue::from_static("v2"));
    }
    response
}
