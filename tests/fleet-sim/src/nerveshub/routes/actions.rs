//! What can be done to a device, with the side effects of section 4 of the contract. None of these asks
//! whether the device is connected.

use axum::Extension;
use axum::extract::State as Of;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::super::errors::ApiError;
use super::super::model::{EventKind, InflightUpdate, Role};
use super::super::params::Params;
use super::super::shapes;
use super::super::state::State;
use super::super::targets::AtDevice;
use super::super::world::World;

pub(super) async fn reboot(here: AtDevice, Of(state): Of<State>) -> Result<StatusCode, ApiError> {
    let here = here.require(Role::Manage)?;
    let mut world = state.lock();
    let sentence = sentence(&world, here, "rebooted device");
    world.audit(here.user, here.device, sentence);
    world.tell(here.device, EventKind::Reboot);
    connect_again(&mut world, here);
    Ok(StatusCode::NO_CONTENT)
}

/// No audit row.
pub(super) async fn reconnect(here: AtDevice, Of(state): Of<State>) -> Result<StatusCode, ApiError> {
    let here = here.require(Role::Manage)?;
    let mut world = state.lock();
    world.tell(here.device, EventKind::Disconnect);
    connect_again(&mut world, here);
    Ok(StatusCode::NO_CONTENT)
}

/// One update at a time; and automatic updates are off afterwards.
pub(super) async fn upgrade(
    here: AtDevice,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<StatusCode, ApiError> {
    let here = here.require(Role::Manage)?;
    let uuid = match params.get("uuid").ok_or(ApiError::InvalidRequest)? {
        Value::String(uuid) => uuid,
        Value::Null => return Err(ApiError::Fault),
        other => return Err(ApiError::cast(&other.to_string())),
    };
    let mut world = state.lock();
    let device = world.device_row(here.device);
    // Each of these is a failed match in the real code, which ends as a 500.
    let firmware = world.firmware_of(device.product, uuid).ok_or(ApiError::Fault)?.clone();
    let busy = world.inflight.iter().any(|update| update.device == here.device);
    if busy || device.deleted_at.is_some() {
        return Err(ApiError::Fault);
    }
    let identifier = device.identifier.clone();
    world.inflight.push(InflightUpdate { device: here.device, firmware: firmware.id });
    world.device_row_mut(here.device).updates_enabled = false;
    let disabled = sentence(&world, here, "disabled updates for device");
    world.audit(here.user, here.device, disabled);
    world.tell(here.device, EventKind::Updated);
    let user = &world.user_row(here.user).name;
    let pushed =
        format!("User {user} pushed firmware {} {} to device {identifier}", firmware.version, firmware.uuid);
    world.audit(here.user, here.device, pushed);
    world.tell(here.device, EventKind::Update { firmware_uuid: firmware.uuid });
    Ok(StatusCode::NO_CONTENT)
}

/// Works as well outside the box, and switches automatic updates on in any case.
pub(super) async fn penalty(here: AtDevice, Of(state): Of<State>) -> Result<StatusCode, ApiError> {
    let here = here.require(Role::Manage)?;
    let mut world = state.lock();
    let device = world.device_row_mut(here.device);
    if device.deleted_at.is_some() {
        return Err(ApiError::Fault);
    }
    device.updates_blocked_until = None;
    device.update_attempts.clear();
    device.updates_enabled = true;
    let sentence = format!("{} from the penalty box", sentence(&world, here, "removed device"));
    world.audit(here.user, here.device, sentence);
    world.tell(here.device, EventKind::Updated);
    Ok(StatusCode::NO_CONTENT)
}

/// Types into the device's console; nothing comes back.
pub(super) async fn code(
    here: AtDevice,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<StatusCode, ApiError> {
    let here = here.require(Role::Manage)?;
    let missing = || ApiError::BadRequest("invalid request: code or body parameter required".to_owned());
    let code = params.get("code").or_else(|| params.get("body")).ok_or_else(missing)?;
    let code = code.as_str().ok_or(ApiError::Fault)?.to_owned();
    state.lock().tell(here.device, EventKind::Console { code });
    Ok(StatusCode::NO_CONTENT)
}

/// To another product, for a manager of both orgs. The device leaves its deployment group.
pub(super) async fn relocate(
    here: AtDevice,
    Of(state): Of<State>,
    Extension(params): Extension<Params>,
) -> Result<Response, ApiError> {
    let here = here.require(Role::Manage)?;
    let (Some(org), Some(product)) = (params.get("new_org_name"), params.get("new_product_name")) else {
        return Err(ApiError::InvalidRequest);
    };
    let mut world = state.lock();
    let org = world.org_named(org.as_str().ok_or(ApiError::Fault)?).ok_or(ApiError::NotFound)?.id;
    if world.role(here.user, org).is_none_or(|role| role < Role::Manage) {
        return Err(ApiError::Unauthorized);
    }
    let name = product.as_str().ok_or(ApiError::Fault)?;
    let product = world.product_named(org, name).ok_or(ApiError::NotFound)?.id;
    let device = world.device_row(here.device);
    if device.org != org && world.device_named(org, &device.identifier).is_some() {
        return Err(ApiError::Fault);
    }
    let sentence = format!("{} to {name}", sentence(&world, here, "moved device"));
    let device = world.device_row_mut(here.device);
    (device.org, device.product, device.deployment) = (org, product, None);
    world.audit(here.user, here.device, sentence);
    world.tell(here.device, EventKind::Disconnect);
    Ok(shapes::data(StatusCode::OK, shapes::device(&world, world.device_row(here.device))))
}

fn sentence(world: &World, here: AtDevice, did: &str) -> String {
    let (user, device) = (world.user_row(here.user), world.device_row(here.device));
    format!("User {} {did} {}", user.name, device.identifier)
}

/// A connected device is back at once; one that is away hears nothing.
fn connect_again(world: &mut World, here: AtDevice) {
    let now = world.now();
    let device = world.device_row_mut(here.device);
    if device.is_connected()
        && let Some(connection) = &mut device.connection
    {
        connection.established_at = now;
        connection.last_seen_at = now;
    }
}
