//! read_sensor, get_history: what was heard of a sensor.

use fleetgate_sdk::prelude::*;

use super::fleet;
use super::store::Memory;
use crate::history::{Asked, History, Resolution, points};
use crate::reading::{find, unit};
use crate::time;
use crate::tools::sensors::SensorValue;

/// Messages that are read for one answer, which is short where they are summed up in buckets.
const MOST: usize = 50_000;
/// Messages of which each is a point of the answer, as many as through the API.
const MOST_RAW: usize = 10_000;

/// read_sensor
pub fn last(asked: &str, key: &str) -> Result<SensorValue, Fault> {
    let (device, record) = fleet::find(&Memory::open()?, asked)?;
    let key = find(key, record.values.keys().map(String::as_str))
        .map_err(|missing| missing.fault(&device.id, key))?;
    let (value, at) = record.values[key].clone();
    Ok(SensorValue {
        device_id: device.id,
        sensor_key: key.to_owned(),
        value,
        unit: unit(key).map(str::to_owned),
        timestamp: Some(time::of_ms(at).to_string()),
        note: None,
    })
}

/// get_history
pub fn history(asked: &str, key: &str, range: &Asked) -> Result<History, Fault> {
    let memory = Memory::open()?;
    let (device, record) = fleet::find(&memory, asked)?;
    let key = find(key, record.values.keys().map(String::as_str))
        .map_err(|missing| missing.fault(&device.id, key))?;
    let mut values = Vec::new();
    // Milliseconds are what is kept; a range may be finer.
    let bounds = (range.from.as_millisecond(), range.to.as_millisecond());
    let most = if range.resolution == Resolution::Raw { MOST_RAW } else { MOST };
    let truncated = memory.history((&device.id, key), bounds, most, |at, value| {
        let at = time::of_ms(at);
        if range.holds(at) {
            values.push((at, value));
        }
    })?;
    Ok(History::new(&device.id, key, range, points(values, range.resolution), truncated))
}
