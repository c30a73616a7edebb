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
                assert_eq!(request.query_string(), "metric=co2&limit=200");
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

/// What a server does with more rows than a page holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    /// The newest ones, the oldest of them first.
    Newest,
    /// The newest ones, the newest first.
    NewestReversed,
    /// The oldest ones, the oldest first.
    Oldest,
}

const ORDERS: [Order; 3] = [Order::Newest, Order::NewestReversed, Order::Oldest];

fn now() -> i64 {
    crate::time::now().as_second()
}

/// A server without a shadow, with a row at each of these times (ascending, Unix seconds) whose value is that time; it
/// keeps to `from` and `limit`, and gives `most` rows at most.
fn telemetry_at(times: Vec<i64>, order: Order, most: usize) -> Played {
    Played::new(move |request: &Request| {
        if !request.path().ends_with("/telemetry") {
            return not_found();
        }
        let from = request
            .query("from")
            .map_or(i64::MIN, |from| from.parse::<jiff::Timestamp>().expect("a time").as_second());
        let limit: usize = request.query("limit").expect("a limit").parse().expect("a number");
        let mut times: Vec<_> = times.iter().copied().filter(|at| *at >= from).collect();
        if order != Order::Oldest {
            times.reverse();
        }
        times.truncate(limit.min(most));
        if order == Order::Newest {
            times.reverse();
        }
        let rows: Vec<_> = times.iter().map(|at| json!({ "ts": at, "readings": { "t": at } })).collect();
        Response::json(200, rows)
    })
}

#[test]
fn of_a_month_of_minutes_the_last_one_is_found_whichever_end_a_server_leaves_out() {
    let last = now() - 20;
    let minutes: Vec<i64> = (0..43_200).map(|n| last - n * 60).rev().collect();
    for order in ORDERS {
        for most in [200, 100] {
            let played = telemetry_at(minutes.clone(), order, most);
            let value = read(&played, "t");
            assert_eq!((&value["value"], value.get("note")), (&json!(last), None), "{order:?} {most}");
            let pages = played.asked().len() - 1;
            let bound = if order == Order::Oldest { 16 } else { 2 };
            assert!(pages <= bound, "{order:?} {most}: {pages} pages");
        }
    }
}

#[test]
fn the_last_value_of_a_device_that_has_been_away_for_long_is_found_too() {
    let last = now() - 200 * 86_400;
    let minutes: Vec<i64> = (0..5_000).map(|n| last - n * 60).rev().collect();
    for order in ORDERS {
        let played = telemetry_at(minutes.clone(), order, 200);
        assert_eq!(read(&played, "t")["value"], last, "{order:?}");
    }
}

#[test]
fn a_page_that_is_not_full_holds_the_last_value_and_is_the_only_one() {
    for order in ORDERS {
        let played = telemetry_at(vec![now() - 30, now() - 20, now() - 10], order, 200);
        assert!(read(&played, "t")["value"].as_i64() >= Some(now() - 12), "{order:?}");
        assert_eq!(played.asked().len(), 2, "the shadow and one page");
    }
}

#[test]
fn a_server_that_gives_the_last_day_alone_is_asked_for_more() {
    let at = now() - 3 * 86_400;
    let played = Played::new(move |request: &Request| match (request.path(), request.query("from")) {
        (path, Some(from)) if path.ends_with("/telemetry") => {
            assert_eq!(from, "1970-01-01T00:00:00Z");
            Response::json(200, json!([{ "ts": at, "readings": { "t": 7 } }]))
        }
        (path, None) if path.ends_with("/telemetry") => Response::json(200, json!([])),
        _ => not_found(),
    });
    assert_eq!(read(&played, "t")["value"], 7);
}

#[test]
fn a_sensor_that_nothing_knows_costs_three_pages() {
    let played = with_shadow();
    assert!(played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "co2" })).is("unknown"));
    assert_eq!(played.asked().len(), 4, "the shadow and three pages");
}

#[test]
fn a_server_that_does_not_keep_to_from_is_not_believed_to_have_given_the_last_value() {
    let played = Played::new(|request: &Request| match request.path() {
        path if path.ends_with("/telemetry") => {
            let rows: Vec<_> =
                (0..200).map(|n| json!({ "ts": 1_779_271_200 + n, "readings": { "t": n } })).collect();
            Response::json(200, rows)
        }
        _ => not_found(),
    });
    let value = read(&played, "t");
    assert_eq!(value["value"], 199);
    assert!(value["note"].as_str().is_some_and(|note| note.contains("may be newer")), "{value}");
}

#[test]
fn of_rows_without_a_time_the_last_counts_and_any_with_a_time_before_them() {
    for (rows, expected) in [
        (json!([{ "readings": { "t": 1 } }, { "readings": { "t": 2 } }]), (2, Value::Null)),
        (
            json!([{ "ts": 1_779_271_200, "readings": { "t": 1 } }, { "readings": { "t": 2 } }]),
            (1, json!("2026-05-20T10:00:00Z")),
        ),
    ] {
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/telemetry") => Response::json(200, rows.clone()),
            _ => not_found(),
        });
        let value = read(&played, "t");
        assert_eq!((&value["value"], &value["timestamp"]), (&json!(expected.0), &expected.1));
    }
}

#[test]
fn a_newer_row_of_other_sensors_does_not_hide_the_last_value() {
    let rows = json!([
        { "ts": 1_779_271_200, "readings": { "air.co2": 400, "air.temperature": 1 } },
        { "ts": 1_779_271_260, "readings": { "air.co2": 410 } },
        { "ts": 1_779_271_320, "readings": { "air.temperature": 2, "air.co2": null } }
    ]);
    let played = Played::new(move |request: &Request| match request.path() {
        path if path.ends_with("/telemetry") => Response::json(200, rows.clone()),
        _ => not_found(),
    });
    assert_eq!(read(&played, "co2")["value"], 410);
    let fault = played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "pressure" }));
    assert_eq!(fault.details.expect("details")["sensor_keys"], json!(["air.co2", "air.temperature"]));
}

#[test]
fn a_row_of_the_future_is_given_with_a_word_about_the_clock() {
    for order in ORDERS {
        let ahead = now() + 3600;
        let minutes: Vec<i64> = (0..1_000).map(|n| ahead - n * 60).rev().collect();
        let value = read(&telemetry_at(minutes, order, 200), "t");
        assert_eq!(value["value"], ahead, "{order:?}");
        assert!(value["note"].as_str().is_some_and(|note| note.contains("clock")), "{value}");
    }
}

#[test]
fn a_shadow_of_the_future_is_given_with_a_word_about_the_clock() {
    for (at, said) in [(now() + 3600, true), (now() + 60, false), (now() - 60, false)] {
        let played = Played::new(move |request: &Request| match request.path() {
            path if path.ends_with("/shadow") => {
                Response::json(200, json!({ "reported": { "t": 7 }, "metadata": { "last_report": at } }))
            }
            _ => not_found(),
        });
        let value = read(&played, "t");
        assert_eq!(value["value"], 7);
        assert_eq!(value["note"].as_str().is_some_and(|note| note.contains("clock")), said, "{value}");
    }
}

#[test]
fn a_server_that_fails_in_the_middle_is_a_fault_and_no_old_value() {
    let played = Played::new(|request: &Request| match (request.path(), request.query("from")) {
        (path, None) if path.ends_with("/telemetry") => {
            let rows: Vec<_> =
                (0..200).map(|n| json!({ "ts": 1_779_271_200 + n, "readings": { "t": n } })).collect();
            Response::json(200, rows)
        }
        (path, Some(_)) if path.ends_with("/telemetry") => Response::status(503),
        _ => not_found(),
    });
    assert!(played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "t" })).is("unavailable"));
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

/// A shadow of values alone, and rows of telemetry beside it.
fn without_time(rows: Value) -> Played {
    Played::new(move |request: &Request| match request.path() {
        path if path.ends_with("/shadow") => Response::json(200, json!({ "air.temperature": 21.0 })),
        path if path.ends_with("/telemetry") => Response::json(200, rows.clone()),
        _ => not_found(),
    })
}

#[test]
fn a_shadow_that_does_not_say_when_is_dated_by_the_telemetry_that_says_the_same() {
    let at = "2026-05-20T10:00:00Z";
    let value =
        read(&without_time(json!([{ "ts": at, "readings": { "air.temperature": 21 } }])), "temperature");
    assert_eq!((&value["value"], &value["timestamp"], value.get("note")), (&json!(21.0), &json!(at), None));
    let value =
        read(&without_time(json!([{ "ts": at, "readings": { "air.temperature": 19.5 } }])), "temperature");
    assert_eq!((&value["value"], &value["timestamp"]), (&json!(21.0), &json!(null)));
    let note = value["note"].as_str().expect("a note");
    assert!(note.contains("19.5") && note.contains(at), "{note}");
    let value = read(&without_time(json!([])), "temperature");
    assert_eq!((&value["value"], &value["timestamp"], value.get("note")), (&json!(21.0), &json!(null), None));
}

#[test]
fn a_shadows_value_is_told_also_where_telemetry_cannot_be_read() {
    let played = Played::new(|request: &Request| match request.path() {
        path if path.ends_with("/shadow") => Response::json(200, json!({ "air.temperature": 21.0 })),
        _ => Response::status(500),
    });
    let value = read(&played, "temperature");
    assert_eq!((&value["value"], &value["timestamp"]), (&json!(21.0), &json!(null)));
}

#[test]
fn the_end_of_a_key_is_looked_up_in_rows_of_all_sensors_where_there_is_no_shadow() {
    let played =
        Played::new(|request: &Request| match (request.path(), request.query("metric").as_deref()) {
            (path, _) if !path.ends_with("/telemetry") => not_found(),
            (_, None) => Response::json(
                200,
                json!([{ "ts": 1_779_271_200, "readings": { "air.co2": 400, "air.t": 2, "soil.t": 3 } }]),
            ),
            (_, Some("air.co2")) => {
                Response::json(200, json!([{ "ts": 1_779_271_260, "readings": { "air.co2": 417 } }]))
            }
            _ => Response::json(200, json!([])),
        });
    let value = read(&played, "co2");
    assert_eq!((&value["sensor_key"], &value["value"]), (&json!("air.co2"), &json!(417)));
    let fault = played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "t" }));
    assert_eq!(fault.details.expect("details")["candidates"], json!(["air.t", "soil.t"]));
    let fault = played.fault("read_sensor", json!({ "device_id": ID, "sensor_key": "pressure" }));
    assert_eq!(fault.details.expect("details")["sensor_keys"], json!(["air.co2", "air.t", "soil.t"]));
}
