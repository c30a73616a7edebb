//! send_command, configure_device. Both take a device's id and never its name: what acts must not act on a device that
//! only sounds like the one that was meant.

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::check_text;
use crate::configuration::Configuration;
use crate::mode::Mode;
use crate::{api, command, configuration, direct};

/// What to tell a device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendCommand {
    /// The device's `id`, exactly as list_devices gives it.
    #[schemars(length(min = 1, max = 256))]
    pub device_id: String,
    /// What it is to do, as the device knows it: `valve.on`, `reboot`, `ping`.
    #[schemars(length(min = 1, max = 128))]
    pub command: String,
    /// How, as the device knows it. Units are the device's own.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// Send an actuator command to a device (e.g., toggle relay, set setpoint). Command is delivered via MQTT and
/// acknowledged: `status` is `acked` when the device did it. It fails with `failed` or `rejected` and the device's reason,
/// with `busy` when it may be tried again, and with `timeout` when no answer came: then it is NOT known whether it was
/// done, so look at the device before sending it again. Ask the user before switching anything.
#[tool(
    title = "Send command",
    requires = "commands:write",
    destructive,
    open_world,
    timeout = "2m",
    audit = ["/device_id", "/command", "/params"],
    reach = {
        "http.api" = {
            methods = ["GET", "POST"],
            paths = ["GET /devices/*/commands", "POST /devices/*/commands"]
        },
        "mqtt.broker" = { publish = ["+/+/+/command"], subscribe = ["+/+/+/command/response"] }
    },
    output_schema = command::schema
)]
pub fn send_command(args: SendCommand) -> Result<ToolResult, Fault> {
    check_text("/device_id", &args.device_id, "A device's id")?;
    check_text("/command", &args.command, "A command")?;
    match Mode::granted()? {
        Mode::Api => api::commands::send(&args.device_id, &args.command, &args.params),
        Mode::Direct => direct::commands::send(&args.device_id, &args.command, &args.params),
    }
}

/// How to configure a device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureDevice {
    /// The device's `id`, exactly as list_devices gives it.
    #[schemars(length(min = 1, max = 256))]
    pub device_id: String,
    /// What to set.
    pub config: Configuration,
}

/// Update device shadow configuration (reporting interval, thresholds, tags). Change is persisted and synced to the
/// device: `status` is `applied` or `accepted` when it was taken, `pending` when the device has not answered yet, and
/// `rejected` with `errors` when it does not take it. `rules` and `heartbeats` replace all of those that the device has.
/// Sends no actuator commands.
#[tool(
    title = "Configure device",
    requires = "devices:write",
    destructive,
    idempotent,
    open_world,
    timeout = "2m",
    audit = ["/device_id", "/config"],
    reach = {
        "http.api" = {
            methods = ["PATCH", "PUT"],
            paths = ["PATCH /devices/*/shadow", "PUT /devices/*/config"]
        },
        "mqtt.broker" = {
            publish = ["+/+/+/config", "+/+/+/shadow/desired"],
            subscribe = ["+/+/+/command/response", "+/+/+/config/ack", "+/+/+/alert", "+/+/+/shadow/report"]
        }
    },
    output_schema = configuration::schema
)]
pub fn configure_device(args: ConfigureDevice) -> Result<ToolResult, Fault> {
    check_text("/device_id", &args.device_id, "A device's id")?;
    let config = args.config.check()?;
    match Mode::granted()? {
        Mode::Api => api::configuring::configure(&args.device_id, &config),
        Mode::Direct => direct::configuring::configure(&args.device_id, &config),
    }
}
