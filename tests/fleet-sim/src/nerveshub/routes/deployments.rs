//! Deployment groups of a product, by name, not paginated. The path says `deployments`.

use std::collections::HashMap;

use axum::extract::{Path, State as Of};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::errors::ApiError;
use super::super::model::Role;
use super::super::params::segment;
use super::super::shapes;
use super::super::state::State;
use super::super::targets::InProduct;

pub(super) async fn index(here: InProduct, Of(state): Of<State>) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let world = state.lock();
    let mut rows: Vec<_> = world.groups.iter().filter(|row| row.product == here.product).collect();
    rows.sort_by(|left, right| left.name.cmp(&right.name));
    let shapes = rows.into_iter().map(|row| shapes::deployment_group(&world, row)).collect();
    Ok(shapes::data(StatusCode::OK, shapes))
}

pub(super) async fn show(
    here: InProduct,
    Of(state): Of<State>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let world = state.lock();
    let mut rows = world.groups.iter().filter(|row| row.product == here.product);
    let row = rows.find(|row| row.name == segment(&path, "name")).ok_or(ApiError::NotFound)?;
    Ok(shapes::data(StatusCode::OK, shapes::deployment_group(&world, row)))
}
