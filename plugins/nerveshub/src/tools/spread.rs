//! Which firmware versions a fleet runs.
//!
//! Two ways lead there. Reading every device is exact, and affordable for a fleet of some thousands. Beyond that
//! each version in the firmware list is counted by a filter, which is one small request a version; devices that
//! run something that is not in the list are then known only as a remainder. Both are bounded, and say so.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetgate_sdk::prelude::*;

use crate::upstream::reading::text;
use crate::upstream::{Api, Device, LARGEST_PAGE, ProductArgs, Wanted, total_entries};

/// Up to so many pages every device is read.
const MOST_PAGES: u32 = 20;

/// So many versions are counted at most.
const MOST_VERSIONS: usize = 40;

/// With less than this left of the call's time, what has been counted so far is the answer.
const RESERVE: Duration = Duration::from_secs(10);

/// Devices by firmware version.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FirmwareSpread {
    /// How it was counted: `every_device` (each device was read) or `uploaded_versions` (each version in the
    /// product's firmware list was counted; the fleet is too large to read).
    pub method: String,
    /// Most devices first.
    pub versions: Vec<VersionCount>,
    /// Devices that have not reported a version; null if they were not told apart from `other_devices`.
    pub unreported_devices: Option<u64>,
    /// Devices that are in none of the numbers above.
    pub other_devices: u64,
    /// True: every device is in `versions` or `unreported_devices`.
    pub complete: bool,
    /// What is missing, if something is.
    pub note: Option<String>,
}

/// One version.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VersionCount {
    /// The version.
    pub version: String,
    /// Devices that run it.
    pub devices: u64,
}

/// Counts the versions of a fleet of `total` devices.
pub fn firmware_spread(api: &Api, product: &ProductArgs, total: u64) -> Result<FirmwareSpread, Fault> {
    if total <= u64::from(MOST_PAGES) * u64::from(LARGEST_PAGE) {
        every_device(api, product, total)
    } else {
        uploaded_versions(api, product, total)
    }
}

fn every_device(api: &Api, product: &ProductArgs, total: u64) -> Result<FirmwareSpread, Fault> {
    let mut versions = BTreeMap::<String, u64>::new();
    let mut unreported = 0;
    let mut read = 0;
    let mut more = total > 0;
    let mut page = 1;
    while more && page <= MOST_PAGES && time_is_left() {
        let wanted = Wanted::full(page);
        let call = api.get(product.devices()).query("sort", "identifier").query("sort_direction", "asc");
        let answer = call.queries(wanted.query()).send()?.json()?;
        let devices = answer.list()?;
        for data in devices {
            match Device::read(data)?.version {
                Some(version) => *versions.entry(version).or_default() += 1,
                None => unreported += 1,
            }
        }
        read += devices.len() as u64;
        more = !devices.is_empty() && wanted.read(answer.whole(), devices.len()).has_more;
        page += 1;
        call::progress(read as f64, Some(total as f64), Some("reading devices"));
    }
    let other_devices = if more { total.saturating_sub(read) } else { 0 };
    let note = more.then(|| {
        format!("Cut after {read} of {total} devices, in the order of their identifiers. list_devices gives the rest.")
    });
    Ok(FirmwareSpread {
        method: "every_device".to_owned(),
        versions: most_first(versions),
        unreported_devices: Some(unreported),
        other_devices,
        complete: !more,
        note,
    })
}

fn uploaded_versions(api: &Api, product: &ProductArgs, total: u64) -> Result<FirmwareSpread, Fault> {
    let firmware = api.get(product.firmwares()).send()?.list()?;
    let mut uploaded = Vec::new();
    for version in firmware.iter().filter_map(|data| text(data, "version")) {
        if !uploaded.contains(&version) {
            uploaded.push(version);
        }
    }
    let mut versions = BTreeMap::new();
    let mut counted = 0;
    let mut tried = 0;
    for version in uploaded.iter().take(MOST_VERSIONS) {
        if !time_is_left() {
            break;
        }
        let call = api.get(product.devices()).query("filters[firmware_version]", version);
        let answer = call.queries(Wanted::count_only().query()).send()?.json()?;
        let devices = total_entries(answer.whole()).unwrap_or(0);
        if devices > 0 {
            versions.insert(version.clone(), devices);
        }
        counted += devices;
        tried += 1;
        call::progress(
            tried as f64,
            Some(uploaded.len().min(MOST_VERSIONS) as f64),
            Some("counting versions"),
        );
    }
    let other_devices = total.saturating_sub(counted);
    let mut note = (other_devices > 0).then(|| {
        format!("{other_devices} devices run a version that was not counted, or have reported none.")
    });
    if tried < uploaded.len() {
        let cut = format!(
            "Only the newest {tried} of {} versions in the firmware list were counted.",
            uploaded.len()
        );
        note = Some(note.map_or(cut.clone(), |note| format!("{note} {cut}")));
    }
    Ok(FirmwareSpread {
        method: "uploaded_versions".to_owned(),
        versions: most_first(versions),
        unreported_devices: None,
        other_devices,
        complete: other_devices == 0,
        note,
    })
}

fn most_first(versions: BTreeMap<String, u64>) -> Vec<VersionCount> {
    let mut list: Vec<_> =
        versions.into_iter().map(|(version, devices)| VersionCount { version, devices }).collect();
    list.sort_by(|a, b| b.devices.cmp(&a.devices).then_with(|| a.version.cmp(&b.version)));
    list
}

fn time_is_left() -> bool {
    call::deadline() > RESERVE
}
