//! The routes of section 3 of the contract, one file per resource. What is not here the real router may have,
//! but no client of the contract has business with it; it is answered 404 like any unknown route.

mod actions;
mod deployments;
mod devices;
mod firmware;
mod orgs;
mod scripts;
mod users;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{delete, get, post};

use super::errors::ApiError;
use super::state::State;

pub(crate) fn router(state: State) -> Router {
    const PRODUCT: &str = "/orgs/{org}/products/{product}";
    const DEVICE: &str = "/orgs/{org}/products/{product}/devices/{identifier}";
    let api = Router::new()
        .route("/users/auth", post(users::login))
        .route("/users/login", post(users::login))
        .route("/users/me", get(users::me))
        .route("/orgs", get(orgs::index))
        .route("/orgs/{org}/users", get(orgs::members))
        .route("/orgs/{org}/users/{email}", get(orgs::member))
        .route("/orgs/{org}/products", get(orgs::products))
        .route(PRODUCT, get(orgs::product))
        .route(&format!("{PRODUCT}/firmwares"), get(firmware::index))
        .route(&format!("{PRODUCT}/firmwares/{{uuid}}"), get(firmware::show))
        .route(&format!("{PRODUCT}/deployments"), get(deployments::index))
        .route(&format!("{PRODUCT}/deployments/{{name}}"), get(deployments::show))
        .route(&format!("{PRODUCT}/scripts"), get(scripts::of_product))
        .route(&format!("{PRODUCT}/scripts/{{id}}"), get(scripts::show))
        .route(&format!("{PRODUCT}/devices"), get(devices::index))
        .route(DEVICE, get(devices::show).put(devices::update))
        .merge(at_device(DEVICE))
        // The short address: no PUT here, and a list of scripts that the long one has not got.
        .route("/devices/{identifier}", get(devices::show))
        .route("/devices/{identifier}/scripts", get(scripts::of_device))
        .merge(at_device("/devices/{identifier}"));
    Router::new().nest("/api", api).fallback(nowhere).method_not_allowed_fallback(nowhere).with_state(state)
}

/// What both addresses of a device have in common.
fn at_device(device: &str) -> Router<State> {
    Router::new()
        .route(&format!("{device}/reboot"), post(actions::reboot))
        .route(&format!("{device}/reconnect"), post(actions::reconnect))
        .route(&format!("{device}/upgrade"), post(actions::upgrade))
        .route(&format!("{device}/penalty"), delete(actions::penalty))
        .route(&format!("{device}/code"), post(actions::code))
        .route(&format!("{device}/move"), post(actions::relocate))
        .route(&format!("{device}/scripts/{{name_or_id}}"), post(scripts::run))
}

async fn nowhere(headers: HeaderMap) -> Response {
    ApiError::NotFound.before_routing(&headers)
}
