//! The health of one device, as far as the REST API lets it be known.
//!
//! NervesHub keeps health reports and metrics but shows them only in its web interface. The overall state can be
//! found out all the same, because the list of devices can be filtered by it.

use fleetgate_sdk::prelude::*;

use super::filters::HealthStatus;
use super::summary::Missing;
use crate::upstream::{Api, Device, DeviceArgs, Listed, in_list, refused_by_the_server};

/// The health of one device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceHealth {
    /// The device.
    pub identifier: String,
    /// `connected`, `connecting`, `disconnected`, `not_seen` (never connected) or `unknown`.
    pub connection_status: String,
    /// When NervesHub last heard from it, RFC 3339; null if never.
    pub last_communication: Option<String>,
    /// State of the latest health report: `healthy`, `warning`, `unhealthy`, or `unknown` (no report, or one that
    /// says nothing). Null if it could not be found out; `missing` says why.
    pub health_status: Option<String>,
    /// Always null: the API does not give health reports. Do not take it for an empty report.
    pub report: (),
    /// Always null: the API does not give metrics. Do not take it for "no metrics".
    pub metrics: (),
    /// Version of the firmware that it runs; null until it has reported one.
    pub version: Option<String>,
    /// Whether it takes automatic updates.
    pub updates_enabled: Option<bool>,
    /// Whether it is in the update penalty box right now; null if that cannot be told.
    pub in_penalty_box: Option<bool>,
    /// What is null above although a device may have it, and why.
    pub missing: Vec<Missing>,
}

/// How healthy a device is: connection, last communication, and the overall state of its latest health report.
/// The report itself (CPU, memory, disk, alarms) and the metrics are NOT available through NervesHub's REST API:
/// they are null here, with the reason in `missing`; people find them on the device's health page in NervesHub's
/// web interface. Changes nothing.
#[tool(
    title = "Device health",
    requires = "view",
    read_only,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET"],
        paths = [
            "GET /api/orgs/*/products/*/devices",
            "GET /api/orgs/*/products/*/devices/*",
            "GET /api/users/me"
        ]
    } }
)]
pub fn get_device_health(args: DeviceArgs) -> Result<DeviceHealth, Fault> {
    let api = Api::connect()?;
    let device = Device::to_look_at(&api, &args)?;
    let (health_status, unknown_because) = match overall(&api, &args, &device)? {
        Overall::Is(state) => (Some(state.word().to_owned()), None),
        Overall::CannotTell(reason) => (None, Some(reason)),
    };
    let not_over_rest = "NervesHub shows it only in its web interface (device page, health tab); its REST API has no \
                         call for it.";
    let mut missing = vec![
        Missing { field: "/report".to_owned(), reason: not_over_rest.to_owned() },
        Missing { field: "/metrics".to_owned(), reason: not_over_rest.to_owned() },
    ];
    if let Some(reason) = unknown_because {
        missing.insert(0, Missing { field: "/health_status".to_owned(), reason });
    }
    Ok(DeviceHealth {
        identifier: device.identifier,
        connection_status: device.connection_status,
        last_communication: device.last_communication,
        health_status,
        report: (),
        metrics: (),
        version: device.version,
        updates_enabled: device.updates_enabled,
        in_penalty_box: device.in_penalty_box,
        missing,
    })
}

enum Overall {
    Is(HealthStatus),
    CannotTell(String),
}

/// The overall state: the one whose list holds the device. Worst first, so that a device whose state changes
/// between two requests is not reported better than it was.
fn overall(api: &Api, at: &DeviceArgs, device: &Device) -> Result<Overall, Fault> {
    if device.deleted {
        return Ok(Overall::CannotTell("Deleted devices are in no list.".to_owned()));
    }
    let mut cut = false;
    for state in [HealthStatus::Unhealthy, HealthStatus::Warning, HealthStatus::Healthy] {
        match in_list(api, at, &[("filters[health_status]", state.word())], false) {
            Ok(Listed::Found(_)) => return Ok(Overall::Is(state)),
            Ok(Listed::Absent) => {}
            Ok(Listed::Cut) => cut = true,
            Err(fault) if refused_by_the_server(&fault) => {
                let reason = format!("NervesHub did not answer the health filter: {}", fault.message);
                return Ok(Overall::CannotTell(reason));
            }
            Err(fault) => return Err(fault),
        }
    }
    if cut {
        let reason =
            "Too many identifiers contain this one, so the lists by health state were not read to their end.";
        return Ok(Overall::CannotTell(reason.to_owned()));
    }
    Ok(Overall::Is(HealthStatus::Unknown))
}
