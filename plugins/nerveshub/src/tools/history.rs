//! A device's audit log and log lines: NervesHub has both, and gives neither to API tokens.
//!
//! These two tools therefore answer with a result that says so, and with what the API does know of the device's
//! recent past. It is a result and not an error because the question is answered as far as it can be, because
//! trying again does not help, and because an error would hide what is known. The entries are null and never an
//! empty list: "nothing is known" must not read as "nothing happened".

use fleetgate_sdk::prelude::*;

use crate::upstream::{Api, AssignedGroup, Device, DeviceArgs};

/// A part of a device's history that cannot be had, and what is known instead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnavailableHistory {
    /// The device.
    pub identifier: String,
    /// Always false: the entries cannot be had through the REST API.
    pub available: bool,
    /// Always null. Do not take it for "there are no entries".
    pub entries: (),
    /// Why, in a sentence.
    pub reason: String,
    /// Where a person finds the entries.
    pub where_to_look: String,
    /// What the REST API does know.
    pub what_is_known: KnownHistory,
}

/// What the REST API knows of a device's recent past.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnownHistory {
    /// `connected`, `connecting`, `disconnected`, `not_seen` (never connected) or `unknown`.
    pub connection_status: String,
    /// When NervesHub last heard from it, RFC 3339; null if never.
    pub last_communication: Option<String>,
    /// Version of the firmware that it runs; null until it has reported one.
    pub version: Option<String>,
    /// The firmware that it runs.
    pub firmware_uuid: Option<String>,
    /// Its deployment group, and the firmware that the group wants on it.
    pub deployment_group: Option<AssignedGroup>,
    /// Whether the running firmware is the one that the group wants; null without a group or a report.
    pub runs_group_firmware: Option<bool>,
    /// Whether it takes automatic updates. False also after a one-off update was pushed to it.
    pub updates_enabled: Option<bool>,
    /// Until when automatic updates are held back after failed ones, RFC 3339.
    pub updates_blocked_until: Option<String>,
    /// Whether it is in the update penalty box right now; null if that cannot be told.
    pub in_penalty_box: Option<bool>,
    /// True: it was deleted in NervesHub.
    pub deleted: bool,
}

/// The recent activity of a device. NervesHub's audit log is NOT available through its REST API: `available` is
/// false and `entries` null, with the reason. What the API does know of the device's recent past is in
/// `what_is_known`. Asking again does not help. Changes nothing.
#[tool(
    title = "Device activity",
    requires = "view",
    read_only,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET"],
        paths = ["GET /api/orgs/*/products/*/devices/*", "GET /api/users/me"]
    } }
)]
pub fn get_device_activity(args: DeviceArgs) -> Result<UnavailableHistory, Fault> {
    let device = Device::to_look_at(&Api::connect()?, &args)?;
    let reason = "NervesHub keeps an audit log of the device but gives it out only to a browser session: the REST API \
                  has no call for it, and an API token cannot fetch the web page's download.";
    let look = format!(
        "In NervesHub's web interface: organization {}, product {}, device {}, tab Activity (with a CSV download).",
        args.org, args.product, args.identifier
    );
    Ok(UnavailableHistory::of(device, reason, look))
}

/// The log lines of a device. They are NOT available through NervesHub's REST API: `available` is false and
/// `entries` null, with the reason. What the API does know of the device's recent past is in `what_is_known`.
/// Asking again does not help; run_script can read a log on a connected device, if a script for that exists.
/// Changes nothing.
#[tool(
    title = "Device logs",
    requires = "view",
    read_only,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET"],
        paths = ["GET /api/orgs/*/products/*/devices/*", "GET /api/users/me"]
    } }
)]
pub fn get_device_logs(args: DeviceArgs) -> Result<UnavailableHistory, Fault> {
    let device = Device::to_look_at(&Api::connect()?, &args)?;
    let reason = "NervesHub stores log lines only where analytics are enabled on the server and the logging extension \
                  on the product and the device, and shows them only in its web interface: neither the REST API nor \
                  a token's channels carry them. Whether any are stored for this device cannot be told from here.";
    let look = format!(
        "In NervesHub's web interface: organization {}, product {}, device {}, tab Logs. It also says whether \
         analytics or the logging extension are off.",
        args.org, args.product, args.identifier
    );
    Ok(UnavailableHistory::of(device, reason, look))
}

impl UnavailableHistory {
    fn of(device: Device, reason: &str, where_to_look: String) -> Self {
        let firmware_uuid = device.firmware.and_then(|firmware| firmware.uuid);
        let wanted = device.deployment_group.as_ref().and_then(|group| group.firmware_uuid.clone());
        let runs_group_firmware = match (&firmware_uuid, &wanted) {
            (Some(running), Some(wanted)) => Some(running == wanted),
            _ => None,
        };
        Self {
            identifier: device.identifier,
            available: false,
            entries: (),
            reason: reason.to_owned(),
            where_to_look,
            what_is_known: KnownHistory {
                connection_status: device.connection_status,
                last_communication: device.last_communication,
                version: device.version,
                firmware_uuid,
                deployment_group: device.deployment_group,
                runs_group_firmware,
                updates_enabled: device.updates_enabled,
                updates_blocked_until: device.updates_blocked_until,
                in_penalty_box: device.in_penalty_box,
                deleted: device.deleted,
            },
        }
    }
}
