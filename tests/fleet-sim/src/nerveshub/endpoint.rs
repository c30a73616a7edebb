//! What the real endpoint does before it routes: the health page, the parameters, and two headers on
//! everything it says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderValue, Request, Response, header};
use axum::response::IntoResponse;

use super::errors::ApiError;
use super::params::Params;
use super::routes;
use super::state::State;

const ALIVE: [&str; 4] = ["/status/alive", "/status/_health", "/status/health", "/status/healthy"];

/// The whole hub as one router that takes any request.
pub(crate) fn router(state: State) -> Router {
    let api = routes::router(state);
    let requests = Arc::new(AtomicU64::new(1));
    Router::new().fallback(move |request: Request<Body>| {
        let (api, number) = (api.clone(), requests.fetch_add(1, Ordering::Relaxed));
        async move {
            let mut response = answer(&api, request).await;
            let headers = response.headers_mut();
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static("max-age=0, private, must-revalidate"),
            );
            if let Ok(id) = HeaderValue::from_str(&format!("GF{number:018X}")) {
                headers.insert("x-request-id", id);
            }
            response
        }
    })
}

async fn answer(api: &Router, request: Request<Body>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    if ALIVE.contains(&parts.uri.path()) {
        return ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "Hello, Friend!").into_response();
    }
    // The server in front has measured the body and read all of it.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(params) = Params::read(parts.uri.query(), &parts.headers, &body) else {
        return ApiError::InvalidRequest.before_routing(&parts.headers);
    };
    parts.extensions.insert(params);
    parts.uri = without_empty_segments(parts.uri);
    crate::faults::ask(api, Request::from_parts(parts, Body::empty())).await
}

/// Doubled and trailing slashes mean nothing to the real router.
fn without_empty_segments(uri: Uri) -> Uri {
    let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let path = format!("/{}", segments.join("/"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path).ok();
    Uri::from_parts(parts).unwrap_or(uri)
}
