//! What changes a device, short of its firmware: tags, reboot, reconnect, penalty box.
//!
//! NervesHub answers most of these with 204 and nothing else, and does not check that the device is there to hear
//! of it. So each tool looks at the device first, and its result says what was asked for, not what came of it.

use fleetgate_sdk::prelude::*;

use super::filters::check_tag;
use crate::upstream::{Api, Device, DeviceArgs, check_segment};

/// The most tags of one device.
const MOST_TAGS: usize = 100;

/// New tags for a device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDeviceTags {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
    /// Name of the product, exactly as list_products gives it.
    #[schemars(length(min = 1, max = 255))]
    pub product: String,
    /// The device's identifier, exactly as list_devices gives it.
    #[schemars(length(min = 1, max = 255))]
    pub identifier: String,
    /// All tags that the device is to have afterwards, without spaces or commas. Empty: it has none.
    #[schemars(length(max = 100), inner(length(min = 1, max = 255), regex(pattern = r"^[^\s,]+$")))]
    pub tags: Vec<String>,
}

/// A device's tags, before and after.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TagsSet {
    /// The device.
    pub identifier: String,
    /// Its tags now.
    pub tags: Vec<String>,
    /// Its tags before; setting these again undoes the change.
    pub previous_tags: Vec<String>,
}

/// Replaces ALL tags of a device by the given ones. To add or remove one, read the device's tags with get_device
/// and send the whole new list; an empty list removes all. Deployment groups choose devices by tags, so other
/// tags may move the device to another group and with it to other firmware. The result gives the previous tags.
#[tool(
    title = "Set device tags",
    requires = "manage",
    destructive = false,
    idempotent,
    open_world,
    audit = ["/org", "/product", "/identifier", "/tags"],
    reach = { "http.api" = {
        methods = ["GET", "PUT"],
        paths = [
            "GET /api/orgs/*/products/*/devices/*",
            "PUT /api/orgs/*/products/*/devices/*",
            "GET /api/users/me"
        ]
    } }
)]
pub fn set_device_tags(args: SetDeviceTags) -> Result<TagsSet, Fault> {
    check_tags(&args.tags)?;
    let at = DeviceArgs { org: args.org, product: args.product, identifier: args.identifier };
    let api = Api::connect()?;
    let before = Device::to_change(&api, &at)?;
    // Tags alone, and not nested: NervesHub takes any field of a device from this body, its organization included.
    let body = json!({ "tags": args.tags });
    let answer = api.put(at.route()).json(&body).send()?;
    let after = Device::read(&answer.data()?)?;
    Ok(TagsSet { identifier: after.identifier, tags: after.tags, previous_tags: before.tags })
}

fn check_tags(tags: &[String]) -> Result<(), Fault> {
    if tags.len() > MOST_TAGS {
        return Err(Fault::invalid("/tags", format!("At most {MOST_TAGS} tags; these are {}.", tags.len())));
    }
    for (index, tag) in tags.iter().enumerate() {
        check_tag(&format!("/tags/{index}"), tag)?;
        if tags[..index].contains(tag) {
            return Err(Fault::invalid(format!("/tags/{index}"), format!("Tag `{tag}` is there twice.")));
        }
    }
    Ok(())
}

/// A request that NervesHub passed on to a device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Requested {
    /// The device.
    pub identifier: String,
    /// True: NervesHub accepted the request and passed it on. It does not say whether the device followed.
    pub requested: bool,
    /// What to expect, and how to see whether it happened.
    pub next: String,
}

/// Asks a connected device to reboot. It goes offline for a while, and whatever it is doing is interrupted. The
/// result says that the request was passed on, not that the device has rebooted. Refused, without sending
/// anything, if the device is not connected.
#[tool(
    title = "Reboot device",
    requires = "manage",
    destructive,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET", "POST"],
        paths = [
            "GET /api/orgs/*/products/*/devices/*",
            "POST /api/orgs/*/products/*/devices/*/reboot",
            "GET /api/users/me"
        ]
    } }
)]
pub fn reboot_device(args: DeviceArgs) -> Result<Requested, Fault> {
    let api = Api::connect()?;
    let device = Device::to_command(&api, &args, "a reboot request")?;
    api.post(args.action("reboot")).send()?;
    let next = "The device disconnects, restarts and connects again, usually within minutes. get_device shows its \
                connection_status and last_communication.";
    Ok(Requested { identifier: device.identifier, requested: true, next: next.to_owned() })
}

/// Drops the connection between NervesHub and a connected device, so that it connects again. The device is not
/// rebooted and its programs go on. NervesHub writes no audit entry for this. Refused, without sending anything,
/// if the device is not connected.
#[tool(
    title = "Reconnect device",
    requires = "manage",
    destructive,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET", "POST"],
        paths = [
            "GET /api/orgs/*/products/*/devices/*",
            "POST /api/orgs/*/products/*/devices/*/reconnect",
            "GET /api/users/me"
        ]
    } }
)]
pub fn reconnect_device(args: DeviceArgs) -> Result<Requested, Fault> {
    let api = Api::connect()?;
    let device = Device::to_command(&api, &args, "a reconnect request")?;
    api.post(args.action("reconnect")).send()?;
    let next = "The device loses its connection and makes a new one by itself, usually within seconds. get_device \
                shows its connection_status.";
    Ok(Requested { identifier: device.identifier, requested: true, next: next.to_owned() })
}

/// A device that was taken out of the penalty box.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PenaltyCleared {
    /// The device.
    pub identifier: String,
    /// Whether it was in the penalty box before; null if that could not be told.
    pub was_in_penalty_box: Option<bool>,
    /// Until when updates were held back before, RFC 3339.
    pub was_blocked_until: Option<String>,
    /// Whether automatic updates were on before. They are on now in any case.
    pub updates_were_enabled: Option<bool>,
    /// What NervesHub did.
    pub effect: String,
}

/// Takes a device out of the update penalty box: updates are no longer held back, and its failed attempts are
/// forgotten. Beware: this also SWITCHES AUTOMATIC UPDATES ON (`updates_enabled` becomes true), even if somebody
/// switched them off on purpose or upgrade_device did, and even if the device was not in the box. Its deployment
/// group may then update it at once.
#[tool(
    title = "Clear penalty box",
    requires = "manage",
    destructive = false,
    idempotent,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET", "DELETE"],
        paths = [
            "GET /api/orgs/*/products/*/devices",
            "DELETE /api/orgs/*/products/*/devices/*/penalty",
            "GET /api/users/me"
        ]
    } }
)]
pub fn clear_penalty_box(args: DeviceArgs) -> Result<PenaltyCleared, Fault> {
    // The device is looked for by a query, so its identifier is part of a path only in the second request.
    check_segment("/identifier", &args.identifier)?;
    let api = Api::connect()?;
    let before = Device::listed_to_change(&api, &args)?;
    api.delete(args.action("penalty")).send()?;
    let effect = "Updates are no longer held back, failed attempts are forgotten, and automatic updates are switched \
                  on (updates_enabled is true).";
    Ok(PenaltyCleared {
        identifier: before.identifier,
        was_in_penalty_box: before.in_penalty_box,
        was_blocked_until: before.updates_blocked_until,
        updates_were_enabled: before.updates_enabled,
        effect: effect.to_owned(),
    })
}
