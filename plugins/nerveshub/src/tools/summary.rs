//! A fleet in numbers. NervesHub's API has no such call, so the numbers are put together: each count is the
//! `total_entries` of a list that is asked for with one entry per page.

use fleetgate_sdk::prelude::*;

use super::filters::{Connection, HealthStatus, Updates};
use super::spread::{FirmwareSpread, firmware_spread};
use crate::upstream::{Api, ProductArgs, Wanted, refused_by_the_server, total_entries};

/// A product's fleet in numbers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProductSummary {
    /// The organization.
    pub org: String,
    /// The product.
    pub product: String,
    /// Devices by connection.
    pub devices: DeviceCounts,
    /// Devices whose automatic updates do not run.
    pub updates: UpdateCounts,
    /// Devices by the state of their latest health report.
    pub health: HealthCounts,
    /// Devices by firmware version.
    pub firmware: FirmwareSpread,
    /// Numbers that are null above, and why.
    pub missing: Vec<Missing>,
}

/// Devices by connection.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceCounts {
    /// All, without deleted ones.
    pub total: u64,
    /// Connected now.
    pub connected: Option<u64>,
    /// Not connected now, whatever the reason: `total` less `connected`, so it includes `never_seen`.
    pub offline: Option<u64>,
    /// In the middle of connecting.
    pub connecting: Option<u64>,
    /// Were connected before and are not now.
    pub disconnected: Option<u64>,
    /// Registered but never connected. NervesHub decides this by another field than a device's
    /// `connection_status`, so the sums may differ slightly.
    pub never_seen: Option<u64>,
    /// Disconnected for more than 7 days.
    pub not_seen_in_seven_days: Option<u64>,
    /// Disconnected for more than 14 days; counted in the 7 days as well.
    pub not_seen_in_fourteen_days: Option<u64>,
}

/// Devices whose automatic updates do not run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpdateCounts {
    /// Switched off.
    pub disabled: Option<u64>,
    /// In the penalty box after failed updates.
    pub in_penalty_box: Option<u64>,
}

/// Devices by the state of their latest health report.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HealthCounts {
    /// All values within limits.
    pub healthy: Option<u64>,
    /// A value is over its warning limit.
    pub warning: Option<u64>,
    /// A value is over its upper limit.
    pub unhealthy: Option<u64>,
    /// No report, or one that says nothing.
    pub unknown: Option<u64>,
}

/// A number that could not be had.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Missing {
    /// Which.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// A product's fleet in numbers: how many devices, connected and offline, not seen for days, updates off or in
/// the penalty box, by health, and by firmware version. Put together from counting queries at slightly different
/// moments, so numbers may be off by a few. Numbers that NervesHub would not give are null and listed in
/// `missing`; `firmware.complete` says whether every device is in the firmware spread. Changes nothing.
#[tool(
    title = "Product summary",
    requires = "view",
    read_only,
    open_world,
    timeout = "60s",
    reach = { "http.api" = {
        methods = ["GET"],
        paths = [
            "GET /api/orgs/*/products/*/devices",
            "GET /api/orgs/*/products/*/firmwares",
            "GET /api/users/me"
        ]
    } }
)]
pub fn get_product_summary(args: ProductArgs) -> Result<ProductSummary, Fault> {
    let api = Api::connect()?;
    let mut counter = Counter { api: &api, product: &args, missing: Vec::new() };
    let total = counter.total()?;
    let mut by_connection = |field: &str, state: Connection| counter.count(field, "connection", state.word());
    let connected = by_connection("/devices/connected", Connection::Connected)?;
    let connecting = by_connection("/devices/connecting", Connection::Connecting)?;
    let disconnected = by_connection("/devices/disconnected", Connection::Disconnected)?;
    let never_seen = by_connection("/devices/never_seen", Connection::NotSeen)?;
    let seven = by_connection("/devices/not_seen_in_seven_days", Connection::NotSeenInSevenDays)?;
    let fourteen = by_connection("/devices/not_seen_in_fourteen_days", Connection::NotSeenInFourteenDays)?;
    let updates = UpdateCounts {
        disabled: counter.count("/updates/disabled", "updates", Updates::Disabled.word())?,
        in_penalty_box: counter.count("/updates/in_penalty_box", "updates", Updates::PenaltyBox.word())?,
    };
    let mut by_health = |state: HealthStatus| {
        counter.count(&format!("/health/{}", state.word()), "health_status", state.word())
    };
    let health = HealthCounts {
        healthy: by_health(HealthStatus::Healthy)?,
        warning: by_health(HealthStatus::Warning)?,
        unhealthy: by_health(HealthStatus::Unhealthy)?,
        unknown: by_health(HealthStatus::Unknown)?,
    };
    let missing = counter.missing;
    let firmware = firmware_spread(&api, &args, total)?;
    let devices = DeviceCounts {
        total,
        connected,
        offline: connected.map(|connected| total.saturating_sub(connected)),
        connecting,
        disconnected,
        never_seen,
        not_seen_in_seven_days: seven,
        not_seen_in_fourteen_days: fourteen,
    };
    Ok(ProductSummary { org: args.org, product: args.product, devices, updates, health, firmware, missing })
}

struct Counter<'a> {
    api: &'a Api,
    product: &'a ProductArgs,
    missing: Vec<Missing>,
}

impl Counter<'_> {
    /// All devices. Without this number there is no summary.
    fn total(&self) -> Result<u64, Fault> {
        let answer =
            self.api.get(self.product.devices()).queries(Wanted::count_only().query()).send()?.json()?;
        total_entries(answer.whole()).ok_or_else(|| {
            Fault::upstream("NervesHub gave a list of devices without saying how many there are in all.")
        })
    }

    /// The devices that one filter leaves. A server that does not know the filter costs this number and not the
    /// whole summary; every other failure is one.
    fn count(&mut self, field: &str, filter: &str, word: &str) -> Result<Option<u64>, Fault> {
        let call = self.api.get(self.product.devices()).query(&format!("filters[{filter}]"), word);
        let found = match call.queries(Wanted::count_only().query()).send() {
            Ok(answer) => total_entries(answer.json()?.whole()),
            Err(fault) if refused_by_the_server(&fault) => {
                let reason =
                    format!("NervesHub did not answer the filter {filter}={word}: {}", fault.message);
                self.missing.push(Missing { field: field.to_owned(), reason });
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        if found.is_none() {
            let reason = "NervesHub gave the list without its length.".to_owned();
            self.missing.push(Missing { field: field.to_owned(), reason });
        }
        Ok(found)
    }
}
