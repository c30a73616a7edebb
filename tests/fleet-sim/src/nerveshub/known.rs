//! The names a test or a demo can rely on, whatever the seed's number. Everything else is generated.

/// The org most examples use.
pub const ACME: &str = "acme";
/// An org with a space in its name.
pub const ROBOTICS: &str = "Acme Robotics";
/// An org whose members are nobody else's.
pub const NORTHWIND: &str = "northwind";

/// Org and product: lobby kiosks, the product most examples use.
pub const KIOSK: (&str, &str) = (ACME, "kiosk");
/// Org and product: field gateways.
pub const GATEWAY: (&str, &str) = (ACME, "gateway");
/// Org and product: a name with a space.
pub const KIOSK_V2: (&str, &str) = (ROBOTICS, "kiosk v2");
/// Org and product: a name that needs percent-encoding all over.
pub const LAB: (&str, &str) = (ROBOTICS, "R&D lab/50%");
/// Org and product: refrigerators, ESP-IDF beside fwup.
pub const COLD_CHAIN: (&str, &str) = (NORTHWIND, "cold-chain");
/// Org and product: no device, no firmware, no script.
pub const EMPTY: (&str, &str) = (NORTHWIND, "prototype");

/// Handle: admin of acme.
pub const ADMIN: &str = "admin";
/// Handle: manage in acme.
pub const MANAGE: &str = "manage";
/// Handle: view in acme.
pub const VIEW: &str = "view";
/// Handle: manage in acme and view in Acme Robotics.
pub const BOTH: &str = "both";
/// Handle: admin of Acme Robotics.
pub const ROBOTICS_ADMIN: &str = "robotics";
/// Handle: manage in northwind.
pub const NORTHWIND_MANAGE: &str = "northwind";
/// Handle: member of no org.
pub const OUTSIDER: &str = "outsider";

/// Kiosk device: connected, healthy, answers scripts, runs the production firmware.
pub const CONNECTED: &str = "sn-0001";
/// Kiosk device: its identifier contains [`CONNECTED`]; a substring filter finds both.
pub const CONNECTED_LOOKALIKE: &str = "sn-0001-spare";
/// Kiosk device: disconnected an hour ago.
pub const OFFLINE: &str = "sn-0002";
/// Kiosk device: socket open, not joined.
pub const CONNECTING: &str = "sn-0003";
/// Kiosk device: registered, never connected, no firmware, tags never set.
pub const NEVER_SEEN: &str = "sn-0004";
/// Kiosk device: in the penalty box, updates disabled, two attempts behind it.
pub const PENALTY: &str = "sn-0005";
/// Kiosk device: soft-deleted.
pub const DELETED: &str = "sn-0006";
/// Kiosk device: connected and does not answer scripts.
pub const HUNG: &str = "sn-0007";
/// Kiosk device: an update is on its way to it.
pub const UPDATING: &str = "sn-0008";
/// Kiosk device: unhealthy, with two alarms.
pub const UNHEALTHY: &str = "sn-0009";
/// Kiosk device: provisioned, but its connection row is gone, so it is `not_seen` and no filter says so.
pub const FORGOTTEN: &str = "sn-0010";
/// Kiosk device: disconnected ten days ago.
pub const STALE: &str = "sn-0011";
/// Kiosk device: connected, runs a version that was never uploaded.
pub const HOMEBREW: &str = "sn-0012";
/// Kiosk device: a slash in its identifier.
pub const SLASH: &str = "sn/0001";
/// Kiosk device: a space and a percent sign in its identifier.
pub const PERCENT: &str = "a b%c";
/// Kiosk device: `?`, `#`, `&`, `=` and `+` in its identifier.
pub const RESERVED: &str = "q?x=1&y#z+1";
/// Kiosk device: letters outside ASCII.
pub const UNICODE: &str = "größe-7-東京";
/// A device of this identifier is in [`KIOSK`] and another one in [`KIOSK_V2`].
pub const SHARED: &str = "shared-0042";

/// Kiosk script: answers at once.
pub const QUICK_SCRIPT: &str = "Uptime";
/// Kiosk script: takes 20 seconds, which is more than a channel remembers.
pub const SLOW_SCRIPT: &str = "Factory self-test";
/// Kiosk script: takes half a second.
pub const HALF_SECOND_SCRIPT: &str = "Network check";
/// Kiosk script: prints 4000 lines.
pub const LONG_SCRIPT: &str = "Dump system log";
/// Kiosk script: named like the row number of another one, [`QUICK_SCRIPT`]. The name wins.
pub const NUMERIC_SCRIPT: &str = "12";
/// Row number of [`QUICK_SCRIPT`].
pub const QUICK_SCRIPT_ID: u64 = 12;
/// Kiosk script: a name that needs percent-encoding.
pub const ODD_SCRIPT: &str = "Disk /data 100%?";
