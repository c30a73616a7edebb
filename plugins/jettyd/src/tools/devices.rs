//! list_devices, get_device, get_fleet_status.

use fleetgate_sdk::prelude::*;

use super::check_text;
use crate::device::{DeviceDetail, Devices, FleetStatus};
use crate::mode::Mode;
use crate::{api, direct};

/// Return all devices in the tenant fleet, including online/offline status and last-seen timestamp. Use it to find the
/// `id` that other tools take as `device_id`. Changes nothing.
#[tool(
    title = "List devices",
    requires = "devices:read",
    read_only,
    open_world,
    reach = { "http.api" = { methods = ["GET"], paths = ["GET /devices"] } }
)]
pub fn list_devices() -> Result<Devices, Fault> {
    match Mode::granted()? {
        Mode::Api => api::devices::list(),
        Mode::Direct => direct::fleet::list(),
    }
}

/// Which device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneDevice {
    /// The device's `id` as list_devices gives it, or a part of its name that no other device's name has.
    #[schemars(length(min = 1, max = 256))]
    pub device_id: String,
}

/// Fetch full metadata for a single device by ID: firmware version, shadow state, assigned tags, and connection info.
/// `shadow.reported` has the last values of its sensors by key, which read_sensor and get_history take. Changes nothing.
#[tool(
    title = "Get device",
    requires = "devices:read",
    read_only,
    open_world,
    audit = ["/device_id"],
    reach = {
        "http.api" = { methods = ["GET"], paths = ["GET /devices", "GET /devices/*", "GET /devices/*/shadow"] }
    }
)]
pub fn get_device(args: OneDevice) -> Result<DeviceDetail, Fault> {
    check_text("/device_id", &args.device_id, "A device's id")?;
    match Mode::granted()? {
        Mode::Api => api::devices::get(&args.device_id),
        Mode::Direct => direct::fleet::get(&args.device_id),
    }
}

/// Aggregate fleet health summary: total devices, online count, devices with active alerts, and last-update time. Devices
/// with active alerts are counted only for callers who may read alerts (`rules:read`), and null for others. Changes
/// nothing.
#[tool(
    title = "Get fleet status",
    requires = "devices:read",
    read_only,
    open_world,
    reach = {
        "http.api" = { methods = ["GET"], paths = ["GET /devices", "GET /alerts", "GET /alert-rules", "GET /rules"] }
    }
)]
pub fn get_fleet_status() -> Result<FleetStatus, Fault> {
    match Mode::granted()? {
        Mode::Api => api::devices::status(),
        Mode::Direct => direct::fleet::status(),
    }
}
