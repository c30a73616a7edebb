//! list_devices, get_device, get_fleet_status: devices as they were heard.

use fleetgate_sdk::prelude::*;

use super::{Direct, TOPIC, event, ms, telemetry};

fn status(direct: &Direct, id: &str) -> Value {
    direct.data("get_device", json!({ "device_id": id }))["status"].clone()
}

#[test]
fn a_device_is_there_once_it_was_heard() {
    let direct = Direct::new();
    assert_eq!(direct.data("list_devices", json!({})), json!({ "devices": [], "count": 0 }));
    direct.says("telemetry", telemetry(json!({ "air.temperature": 20 })));
    direct.said("jettyd/acme/d2/status", json!({ "status": "online" }), 0);
    let listed = direct.data("list_devices", json!({}));
    assert_eq!(listed["count"], 2);
    assert_eq!(
        (&listed["devices"][0]["id"], &listed["devices"][0]["status"]),
        (&json!("d1"), &json!("online"))
    );
    assert!(listed["devices"][0]["last_seen_at"].is_string());
}

#[test]
fn a_device_is_offline_after_three_minutes_of_silence() {
    let direct = Direct::new();
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "t": 1 })), 170);
    assert_eq!(status(&direct, "d1"), "online");
    direct.said("jettyd/acme/d2/telemetry", telemetry(json!({ "t": 1 })), 190);
    assert_eq!(status(&direct, "d2"), "offline");
}

#[test]
fn the_operator_says_how_long_silence_may_be() {
    let direct = Direct { host: Direct::new().host.config("offline_after", "10m") };
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "t": 1 })), 500);
    assert_eq!(status(&direct, "d1"), "online");
}

#[test]
fn where_the_heartbeat_is_known_two_and_a_half_of_them_are_too_long() {
    let direct = Direct::new();
    let script =
        json!({ "version": 1, "rules": [], "heartbeats": [{ "id": "h1", "every": 600, "metrics": [] }] });
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "t": 1 })), 1450);
    direct.said(&format!("{TOPIC}/config"), script, 1450);
    direct.said(
        &format!("{TOPIC}/command/response"),
        json!({ "type": "config_accepted", "rules": 0, "heartbeats": 1 }),
        1450,
    );
    assert_eq!(status(&direct, "d1"), "online");
    let direct = Direct::new();
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "t": 1 })), 1550);
    assert_eq!(status(&direct, "d1"), "offline");
}

#[test]
fn what_a_device_says_about_itself_counts_until_it_says_something_else() {
    let direct = Direct::new();
    for word in ["updating", "updated", "error", "online"] {
        direct.says("status", json!({ "status": word }));
        assert_eq!(status(&direct, "d1"), word);
    }
    direct.said(&format!("{TOPIC}/status"), json!({ "status": "offline" }), 10);
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "t": 1 })), 5);
    assert_eq!(status(&direct, "d1"), "online", "who is heard again is there again");
}

#[test]
fn a_device_that_says_that_it_goes_is_gone_and_one_that_sleeps_sleeps() {
    let direct = Direct::with_device();
    direct.said(&format!("{TOPIC}/status"), json!({ "status": "offline" }), 0);
    assert_eq!(status(&direct, "d1"), "offline");
    let direct = Direct::new();
    direct.said(&format!("{TOPIC}/status"), json!({ "status": "sleep" }), 5000);
    assert_eq!(status(&direct, "d1"), "sleep");
}

#[test]
fn what_the_broker_kept_makes_nobody_present() {
    let direct = Direct::new();
    let mut kept = event(&format!("{TOPIC}/status"), r#"{"status":"online"}"#, 0);
    kept.attributes.insert("retained".into(), json!(true));
    assert_eq!(direct.deliver(vec![kept]), [Ok(())]);
    let device = direct.data("get_device", json!({ "device_id": "d1" }));
    assert_eq!((&device["status"], &device["last_seen_at"]), (&json!("offline"), &Value::Null));
}

#[test]
fn an_update_brings_the_version() {
    let direct = Direct::with_device();
    direct.says("status", json!({ "status": "updated", "version": "1.3.0" }));
    assert_eq!(direct.data("get_device", json!({ "device_id": "d1" }))["firmware_version"], "1.3.0");
}

#[test]
fn the_shadow_is_the_last_report_with_what_was_measured_since() {
    let direct = Direct::new();
    direct.said(
        &format!("{TOPIC}/shadow/report"),
        json!({
            "reported": { "valve.state": false, "air.temperature": 1, "system.firmware_version": "1.2.0", "_x": 1 },
            "desired": null, "metadata": { "last_report": ms(60) / 1000 }
        }),
        60,
    );
    let now = ms(0) / 1000;
    direct.says("telemetry", json!({ "ts": now, "readings": { "air.temperature": 20, "system.rssi": -54 } }));
    let device = direct.data("get_device", json!({ "device_id": "d1" }));
    assert_eq!(
        device["shadow"],
        json!({
            "reported": { "valve.state": false, "air.temperature": 20, "system.firmware_version": "1.2.0", "system.rssi": -54 },
            "desired": null, "metadata": { "last_report": now }
        })
    );
    assert_eq!(
        (&device["firmware_version"], &device["connection"]["rssi"]),
        (&json!("1.2.0"), &json!(-54.0))
    );
}

#[test]
fn the_fleet_is_counted_with_alerts_for_who_may_see_them() {
    let direct = Direct::with_device();
    direct.said("jettyd/acme/d2/telemetry", telemetry(json!({ "t": 1 })), 600);
    direct.says("alert", json!({ "message": "Dry", "severity": "warning" }));
    let status = direct.data("get_fleet_status", json!({}));
    let numbers = ["total_devices", "online_count", "offline_count", "devices_with_active_alerts"]
        .map(|key| status[key].clone());
    assert_eq!(numbers, [json!(2), json!(1), json!(1), json!(1)]);
    assert!(status["last_update"].is_string());
    let direct = Direct { host: direct.host.roles(["devices:read"]) };
    assert_eq!(direct.data("get_fleet_status", json!({}))["devices_with_active_alerts"], Value::Null);
}

#[test]
fn a_device_that_nobody_heard_is_unknown_and_those_that_were_are_named() {
    let direct = Direct::with_device();
    for (tool, arguments) in [
        ("get_device", json!({ "device_id": "nobody" })),
        ("read_sensor", json!({ "device_id": "nobody", "sensor_key": "t" })),
        ("get_history", json!({ "device_id": "nobody", "sensor_key": "t", "from": "2026-01-01T00:00:00Z" })),
        ("send_command", json!({ "device_id": "nobody", "command": "ping" })),
        ("configure_device", json!({ "device_id": "nobody", "config": { "tags": ["a"] } })),
    ] {
        let fault = direct.fault(tool, arguments);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/device_id")), "{tool}");
        assert_eq!(fault.details.expect("details")["device_ids"], json!(["d1"]), "{tool}");
    }
    assert!(direct.host.published().is_empty());
    let direct = Direct { host: direct.host.roles(["telemetry:read"]) };
    let fault = direct.fault("read_sensor", json!({ "device_id": "nobody", "sensor_key": "t" }));
    assert_eq!(fault.details, None, "who may not list devices learns no ids");
}

#[test]
fn a_part_of_an_id_or_a_name_will_do_for_looking_and_never_for_acting() {
    let direct = Direct::new();
    direct.said("jettyd/acme/dev_greenhouse/telemetry", telemetry(json!({ "t": 1 })), 0);
    direct.said("jettyd/acme/dev_2/telemetry", telemetry(json!({ "t": 1, "system.name": "Pump house" })), 0);
    assert_eq!(direct.data("get_device", json!({ "device_id": "GREEN" }))["id"], "dev_greenhouse");
    assert_eq!(direct.data("get_device", json!({ "device_id": "pump" }))["name"], "Pump house");
    direct.said("jettyd/acme/dev_3/telemetry", telemetry(json!({ "t": 1, "system.name": "Pump yard" })), 0);
    let fault = direct.fault("get_device", json!({ "device_id": "pump" }));
    assert_eq!(fault.details.expect("details")["candidates"], json!(["dev_2", "dev_3"]));
    assert!(direct.fault("send_command", json!({ "device_id": "green", "command": "ping" })).is("unknown"));
}

#[test]
fn without_a_bucket_there_is_nothing_to_tell_and_that_is_said() {
    let host =
        fleetgate_sdk::testing::Harness::new().binding("lab").roles(super::SCOPES).granted("mqtt.broker");
    let direct = Direct { host };
    for tool in ["list_devices", "get_fleet_status", "list_alerts"] {
        let fault = direct.fault(tool, json!({}));
        assert!(
            fault.is("denied") && fault.message.contains("[plugins.lab.grant.keyvalue.history]"),
            "{tool}: {fault}"
        );
    }
}

#[test]
fn where_nothing_is_listened_to_an_unknown_device_says_so() {
    let host = super::host(super::broker());
    let direct = Direct { host };
    assert!(!direct.fault("get_device", json!({ "device_id": "x" })).message.contains("listened"));
    let deaf = fleetgate_sdk::testing::Harness::new()
        .roles(super::SCOPES)
        .granted("mqtt.broker")
        .granted("keyvalue.history")
        .shared("keyvalue.history");
    let fault = Direct { host: deaf }.fault("get_device", json!({ "device_id": "x" }));
    assert!(fault.message.contains("[plugins.jettyd.grant.events.telemetry]"), "{fault}");
}

#[test]
fn a_fleet_that_is_not_counted_whole_says_so() {
    let direct = Direct::with_device();
    let record = direct.kept("d/")[0].1.to_string();
    direct.host.run(|| {
        let bucket = fleetgate_sdk::keyvalue::Bucket::open("keyvalue.history").expect("it is granted");
        for part in 0..21 {
            let batch = (0..500).fold(bucket.batch(), |batch, n| {
                batch.set(&format!("d/x{}", part * 500 + n), record.as_str())
            });
            batch.write().expect("it is kept");
        }
    });
    let status = direct.data("get_fleet_status", json!({}));
    assert_eq!((&status["total_devices"], &status["truncated"]), (&json!(10_000), &json!(true)));
    assert_eq!(direct.data("list_devices", json!({}))["truncated"], true);
    assert_eq!(
        direct.data("get_device", json!({ "device_id": "x10400" }))["id"],
        "x10400",
        "by id it is found"
    );
}
