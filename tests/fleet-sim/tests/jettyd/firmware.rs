//! What a device does, as the public firmware does it.

use fleet_sim::jettyd::firmware::{Complaint, Dialect, Model, Unit};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::noon;

fn unit(model: Model) -> Unit {
    Unit::new(model, 1, noon())
}

fn obeyed(unit: &mut Unit, command: Value) -> Value {
    unit.obey(&command, Dialect::Action, noon()).to_json()
}

#[test]
fn readings_hold_every_capability_and_the_system_and_are_another_on_another_device() {
    let readings = unit(Model::SoilMoisture).readings(noon());
    let names: Vec<_> = readings.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "soil.moisture",
            "air.temperature",
            "air.humidity",
            "valve.state",
            "system.battery",
            "system.rssi",
            "system.uptime",
            "system.heap_free",
        ]
    );
    let other = Unit::new(Model::SoilMoisture, 40, noon()).readings(noon());
    assert_ne!(readings["air.temperature"], other["air.temperature"]);
    assert!(Value::Object(readings).to_string().len() < 512, "a message of the firmware");
}

#[test]
fn commands_are_answered_in_the_firmwares_words() {
    let mut soil = unit(Model::SoilMoisture);
    let answer = |status: &str, result: Value| json!({"id": "c", "status": status, "result": result});
    let mut of = |action: &str| obeyed(&mut soil, json!({"id": "c", "action": action}));
    assert_eq!(of("valve.on"), answer("acked", json!({"valve.state": true})));
    assert_eq!(of("valve.off"), answer("acked", json!({"valve.state": false})));
    assert_eq!(of("ping"), answer("acked", json!({"message": "pong"})));
    assert_eq!(of("reboot"), answer("acked", json!({"message": "Rebooting..."})));
    assert_eq!(of("air.on"), answer("rejected", json!({"error": "Not switchable"})));
    assert_eq!(of("valve.spin"), answer("rejected", json!({"error": "Unknown action"})));
    assert_eq!(of("pump.on"), answer("rejected", json!({"error": "Unknown device instance"})));
    assert_eq!(of("set_relay"), answer("rejected", json!({"error": "Unknown system command"})));
    let read = of("air.read");
    assert!(read["result"]["air.temperature"].is_number() && read["result"]["air.humidity"].is_number());
    // A command without an id is answered all the same, and one that names no action is an unknown one.
    assert_eq!(obeyed(&mut soil, json!({"id": 7, "action": "ping"}))["id"], "unknown");
    assert_eq!(obeyed(&mut soil, json!({}))["result"], json!({"error": "Unknown system command"}));
    soil.broken.insert("valve".into());
    assert_eq!(obeyed(&mut soil, json!({"id": "c", "action": "valve.on"})), answer("rejected", json!({})));
}

#[test]
fn a_switch_goes_off_when_it_was_told_to_and_at_the_latest_when_its_driver_says() {
    let mut soil = unit(Model::SoilMoisture);
    let after = |seconds| noon() + SignedDuration::from_secs(seconds);
    let on = json!({"id": "c", "action": "valve.on", "params": {"duration": 300}});
    let ends = noon().as_second() + 300;
    assert_eq!(obeyed(&mut soil, on)["result"], json!({"valve.state": true, "will_auto_off_at": ends}));
    assert!(soil.is_on("valve", after(299)) && !soil.is_on("valve", after(300)));
    obeyed(&mut soil, json!({"id": "c", "action": "valve.on"}));
    assert!(soil.is_on("valve", after(1_799)) && !soil.is_on("valve", after(1_800)));
    assert!(!soil.is_on("valve", after(-1)), "the past stays what it was");
}

#[test]
fn newer_firmware_reads_both_dialects_and_the_older_one_only_its_own() {
    let newer = json!({"id": "c", "command_type": "ch1.on", "payload": {"duration": 60}});
    let older = json!({"id": "c", "action": "ch1.on", "params": {"duration": 60}});
    let status = |dialect, command| unit(Model::RelayController).obey(command, dialect, noon()).status;
    assert_eq!(status(Dialect::Action, &older), "acked");
    assert_eq!(status(Dialect::Action, &newer), "rejected");
    assert_eq!(status(Dialect::CommandType, &older), "acked");
    assert_eq!(status(Dialect::CommandType, &newer), "acked");
}

#[test]
fn a_configuration_replaces_all_or_nothing() {
    let mut soil = unit(Model::SoilMoisture);
    let hot = json!({"type": "threshold", "sensor": "air.temperature", "op": ">", "value": 30});
    let good = json!({
        "version": 1, "rules": [{"id": "hot", "when": hot, "then": [{"action": "switch_on", "target": "valve"}]}],
        "heartbeats": [{"id": "h1", "every": 30, "metrics": ["soil.moisture"]}],
    });
    let accepted = soil.configure(good.to_string().as_bytes()).unwrap();
    assert_eq!(accepted.to_json(), json!({"type": "config_accepted", "rules": 1, "heartbeats": 1}));
    let bad = json!({
        "version": 1,
        "rules": [
            {"id": "a rule with a long name", "when": {"type": "threshold", "sensor": "soil.ph"}},
            {"when": {"type": "moon"}, "then": [{"action": "switch_on", "target": "pump"}]},
            {"id": "r3"},
        ],
        "heartbeats": [{"id": "h1", "every": 5}],
    });
    let complaints = soil.configure(bad.to_string().as_bytes()).unwrap_err();
    assert_eq!(
        Complaint::to_json(&complaints),
        json!({"type": "config_rejected", "errors": [
            {"rule": "a rule ", "error": "Unknown sensor: soil.ph"},
            {"rule": "r1", "error": "Unknown condition type: moon"},
            {"rule": "r1", "error": "Unknown target: pump"},
            {"rule": "r3", "error": "Missing 'when' condition"},
            {"rule": "h1", "error": "Heartbeat interval 5 below minimum 10"},
        ]})
    );
    assert_eq!(soil.config, Some(good), "what was loaded stays");
    let refused = |text: &str| unit(Model::Dimmer).configure(text.as_bytes()).unwrap_err()[0].error.clone();
    assert_eq!(refused("{"), "Invalid JSON");
    assert_eq!(refused("{}"), "Unsupported config version (expected 1)");
    assert_eq!(refused(&" ".repeat(2_049)), "Config exceeds 4KB limit");
}

#[test]
fn a_desired_state_moves_what_the_drivers_know() {
    let mut lamp = unit(Model::Dimmer);
    let desired = json!({"dimmer.level": 40, "valve.state": true, "tags": []});
    assert_eq!(lamp.desire(desired.as_object().unwrap(), noon()), ["dimmer.level"]);
    let reported = &lamp.shadow(None, noon())["reported"];
    assert_eq!(reported["dimmer.level"], 40);
    assert_eq!(
        Timestamp::from_second(lamp.shadow(None, noon())["metadata"]["last_report"].as_i64().unwrap())
            .unwrap(),
        noon().round(jiff::Unit::Second).unwrap()
    );
}
