//! A one-off update of one device.
//!
//! NervesHub checks little here: an unknown firmware and an update that is already running are both a 500, any
//! firmware of the product is sent whatever board it is for, and a device that is offline never gets it (the
//! request is not queued) but is left with its automatic updates off. All of that is checked here first.

use fleetgate_sdk::prelude::*;

use super::releases::Firmware;
use crate::upstream::{Answer, Api, Device, DeviceArgs};

/// A one-off update.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeDevice {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
    /// Name of the product, exactly as list_products gives it.
    #[schemars(length(min = 1, max = 255))]
    pub product: String,
    /// The device's identifier, exactly as list_devices gives it.
    #[schemars(length(min = 1, max = 255))]
    pub identifier: String,
    /// UUID of the firmware, as list_firmware gives it. It must be built for the device's platform and
    /// architecture.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    pub firmware_uuid: String,
}

/// An update that was pushed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpgradePushed {
    /// The device.
    pub identifier: String,
    /// True: NervesHub accepted the update and sent it to the device. It does not say whether it succeeds.
    pub requested: bool,
    /// The firmware that was pushed.
    pub firmware: Firmware,
    /// Version that the device ran before; null if it had reported none.
    pub previous_version: Option<String>,
    /// Firmware that the device ran before: pushing it again is the way back.
    pub previous_firmware_uuid: Option<String>,
    /// What NervesHub changed besides.
    pub side_effect: String,
    /// What the caller should know; empty if nothing.
    pub warnings: Vec<String>,
    /// How to see whether it happened.
    pub next: String,
}

/// Pushes one firmware to one connected device now, past its deployment group. The device downloads the whole
/// image, writes it and reboots. Side effect: NervesHub SWITCHES THE DEVICE'S AUTOMATIC UPDATES OFF
/// (`updates_enabled` becomes false) so that its deployment group does not undo it; clear_penalty_box switches
/// them on again. Checked before anything is sent: the firmware exists in this product, fits the platform and
/// architecture that the device reported, and the device is connected. Fails if an update of the device is
/// already running.
#[tool(
    title = "Upgrade device",
    requires = "manage",
    destructive,
    open_world,
    audit = ["/org", "/product", "/identifier", "/firmware_uuid"],
    reach = { "http.api" = {
        methods = ["GET", "POST"],
        paths = [
            "GET /api/orgs/*/products/*/devices/*",
            "POST /api/orgs/*/products/*/devices/*/upgrade",
            "GET /api/orgs/*/products/*/firmwares/*",
            "GET /api/users/me"
        ]
    } }
)]
pub fn upgrade_device(args: UpgradeDevice) -> Result<UpgradePushed, Fault> {
    if !is_uuid(&args.firmware_uuid) {
        let message = format!(
            "`{}` is not a UUID (8-4-4-4-12 hexadecimal digits). list_firmware gives the UUIDs of a product.",
            args.firmware_uuid
        );
        return Err(Fault::invalid("/firmware_uuid", message));
    }
    let at = DeviceArgs { org: args.org, product: args.product, identifier: args.identifier };
    let api = Api::connect()?;
    let device = Device::to_command(&api, &at, "an update")?;
    let firmware = firmware_of_the_product(&api, &at, &args.firmware_uuid)?;
    let warnings = fits(&device, &firmware)?;
    let body = json!({ "uuid": firmware.uuid });
    let answer = api.post(at.action("upgrade")).json(&body).answer()?;
    if answer.status() == 500 {
        return Err(update_in_flight(&at, &answer));
    }
    answer.accepted()?;
    Ok(UpgradePushed {
        identifier: device.identifier,
        requested: true,
        firmware,
        previous_version: device.version,
        previous_firmware_uuid: device.firmware.and_then(|firmware| firmware.uuid),
        side_effect: "Automatic updates of this device are off now (updates_enabled is false). clear_penalty_box \
                      switches them on again."
            .to_owned(),
        warnings,
        next: "The device downloads and installs the firmware, reboots, and reports its new version. get_device shows \
               it; that may take minutes."
            .to_owned(),
    })
}

fn firmware_of_the_product(api: &Api, at: &DeviceArgs, uuid: &str) -> Result<Firmware, Fault> {
    let route = at.in_product().firmware(uuid);
    let firmware = Firmware::read(&api.get(route).before_a_change().send()?.data()?)?;
    if !firmware.uuid.eq_ignore_ascii_case(uuid) {
        let message = format!("NervesHub was asked for firmware `{uuid}` and answered with another one.");
        return Err(Fault::upstream(message));
    }
    match firmware.product.as_deref() {
        Some(product) if product != at.product => {
            let message =
                format!("Firmware `{uuid}` is built for product `{product}` and not for `{}`.", at.product);
            Err(Fault::unknown(message).field("/firmware_uuid"))
        }
        _ => Ok(firmware),
    }
}

/// Whether the firmware is for this kind of hardware. What neither side tells cannot be compared, and is a
/// warning; a difference is a refusal, since NervesHub would send an image that cannot boot.
fn fits(device: &Device, firmware: &Firmware) -> Result<Vec<String>, Fault> {
    let running = device.firmware.as_ref();
    let mut warnings = Vec::new();
    let sides = [
        ("platform", running.and_then(|running| running.platform.as_ref()), firmware.platform.as_ref()),
        (
            "architecture",
            running.and_then(|running| running.architecture.as_ref()),
            firmware.architecture.as_ref(),
        ),
    ];
    for (what, of_device, of_firmware) in sides {
        match (of_device, of_firmware) {
            (Some(of_device), Some(of_firmware)) if of_device != of_firmware => {
                let message = format!(
                    "The firmware is built for {what} `{of_firmware}` and device `{}` reported {what} `{of_device}`. \
                     Nothing was sent. Choose a firmware with {what} `{of_device}` (list_firmware).",
                    device.identifier
                );
                let details = json!({ "device": { what: of_device }, "firmware": { what: of_firmware } });
                return Err(Fault::invalid("/firmware_uuid", message).details(details));
            }
            (Some(_), Some(_)) => {}
            _ => warnings.push(format!(
                "The {what} could not be compared: the device or the firmware does not tell it."
            )),
        }
    }
    if running.and_then(|running| running.uuid.as_ref()) == Some(&firmware.uuid) {
        warnings.push("The device already ran this firmware; it was sent again.".to_owned());
    }
    Ok(warnings)
}

/// NervesHub fails with 500 when the device has an update in flight, and for its own failures. The firmware is
/// known to exist by then, so the first is the likely one.
fn update_in_flight(at: &DeviceArgs, answer: &Answer<'_>) -> Fault {
    let message = format!(
        "NervesHub failed with status 500. It does so when an update of device `{}` is already in flight: wait until \
         that has ended (get_device shows version and updates_enabled), then try again. If none is, the failure \
         is NervesHub's own.",
        at.identifier
    );
    answer.refused_as("update-in-flight", message)
}

/// Whether this is written like a UUID. NervesHub compares it as text, so its spelling is not changed.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
