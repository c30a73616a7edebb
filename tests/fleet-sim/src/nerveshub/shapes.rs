//! The objects of section 2 of the contract, as JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{DeploymentGroup, Device, Firmware, Org, Product, Script, User};
use super::world::World;

pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// `{"data": …}` with a status.
pub(crate) fn data(status: StatusCode, data: Value) -> Response {
    body(status, &json!({"data": data}))
}

/// `{"data": […], "pagination": …}`.
pub(crate) fn page(data: Vec<Value>, pagination: Value) -> Response {
    body(StatusCode::OK, &json!({"data": data, "pagination": pagination}))
}

fn body(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

pub(crate) fn user(user: &User) -> Value {
    json!({"name": user.name, "email": user.email})
}

pub(crate) fn org(org: &Org) -> Value {
    json!({"name": org.name, "inserted_at": naive(org.inserted_at), "updated_at": naive(org.updated_at)})
}

pub(crate) fn product(product: &Product) -> Value {
    json!({
        "name": product.name,
        "require_unique_firmware_version": product.require_unique_firmware_version,
        "allowed_update_tools": product.allowed_update_tools,
        "allow_unsigned_esp_idf_firmware": product.allow_unsigned_esp_idf_firmware,
    })
}

pub(crate) fn firmware(world: &World, firmware: &Firmware) -> Value {
    json!({
        "uuid": firmware.uuid,
        "version": firmware.version,
        "architecture": firmware.architecture,
        "platform": firmware.platform,
        "author": firmware.author,
        "product": world.product_row(firmware.product).name,
        "tool": firmware.tool,
    })
}

/// `online` and `connection_status` are the same word; `last_communication` has a space where ISO has a T.
pub(crate) fn device(world: &World, device: &Device) -> Value {
    let version =
        device.firmware.as_ref().map_or(json!("unknown"), |firmware| json!(firmware.get("version")));
    let seen = device.connection.as_ref().map_or_else(
        || "never".to_owned(),
        |connection| connection.last_seen_at.strftime("%Y-%m-%d %H:%M:%S.%6fZ").to_string(),
    );
    json!({
        "identifier": device.identifier,
        "description": device.description,
        "tags": device.tags,
        "online": device.connection_status(),
        "connection_status": device.connection_status(),
        "firmware_metadata": device.firmware.as_ref().map(|firmware| &firmware.fields),
        "version": version,
        "deployment_group": device.deployment.map(|id| group_of_device(world, world.group_row(id))),
        "updates_enabled": device.updates_enabled,
        "updates_blocked_until": device.updates_blocked_until.map(utc),
        "org_name": world.org_row(device.org).name,
        "product_name": world.product_row(device.product).name,
        "last_communication": seen,
        "deleted": device.deleted_at.is_some(),
    })
}

fn group_of_device(world: &World, group: &DeploymentGroup) -> Value {
    let firmware = world.firmware_row(group.firmware);
    json!({
        "name": group.name,
        "is_active": group.is_active,
        "firmware_uuid": firmware.uuid,
        "firmware_version": firmware.version,
    })
}

pub(crate) fn deployment_group(world: &World, group: &DeploymentGroup) -> Value {
    let firmware = world.firmware_row(group.firmware);
    let devices = world
        .devices
        .iter()
        .filter(|device| device.deployment == Some(group.id) && device.deleted_at.is_none())
        .count();
    json!({
        "name": group.name,
        "is_active": group.is_active,
        "state": if group.is_active { "on" } else { "off" },
        "firmware_uuid": firmware.uuid,
        "archive_uuid": null,
        "current_release": {
            "number": group.release_number,
            "inserted_at": naive(group.released_at),
            "updated_at": naive(group.released_at),
            "firmware": {
                "version": firmware.version,
                "architecture": firmware.architecture,
                "platform": firmware.platform,
                "uuid": firmware.uuid,
            },
        },
        "conditions": {"version": group.version, "tags": group.tags, "tag_operator": group.tag_operator},
        "delta_updatable": group.delta_updatable,
        "device_count": devices,
        "releases_count": group.releases_count,
        "notes": group.notes,
    })
}

pub(crate) fn script_item(script: &Script) -> Value {
    json!({"id": script.id, "name": script.name, "tags": script.tags})
}

pub(crate) fn script(world: &World, script: &Script) -> Value {
    let author = world.user_row(script.created_by);
    json!({
        "id": script.id,
        "name": script.name,
        "text": script.text,
        "tags": script.tags,
        "inserted_at": naive(script.inserted_at),
        "updated_at": naive(script.inserted_at),
        "created_by": {"id": author.id, "name": author.name, "email": author.email},
    })
}

/// Seconds, without a zone.
fn naive(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Seconds, UTC.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
