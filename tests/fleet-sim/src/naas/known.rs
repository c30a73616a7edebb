//! The names a test or a demo can rely on.

/// Context every job goes to unless it says otherwise.
pub const DEFAULT: &str = "default";
/// Context with two workers.
pub const LAB: &str = "lab";
/// Context without workers.
pub const IDLE: &str = "idle";

/// Key handle: reads.
pub const VIEWER: &str = "viewer";
/// Key handle: submits and cancels in all contexts.
pub const OPERATOR: &str = "operator";
/// Key handle: another operator, for what one must not see of the other.
pub const OTHER_OPERATOR: &str = "other-operator";
/// Key handle: submits in [`LAB`] only.
pub const LAB_OPERATOR: &str = "lab-operator";
/// Key handle: may do everything, and is not limited in rate.
pub const ADMIN: &str = "admin";
/// Key handle: its token has no role, which is a viewer's.
pub const ROLELESS: &str = "roleless";
/// Key handle: an operator's that has expired.
pub const EXPIRED: &str = "expired";
/// Key handle: an operator's that was revoked.
pub const REVOKED: &str = "revoked";

/// The password for making API keys.
pub const ADMIN_SECRET: &str = "simulated-admin-secret";

/// The user of all devices.
pub const USER: &str = "netops";
/// Its password.
pub const PASSWORD: &str = "simulated-device-password";

/// Cisco IOS switch: answers everything.
pub const IOS: &str = "access-sw-01";
/// Its address, by which it is known too.
pub const IOS_ADDRESS: &str = "10.20.1.1";
/// Cisco NX-OS switch.
pub const NXOS: &str = "dc-leaf-01";
/// Arista EOS switch.
pub const EOS: &str = "spine-01";
/// Juniper Junos router.
pub const JUNOS: &str = "edge-rtr-01";
/// Linux server.
pub const LINUX: &str = "jump-01";
/// Cisco IOS XR router.
pub const XR: &str = "core-rtr-01";
/// HP ProCurve switch.
pub const PROCURVE: &str = "closet-sw-01";
/// MikroTik RouterOS router.
pub const MIKROTIK: &str = "branch-rtr-01";
/// Fortinet FortiGate.
pub const FORTINET: &str = "fw-branch-01";
/// Palo Alto PAN-OS firewall.
pub const PANOS: &str = "fw-dc-01";

/// Cisco IOS switch: refuses connections.
pub const UNREACHABLE: &str = "access-sw-90";
/// Cisco IOS switch: accepts connections and never says a word.
pub const SILENT: &str = "access-sw-91";
/// Cisco IOS switch: has another password.
pub const LOCKED: &str = "access-sw-92";
/// Cisco IOS switch: its login lands in user mode, so it never gets to configuration mode.
pub const UNPRIVILEGED: &str = "access-sw-93";
/// Cisco IOS switch: takes no configuration, for another holds its lock.
pub const READ_ONLY: &str = "access-sw-94";
/// Cisco IOS switch: needs 20 seconds per command.
pub const SLOW: &str = "access-sw-95";
/// Cisco IOS switch: needs 40 seconds per command, more than anybody waits to read.
pub const TOO_SLOW: &str = "access-sw-96";
/// Cisco IOS switch: what it says kills the worker.
pub const CRASHES: &str = "access-sw-97";
/// Cisco IOS switch: its SSH breaks off in the middle.
pub const BROKEN: &str = "access-sw-98";
/// Something that answers, but like nothing that autodetection knows.
pub const MYSTERY: &str = "appliance-99";
