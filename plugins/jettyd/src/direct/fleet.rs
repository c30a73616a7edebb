//! list_devices, get_device, get_fleet_status: the devices that were heard.

use std::collections::BTreeSet;

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::alerts;
use super::record::{Record, Report};
use super::store::Memory;
use crate::alert::State;
use crate::device::{Device, DeviceDetail, Devices, FleetStatus, Shadow};
use crate::naming::named;
use crate::{settings, time};

/// All devices with what is known of them, and whether there are more.
fn all(memory: &Memory) -> Result<(Vec<(Device, Record)>, bool), Fault> {
    let (now, unknown) = (time::now().as_millisecond(), settings::offline_after()?);
    let (records, more) = memory.records()?;
    Ok((records.into_iter().map(|(id, record)| (record.device(&id, now, unknown), record)).collect(), more))
}

/// list_devices
pub fn list() -> Result<Devices, Fault> {
    let (devices, more) = all(&Memory::open()?)?;
    Ok(Devices::new(devices.into_iter().map(|(device, _)| device).collect(), more))
}

/// get_fleet_status
pub fn status() -> Result<FleetStatus, Fault> {
    let memory = Memory::open()?;
    let (devices, truncated) = all(&memory)?;
    let devices: Vec<_> = devices.into_iter().map(|(device, _)| device).collect();
    let fired = match call::has_role("rules:read") {
        true => {
            let (alerts, more) = alerts::all(&memory, None, None)?;
            let fired =
                alerts.into_iter().map(|(_, alert)| alert).filter(|alert| alert.state == State::Fired);
            let devices: BTreeSet<_> = fired.filter_map(|alert| alert.device_id).collect();
            // A part of the number would be a wrong one.
            (!more).then_some(devices.len())
        }
        false => None,
    };
    Ok(FleetStatus::of(&devices, truncated, fired))
}

/// A device by its id, and, for callers who may list devices, by a name that no other has.
pub(super) fn find(memory: &Memory, asked: &str) -> Result<(Device, Record), Fault> {
    let (now, unknown) = (time::now().as_millisecond(), settings::offline_after()?);
    if let Some(record) = memory.record(asked)? {
        return Ok((record.device(asked, now, unknown), record));
    }
    if call::has_role("devices:read") {
        let (devices, records): (Vec<_>, Vec<_>) = all(memory)?.0.into_iter().unzip();
        if let Some(found) = named(&devices, asked)? {
            let at = devices.iter().position(|device| device.id == found.id).unwrap_or_default();
            let record = records.into_iter().nth(at).unwrap_or_default();
            return Ok((found.clone(), record));
        }
    }
    Err(memory.no_such_device(asked))
}

/// get_device
pub fn get(asked: &str) -> Result<DeviceDetail, Fault> {
    let memory = Memory::open()?;
    let (device, record) = find(&memory, asked)?;
    let report = memory.report(&device.id)?;
    Ok(DeviceDetail::new(device, shadow(report, &record)))
}

/// The last report, with what was measured since. Devices report rarely, and measure often.
fn shadow(report: Option<Report>, record: &Record) -> Option<Shadow> {
    let newest = record.values.values().map(|(_, at)| *at).max();
    if report.is_none() && newest.is_none() {
        return None;
    }
    let since = report.as_ref().map_or(i64::MIN, |report| report.at);
    let (mut reported, desired, metadata) =
        report.map_or_else(Default::default, |report| (report.reported, report.desired, report.metadata));
    for (key, (value, at)) in &record.values {
        if *at > since || !reported.contains_key(key) {
            reported.insert(key.clone(), json!(value));
        }
    }
    let mut metadata: Map<String, Value> = metadata.unwrap_or_default();
    if let Some(newest) = newest.filter(|newest| *newest > since) {
        metadata.insert("last_report".to_owned(), json!(newest / 1000));
    }
    Some(Shadow { reported, desired, metadata: (!metadata.is_empty()).then_some(metadata) })
}
