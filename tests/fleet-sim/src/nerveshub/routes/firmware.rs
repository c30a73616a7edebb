//! Firmware of a product: newest version first, not paginated.

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
    let rows = world.firmwares.iter().filter(|row| row.product == here.product);
    Ok(shapes::data(StatusCode::OK, rows.map(|row| shapes::firmware(&world, row)).collect()))
}

pub(super) async fn show(
    here: InProduct,
    Of(state): Of<State>,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let world = state.lock();
    let row = world.firmware_of(here.product, segment(&path, "uuid")).ok_or(ApiError::NotFound)?;
    Ok(shapes::data(StatusCode::OK, shapes::firmware(&world, row)))
}
