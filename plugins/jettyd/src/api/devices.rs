//! Devices and their shadows.

use std::collections::HashSet;

use fleetgate_sdk::prelude::*;

use super::client::{Api, answer};
use super::lookup::by_id_or_name;
use super::{alerts, reading};
use crate::device::{Device, DeviceDetail, Devices, FleetStatus, Shadow};

/// Pages of devices that are read.
const PAGES: usize = 50;

/// All devices, and whether there are more than these.
pub(super) fn all(api: &Api) -> Result<(Vec<Device>, bool), Fault> {
    let mut devices = Vec::new();
    // Where devices come and go while pages are read, one may be on two of them.
    let mut known = HashSet::new();
    let mut read = 0;
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let page = answer(api.list("devices").query_opt("cursor", cursor.as_deref()))?;
        let next = reading::next_cursor(&page);
        let total = reading::total(&page);
        let entries = reading::list(page, &["devices"])?;
        read += entries.len();
        devices.extend(
            entries.iter().filter_map(reading::device).filter(|device| known.insert(device.id.clone())),
        );
        if next.is_none() || next == cursor {
            return Ok((devices, total.is_some_and(|total| total > read)));
        }
        cursor = next;
    }
    Ok((devices, true))
}

/// list_devices
pub fn list() -> Result<Devices, Fault> {
    let (devices, truncated) = all(&Api::connect()?)?;
    Ok(Devices::new(devices, truncated))
}

/// get_device
pub fn get(asked: &str) -> Result<DeviceDetail, Fault> {
    let api = Api::connect()?;
    by_id_or_name(&api, asked, |id| {
        let whole = answer(api.get(id, []))?;
        let entry = reading::object(&whole, &["device"]);
        let device = reading::device(entry)
            .ok_or_else(|| Fault::upstream("The API answered with a device that has no id."))?;
        let shadow = match shadow(&api, id) {
            Ok(shadow) => shadow,
            Err(fault) if fault.is("cancelled") => return Err(fault),
            // A device that never reported has none, and the device itself is worth telling all the same.
            Err(fault) => {
                log::info(format!("there is no shadow: {}", fault.message));
                None
            }
        };
        Ok(DeviceDetail::new(device, shadow))
    })
}

/// What a device reports. None: an answer that is no shadow.
pub(super) fn shadow(api: &Api, id: &str) -> Result<Option<Shadow>, Fault> {
    Ok(Shadow::read(&answer(api.get(id, ["shadow"]))?))
}

/// get_fleet_status. Alerts are the affair of those who may see them.
pub fn status() -> Result<FleetStatus, Fault> {
    let api = Api::connect()?;
    let (devices, truncated) = all(&api)?;
    let alerts = if call::has_role("rules:read") { fired(&api)? } else { None };
    Ok(FleetStatus::of(&devices, truncated, alerts))
}

/// Devices with an alert that is fired. None: the API does not say.
fn fired(api: &Api) -> Result<Option<usize>, Fault> {
    match alerts::devices_with_fired(api) {
        Err(fault) if !fault.is("cancelled") => {
            log::info(format!("alerts cannot be counted: {}", fault.message));
            Ok(None)
        }
        counted => counted,
    }
}
