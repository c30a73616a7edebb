//! The devices of a product, page by page.

use fleetgate_sdk::prelude::*;

use super::filters::DeviceFilters;
use crate::upstream::{Api, Device, Pagination, ProductArgs, Wanted};

/// Which devices to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDevices {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
    /// Name of the product, exactly as list_products gives it.
    #[schemars(length(min = 1, max = 255))]
    pub product: String,
    /// Only devices that match all of these.
    #[serde(default)]
    pub filters: DeviceFilters,
    /// Which page, counted from 1. Default: 1.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub page: Option<u32>,
    /// Devices on a page. Default: 25.
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// What to order by. Default: `identifier`.
    #[serde(default)]
    pub sort: DeviceSort,
    /// `asc`: smallest or oldest first, `desc`: largest or newest first. Default: `asc`. Devices that were never
    /// connected come first with `asc` and last with `desc` when ordering by a connection time.
    #[serde(default)]
    pub sort_direction: Direction,
}

/// What devices can be ordered by.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceSort {
    #[default]
    Identifier,
    InsertedAt,
    UpdatesEnabled,
    ConnectionLastSeenAt,
    ConnectionEstablishedAt,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    #[default]
    Asc,
    Desc,
}

/// One page of devices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Devices {
    /// In the order that was asked for.
    pub devices: Vec<DeviceRow>,
    /// Where this page stands.
    pub pagination: Pagination,
}

/// A device in a list. get_device gives the rest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceRow {
    /// Its identifier: the `identifier` argument of the device tools.
    pub identifier: String,
    /// Free text about it.
    pub description: Option<String>,
    /// Its tags; empty if it has none.
    pub tags: Vec<String>,
    /// `connected`, `connecting`, `disconnected`, `not_seen` (never connected) or `unknown`.
    pub connection_status: String,
    /// When NervesHub last heard from it, RFC 3339; null if never.
    pub last_communication: Option<String>,
    /// Version of the firmware that it runs; null until it has reported one.
    pub version: Option<String>,
    /// Board, `rpi4` for example.
    pub platform: Option<String>,
    /// Processor architecture, `arm` for example.
    pub architecture: Option<String>,
    /// Name of its deployment group; null if it has none.
    pub deployment_group: Option<String>,
    /// Whether it takes automatic updates.
    pub updates_enabled: Option<bool>,
    /// Whether automatic updates are held back after failed ones; null if that cannot be told.
    pub in_penalty_box: Option<bool>,
}

/// Devices of a product, one page at a time, optionally filtered and ordered. Use it to find identifiers and to
/// answer "which devices ...": prefer filters to reading every page. `pagination.total_entries` counts all
/// matches, so `page_size` 1 is the cheap way to count. Deleted devices are not listed. Changes nothing.
#[tool(
    title = "List devices",
    requires = "view",
    read_only,
    open_world,
    reach = { "http.api" = {
        methods = ["GET"],
        paths = ["GET /api/orgs/*/products/*/devices", "GET /api/users/me"]
    } }
)]
pub fn list_devices(args: ListDevices) -> Result<Devices, Fault> {
    let wanted = Wanted::new(args.page, args.page_size)?;
    let filters = args.filters.query()?;
    let product = ProductArgs { org: args.org, product: args.product };
    let answer = Api::connect()?
        .get(product.devices())
        .queries(filters)
        .query("sort", args.sort.key())
        .query("sort_direction", args.sort.upstream_direction(args.sort_direction))
        .queries(wanted.query())
        .send()?
        .json()?;
    let devices = answer
        .list()?
        .iter()
        .map(|data| Device::read(data).map(DeviceRow::from))
        .collect::<Result<Vec<_>, _>>()?;
    let pagination = wanted.read(answer.whole(), devices.len());
    Ok(Devices { devices, pagination })
}

impl DeviceSort {
    fn key(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::InsertedAt => "inserted_at",
            Self::UpdatesEnabled => "updates_enabled",
            Self::ConnectionLastSeenAt => "connection_last_seen_at",
            Self::ConnectionEstablishedAt => "connection_established_at",
        }
    }

    /// NervesHub sorts connection times the other way round: its `asc` gives the newest first. Callers of this
    /// plugin get one meaning of `asc` for all keys, so those two are turned here.
    fn upstream_direction(self, wanted: Direction) -> &'static str {
        let turned = matches!(self, Self::ConnectionLastSeenAt | Self::ConnectionEstablishedAt);
        match (wanted, turned) {
            (Direction::Asc, false) | (Direction::Desc, true) => "asc",
            (Direction::Desc, false) | (Direction::Asc, true) => "desc",
        }
    }
}

impl From<Device> for DeviceRow {
    fn from(device: Device) -> Self {
        let (platform, architecture) = match device.firmware {
            Some(firmware) => (firmware.platform, firmware.architecture),
            None => (None, None),
        };
        Self {
            identifier: device.identifier,
            description: device.description,
            tags: device.tags,
            connection_status: device.connection_status,
            last_communication: device.last_communication,
            version: device.version,
            platform,
            architecture,
            deployment_group: device.deployment_group.and_then(|group| group.name),
            updates_enabled: device.updates_enabled,
            in_penalty_box: device.in_penalty_box,
        }
    }
}
