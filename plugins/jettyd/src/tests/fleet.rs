//! list_devices, get_device, get_fleet_status by the API.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Request, Response};

use super::played::{ID, Played, SCOPES, holding, not_found};

fn device() -> Value {
    json!({
        "id": ID, "name": "greenhouse-1", "status": "online", "last_seen_at": "2026-05-20T10:01:22Z",
        "firmware_version": "1.2.0", "device_type_id": "soil-moisture-v1", "tags": ["greenhouse"]
    })
}

fn three() -> Value {
    json!([
        device(),
        { "id": "dev_2", "name": "greenhouse-2", "status": "offline", "last_seen_at": "2026-05-19T00:00:00Z" },
        { "id": "dev_3", "status": "provisioning", "last_seen_at": null }
    ])
}

#[test]
fn devices_are_listed_from_every_usual_shape() {
    for answer in [
        three(),
        json!({ "devices": three() }),
        json!({ "data": three(), "total": 3 }),
        json!({ "data": { "devices": three() } }),
    ] {
        let played = Played::new(move |_: &Request| Response::json(200, answer.clone()));
        let listed = played.data("list_devices", json!({}));
        assert_eq!(listed["count"], 3);
        assert_eq!(listed["devices"][0], device());
        assert_eq!(
            listed["devices"][2],
            json!({
                "id": "dev_3", "name": null, "status": "provisioning", "last_seen_at": null,
                "firmware_version": null, "device_type_id": null, "tags": []
            })
        );
        assert_eq!(played.asked(), ["GET /devices"]);
        assert_eq!(played.requests()[0].query_string(), "");
    }
}

#[test]
fn pages_are_read_to_the_last_where_the_server_makes_some() {
    let played = Played::new(|request: &Request| match request.query("cursor").as_deref() {
        None => Response::json(200, json!({ "data": [{ "id": "a" }], "next_cursor": "2" })),
        Some("2") => Response::json(200, json!({ "data": [{ "id": "b" }], "next_cursor": null })),
        other => panic!("{other:?}"),
    });
    assert_eq!(played.data("list_devices", json!({}))["count"], 2);
}

#[test]
fn a_server_that_turns_in_circles_is_left() {
    let played = Played::new(|_: &Request| {
        Response::json(200, json!({ "data": [{ "id": "a" }], "next_cursor": "2" }))
    });
    assert_eq!(played.data("list_devices", json!({}))["count"], 1);
    assert_eq!(played.asked().len(), 2);
}

#[test]
fn an_entry_without_an_id_costs_that_entry() {
    let played = Played::new(|_: &Request| Response::json(200, json!([{ "name": "x" }, 7, { "id": "a" }])));
    assert_eq!(played.data("list_devices", json!({}))["count"], 1);
}

#[test]
fn what_is_no_list_is_an_upstream_fault() {
    for body in [json!({ "ok": true }), json!("x")] {
        let played = Played::new(move |_: &Request| Response::json(200, body.clone()));
        assert!(played.fault("list_devices", json!({})).is("upstream"));
    }
    let played = Played::new(|_: &Request| Response::text(200, "<html>"));
    assert!(played.fault("list_devices", json!({})).is("upstream"));
}

#[test]
fn a_device_comes_with_its_shadow_its_tags_and_how_it_is_connected() {
    let played = Played::new(|request: &Request| match request.path() {
        path if path.ends_with("/shadow") => Response::json(
            200,
            json!({
                "reported": {
                    "air.temperature": 23.1, "system.rssi": -54, "system.uptime": 86400, "_vm": 1, "mac_address": "00:11"
                },
                "desired": null, "metadata": { "last_report": 1_710_763_200 }
            }),
        ),
        _ => Response::json(200, device()),
    });
    let got = played.data("get_device", json!({ "device_id": ID }));
    let mut expected = device();
    expected["shadow"] = json!({
        "reported": { "air.temperature": 23.1, "system.rssi": -54, "system.uptime": 86400 },
        "desired": null, "metadata": { "last_report": 1_710_763_200 }
    });
    expected["connection"] = json!({ "status": "online", "last_seen_at": "2026-05-20T10:01:22Z", "rssi": -54.0, "uptime": 86400.0 });
    assert_eq!(got, expected);
    assert_eq!(played.asked(), [format!("GET /devices/{ID}"), format!("GET /devices/{ID}/shadow")]);
}

#[test]
fn a_device_without_a_shadow_is_still_a_device() {
    for status in [404, 500, 503] {
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/shadow") => Response::json(status, json!({ "error": "x" })),
            _ => Response::json(200, json!({ "data": device() })),
        });
        let got = played.data("get_device", json!({ "device_id": ID }));
        assert_eq!((&got["shadow"], &got["name"]), (&Value::Null, &json!("greenhouse-1")), "{status}");
    }
}

#[test]
fn the_firmware_is_taken_from_the_shadow_where_the_device_does_not_say() {
    let played = Played::new(|request: &Request| match request.path() {
        path if path.ends_with("/shadow") => {
            Response::json(200, json!({ "system.firmware_version": "1.3.0" }))
        }
        _ => Response::json(200, json!({ "id": "dev_3", "status": "online" })),
    });
    assert_eq!(played.data("get_device", json!({ "device_id": "dev_3" }))["firmware_version"], "1.3.0");
}

#[test]
fn ids_are_opaque_and_encoded() {
    let played = Played::new(|_: &Request| not_found());
    assert!(played.fault("get_device", json!({ "device_id": "a b?#%é" })).is("unknown"));
    assert_eq!(played.requests()[0].path(), "/devices/a%20b%3F%23%25%C3%A9");
}

#[test]
fn an_id_that_leads_elsewhere_is_refused_before_anything_is_sent() {
    for id in ["../admin", "a/b", "..", "%2e%2e", "a;b", "a\\b"] {
        let played = Played::new(|_: &Request| Response::json(200, json!([])));
        let fault = played.fault("get_device", json!({ "device_id": id }));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some("/device_id")),
            "{id}"
        );
        assert!(played.asked().is_empty(), "{id}");
    }
    for id in ["", "  ", "a\nb", &"x".repeat(300)] {
        let played = Played::new(|_: &Request| Response::json(200, json!([])));
        assert_eq!(
            played.fault("get_device", json!({ "device_id": id })).field.as_deref(),
            Some("/device_id")
        );
    }
}

fn fleet(request: &Request) -> Response {
    match request.path() {
        "/devices" => Response::json(200, three()),
        "/alerts" => {
            assert_eq!(request.query("state").as_deref(), Some("fired"));
            Response::json(
                200,
                json!([
                    { "id": "1", "device_id": "dev_2", "state": "fired" },
                    { "id": "2", "device_id": "dev_2", "state": "fired" },
                    { "id": "3", "device_id": "dev_3", "state": "resolved" }
                ]),
            )
        }
        path => panic!("{path}"),
    }
}

#[test]
fn the_fleet_is_counted_with_alerts_for_who_may_see_them() {
    let played = Played::new(fleet);
    assert_eq!(
        played.data("get_fleet_status", json!({})),
        json!({
            "total_devices": 3, "online_count": 1, "offline_count": 1, "provisioning_count": 1,
            "devices_with_active_alerts": 1, "last_update": "2026-05-20T10:01:22Z"
        })
    );
}

#[test]
fn who_was_heard_in_the_future_is_listed_so_and_does_not_make_the_fleet_look_alive() {
    let heard_at = |times: Vec<&'static str>| {
        let devices: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(n, at)| json!({ "id": format!("d{n}"), "last_seen_at": at }))
            .collect();
        Played::new(move |request: &Request| match request.path() {
            "/devices" => Response::json(200, devices.clone()),
            _ => Response::json(200, json!([])),
        })
    };
    let played = heard_at(vec!["2026-05-19T00:00:00Z", "9021-05-20T10:01:22Z", "2026-05-20T10:01:22Z"]);
    let status = played.data("get_fleet_status", json!({}));
    assert_eq!(status["last_update"], "2026-05-20T10:01:22Z");
    assert!(status["note"].as_str().is_some_and(|note| note.starts_with("1 of the devices")), "{status}");
    assert_eq!(played.data("list_devices", json!({}))["devices"][1]["last_seen_at"], "9021-05-20T10:01:22Z");
    let status = heard_at(vec!["9021-05-20T10:01:22Z"]).data("get_fleet_status", json!({}));
    assert!(status["last_update"].is_null() && status["note"].is_string(), "{status}");
    let status = heard_at(vec!["2026-05-19T00:00:00Z"]).data("get_fleet_status", json!({}));
    assert_eq!(status.get("note"), None);
}

#[test]
fn who_may_not_see_alerts_gets_no_number_and_none_is_asked_for() {
    let others: Vec<_> = SCOPES.into_iter().filter(|scope| *scope != "rules:read").collect();
    let played = Played::with(holding(&others), fleet);
    assert_eq!(played.data("get_fleet_status", json!({}))["devices_with_active_alerts"], Value::Null);
    assert_eq!(played.asked(), ["GET /devices"]);
}

#[test]
fn an_api_without_alerts_leaves_their_number_open() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, json!([])),
        _ => Response::status(404),
    });
    let status = played.data("get_fleet_status", json!({}));
    assert_eq!((&status["total_devices"], &status["devices_with_active_alerts"]), (&json!(0), &Value::Null));
    assert_eq!(status["last_update"], Value::Null);
}

#[test]
fn a_fleet_that_is_not_counted_whole_says_so() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => {
            let at: usize = request.query("cursor").map_or(0, |cursor| cursor.parse().expect("a number"));
            Response::json(
                200,
                json!({ "data": [{ "id": format!("d{at}"), "status": "online" }], "next_cursor": (at + 1).to_string() }),
            )
        }
        _ => Response::json(200, json!([])),
    });
    let status = played.data("get_fleet_status", json!({}));
    assert_eq!((&status["total_devices"], &status["truncated"]), (&json!(50), &json!(true)));
    assert_eq!(played.data("list_devices", json!({}))["truncated"], true);
}

#[test]
fn alerts_that_are_not_counted_whole_or_say_no_state_are_no_number() {
    for (alerts, expected) in [
        (
            json!({ "data": [{ "id": "1", "device_id": "dev_2", "state": "fired" }], "next_cursor": null }),
            json!(1),
        ),
        (json!([]), json!(0)),
        (json!([{ "id": "1", "device_id": "dev_2" }]), Value::Null),
        (json!({ "ok": true }), Value::Null),
    ] {
        let played = Played::new(move |request: &Request| match request.path() {
            "/devices" => Response::json(200, three()),
            _ => Response::json(200, alerts.clone()),
        });
        assert_eq!(played.data("get_fleet_status", json!({}))["devices_with_active_alerts"], expected);
        assert_eq!(played.requests()[1].query_string(), "state=fired");
    }
    let endless = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, three()),
        _ => {
            let at: usize = request.query("cursor").map_or(0, |cursor| cursor.parse().expect("a number"));
            let alert = json!({ "id": at, "device_id": format!("d{at}"), "state": "fired" });
            Response::json(200, json!({ "alerts": [alert], "next_cursor": (at + 1).to_string() }))
        }
    });
    assert_eq!(endless.data("get_fleet_status", json!({}))["devices_with_active_alerts"], Value::Null);
    assert!(endless.asked().len() <= 12);
}

#[test]
fn an_empty_fleet_is_one_however_the_server_writes_it() {
    for empty in [
        Response::json(200, json!([])),
        Response::json(200, json!(null)),
        Response::json(200, json!({ "devices": null })),
        Response::json(200, json!({ "data": [], "total": 0 })),
        Response::status(204),
    ] {
        let played = Played::new(move |_: &Request| empty.clone());
        assert_eq!(played.data("list_devices", json!({})), json!({ "devices": [], "count": 0 }));
        assert_eq!(played.data("get_fleet_status", json!({}))["total_devices"], 0);
    }
}

#[test]
fn an_answer_without_a_word_is_no_empty_fleet() {
    let fault = Played::new(|_: &Request| Response::status(200)).fault("list_devices", json!({}));
    assert!(fault.is("upstream"), "{fault}");
}

#[test]
fn a_device_that_is_listed_twice_is_one() {
    let twice = json!([{ "id": "d1", "name": "a" }, { "id": "d2" }, { "id": "d1", "name": "b" }]);
    let played = Played::new(move |_: &Request| Response::json(200, twice.clone()));
    assert_eq!(played.data("list_devices", json!({}))["count"], 2);
}

#[test]
fn a_server_that_names_more_devices_than_it_gives_is_not_listed_whole() {
    for (more, truncated) in [
        (json!({ "total": 9 }), json!(true)),
        (json!({ "has_more": true }), json!(true)),
        (json!({ "meta": { "total_count": 9 } }), json!(true)),
        (json!({ "pagination": { "hasMore": true } }), json!(true)),
        (json!({ "total": 1, "has_more": false }), json!(null)),
    ] {
        let mut answer = json!({ "data": [{ "id": "d1" }] });
        answer.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let played = Played::new(move |_: &Request| Response::json(200, answer.clone()));
        for tool in ["list_devices", "get_fleet_status"] {
            assert_eq!(played.data(tool, json!({}))["truncated"], truncated, "{tool} {more}");
        }
    }
}

#[test]
fn a_device_that_was_never_seen_has_no_time_whatever_the_server_writes_for_never() {
    for never in
        [json!(null), json!(0), json!("0001-01-01T00:00:00Z"), json!(""), json!("1970-01-01T00:00:00Z")]
    {
        let answer = json!([{ "id": "d1", "last_seen_at": never }]);
        let played = Played::new(move |_: &Request| Response::json(200, answer.clone()));
        assert_eq!(played.data("list_devices", json!({}))["devices"][0]["last_seen_at"], json!(null));
        assert_eq!(played.data("get_fleet_status", json!({}))["last_update"], json!(null));
    }
}

#[test]
fn no_request_takes_all_of_the_time_that_the_call_has() {
    let host = super::played::host().deadline(std::time::Duration::from_secs(10));
    let played = Played::with(host, |_: &Request| Response::json(200, json!([])));
    played.data("list_devices", json!({}));
    let most = played.requests()[0].timeout().expect("a timeout");
    assert!(most <= std::time::Duration::from_secs(8), "{most:?}");
}

#[test]
fn a_fired_alert_of_no_device_in_particular_leaves_the_number_open() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, json!([{ "id": "d1" }])),
        _ => Response::json(200, json!([{ "id": "a1", "state": "fired" }])),
    });
    assert_eq!(played.data("get_fleet_status", json!({}))["devices_with_active_alerts"], json!(null));
}
