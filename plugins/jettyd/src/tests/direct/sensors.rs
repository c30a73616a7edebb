//! read_sensor: the last value that was heard.

use fleetgate_sdk::prelude::*;

use super::{Direct, TOPIC, ms, telemetry};

fn read(direct: &Direct, key: &str) -> Value {
    direct.data("read_sensor", json!({ "device_id": "d1", "sensor_key": key }))
}

#[test]
fn the_last_value_comes_with_unit_and_the_devices_time() {
    let direct = Direct::new();
    let at = ms(30) / 1000;
    direct.says("telemetry", json!({ "ts": at, "readings": { "air.temperature": 21.5 } }));
    let value = read(&direct, "air.temperature");
    assert_eq!((&value["value"], &value["unit"]), (&json!(21.5), &json!("C")));
    let told = crate::time::of_ms(i64::try_from(at * 1000).expect("it fits")).to_string();
    assert_eq!(value["timestamp"], told);
}

#[test]
fn seconds_milliseconds_and_words_are_the_same_time() {
    let at = ms(30) / 1000 * 1000;
    let told = crate::time::of_ms(i64::try_from(at).expect("it fits")).to_string();
    for ts in [json!(at / 1000), json!(at), json!((at / 1000).to_string()), json!(told)] {
        let direct = Direct::new();
        direct.says("telemetry", json!({ "ts": ts, "readings": { "t": 1 } }));
        assert_eq!(read(&direct, "t")["timestamp"], told, "{ts}");
    }
}

#[test]
fn values_may_be_numbers_texts_and_flags() {
    let direct = Direct::new();
    direct.says("telemetry", telemetry(json!({ "a": "23.5", "b": true, "c": "idle", "d": -1 })));
    assert_eq!(
        ["a", "b", "c", "d"].map(|key| read(&direct, key)["value"].clone()),
        [json!(23.5), json!(true), json!("idle"), json!(-1)]
    );
}

#[test]
fn without_a_time_or_with_an_impossible_one_a_value_counts_from_when_it_was_heard_and_nothing_is_lost() {
    for ts in [json!(null), json!(86_400), json!(ms(0) / 1000 + 86_400), json!("soon"), json!(-5), json!(0)] {
        let direct = Direct::new();
        direct.said(&format!("{TOPIC}/telemetry"), json!({ "ts": ts, "readings": { "t": 7 } }), 60);
        let value = read(&direct, "t");
        assert_eq!(value["value"], 7, "{ts}");
        let told = crate::time::read(&value["timestamp"]).expect("a time").as_millisecond();
        let heard = i64::try_from(ms(60)).expect("it fits");
        assert!((told - heard).abs() < 5000, "{ts}: {told} {heard}");
        assert_eq!(direct.kept("h/").len(), 1, "{ts}");
    }
}

#[test]
fn what_was_measured_before_and_heard_later_does_not_replace_the_last_value() {
    let direct = Direct::new();
    direct.says("telemetry", json!({ "ts": ms(10) / 1000, "readings": { "t": 2 } }));
    direct.says("telemetry", json!({ "ts": ms(500) / 1000, "readings": { "t": 1, "other": 5 } }));
    assert_eq!(
        (read(&direct, "t")["value"].clone(), read(&direct, "other")["value"].clone()),
        (json!(2), json!(5))
    );
}

#[test]
fn a_key_is_its_end_if_that_says_which_and_is_refused_otherwise() {
    let direct = Direct::new();
    direct.says("telemetry", telemetry(json!({ "air.temperature": 1, "soil.temperature": 2, "soil.moisture": 3, "_x": 4, "mac_address": "a" })));
    assert_eq!(read(&direct, "moisture")["sensor_key"], "soil.moisture");
    let fault = direct.fault("read_sensor", json!({ "device_id": "d1", "sensor_key": "temperature" }));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/sensor_key")));
    for key in ["co2", "_x", "mac_address"] {
        let fault = direct.fault("read_sensor", json!({ "device_id": "d1", "sensor_key": key }));
        let keys = json!(["air.temperature", "soil.moisture", "soil.temperature"]);
        assert_eq!(
            (fault.code.as_str(), fault.details.expect("details")["sensor_keys"].clone()),
            ("unknown", keys),
            "{key}"
        );
    }
}

#[test]
fn a_report_brings_values_too() {
    let direct = Direct::new();
    direct.says(
        "shadow/report",
        json!({ "reported": { "valve.state": true }, "desired": null, "metadata": {} }),
    );
    assert_eq!(read(&direct, "valve.state")["value"], true);
}
