//! Names of devices in the place of ids.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Request, Response};

use super::played::{Played, holding, not_found};

/// Three devices, known by their ids alone.
fn fleet(request: &Request) -> Response {
    let segments = request.segments();
    match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["devices"] => Response::json(
            200,
            json!([
                { "id": "d1", "name": "Greenhouse 1", "status": "online" },
                { "id": "d2", "name": "Greenhouse 10", "status": "online" },
                { "id": "d3", "name": "Pump house", "status": "online" }
            ]),
        ),
        ["devices", id @ ("d1" | "d2" | "d3")] => {
            Response::json(200, json!({ "id": id, "status": "online" }))
        }
        ["devices", "d1" | "d2" | "d3", "shadow"] => Response::json(200, json!({ "reported": { "t": 1 } })),
        _ => not_found(),
    }
}

#[test]
fn a_part_of_a_name_will_do_if_only_one_has_it() {
    let played = Played::new(fleet);
    assert_eq!(played.data("get_device", json!({ "device_id": "pUMP" }))["id"], "d3");
    assert_eq!(
        played.data("read_sensor", json!({ "device_id": "pump", "sensor_key": "t" }))["device_id"],
        "d3"
    );
}

#[test]
fn a_whole_name_comes_before_those_that_have_it_in_them() {
    let played = Played::new(fleet);
    assert_eq!(played.data("get_device", json!({ "device_id": "greenhouse 1" }))["id"], "d1");
}

#[test]
fn a_name_that_several_have_is_refused_with_all_of_them() {
    let fault = Played::new(fleet).fault("get_device", json!({ "device_id": "green" }));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/device_id")));
    assert_eq!(fault.details.expect("details")["candidates"], json!(["d1", "d2"]));
    assert!(fault.message.contains("d1 (Greenhouse 1), d2 (Greenhouse 10)"), "{}", fault.message);
}

#[test]
fn a_device_that_nobody_knows_is_unknown_in_the_words_of_the_api() {
    for tool in ["get_device", "read_sensor", "get_history"] {
        let arguments = match tool {
            "get_device" => json!({ "device_id": "nobody" }),
            "read_sensor" => json!({ "device_id": "nobody", "sensor_key": "t" }),
            _ => json!({ "device_id": "nobody", "sensor_key": "t", "from": "2026-05-20T10:00:00Z" }),
        };
        let fault = Played::new(fleet).fault(tool, arguments);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/device_id")), "{tool}");
        assert_eq!(fault.message, "jettyd API error 404: {\"error\":\"device not found\"}");
    }
}

#[test]
fn servers_that_call_a_name_a_bad_request_are_understood() {
    let played = Played::new(|request: &Request| match fleet(request) {
        _ if request.path().ends_with("/pump") => Response::json(400, json!({ "error": "invalid uuid" })),
        other => other,
    });
    assert_eq!(played.data("get_device", json!({ "device_id": "pump" }))["id"], "d3");
}

#[test]
fn servers_that_stumble_over_a_name_are_understood_and_over_an_id_are_not() {
    let stumbling = || {
        Played::new(|request: &Request| match fleet(request) {
            _ if request.path().ends_with("/pump") || request.path().ends_with("/d1") => {
                Response::status(500)
            }
            other => other,
        })
    };
    assert_eq!(stumbling().data("get_device", json!({ "device_id": "pump" }))["id"], "d3");
    let fault = stumbling().fault("get_device", json!({ "device_id": "d1" }));
    assert!(fault.retryable && fault.message.starts_with("jettyd API error 500"), "{fault}");
}

#[test]
fn who_may_not_list_devices_learns_no_names() {
    let played = Played::with(holding(&["telemetry:read"]), fleet);
    let fault = played.fault("read_sensor", json!({ "device_id": "green", "sensor_key": "t" }));
    assert!(fault.is("unknown"), "{fault}");
    assert!(!played.asked().contains(&"GET /devices".to_owned()));
}

#[test]
fn what_acts_takes_an_id_and_never_a_name() {
    for (tool, arguments) in [
        ("send_command", json!({ "device_id": "pump", "command": "reboot" })),
        ("configure_device", json!({ "device_id": "pump", "config": { "telemetry_interval_s": 60 } })),
    ] {
        let played = Played::new(fleet);
        let fault = played.fault(tool, arguments);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/device_id")), "{tool}");
        assert_eq!(played.asked().len(), 1, "{tool}");
    }
}
