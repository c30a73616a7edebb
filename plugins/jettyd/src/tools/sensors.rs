//! read_sensor, get_history.

use fleetgate_sdk::prelude::*;

use super::check_text;
use crate::history::{Asked, History, Resolution};
use crate::mode::Mode;
use crate::reading::Scalar;
use crate::{api, direct};

/// Which sensor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneSensor {
    /// The device's `id` as list_devices gives it, or a part of its name that no other device's name has.
    #[schemars(length(min = 1, max = 256))]
    pub device_id: String,
    /// The sensor's key (`air.temperature`), or its end if that says which (`temperature`).
    #[schemars(length(min = 1, max = 256))]
    pub sensor_key: String,
}

/// The last value of a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SensorValue {
    /// The device.
    pub device_id: String,
    /// The sensor's whole key.
    pub sensor_key: String,
    /// What it measured.
    pub value: Scalar,
    /// In what; null if not known.
    pub unit: Option<String>,
    /// When, RFC 3339; null if not known.
    pub timestamp: Option<String>,
    /// Why it may not be the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Read the latest telemetry value for a specific sensor key on a device. Returns value, unit, and timestamp: look at
/// the timestamp before calling it the present value. A key that does not exist is answered with those that do. Changes
/// nothing.
#[tool(
    title = "Read sensor",
    requires = "telemetry:read",
    read_only,
    open_world,
    audit = ["/device_id", "/sensor_key"],
    reach = {
        "http.api" = {
            methods = ["GET"],
            paths = ["GET /devices", "GET /devices/*/shadow", "GET /devices/*/telemetry"]
        }
    }
)]
pub fn read_sensor(args: OneSensor) -> Result<SensorValue, Fault> {
    check(&args.device_id, &args.sensor_key)?;
    match Mode::granted()? {
        Mode::Api => api::latest::last(&args.device_id, &args.sensor_key),
        Mode::Direct => direct::sensors::last(&args.device_id, &args.sensor_key),
    }
}

/// Which values of which sensor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetHistory {
    /// The device's `id` as list_devices gives it, or a part of its name that no other device's name has.
    #[schemars(length(min = 1, max = 256))]
    pub device_id: String,
    /// The sensor's key (`air.temperature`), or its end if that says which (`temperature`).
    #[schemars(length(min = 1, max = 256))]
    pub sensor_key: String,
    /// From when, in RFC 3339 with an offset: `2025-05-19T00:00:00Z`.
    #[schemars(length(min = 1, max = 64))]
    pub from: String,
    /// Until when, in the same way. Left out: now.
    #[schemars(length(min = 1, max = 64))]
    pub to: Option<String>,
    /// How fine: `raw` (the default) gives every value, the others buckets of that length with `value` (the mean), `min`,
    /// `max` and `count`. Choose one that gives no more points than you need.
    pub resolution: Option<Resolution>,
}

/// Query historical telemetry for a device and sensor key over a time range. Returns a time-series array, oldest first.
/// `truncated` says that there is more than was read: ask for less time. Changes nothing.
#[tool(
    title = "Get history",
    requires = "telemetry:read",
    read_only,
    open_world,
    timeout = "2m",
    audit = ["/device_id", "/sensor_key", "/from", "/to", "/resolution"],
    reach = {
        "http.api" = {
            methods = ["GET"],
            paths = ["GET /devices", "GET /devices/*/shadow", "GET /devices/*/telemetry"]
        }
    }
)]
pub fn get_history(args: GetHistory) -> Result<History, Fault> {
    check(&args.device_id, &args.sensor_key)?;
    let asked = Asked::new(&args.from, args.to.as_deref(), args.resolution)?;
    match Mode::granted()? {
        Mode::Api => api::telemetry::history(&args.device_id, &args.sensor_key, &asked),
        Mode::Direct => direct::sensors::history(&args.device_id, &args.sensor_key, &asked),
    }
}

fn check(device_id: &str, sensor_key: &str) -> Result<(), Fault> {
    check_text("/device_id", device_id, "A device's id")?;
    check_text("/sensor_key", sensor_key, "A sensor's key")
}
