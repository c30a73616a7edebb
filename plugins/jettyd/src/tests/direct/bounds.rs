//! What devices say is somebody else's text: cut, cleaned, and bounded in number.

use fleetgate_sdk::prelude::*;

use super::{Direct, event, telemetry};

/// The largest record that is kept of a device, in bytes.
fn record(direct: &Direct) -> usize {
    direct.kept("d/d1")[0].1.to_string().len()
}

#[test]
fn names_that_a_device_gives_itself_are_cut_and_cleaned() {
    let direct = Direct::new();
    let name = format!("Pump\u{1b}[31m\n{}", "é".repeat(90));
    direct.says("telemetry", telemetry(json!({ "system.name": name, "system.device_type": "a\tb" })));
    direct.says("status", json!({ "status": "updated", "version": format!("1.0\u{7}{}", "x".repeat(500)) }));
    let device = direct.data("get_device", json!({ "device_id": "d1" }));
    let name = device["name"].as_str().expect("a name");
    assert!(
        name.starts_with("Pump[31m") && name.chars().count() == 98 && !name.contains('\u{1b}'),
        "{name:?}"
    );
    assert_eq!(device["device_type_id"], "ab");
    assert_eq!(device["firmware_version"].as_str().map(str::len), Some(100));
}

#[test]
fn a_long_text_or_key_is_no_reading_whether_it_is_measured_or_reported() {
    let long = "x".repeat(257);
    let key = "k".repeat(129);
    for channel in ["telemetry", "shadow/report"] {
        let direct = Direct::new();
        let said = json!({ "t": 1, "long": long, key.clone(): 1, "a\nb": 1, "": 1 });
        let said = match channel {
            "telemetry" => json!({ "readings": said }),
            _ => json!({ "reported": said }),
        };
        direct.says(channel, said);
        let fault = direct.fault("read_sensor", json!({ "device_id": "d1", "sensor_key": "other" }));
        assert_eq!(fault.details.expect("details")["sensor_keys"], json!(["t"]), "{channel}");
    }
}

#[test]
fn a_device_with_ever_new_sensors_is_remembered_in_part() {
    let direct = Direct::new();
    for part in 0..20 {
        let text = "x".repeat(200);
        let many: serde_json::Map<_, _> =
            (0..100).map(|n| (format!("s{}", part * 100 + n), json!(text))).collect();
        direct.said("jettyd/acme/d1/telemetry", telemetry(Value::Object(many.clone())), 100 - part);
        direct.said("jettyd/acme/d1/shadow/report", json!({ "reported": many }), 100 - part);
    }
    let kept = direct.kept("d/d1")[0].1["values"].as_object().map(serde_json::Map::len);
    assert_eq!(kept, Some(512));
    assert!(record(&direct) < 200_000, "{}", record(&direct));
    assert_eq!(
        direct.data("read_sensor", json!({ "device_id": "d1", "sensor_key": "s1999" }))["unit"],
        Value::Null
    );
}

#[test]
fn an_alert_is_cut_and_cleaned_and_so_is_a_rule_of_somebody_elses_script() {
    let direct = Direct::new();
    let long = format!("Hot\u{1b}[0m{}", "x".repeat(5000));
    direct.says("alert", json!({ "message": long, "severity": long }));
    let rule = json!({
        "id": long, "when": { "type": "threshold", "sensor": "t", "op": ">", "value": 1 },
        "then": [{ "type": "alert", "message": long, "severity": long }]
    });
    direct.says("config", json!({ "version": 1, "rules": [rule], "heartbeats": [] }));
    direct.says("command/response", json!({ "type": "config_accepted", "rules": 1, "heartbeats": 0 }));
    let alerts = direct.data("list_alerts", json!({}))["alerts"].as_array().cloned().expect("alerts");
    assert!(!alerts.is_empty());
    for alert in alerts {
        for key in ["id", "name", "severity"] {
            let text = alert[key].as_str().expect("a text");
            assert!(text.chars().count() <= 104 && !text.contains('\u{1b}'), "{key}: {}", text.len());
        }
    }
}

#[test]
fn what_a_device_objects_to_is_bounded_in_number_and_length() {
    let objection = json!({ "rule": "r".repeat(500), "error": format!("\u{1b}{}", "e".repeat(500)) });
    let answer = json!({ "type": "config_rejected", "errors": vec![objection; 50] });
    let broker = super::broker().on("jettyd/acme/+/config", move |_: &fleetgate_sdk::testing::Published| {
        fleetgate_sdk::testing::Reaction::new().says("jettyd/acme/d1/alert", answer.to_string())
    });
    let config = json!({ "rules": [], "heartbeats": [] });
    let (text, data) =
        Direct::beside(broker).failure("configure_device", json!({ "device_id": "d1", "config": config }));
    assert_eq!(data["errors"].as_array().map(Vec::len), Some(24));
    assert_eq!(data["errors"][0]["rule"].as_str().map(str::len), Some(100));
    assert!(text.len() < 20_000 && !text.contains('\u{1b}'), "{}", text.len());
}

#[test]
fn a_message_that_is_too_large_for_a_device_is_refused_on_every_channel() {
    let direct = Direct::new();
    let large = json!({ "message": "x".repeat(70_000), "readings": {}, "status": "online", "reported": {} })
        .to_string();
    for channel in
        ["telemetry", "status", "shadow/report", "alert", "command/response", "config", "config/ack"]
    {
        let answers = direct.deliver(vec![event(&format!("jettyd/acme/d1/{channel}"), &large, 0)]);
        assert!(answers[0].as_ref().is_err_and(|fault| fault.code.starts_with("malformed-")), "{channel}");
    }
    assert!(direct.kept("d/").is_empty());
}

#[test]
fn an_answer_to_a_command_that_is_very_long_is_told_and_its_reason_cut() {
    let broker = super::broker().on("jettyd/acme/+/command", |command: &fleetgate_sdk::testing::Published| {
        let answer = json!({
            "id": command.json()["id"], "status": "failed", "result": { "error": format!("\u{1b}{}", "e".repeat(3000)) }
        });
        fleetgate_sdk::testing::Reaction::new().says("jettyd/acme/d1/command/response", answer.to_string())
    });
    let (_, data) =
        Direct::beside(broker).failure("send_command", json!({ "device_id": "d1", "command": "ping" }));
    assert_eq!(data["error"].as_str().map(str::len), Some(100));
}
