//! Devices, as both ways give them.

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use crate::reading::{self, Readings, is_hidden, read_map};
use crate::time;

/// One device of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Device {
    /// Identifies it: the `device_id` of the other tools.
    pub id: String,
    /// What people call it; null if it has no name.
    pub name: Option<String>,
    /// `online`, `offline` or `provisioning`; some devices also say `sleep`, `updating`, `updated` or `error`.
    pub status: String,
    /// When it was last heard, RFC 3339; null if never.
    pub last_seen_at: Option<String>,
    /// Version of its firmware; null if not known.
    pub firmware_version: Option<String>,
    /// What kind of device it is; null if not known.
    pub device_type_id: Option<String>,
    /// Its tags; empty if it has none.
    pub tags: Vec<String>,
}

/// All devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Devices {
    /// The devices.
    pub devices: Vec<Device>,
    /// How many there are.
    pub count: usize,
    /// True: there are more, which are not listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// What a device reports, and what it should become.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Shadow {
    /// The last reported values, by key.
    pub reported: Map<String, Value>,
    /// What was asked of it and not reported yet; null if there is nothing.
    pub desired: Option<Map<String, Value>>,
    /// Facts about the report, like `last_report` in Unix seconds.
    pub metadata: Option<Map<String, Value>>,
}

/// How the device is connected.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Connection {
    /// As above.
    pub status: String,
    /// As above.
    pub last_seen_at: Option<String>,
    /// Signal strength in dBm, if it reports that.
    pub rssi: Option<f64>,
    /// Seconds since it started, if it reports that.
    pub uptime: Option<f64>,
}

/// A device in full.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceDetail {
    /// The device.
    #[serde(flatten)]
    pub device: Device,
    /// Its shadow; null if there is none, or none could be read.
    pub shadow: Option<Shadow>,
    /// How it is connected.
    pub connection: Connection,
}

/// The fleet in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FleetStatus {
    /// All devices.
    pub total_devices: usize,
    /// Those that can be talked to: online, or updating.
    pub online_count: usize,
    /// Those that cannot.
    pub offline_count: usize,
    /// Those that are being set up.
    pub provisioning_count: usize,
    /// Devices with an alert that is fired; null if that is not known, or not for this caller to know.
    pub devices_with_active_alerts: Option<usize>,
    /// When a device was last heard, RFC 3339; null if never. Times that lie in the future do not count.
    pub last_update: Option<String>,
    /// What to know about `last_update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// True: there are more devices, which are not counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl Devices {
    /// All of these.
    pub fn new(devices: Vec<Device>, truncated: bool) -> Self {
        Self { count: devices.len(), devices, truncated }
    }
}

impl FleetStatus {
    /// Counts.
    pub fn of(devices: &[Device], truncated: bool, devices_with_active_alerts: Option<usize>) -> Self {
        let count = |words: &[&str]| devices.iter().filter(|device| words.contains(&&*device.status)).count();
        let now = time::now();
        let instants =
            devices.iter().filter_map(|device| time::read(&json!(device.last_seen_at.as_deref()?)));
        // What was heard in the future would be the newest for ever, and hide that nothing is heard any more.
        let (ahead, heard): (Vec<_>, Vec<_>) = instants.partition(|at| time::is_ahead(*at, now));
        Self {
            total_devices: devices.len(),
            online_count: count(&["online", "updating", "updated", "error"]),
            offline_count: count(&["offline"]),
            provisioning_count: count(&["provisioning"]),
            devices_with_active_alerts,
            last_update: heard.into_iter().max().map(|at| at.to_string()),
            note: (!ahead.is_empty()).then(|| {
                format!(
                    "{} of the devices were last heard at a time that lies in the future: a clock is wrong, or was. \
                     `last_update` is that of the others.",
                    ahead.len()
                )
            }),
            truncated,
        }
    }
}

impl DeviceDetail {
    /// The device with what it reports.
    pub fn new(mut device: Device, shadow: Option<Shadow>) -> Self {
        let readings = shadow.as_ref().map(Shadow::readings).unwrap_or_default();
        let number = |key: &str| {
            let key = reading::find(key, readings.keys().map(String::as_str)).ok()?;
            readings[key].value.number()
        };
        if device.firmware_version.is_none() {
            let key = reading::find("firmware_version", readings.keys().map(String::as_str)).ok();
            device.firmware_version = key.and_then(|key| match &readings[key].value {
                reading::Scalar::Text(text) => Some(text.clone()),
                reading::Scalar::Number(number) => Some(number.to_string()),
                reading::Scalar::Flag(_) => None,
            });
        }
        let connection = Connection {
            status: device.status.clone(),
            last_seen_at: device.last_seen_at.clone(),
            rssi: number("rssi"),
            uptime: number("uptime"),
        };
        Self { device, shadow, connection }
    }
}

impl Shadow {
    /// `{"reported": {…}, "desired": …, "metadata": …}`, the same below `state`, `shadow` or `data`, or the map of
    /// reported values alone. None: nothing of the kind.
    pub fn read(answer: &Value) -> Option<Self> {
        let whole = answer.as_object()?;
        if let Some(inner) = ["data", "shadow", "state"].iter().find_map(|key| {
            let inner = whole.get(*key)?;
            inner.get("reported").or_else(|| inner.get("state")).is_some().then_some(inner)
        }) {
            let mut shadow = Self::read(inner)?;
            shadow.metadata = shadow.metadata.or_else(|| visible(whole.get("metadata")));
            return Some(shadow);
        }
        let Some(reported) = whole.get("reported") else {
            return Some(Self { reported: visible(Some(answer))?, desired: None, metadata: None });
        };
        Some(Self {
            reported: visible(Some(reported)).unwrap_or_default(),
            desired: visible(whole.get("desired")),
            metadata: visible(whole.get("metadata")),
        })
    }

    /// The reported values as readings.
    pub fn readings(&self) -> Readings {
        read_map(&self.reported, self.last_report())
    }

    /// When the device reported, if that is said.
    pub fn last_report(&self) -> Option<jiff::Timestamp> {
        let metadata = self.metadata.as_ref()?;
        ["last_report", "last_reported_at", "updated_at", "timestamp"]
            .iter()
            .find_map(|key| time::read(metadata.get(*key)?))
    }
}

/// An object without its hidden keys, however deep they lie.
fn visible(map: Option<&Value>) -> Option<Map<String, Value>> {
    let entries = map?.as_object()?.iter().filter(|(key, _)| !is_hidden(key));
    Some(entries.map(|(key, value)| (key.clone(), without_hidden(value))).collect())
}

fn without_hidden(value: &Value) -> Value {
    match value {
        Value::Object(_) => Value::Object(visible(Some(value)).unwrap_or_default()),
        Value::Array(list) => list.iter().map(without_hidden).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shadow_is_read_in_every_shape_without_hidden_keys() {
        let reported = json!({ "air.temperature": 23.1, "_vm": 1, "mac_address": "00:11", "system": { "mac_address": "x" } });
        for shape in [
            json!({ "reported": reported, "desired": null, "metadata": { "last_report": 1_710_763_200 } }),
            json!({ "state": { "reported": reported }, "metadata": { "last_report": 1_710_763_200 } }),
            json!({ "data": { "reported": reported, "metadata": { "last_report": "2024-03-18T12:00:00Z" } } }),
        ] {
            let shadow = Shadow::read(&shape).expect("a shadow");
            assert_eq!(
                Value::Object(shadow.reported.clone()),
                json!({ "air.temperature": 23.1, "system": {} }),
                "{shape}"
            );
            assert_eq!(
                shadow.last_report().map(|at| at.to_string()).as_deref(),
                Some("2024-03-18T12:00:00Z"),
                "{shape}"
            );
        }
        let bare = Shadow::read(&reported).expect("a shadow");
        assert_eq!((bare.reported["air.temperature"].clone(), bare.metadata), (json!(23.1), None));
        assert_eq!(Shadow::read(&json!([1])), None);
        let listed = Shadow::read(&json!({ "reported": { "ports": [{ "mac_address": "x", "up": true }] } }));
        assert_eq!(listed.map(|shadow| shadow.reported["ports"].clone()), Some(json!([{ "up": true }])));
    }
}
