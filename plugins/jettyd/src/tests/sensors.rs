//! read_sensor by the API.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Request, Response};

use super::played::{ID, Played, not_found};

fn shadow() -> Value {
    json!({
        "reported": {
            "air.temperature": 23.1, "soil.temperature": "12.5", "soil.moisture": 41, "valve.state": false,
            "mode": "auto", "_vm": 1, "mac_address": "00:11"
        },
        "desired": null, "metadata": { "last_report": 1_710_763_200 }
    })
}

fn with_shadow() -> Played {
    Played::new(|request: &Request| match request.path() {
        path if path.ends_with("/shadow") => Response::json(200, shadow()),
        path if path.ends_with("/telemetry") => Response::json(200, json!([])),
        _ => not_found(),
    })
}

fn read(played: &Played, key: &str) -> Value {
    played.data("read_sensor", json!({ "device_id": ID, "sensor_key": key }))
}

#[test]
fn the_shadows_value_comes_with_unit_and_time() {
    let played = with_shadow();
    assert_eq!(
        read(&played, "air.temperature"),
        json!({
            "device_id": ID, "sensor_key": "air.temperature", "value": 23.1, "unit": "C",
            "timestamp": "2024-03-18T12:00:00Z"
        })
    );
    assert_eq!(played.asked(), [format!("GET /devices/{ID}/shadow")]);
}

#[test]
fn the_end_of_a_key_is_enough_if_it_says_which() {
    let value = read(&with_shadow(), "moisture");
    assert_eq!(
        (&value["sensor_key"], &value["value"], &value["unit"]),
        (&json!("soil.moisture"), &json!(41), &json!("%"))
    );
}

#[test]
fn values_may_be_numbers_texts_and_flags() {
    let played = with_shadow();
    assert_eq!(read(&played, "soil.temperature")["value"], 12.5);
    assert_eq!(read(&played, "valve.state")["value"], false);
    assert_eq!(read(&played, "mode")["value"], "auto");
    assert_eq!(read(&played, "mode")["unit"], Value::Null);
}

#[test]
fn an_ambiguous_key_is_refused_with_the_candidates() {
    let played = with_shadow();
    let fault = played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "temperature" }));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/sensor_key")));
    assert_eq!(fault.details.expect("details")["candidates"], json!(["air.temperature", "soil.temperature"]));
}

#[test]
fn an_unknown_key_is_refused_with_the_keys_that_exist() {
    let fault = with_shadow().fault("read_sensor", json!({ "device_id": ID, "sensor_key": "co2" }));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/sensor_key")));
    let keys = json!(["air.temperature", "mode", "soil.moisture", "soil.temperature", "valve.state"]);
    assert_eq!(fault.details.expect("details")["sensor_keys"], keys);
}

#[test]
fn hidden_keys_do_not_exist() {
    for key in ["_vm", "mac_address"] {
        assert!(
            with_shadow().fault("read_sensor", json!({ "device_id": ID, "sensor_key": key })).is("unknown")
        );
    }
}

#[test]
fn a_key_that_the_shadow_does_not_have_is_looked_for_in_the_telemetry() {
    for row in [
        json!([{ "ts": "2026-05-20T10:00:00Z", "readings": { "air.co2": 417, "air.temperature": 1 } }]),
        json!({ "data": [{ "timestamp": 1_779_271_200, "readings": { "air.co2": "417" } }] }),
        json!({ "telemetry": [{ "time": 1_779_271_200_000_i64, "metric": "air.co2", "value": 417 }] }),
    ] {
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/shadow") => Response::json(200, shadow()),
            path if path.ends_with("/telemetry") => {
                assert_eq!(request.query_string(), "metric=co2&limit=1");
                Response::json(200, row.clone())
            }
            _ => not_found(),
        });
        let value = read(&played, "co2");
        assert_eq!(
            (&value["sensor_key"], &value["value"], &value["timestamp"]),
            (&json!("air.co2"), &json!(417), &json!("2026-05-20T10:00:00Z"))
        );
    }
}

#[test]
fn a_device_without_a_shadow_is_read_by_its_telemetry() {
    for status in [404, 500] {
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/telemetry") => {
                Response::json(200, json!([{ "ts": 1_779_271_200, "readings": { "t": 1 } }]))
            }
            _ => Response::status(status),
        });
        assert_eq!(read(&played, "t")["value"], 1);
    }
}

#[test]
fn the_newest_row_counts_whatever_their_order() {
    for rows in [[1, 2], [2, 1]] {
        let rows = rows.map(|n| json!({ "ts": 1_779_271_200 + n, "readings": { "t": n } }));
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/telemetry") => Response::json(200, json!(rows)),
            _ => Response::status(404),
        });
        assert_eq!(read(&played, "t")["value"], 2);
    }
}

#[test]
fn a_credential_that_is_refused_is_not_tried_again() {
    let played = Played::new(|_: &Request| Response::json(401, json!({ "error": "unauthorized" })));
    assert!(played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "t" })).is("denied"));
    assert_eq!(played.asked().len(), 1);
}

#[test]
fn a_server_that_refuses_a_metric_that_it_does_not_know_is_understood() {
    for status in [400, 404, 422] {
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/shadow") => Response::json(200, shadow()),
            _ => Response::status(status),
        });
        let fault = played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "co2" }));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("unknown", Some("/sensor_key")),
            "{status}"
        );
    }
}
