//! list_alerts: what was heard, and when it is over.

use fleetgate_sdk::prelude::*;

use super::{Direct, TOPIC, ms, telemetry};

fn states(direct: &Direct) -> Vec<(Value, Value)> {
    let listed = direct.data("list_alerts", json!({}));
    let alerts = listed["alerts"].as_array().expect("alerts").iter();
    alerts.map(|alert| (alert["name"].clone(), alert["state"].clone())).collect()
}

/// A device with a rule that warns when its soil is dry.
fn with_rule() -> Direct {
    let direct = Direct::with_device();
    let script = json!({
        "version": 1, "heartbeats": [],
        "rules": [{
            "id": "r1", "when": { "type": "threshold", "sensor": "soil.moisture", "op": "<", "value": 20 },
            "then": [{ "type": "alert", "message": "Dry", "severity": "warning" }]
        }]
    });
    direct.says("config", script);
    direct.says("command/response", json!({ "type": "config_accepted", "rules": 1, "heartbeats": 0 }));
    direct
}

#[test]
fn an_alert_is_fired_when_it_is_heard() {
    let direct = Direct::with_device();
    let at = ms(30) / 1000;
    direct.says("alert", json!({ "ts": at, "message": "Dry", "severity": "warning" }));
    let told = crate::time::of_ms(i64::try_from(at * 1000).expect("it fits")).to_string();
    assert_eq!(
        direct.data("list_alerts", json!({})),
        json!({
            "alerts": [{
                "id": "d1/Dry", "name": "Dry", "device_id": "d1", "trigger": null, "channels": [],
                "severity": "warning", "state": "fired", "last_fired_at": told
            }],
            "next_cursor": null
        })
    );
}

#[test]
fn an_alert_is_over_when_the_device_says_so() {
    let direct = Direct::with_device();
    direct.said(&format!("{TOPIC}/alert"), json!({ "message": "Dry" }), 60);
    direct.said(&format!("{TOPIC}/alert"), json!({ "message": "Dry", "state": "resolved" }), 30);
    assert_eq!(states(&direct), [(json!("Dry"), json!("resolved"))]);
    direct.said(&format!("{TOPIC}/alert"), json!({ "message": "Dry" }), 10);
    assert_eq!(states(&direct), [(json!("Dry"), json!("fired"))], "and it can fire again");
}

#[test]
fn an_alert_that_is_not_heard_again_for_an_hour_is_over() {
    let direct = Direct::with_device();
    direct.said(&format!("{TOPIC}/alert"), json!({ "message": "Dry" }), 3700);
    direct.said(&format!("{TOPIC}/alert"), json!({ "message": "Hot" }), 3500);
    assert_eq!(states(&direct), [(json!("Dry"), json!("resolved")), (json!("Hot"), json!("fired"))]);
}

#[test]
fn a_known_rule_gives_the_trigger_and_its_sensor_says_when_it_is_over() {
    let direct = with_rule();
    assert_eq!(states(&direct), [(json!("Dry"), json!("resolved"))], "a rule that never fired is listed");
    direct.said(&format!("{TOPIC}/alert"), json!({ "message": "Dry", "severity": "warning" }), 60);
    let listed = direct.data("list_alerts", json!({}));
    assert_eq!(listed["alerts"][0]["id"], "d1/r1");
    assert_eq!(listed["alerts"][0]["trigger"], json!({ "sensor": "soil.moisture", "op": "<", "value": 20 }));
    assert_eq!(states(&direct), [(json!("Dry"), json!("fired"))]);
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "soil.moisture": 12 })), 40);
    assert_eq!(states(&direct), [(json!("Dry"), json!("fired"))]);
    direct.said(&format!("{TOPIC}/telemetry"), telemetry(json!({ "soil.moisture": 35 })), 20);
    assert_eq!(states(&direct), [(json!("Dry"), json!("resolved"))]);
}

#[test]
fn a_failsafe_is_critical_and_a_refused_configuration_is_no_alert() {
    let direct = Direct::with_device();
    direct.says("alert", json!({ "type": "failsafe", "reason": "no network" }));
    direct.says("alert", json!({ "type": "config_rejected", "errors": [{ "rule": "r1", "error": "x" }] }));
    let listed = direct.data("list_alerts", json!({}));
    assert_eq!(listed["alerts"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&listed["alerts"][0]["name"], &listed["alerts"][0]["severity"]),
        (&json!("failsafe: no network"), &json!("critical"))
    );
}

#[test]
fn alerts_are_filtered_and_come_in_pages() {
    let direct = Direct::with_device();
    for n in 0..5 {
        direct.says("alert", json!({ "message": format!("a{n}") }));
    }
    direct.said("jettyd/acme/d2/telemetry", telemetry(json!({ "t": 1 })), 0);
    direct.said("jettyd/acme/d2/alert", json!({ "message": "b", "resolved": true }), 0);
    let count = |arguments: Value| direct.data("list_alerts", arguments)["alerts"].as_array().map(Vec::len);
    assert_eq!(count(json!({})), Some(6));
    assert_eq!(count(json!({ "state": "fired" })), Some(5));
    assert_eq!(count(json!({ "state": "resolved" })), Some(1));
    assert_eq!(count(json!({ "device_id": "d2" })), Some(1));
    let first = direct.data("list_alerts", json!({ "limit": 4 }));
    assert_eq!(first["next_cursor"], "d1/a3");
    assert_eq!(count(json!({ "limit": 4, "cursor": "d1/a3" })), Some(2));
}

#[test]
fn a_device_that_warns_of_something_new_each_time_is_remembered_in_part() {
    let direct = Direct::with_device();
    for n in 0..100 {
        direct.says("alert", json!({ "message": format!("{n} degrees") }));
    }
    assert_eq!(direct.kept("a/").len(), 64);
}

#[test]
fn a_device_that_warns_of_many_things_at_once_is_remembered_in_part() {
    let direct = Direct::with_device();
    let batch = (0..100).map(|n| {
        super::event(&format!("{TOPIC}/alert"), &json!({ "message": format!("{n} degrees") }).to_string(), 0)
    });
    assert!(direct.deliver(batch.collect()).iter().all(Result::is_ok));
    assert_eq!(direct.kept("a/").len(), 64);
}

#[test]
fn every_alert_is_on_some_page_however_many_there_are() {
    let direct = Direct::new();
    direct.host.run(|| {
        let bucket = fleetgate_sdk::keyvalue::Bucket::open("keyvalue.history").expect("it is granted");
        for device in 0..90 {
            let batch = (0..60).fold(bucket.batch(), |batch, n| {
                let alert = json!({
                    "name": format!("a{n}"), "message": "m", "severity": null, "fired": ms(10), "resolved": null,
                    "trigger": null
                });
                batch.set_json(&format!("a/d-{device}/{n:03}"), &alert)
            });
            batch.write().expect("it is kept");
        }
    });
    assert_eq!(direct.data("get_fleet_status", json!({}))["devices_with_active_alerts"], Value::Null);
    let (mut seen, mut cursor) = (std::collections::BTreeSet::new(), Value::Null);
    for _ in 0..20 {
        let mut arguments = json!({ "limit": 500 });
        if !cursor.is_null() {
            arguments["cursor"] = cursor;
        }
        let page = direct.data("list_alerts", arguments);
        seen.extend(page["alerts"].as_array().expect("alerts").iter().map(|alert| alert["id"].to_string()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((seen.len(), cursor), (90 * 60, Value::Null));
    assert_eq!(direct.fault("list_alerts", json!({ "cursor": "x" })).field.as_deref(), Some("/cursor"));
}
