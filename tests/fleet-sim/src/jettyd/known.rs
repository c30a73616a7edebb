//! The names a test or a demo can rely on, in the platform's fleet and in the broker's.

/// Device: soil, air and a valve; does what it is told.
pub const GREENHOUSE: &str = "dev_01hx3k9j2m4v5p6q7r8s";
/// Its name.
pub const GREENHOUSE_NAME: &str = "greenhouse-1";
/// Device: two temperatures, `air.` and `ground.`.
pub const TWO_TEMPERATURES: &str = "dev_two_temperatures";
/// Device: four relays.
pub const RELAYS: &str = "dev_relays";
/// Device: a lamp to be dimmed; newer firmware, which takes `command_type` and `payload` too.
pub const NEWER: &str = "dev_newer";
/// Device: has been away for hours, and takes nothing until it is back.
pub const OFFLINE: &str = "dev_offline";
/// Device: is there, and never answers a command.
pub const SILENT: &str = "dev_silent";
/// Device: its valve's driver fails.
pub const BROKEN: &str = "dev_broken";
/// Device: its clock is an hour ahead.
pub const AHEAD: &str = "dev_ahead";

/// Device of the platform: not yet provisioned, never seen.
pub const PROVISIONING: &str = "dev_provisioning";
/// Device of the platform: its id must be percent-encoded in a path.
pub const ODD_ID: &str = "pump 7 é?";

/// Device of the broker: answers a command with `busy`.
pub const BUSY: &str = "dev_busy";
/// Device of the broker: answers a command with `failed` and a reason.
pub const FAILING: &str = "dev_failing";
/// Device of the broker: answers after five seconds.
pub const LATE: &str = "dev_late";
/// Device of the broker: answers another command first, then the one that was sent.
pub const OTHER_FIRST: &str = "dev_other_first";
/// Device of the broker: answers with what is no JSON first, then as it should.
pub const GARBLED: &str = "dev_garbled";
/// Device of the broker: answers `ok` and `error` in place of `acked` and `rejected`.
pub const ALIASES: &str = "dev_aliases";
/// Device of the broker: acknowledges a configuration on `config/ack`.
pub const CONFIG_ACK: &str = "dev_config_ack";
/// Device of the broker: a sensor of it fails, which makes all its telemetry invalid JSON.
pub const NAN: &str = "dev_nan";
/// Device of the broker: its telemetry has no `ts`.
pub const NO_CLOCK: &str = "dev_no_clock";
/// Device of the broker: its clock is not set; it counts from 1970.
pub const UNSET_CLOCK: &str = "dev_unset_clock";

/// API key handle: everything.
pub const ALL: &str = "all";
/// API key handle: reads devices, telemetry and rules.
pub const READER: &str = "reader";
/// API key handle: reads devices, and nothing else.
pub const DEVICES: &str = "devices";
/// API key handle: reads telemetry, and nothing else.
pub const TELEMETRY: &str = "telemetry";
/// API key handle: everything but commands.
pub const NO_COMMANDS: &str = "no-commands";
/// API key handle: has expired.
pub const EXPIRED: &str = "expired";
/// API key handle: was revoked.
pub const REVOKED: &str = "revoked";
