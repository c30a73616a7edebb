//! One device, as NervesHub shows it, and the checks that every call about a device begins with.
//!
//! NervesHub finds a device by organization and identifier alone: the product in the path must exist but is not
//! compared with the device's. Whoever names the wrong product would act on a device of another one, so the
//! comparison is made here.

use std::time::SystemTime;

use fleetgate_sdk::prelude::*;

use super::address::DeviceArgs;
use super::reading::{flag, inner, instant, text, words};
use super::{Api, Listed, in_list};

/// A device in full.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Device {
    /// Its identifier, unique within the organization.
    pub identifier: String,
    /// Free text about it.
    pub description: Option<String>,
    /// Its tags; empty if it has none.
    pub tags: Vec<String>,
    /// `connected`, `connecting`, `disconnected`, `not_seen` (never connected) or `unknown` (NervesHub did not
    /// say). Commands reach only a device that is `connected`.
    pub connection_status: String,
    /// When NervesHub last heard from it, RFC 3339; null if never.
    pub last_communication: Option<String>,
    /// Version of the firmware that it runs; null until it has reported one.
    pub version: Option<String>,
    /// The firmware that it runs; null until it has reported one.
    pub firmware: Option<RunningFirmware>,
    /// The deployment group that it belongs to, which decides about its automatic updates.
    pub deployment_group: Option<AssignedGroup>,
    /// Whether it takes automatic updates.
    pub updates_enabled: Option<bool>,
    /// Until when automatic updates are held back after failed ones, RFC 3339. In the penalty box while this
    /// lies in the future.
    pub updates_blocked_until: Option<String>,
    /// Whether it is in the update penalty box right now; null if that cannot be told.
    pub in_penalty_box: Option<bool>,
    /// Its organization.
    pub org: Option<String>,
    /// Its product.
    pub product: Option<String>,
    /// True: it was deleted in NervesHub and only its record is left.
    pub deleted: bool,
}

/// The firmware that a device reported to run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunningFirmware {
    /// Identifies the firmware build.
    pub uuid: Option<String>,
    /// The version it calls itself.
    pub version: Option<String>,
    /// The product it was built for.
    pub product: Option<String>,
    /// Processor architecture, `arm` for example.
    pub architecture: Option<String>,
    /// Board, `rpi4` for example.
    pub platform: Option<String>,
    /// Who built it.
    pub author: Option<String>,
    /// What it says about itself.
    pub description: Option<String>,
    /// Version of the packing tool.
    pub fwup_version: Option<String>,
    /// Revision of its source.
    pub vcs_identifier: Option<String>,
    /// Whatever else its author put in.
    pub misc: Option<String>,
}

/// The deployment group of a device.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AssignedGroup {
    /// Its name.
    pub name: Option<String>,
    /// Whether it hands out updates.
    pub is_active: Option<bool>,
    /// The firmware that it hands out.
    pub firmware_uuid: Option<String>,
    /// That firmware's version.
    pub firmware_version: Option<String>,
}

impl Device {
    /// Reads one device. Only an identifier is indispensable.
    pub fn read(data: &Value) -> Result<Self, Fault> {
        let Some(identifier) = text(data, "identifier") else {
            return Err(Fault::upstream("NervesHub answered with a device that has no identifier."));
        };
        let updates_blocked_until = instant(data, "updates_blocked_until");
        Ok(Self {
            identifier,
            description: text(data, "description"),
            tags: words(data, "tags"),
            connection_status: connection_status(data),
            last_communication: instant(data, "last_communication"),
            version: text(data, "version").filter(|version| version != "unknown"),
            firmware: inner(data, "firmware_metadata").map(RunningFirmware::read),
            deployment_group: inner(data, "deployment_group").map(AssignedGroup::read),
            updates_enabled: flag(data, "updates_enabled"),
            in_penalty_box: blocked_now(data, updates_blocked_until.as_deref()),
            updates_blocked_until,
            org: text(data, "org_name"),
            product: text(data, "product_name"),
            deleted: flag(data, "deleted").unwrap_or(false),
        })
    }

    /// The device for a look at it. A device of another product does not exist here.
    pub fn to_look_at(api: &Api, at: &DeviceArgs) -> Result<Self, Fault> {
        let device = Self::fetch(api, at, false)?;
        match device.product.as_deref() {
            Some(product) if product != at.product => Err(in_another_product(at)),
            _ => Ok(device),
        }
    }

    /// The device for a change. More is asked here: the product must be known, and a deleted device is refused.
    pub fn to_change(api: &Api, at: &DeviceArgs) -> Result<Self, Fault> {
        Self::fetch(api, at, true)?.may_be_changed(at)
    }

    /// The same, found in its product's list. For a tool whose reach holds DELETE: a reach allows its methods on
    /// all of its paths, so one with the path of a device in it could delete devices.
    pub fn listed_to_change(api: &Api, at: &DeviceArgs) -> Result<Self, Fault> {
        match in_list(api, at, &[], true)? {
            Listed::Found(data) => Self::read(&data)?.may_be_changed(at),
            Listed::Absent => {
                let message = format!(
                    "Product `{}` of organization `{}` has no device `{}`, or it is marked as deleted. Nothing was \
                     changed. list_devices shows the devices of a product.",
                    at.product, at.org, at.identifier
                );
                Err(Fault::unknown(message).field("/identifier"))
            }
            Listed::Cut => {
                let message = format!(
                    "Too many identifiers contain `{}`, so the device was not found among them. Nothing was changed.",
                    at.identifier
                );
                Err(Fault::upstream(message).field("/identifier"))
            }
        }
    }

    fn may_be_changed(self, at: &DeviceArgs) -> Result<Self, Fault> {
        match self.product.as_deref() {
            Some(product) if product == at.product => {}
            Some(_) => return Err(in_another_product(at)),
            None => {
                let message = format!(
                    "NervesHub did not say which product device `{}` belongs to, so it is not certain that this is \
                     the device you mean. Nothing was changed.",
                    at.identifier
                );
                return Err(Fault::upstream(message));
            }
        }
        if self.deleted {
            let message =
                format!("Device `{}` is marked as deleted in NervesHub. Nothing was changed.", at.identifier);
            return Err(Fault::unknown(message).field("/identifier"));
        }
        Ok(self)
    }

    /// The device for a command that only a connected one receives. NervesHub itself accepts such commands for
    /// every device and answers as if they had arrived.
    pub fn to_command(api: &Api, at: &DeviceArgs, command: &str) -> Result<Self, Fault> {
        let device = Self::to_change(api, at)?;
        if device.is_connected() {
            return Ok(device);
        }
        let seen = match &device.last_communication {
            Some(instant) => format!("last heard of at {instant}"),
            None => "never heard of".to_owned(),
        };
        let message = format!(
            "Device `{}` is not connected (connection_status `{}`, {seen}), so {command} would not reach it. Nothing \
             was sent. Try again when get_device says `connected`.",
            at.identifier, device.connection_status
        );
        let details = json!({
            "connection_status": device.connection_status,
            "last_communication": device.last_communication,
        });
        Err(Fault::unavailable(message).field("/identifier").details(details))
    }

    /// Whether commands reach it.
    pub fn is_connected(&self) -> bool {
        self.connection_status == "connected"
    }

    fn fetch(api: &Api, at: &DeviceArgs, before_a_change: bool) -> Result<Self, Fault> {
        let look = api.get(at.route());
        let look = if before_a_change { look.before_a_change() } else { look };
        let device = Self::read(&look.send()?.data()?)?;
        if device.identifier == at.identifier {
            return Ok(device);
        }
        let message =
            format!("NervesHub was asked for device `{}` and answered with another one.", at.identifier);
        Err(Fault::upstream(message))
    }
}

impl RunningFirmware {
    fn read(data: &Value) -> Self {
        Self {
            uuid: text(data, "uuid"),
            version: text(data, "version"),
            product: text(data, "product"),
            architecture: text(data, "architecture"),
            platform: text(data, "platform"),
            author: text(data, "author"),
            description: text(data, "description"),
            fwup_version: text(data, "fwup_version"),
            vcs_identifier: text(data, "vcs_identifier"),
            misc: text(data, "misc"),
        }
    }
}

impl AssignedGroup {
    fn read(data: &Value) -> Self {
        Self {
            name: text(data, "name"),
            is_active: flag(data, "is_active"),
            firmware_uuid: text(data, "firmware_uuid"),
            firmware_version: text(data, "firmware_version"),
        }
    }
}

/// The status word. The older field `online` says the same, as a word or (by its documentation) a boolean.
fn connection_status(data: &Value) -> String {
    for key in ["connection_status", "online"] {
        match data.get(key) {
            Some(Value::String(word)) if !word.is_empty() => return word.clone(),
            Some(Value::Bool(true)) => return "connected".to_owned(),
            Some(Value::Bool(false)) => return "disconnected".to_owned(),
            _ => {}
        }
    }
    "unknown".to_owned()
}

/// Whether updates are blocked at this moment. A field that is missing says nothing; null says no.
fn blocked_now(data: &Value, until: Option<&str>) -> Option<bool> {
    match until {
        Some(until) => humantime::parse_rfc3339_weak(until).ok().map(|until| until > SystemTime::now()),
        None => data.get("updates_blocked_until").map(|_| false),
    }
}

fn in_another_product(at: &DeviceArgs) -> Fault {
    let message = format!(
        "Device `{}` is in organization `{}` but not in its product `{}`. list_devices shows the devices of a product.",
        at.identifier, at.org, at.product
    );
    Fault::unknown(message).field("/product")
}
