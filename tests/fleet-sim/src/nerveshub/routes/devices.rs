//! Devices: the list, one device, and the update that takes more than it is given credit for.

use axum::Extension;
use axum::extract::State as Of;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::errors::ApiError;
use super::super::model::{EventKind, Role};
use super::super::pagination::Page;
use super::super::params::Params;
use super::super::sort::Sort;
use super::super::state::State;
use super::super::targets::{AtDevice, InProduct};
use super::super::{cast, filters, shapes};

/// Devices per page unless the client says otherwise.
const PAGE_SIZE: usize = 10;

/// Soft-deleted devices are never in the list, whatever the filters say.
pub(super) async fn index(
    here: InProduct,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let filters = filters::parse(&params)?;
    let page = Page::parse(&params, PAGE_SIZE)?;
    let sort = Sort::parse(&params)?;

    let world = state.lock();
    let now = world.now();
    let mut devices: Vec<_> = world
        .devices
        .iter()
        .filter(|device| device.product == here.product && device.deleted_at.is_none())
        .filter(|device| filters.iter().all(|filter| filter.meets(device, now)))
        .collect();
    devices.sort_by(|left, right| sort.compare(left, right));
    let (devices, pagination) = page.cut(devices);
    let devices = devices.into_iter().map(|device| shapes::device(&world, device)).collect();
    Ok(shapes::page(devices, pagination))
}

/// Soft-deleted devices do show here.
pub(super) async fn show(here: AtDevice, Of(state): Of<State>) -> Result<Response, ApiError> {
    let here = here.require(Role::View)?;
    let world = state.lock();
    Ok(shapes::data(StatusCode::OK, shapes::device(&world, world.device_row(here.device))))
}

/// 201, a flat body, no audit row.
///
/// Read in the source (`update/2` in `device_controller.ex`), not in the contract: the answer is rendered from
/// a second lookup by identifier alone, over all orgs. Where two orgs have the identifier it raises, so the
/// client gets a 500 for a change that was made.
pub(super) async fn update(
    here: AtDevice,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::Manage)?;
    let mut world = state.lock();
    let mut device = cast::update(&world, world.device_row(here.device), &params)?;
    device.updated_at = world.now();
    let identifier = device.identifier.clone();
    *world.device_row_mut(here.device) = device;
    world.tell(here.device, EventKind::Updated);
    if world.devices.iter().filter(|device| device.identifier == identifier).count() > 1 {
        return Err(ApiError::Fault);
    }
    Ok(shapes::data(StatusCode::CREATED, shapes::device(&world, world.device_row(here.device))))
}
