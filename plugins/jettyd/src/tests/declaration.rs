//! What the host learns about the plugin before anybody calls it.

use std::collections::BTreeSet;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing;

use super::played::{SCOPES, declared, manifest, requested};
use crate::Exported;

/// The product page's tools, in its order, with their scopes and descriptions.
const PAGE: [(&str, &str, &str); 8] = [
    (
        "list_devices",
        "devices:read",
        "Return all devices in the tenant fleet, including online/offline status and last-seen timestamp.",
    ),
    (
        "get_device",
        "devices:read",
        "Fetch full metadata for a single device by ID: firmware version, shadow state, assigned tags, and connection info.",
    ),
    (
        "get_fleet_status",
        "devices:read",
        "Aggregate fleet health summary: total devices, online count, devices with active alerts, and last-update time.",
    ),
    (
        "read_sensor",
        "telemetry:read",
        "Read the latest telemetry value for a specific sensor key on a device. Returns value, unit, and timestamp",
    ),
    (
        "get_history",
        "telemetry:read",
        "Query historical telemetry for a device and sensor key over a time range. Returns a time-series array",
    ),
    (
        "send_command",
        "commands:write",
        "Send an actuator command to a device (e.g., toggle relay, set setpoint). Command is delivered via MQTT and acknowledged",
    ),
    (
        "configure_device",
        "devices:write",
        "Update device shadow configuration (reporting interval, thresholds, tags). Change is persisted and synced to the device",
    ),
    (
        "list_alerts",
        "rules:read",
        "List all alert rules for the tenant, including trigger conditions, notification channels, and current fired/resolved state.",
    ),
];

fn all() -> Vec<Value> {
    testing::list_tools::<Exported>().expect("the tools can be listed")
}

fn words(list: &Value) -> Vec<String> {
    serde_json::from_value(list.clone()).unwrap_or_default()
}

#[test]
fn the_tools_scopes_and_descriptions_are_those_of_the_product_page() {
    let all = all();
    let names: Vec<_> = all.iter().map(|tool| tool["name"].as_str().expect("a name")).collect();
    assert_eq!(names, PAGE.map(|(name, _, _)| name));
    for (name, scope, description) in PAGE {
        let tool = declared(name);
        assert_eq!(tool["manifest"]["requires"], scope, "{name}");
        let said = tool["description"].as_str().expect("a description").replace('\n', " ");
        assert!(said.starts_with(description), "{name}: {said}");
    }
}

#[test]
fn the_arguments_are_those_of_the_product_page() {
    let expect = |tool: &str, arguments: &[&str], required: &[&str]| {
        let schema = &declared(tool)["inputSchema"];
        let known: BTreeSet<_> =
            schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        assert_eq!(known, arguments.iter().map(|name| (*name).to_owned()).collect(), "{tool}");
        assert_eq!(words(&schema["required"]), required, "{tool}");
    };
    expect("list_devices", &[], &[]);
    expect("get_device", &["device_id"], &["device_id"]);
    expect("get_fleet_status", &[], &[]);
    expect("read_sensor", &["device_id", "sensor_key"], &["device_id", "sensor_key"]);
    expect(
        "get_history",
        &["device_id", "sensor_key", "from", "to", "resolution"],
        &["device_id", "sensor_key", "from"],
    );
    expect("send_command", &["device_id", "command", "params"], &["device_id", "command"]);
    expect("configure_device", &["device_id", "config"], &["device_id", "config"]);
    expect("list_alerts", &["state", "device_id", "limit", "cursor"], &[]);
}

#[test]
fn every_example_of_the_product_page_fits_its_tool() {
    for (tool, arguments) in [
        ("list_devices", json!({})),
        ("read_sensor", json!({ "device_id": "dev_01hx3k9j2m4v5p6q7r8s", "sensor_key": "temperature" })),
        (
            "get_history",
            json!({
                "device_id": "dev_01hx3k9j2m4v5p6q7r8s", "sensor_key": "humidity",
                "from": "2025-05-19T00:00:00Z", "to": "2025-05-20T00:00:00Z", "resolution": "1h"
            }),
        ),
        (
            "send_command",
            json!({
                "device_id": "dev_01hx3k9j2m4v5p6q7r8s", "command": "set_relay",
                "params": { "channel": 1, "state": "on" }
            }),
        ),
        (
            "configure_device",
            json!({ "device_id": "dev_01hx3k9j2m4v5p6q7r8s", "config": { "telemetry_interval_s": 60 } }),
        ),
    ] {
        let schema = jsonschema::validator_for(&declared(tool)["inputSchema"]).expect("the schema is one");
        assert!(schema.is_valid(&arguments), "{tool}");
    }
}

#[test]
fn a_configuration_may_have_keys_that_only_the_device_knows_and_no_interval_out_of_range() {
    let schema =
        jsonschema::validator_for(&declared("configure_device")["inputSchema"]).expect("the schema is one");
    let valid = |config: Value| schema.is_valid(&json!({ "device_id": "d", "config": config }));
    assert!(valid(json!({ "dimmer.level": 40, "tags": ["a"], "thresholds": { "t": { "max": 30 } } })));
    assert!(!valid(json!({ "telemetry_interval_s": 5 })));
    assert!(!valid(json!({ "telemetry_interval_s": "60" })));
    assert!(!valid(json!({ "tags": "a" })));
    assert!(!valid(json!({ "thresholds": 3 })));
}

#[test]
fn every_tool_has_an_output_schema_and_a_title() {
    for tool in all() {
        assert_eq!(tool["outputSchema"]["type"], "object", "{}", tool["name"]);
        assert!(tool["title"].is_string(), "{}", tool["name"]);
    }
}

#[test]
fn the_roles_are_the_six_scopes_and_none_brings_another() {
    let manifest = manifest();
    let roles = manifest["roles"].as_table().expect("roles");
    assert_eq!(roles.keys().map(String::as_str).collect::<Vec<_>>(), SCOPES);
    assert!(roles.values().all(|role| role.as_table().is_some_and(|role| role.is_empty())));
}

#[test]
fn what_may_change_something_is_destructive_and_the_rest_is_read_only() {
    for tool in all() {
        let name = tool["name"].as_str().expect("a name");
        let acts = ["send_command", "configure_device"].contains(&name);
        let manifest = &tool["manifest"];
        assert_eq!((manifest["read_only"] == true, manifest["destructive"] == true), (!acts, acts), "{name}");
    }
}

#[test]
fn whatever_has_arguments_is_audited_by_all_of_them() {
    for tool in all() {
        let properties = tool["inputSchema"]["properties"].as_object().cloned().unwrap_or_default();
        let all: BTreeSet<_> = properties.keys().map(|key| format!("/{key}")).collect();
        let named: BTreeSet<_> = words(&tool["manifest"]["audit"]).into_iter().collect();
        assert_eq!(named, all, "{}", tool["name"]);
    }
}

#[test]
fn the_manifest_asks_for_exactly_what_the_tools_reach() {
    let reached: BTreeSet<String> =
        all().iter().flat_map(|tool| words(&tool["manifest"]["reach"]["http.api"]["paths"])).collect();
    assert_eq!(requested("paths").into_iter().collect::<BTreeSet<_>>(), reached);
}

#[test]
fn only_send_command_reaches_commands_and_only_configure_device_changes_configurations() {
    for tool in all() {
        let name = tool["name"].as_str().expect("a name");
        let paths = words(&tool["manifest"]["reach"]["http.api"]["paths"]);
        assert_eq!(paths.iter().any(|path| path.ends_with("/commands")), name == "send_command", "{name}");
        let changes = |path: &String| path.starts_with("PATCH ") || path.starts_with("PUT ");
        assert_eq!(paths.iter().any(changes), name == "configure_device", "{name}");
    }
}

#[test]
fn the_variables_of_the_page_and_of_the_npm_package_are_read() {
    let api = manifest()["capabilities"]["http"]["api"].clone();
    let words = |value: &toml::Value| value.clone().try_into::<Vec<String>>().expect("words");
    assert_eq!(words(&api["env"]["url"]["variables"]), ["JETTYD_API_URL", "JETTYD_BASE_URL"]);
    assert_eq!(words(&api["env"]["bearer"]), ["JETTYD_ACCESS_TOKEN", "JETTYD_API_KEY"]);
    assert_eq!(api["env"]["url"]["default"].as_str(), Some("https://api.jettyd.com"));
    // The one is written without and the other with this end.
    assert_eq!(api["base"].as_str(), Some("/v1"));
}

/// Filters of a request or of a tool's part of it, without their three levels of prefix.
fn channels(filters: &[String]) -> BTreeSet<&str> {
    filters.iter().map(|filter| filter.strip_prefix("+/+/+/").expect("any prefix of three levels")).collect()
}

#[test]
fn at_a_broker_the_manifest_asks_for_the_channels_of_devices_and_for_no_keys_of_theirs() {
    let manifest = manifest();
    let asked = &manifest["capabilities"]["mqtt"]["broker"];
    let words = |value: &toml::Value| value.clone().try_into::<Vec<String>>().expect("words");
    let heard = ["telemetry", "status", "shadow/report", "alert", "command/response", "config", "config/ack"];
    assert_eq!(channels(&words(&asked["subscribe"])), heard.into());
    assert_eq!(channels(&words(&asked["publish"])), ["command", "config", "shadow/desired"].into());
    let events = &manifest["capabilities"]["events"]["telemetry"]["from"]["mqtt.broker"];
    assert_eq!(words(&events["subscribe"]), words(&asked["subscribe"]));
    assert_eq!(manifest["capabilities"]["keyvalue"]["history"]["scope"].as_str(), Some("shared"));
}

#[test]
fn only_what_acts_publishes_and_each_to_its_own_channels() {
    for tool in all() {
        let name = tool["name"].as_str().expect("a name");
        let filters = words(&tool["manifest"]["reach"]["mqtt.broker"]["publish"]);
        let expected: &[&str] = match name {
            "send_command" => &["command"],
            "configure_device" => &["config", "shadow/desired"],
            _ => &[],
        };
        assert_eq!(channels(&filters), expected.iter().copied().collect(), "{name}");
    }
}

#[test]
fn every_way_is_optional_and_every_capability_of_the_other_way_too() {
    let manifest = manifest();
    for (kind, requests) in manifest["capabilities"].as_table().expect("capabilities") {
        for (name, request) in requests.as_table().expect("requests") {
            assert_eq!(request["optional"].as_bool(), Some(true), "{kind}.{name}");
        }
    }
}
