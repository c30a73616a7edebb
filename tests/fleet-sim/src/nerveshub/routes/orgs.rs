//! Orgs, their members and their products. None of these lists is paginated.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::errors::ApiError;
use super::super::model::{Id, Role};
use super::super::params::{Params, segment};
use super::super::shapes;
use super::super::state::State;
use super::super::targets::{Caller, InOrg, InProduct};
use super::super::world::World;

/// `include` is a comma list; `products` is the only word in it that does anything.
pub(super) async fn index(
    caller: Caller,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Response {
    let include = params.text("include").unwrap_or_default();
    let with_products = include.split(',').any(|word| word.trim() == "products");
    let world = state.lock();
    let orgs = world
        .orgs_of(caller.user)
        .map(|org| {
            let mut shape = shapes::org(org);
            if with_products {
                shape["products"] = world.products_of(org.id).map(shapes::product).collect();
            }
            shape
        })
        .collect();
    shapes::data(StatusCode::OK, orgs)
}

/// Membership is enough; no role is asked for.
pub(super) async fn products(here: InOrg, Of(state): Of<State>) -> Response {
    let world = state.lock();
    shapes::data(StatusCode::OK, world.products_of(here.org).map(shapes::product).collect())
}

pub(super) async fn product(here: InProduct, Of(state): Of<State>) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let world = state.lock();
    Ok(shapes::data(StatusCode::OK, shapes::product(world.product_row(here.product))))
}

/// Admins only: nobody below can read even their own role.
pub(super) async fn members(here: InOrg, Of(state): Of<State>) -> Result<Response, ApiError> {
    let here = here.require(Role::Admin)?;
    Ok(shapes::data(StatusCode::OK, roster(&state.lock(), here.org).collect()))
}

pub(super) async fn member(
    here: InOrg,
    Of(state): Of<State>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::Admin)?;
    let world = state.lock();
    let member = roster(&world, here.org).find(|member| member["email"] == segment(&path, "email"));
    Ok(shapes::data(StatusCode::OK, member.ok_or(ApiError::NotFound)?))
}

fn roster(world: &World, org: Id) -> impl Iterator<Item = Value> {
    world.memberships.iter().filter(move |row| row.org == org).map(|row| {
        let user = world.user_row(row.user);
        json!({"name": user.name, "email": user.email, "role": row.role.as_str()})
    })
}
