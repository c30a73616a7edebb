//! What a product's devices can run, and which of it is handed out to whom.

use fleetgate_sdk::prelude::*;

use crate::upstream::reading::{count, flag, inner, instant, text, words};
use crate::upstream::{Api, ProductArgs};

/// Firmware given when the caller names no limit.
const USUAL_LIMIT: u32 = 50;

/// The most firmware in one answer.
const LARGEST_LIMIT: u32 = 500;

/// Which firmware to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListFirmware {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
    /// Name of the product, exactly as list_products gives it.
    #[schemars(length(min = 1, max = 255))]
    pub product: String,
    /// How many to give, newest version first. Default: 50.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// A product's firmware.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FirmwareList {
    /// Newest version first.
    pub firmware: Vec<Firmware>,
    /// How many there are in all.
    pub total: u64,
    /// True: older ones were left out; raise `limit` to see them.
    pub truncated: bool,
}

/// A firmware build.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Firmware {
    /// Identifies the build: the `firmware_uuid` argument of upgrade_device.
    pub uuid: String,
    /// Its version.
    pub version: Option<String>,
    /// Processor architecture that it is built for.
    pub architecture: Option<String>,
    /// Board that it is built for.
    pub platform: Option<String>,
    /// Who built it.
    pub author: Option<String>,
    /// The product that it is built for.
    pub product: Option<String>,
    /// Its format: `fwup` or `esp-idf`.
    pub tool: Option<String>,
}

/// The firmware that was uploaded for a product, newest version first. Their UUIDs are what upgrade_device takes;
/// choose one with the device's `platform` and `architecture`. Changes nothing.
#[tool(
    title = "List firmware",
    requires = "view",
    read_only,
    open_world,
    reach = { "http.api" = {
        methods = ["GET"],
        paths = ["GET /api/orgs/*/products/*/firmwares", "GET /api/users/me"]
    } }
)]
pub fn list_firmware(args: ListFirmware) -> Result<FirmwareList, Fault> {
    let limit = args.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        let message = format!("limit must be between 1 and {LARGEST_LIMIT}; it is {limit}.");
        return Err(Fault::invalid("/limit", message));
    }
    let product = ProductArgs { org: args.org, product: args.product };
    let list = Api::connect()?.get(product.firmwares()).send()?.list()?;
    let firmware = list.iter().take(limit as usize).map(Firmware::read).collect::<Result<Vec<_>, _>>()?;
    Ok(FirmwareList { truncated: firmware.len() < list.len(), firmware, total: list.len() as u64 })
}

impl Firmware {
    /// Reads one build. Only its UUID is indispensable.
    pub fn read(data: &Value) -> Result<Self, Fault> {
        let Some(uuid) = text(data, "uuid") else {
            return Err(Fault::upstream("NervesHub answered with a firmware that has no UUID."));
        };
        Ok(Self {
            uuid,
            version: text(data, "version"),
            architecture: text(data, "architecture"),
            platform: text(data, "platform"),
            author: text(data, "author"),
            product: text(data, "product"),
            tool: text(data, "tool"),
        })
    }
}

/// A product's deployment groups.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeploymentGroups {
    /// By name.
    pub deployment_groups: Vec<DeploymentGroup>,
}

/// A deployment group: which devices automatically get which firmware.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeploymentGroup {
    /// Its name.
    pub name: String,
    /// Whether it hands out updates.
    pub is_active: Option<bool>,
    /// The firmware that it hands out.
    pub firmware_uuid: Option<String>,
    /// The archive that it hands out, if any.
    pub archive_uuid: Option<String>,
    /// The release that is handed out now.
    pub current_release: Option<Release>,
    /// Which devices belong to it.
    pub conditions: Conditions,
    /// Whether it hands out differences instead of whole images where it can.
    pub delta_updatable: Option<bool>,
    /// Devices in it.
    pub device_count: Option<u64>,
    /// Releases that it has had.
    pub releases_count: Option<u64>,
    /// Free text about it.
    pub notes: Option<String>,
}

/// A release of a deployment group.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Release {
    /// Counted up within the group.
    pub number: Option<u64>,
    /// Version of its firmware.
    pub version: Option<String>,
    /// Processor architecture of its firmware.
    pub architecture: Option<String>,
    /// Board of its firmware.
    pub platform: Option<String>,
    /// Its firmware.
    pub firmware_uuid: Option<String>,
    /// When it was made; UTC.
    pub inserted_at: Option<String>,
}

/// What a device must meet to belong to a group.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Conditions {
    /// Requirement on the version that it runs, `>= 1.0.0` for example; null if any will do.
    pub version: Option<String>,
    /// Tags; empty if none are required.
    pub tags: Vec<String>,
    /// `and`: it must have all of the tags, `or`: one of them.
    pub tag_operator: Option<String>,
}

/// The deployment groups of a product: which firmware each hands out, and the conditions (tags, running version)
/// by which devices belong to it. Changes nothing.
#[tool(
    title = "List deployment groups",
    requires = "view",
    read_only,
    open_world,
    reach = { "http.api" = {
        methods = ["GET"],
        paths = ["GET /api/orgs/*/products/*/deployments", "GET /api/users/me"]
    } }
)]
pub fn list_deployment_groups(args: ProductArgs) -> Result<DeploymentGroups, Fault> {
    let list = Api::connect()?.get(args.deployments()).send()?.list()?;
    let deployment_groups = list.iter().map(DeploymentGroup::read).collect::<Result<_, _>>()?;
    Ok(DeploymentGroups { deployment_groups })
}

impl DeploymentGroup {
    fn read(data: &Value) -> Result<Self, Fault> {
        let Some(name) = text(data, "name") else {
            return Err(Fault::upstream("NervesHub answered with a deployment group that has no name."));
        };
        let conditions = data.get("conditions").unwrap_or(&Value::Null);
        Ok(Self {
            name,
            is_active: flag(data, "is_active").or_else(|| text(data, "state").map(|state| state == "on")),
            firmware_uuid: text(data, "firmware_uuid"),
            archive_uuid: text(data, "archive_uuid"),
            current_release: inner(data, "current_release").map(Release::read),
            conditions: Conditions {
                version: text(conditions, "version"),
                tags: words(conditions, "tags"),
                tag_operator: text(conditions, "tag_operator"),
            },
            delta_updatable: flag(data, "delta_updatable"),
            device_count: count(data, "device_count"),
            releases_count: count(data, "releases_count"),
            notes: text(data, "notes"),
        })
    }
}

impl Release {
    fn read(data: &Value) -> Self {
        let firmware = data.get("firmware").unwrap_or(&Value::Null);
        Self {
            number: count(data, "number"),
            version: text(firmware, "version"),
            architecture: text(firmware, "architecture"),
            platform: text(firmware, "platform"),
            firmware_uuid: text(firmware, "uuid"),
            inserted_at: instant(data, "inserted_at"),
        }
    }
}
