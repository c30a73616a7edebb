//! list_alerts by the API.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Request, Response};

use super::played::{Played, host};

fn two() -> Value {
    json!([
        {
            "id": "al_1", "name": "Too hot", "device_id": "d1",
            "trigger": { "sensor": "air.temperature", "op": ">", "value": 30 }, "channels": ["email"],
            "severity": "warning", "state": "fired", "last_fired_at": "2026-05-20T10:01:22Z"
        },
        { "id": "al_2", "name": "Dry", "device_id": "d2", "state": "resolved" }
    ])
}

#[test]
fn alerts_are_listed_with_trigger_channels_and_state() {
    for answer in [two(), json!({ "alerts": two() }), json!({ "data": two() })] {
        let played = Played::new(move |_: &Request| Response::json(200, answer.clone()));
        let listed = played.data("list_alerts", json!({}));
        assert_eq!(listed["alerts"][0], two()[0]);
        assert_eq!(
            (listed["alerts"].as_array().map(Vec::len), &listed["next_cursor"]),
            (Some(2), &Value::Null)
        );
        assert_eq!(played.asked(), ["GET /alerts"]);
    }
}

#[test]
fn filters_go_to_the_server_and_hold_where_it_does_not_know_them() {
    let played = Played::new(|request: &Request| {
        assert_eq!(request.query_string(), "state=fired&device_id=d1&limit=10&cursor=c");
        Response::json(200, json!({ "alerts": two(), "next_cursor": "d" }))
    });
    let wanted = json!({ "state": "fired", "device_id": "d1", "limit": 10, "cursor": "c" });
    let listed = played.data("list_alerts", wanted);
    assert_eq!((listed["alerts"].as_array().map(Vec::len), &listed["next_cursor"]), (Some(1), &json!("d")));
}

#[test]
fn only_what_was_asked_for_is_asked_of_the_server() {
    let played = Played::new(|_: &Request| Response::json(200, two()));
    played.data("list_alerts", json!({}));
    assert_eq!(played.requests()[0].query_string(), "");
}

#[test]
fn an_alert_of_which_nobody_says_whether_it_is_fired_is_not_hidden() {
    let played = Played::new(|_: &Request| {
        Response::json(200, json!([{ "id": "1", "name": "Too hot" }, { "id": "2", "state": "resolved" }]))
    });
    let listed = played.data("list_alerts", json!({ "state": "fired" }));
    assert_eq!(listed["alerts"].as_array().map(Vec::len), Some(1));
    assert_eq!((&listed["alerts"][0]["id"], &listed["alerts"][0]["state"]), (&json!("1"), &json!("unknown")));
}

#[test]
fn no_more_are_given_than_asked_for() {
    let played = Played::new(|_: &Request| Response::json(200, two()));
    let listed = played.data("list_alerts", json!({ "limit": 1 }));
    assert_eq!(listed["alerts"].as_array().map(Vec::len), Some(1));
    assert!(listed["note"].is_string());
}

#[test]
fn the_operator_says_where_the_list_is() {
    let played = Played::with(host().config("alerts_path", "rules"), |_: &Request| {
        Response::json(200, json!({ "rules": two() }))
    });
    assert_eq!(played.data("list_alerts", json!({}))["alerts"].as_array().map(Vec::len), Some(2));
    assert_eq!(played.asked(), ["GET /rules"]);
}

#[test]
fn where_there_is_no_list_the_rules_of_the_devices_are_read() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, json!([{ "id": "d1" }, { "id": "d2" }])),
        "/devices/d1/config" => Response::json(
            200,
            json!({ "config": { "version": 1, "rules": [
                {
                    "id": "r1", "when": { "type": "threshold", "sensor": "soil.moisture", "op": "<", "value": 20 },
                    "then": [{ "type": "alert", "message": "Dry", "severity": "info" }]
                },
                { "id": "r2", "then": [{ "type": "report" }] }
            ] } }),
        ),
        _ => Response::status(404),
    });
    let listed = played.data("list_alerts", json!({ "state": "fired" }));
    assert_eq!(
        listed["alerts"],
        json!([{
            "id": "d1/r1", "name": "Dry", "device_id": "d1",
            "trigger": { "sensor": "soil.moisture", "op": "<", "value": 20 },
            "channels": [], "severity": "info", "state": "unknown", "last_fired_at": null
        }])
    );
    assert!(listed["note"].as_str().is_some_and(|note| note.contains("has no list of alerts")));
}

#[test]
fn a_list_that_cannot_be_read_now_is_not_replaced_by_a_guess() {
    let played = Played::new(|_: &Request| Response::status(503));
    assert!(played.fault("list_alerts", json!({})).is("unavailable"));
    assert_eq!(played.asked().len(), 1);
}

#[test]
fn arguments_that_no_list_has_are_refused() {
    for (arguments, field) in [
        (json!({ "state": "loud" }), "/state"),
        (json!({ "limit": 0 }), "/limit"),
        (json!({ "limit": 501 }), "/limit"),
    ] {
        let played = Played::new(|_: &Request| Response::json(200, two()));
        assert_eq!(played.fault("list_alerts", arguments).field.as_deref(), Some(field));
        assert!(played.asked().is_empty());
    }
}

#[test]
fn rules_that_may_not_be_read_are_a_refusal_and_not_an_empty_list() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, json!([{ "id": "d1" }, { "id": "d2" }])),
        "/alerts" => Response::status(404),
        _ => Response::status(403),
    });
    assert!(played.fault("list_alerts", json!({})).is("denied"));
}

#[test]
fn one_device_whose_id_no_path_can_hold_costs_no_rules_of_the_others() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, json!([{ "id": "hall/7" }, { "id": "d2" }])),
        "/devices/d2/config" => Response::json(
            200,
            json!({ "version": 1, "rules": [{
                "id": "r1", "when": { "type": "threshold", "sensor": "soil.moisture", "op": "<", "value": 20 },
                "then": [{ "type": "alert", "message": "Dry", "severity": "info" }]
            }] }),
        ),
        _ => Response::status(404),
    });
    let listed = played.data("list_alerts", json!({}));
    assert_eq!(listed["alerts"][0]["id"], "d2/r1");
    assert!(listed["note"].as_str().is_some_and(|note| note.contains("no path can hold")), "{listed}");
    assert!(played.fault("list_alerts", json!({ "device_id": "hall/7" })).is("invalid-arguments"));
}

#[test]
fn a_list_that_the_server_gives_whole_can_be_read_to_its_end() {
    let all: Vec<_> = (0..250).map(|n| json!({ "id": format!("a{n}"), "state": "fired" })).collect();
    let played = Played::new(move |_: &Request| Response::json(200, all.clone()));
    let mut ids = Vec::new();
    let mut arguments = json!({});
    for pages in 1.. {
        let listed = played.data("list_alerts", arguments.clone());
        ids.extend(listed["alerts"].as_array().expect("alerts").iter().map(|alert| alert["id"].clone()));
        let Some(cursor) = listed["next_cursor"].as_str() else {
            assert_eq!(pages, 3);
            break;
        };
        arguments = json!({ "cursor": cursor, "limit": 100.0 });
    }
    assert_eq!(ids.len(), 250);
    assert_eq!(ids[249], "a249");
    assert!(played.requests()[1..].iter().all(|request| request.query_string().is_empty()));
    let fault = played.fault("list_alerts", json!({ "cursor": "behind:gone" }));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/cursor")));
}
