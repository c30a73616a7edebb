//! get_history by the API.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{Request, Response};
use jiff::Timestamp;

use super::played::{ID, Played, not_found};

const FROM: &str = "2025-05-19T00:00:00Z";
const TO: &str = "2025-05-20T00:00:00Z";

fn asked(with: Value) -> Value {
    let mut arguments = json!({ "device_id": ID, "sensor_key": "air.humidity", "from": FROM, "to": TO });
    for (key, value) in with.as_object().expect("an object") {
        arguments[key] = value.clone();
    }
    arguments
}

fn seconds(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("a time").as_second()
}

/// A server that has a value each `step` seconds of the day, keeps to `from`, `to` and `limit`, and knows nothing of
/// resolutions. `newest`: it leaves out the oldest ones; `descending`: it gives the newest first.
fn day(step: i64, newest: bool, descending: bool) -> Played {
    Played::new(move |request: &Request| {
        if !request.path().ends_with("/telemetry") {
            return not_found();
        }
        let bound = |key: &str| seconds(&request.query(key).expect("a bound"));
        let limit: usize = request.query("limit").expect("a limit").parse().expect("a number");
        let mut rows: Vec<i64> = (seconds(FROM)..=seconds(TO))
            .step_by(usize::try_from(step).expect("a step"))
            .filter(|at| (bound("from")..=bound("to")).contains(at))
            .collect();
        if newest {
            rows.reverse();
        }
        rows.truncate(limit);
        rows.sort_unstable();
        if descending {
            rows.reverse();
        }
        let rows: Vec<_> = rows
            .into_iter()
            .map(|at| json!({ "ts": at, "readings": { "air.humidity": (at - seconds(FROM)) / 3600 } }))
            .collect();
        Response::json(200, rows)
    })
}

#[test]
fn raw_values_come_oldest_first_with_their_range() {
    for descending in [false, true] {
        let played = day(7200, false, descending);
        let history = played.data("get_history", asked(json!({})));
        let points = history["points"].as_array().expect("points");
        assert_eq!(points.len(), 13);
        assert_eq!(points[0], json!({ "timestamp": FROM, "value": 0 }));
        assert_eq!(points[12], json!({ "timestamp": TO, "value": 24 }));
        assert_eq!(
            (&history["resolution"], &history["unit"], &history["from"], &history["to"]),
            (&json!("raw"), &json!("%"), &json!(FROM), &json!(TO))
        );
        assert_eq!(
            played.requests()[0].query_string(),
            "metric=air.humidity&from=2025-05-19T00%3A00%3A00Z&to=2025-05-20T00%3A00%3A00Z&limit=1000"
        );
        assert_eq!(played.asked().len(), 1);
    }
}

#[test]
fn offsets_are_understood_and_a_range_without_an_end_ends_now() {
    let played = day(3600, false, false);
    let history = played.data("get_history", asked(json!({ "from": "2025-05-19T02:00:00+02:00" })));
    assert_eq!(history["from"], FROM);
    let mut open = asked(json!({}));
    open.as_object_mut().expect("an object").shift_remove("to");
    let history = played.data("get_history", open);
    let to: Timestamp = history["to"].as_str().expect("text").parse().expect("a time");
    assert!((crate::time::now().as_second() - to.as_second()).abs() < 600);
}

#[test]
fn whatever_end_a_server_leaves_out_of_a_full_page_is_asked_for() {
    for newest in [false, true] {
        for descending in [false, true] {
            let played = day(30, newest, descending);
            let history = played.data("get_history", asked(json!({})));
            let points = history["points"].as_array().expect("points");
            assert_eq!(points.len(), 2881, "newest {newest}, descending {descending}");
            assert!(points.is_sorted_by_key(|point| point["timestamp"].as_str().map(str::to_owned)));
            assert_eq!(history.get("truncated"), None);
            assert!(played.asked().len() <= 6, "{:?}", played.asked().len());
        }
    }
}

#[test]
fn after_ten_pages_it_is_said_that_there_is_more() {
    let played = day(5, false, false);
    let history = played.data("get_history", asked(json!({})));
    assert_eq!(history["truncated"], true);
    assert_eq!(played.asked().len(), 10);
}

#[test]
fn a_server_that_repeats_a_page_is_left() {
    let played = Played::new(|_: &Request| {
        let rows: Vec<_> =
            (0..1000).map(|_| json!({ "ts": seconds(FROM), "readings": { "air.humidity": 1 } })).collect();
        Response::json(200, rows)
    });
    assert_eq!(played.data("get_history", asked(json!({})))["points"].as_array().map(Vec::len), Some(1));
    assert!(played.asked().len() <= 5);
}

#[test]
fn buckets_are_made_here_where_the_server_makes_none() {
    let played = day(600, false, false);
    let history = played.data("get_history", asked(json!({ "resolution": "1h" })));
    let points = history["points"].as_array().expect("points");
    assert_eq!(points.len(), 25);
    assert_eq!(
        points[1],
        json!({ "timestamp": "2025-05-19T01:00:00Z", "value": 1.0, "min": 1.0, "max": 1.0, "count": 6 })
    );
    assert_eq!(history["resolution"], "1h");
    assert_eq!(played.requests()[0].query("resolution").as_deref(), Some("1h"));
}

#[test]
fn buckets_of_the_server_are_passed_on_as_they_are() {
    let rows = json!({ "data": [
        { "bucket": "2025-05-19T00:00:00Z", "avg": "45.5", "min": 40, "max": 50, "count": 12 },
        { "bucket": "2025-05-19T01:00:00Z", "avg": 46, "min": 44, "max": 48, "count": 12 }
    ]});
    let played = Played::new(move |_: &Request| Response::json(200, rows.clone()));
    let history = played.data("get_history", asked(json!({ "resolution": "1h" })));
    assert_eq!(
        history["points"][0],
        json!({ "timestamp": FROM, "value": 45.5, "min": 40.0, "max": 50.0, "count": 12 })
    );
    assert_eq!(history["points"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_bucket_that_begins_before_the_range_and_ends_in_it_belongs_to_it() {
    let rows = json!([{ "bucket": "2025-05-19T00:00:00Z", "avg": 1, "count": 2 }, { "bucket": "2025-05-18T23:00:00Z", "avg": 9, "count": 2 }]);
    let played = Played::new(move |_: &Request| Response::json(200, rows.clone()));
    let history =
        played.data("get_history", asked(json!({ "resolution": "1h", "from": "2025-05-19T00:30:00Z" })));
    assert_eq!(history["points"].as_array().map(Vec::len), Some(1));
}

#[test]
fn values_out_of_the_range_are_left_out_where_the_server_gives_some() {
    let rows = json!([
        { "ts": "2025-05-18T23:59:59Z", "readings": { "air.humidity": 1 } },
        { "ts": "2025-05-19T12:00:00Z", "readings": { "air.humidity": 2 } },
        { "ts": "2025-05-20T00:00:01Z", "readings": { "air.humidity": 3 } },
        { "readings": { "air.humidity": 4 } },
        { "ts": "2025-05-19T13:00:00Z", "readings": { "air.humidity": null } }
    ]);
    let played = Played::new(move |_: &Request| Response::json(200, rows.clone()));
    let history = played.data("get_history", asked(json!({})));
    assert_eq!(history["points"], json!([{ "timestamp": "2025-05-19T12:00:00Z", "value": 2 }]));
}

/// A device with two sensors, of which each is found by its whole key alone.
fn two_sensors() -> Played {
    Played::new(|request: &Request| match request.path() {
        path if path.ends_with("/shadow") => Response::json(
            200,
            json!({ "reported": { "air.humidity": 1, "soil.humidity": 2, "air.co2": 3 } }),
        ),
        path if path.ends_with("/telemetry") => match request.query("metric").as_deref() {
            Some(key @ "air.co2") => Response::json(200, json!([{ "ts": FROM, "readings": { key: 400 } }])),
            _ => Response::json(200, json!([])),
        },
        _ => not_found(),
    })
}

#[test]
fn the_end_of_a_key_is_looked_up_in_the_shadow_and_asked_for_in_full() {
    let history = two_sensors().data("get_history", asked(json!({ "sensor_key": "co2" })));
    assert_eq!((&history["sensor_key"], &history["points"][0]["value"]), (&json!("air.co2"), &json!(400)));
}

#[test]
fn a_sensor_that_measured_nothing_in_a_range_has_no_points_and_one_that_does_not_exist_is_refused() {
    let played = two_sensors();
    assert_eq!(played.data("get_history", asked(json!({})))["points"], json!([]));
    let fault = played.fault("get_history", asked(json!({ "sensor_key": "pressure" })));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("unknown", Some("/sensor_key")));
    assert_eq!(
        fault.details.expect("details")["sensor_keys"],
        json!(["air.co2", "air.humidity", "soil.humidity"])
    );
    let fault = played.fault("get_history", asked(json!({ "sensor_key": "humidity" })));
    assert_eq!(fault.details.expect("details")["candidates"], json!(["air.humidity", "soil.humidity"]));
}

#[test]
fn a_range_that_is_none_is_refused_by_name_before_anything_is_sent() {
    for (with, field) in [
        (json!({ "from": "yesterday" }), "/from"),
        (json!({ "from": "2025-05-19" }), "/from"),
        (json!({ "from": "2025-05-19T00:00:00" }), "/from"),
        (json!({ "to": "soon" }), "/to"),
        (json!({ "from": TO, "to": FROM }), "/from"),
        (json!({ "from": "9998-01-01T00:00:00Z", "to": "2025-05-20T00:00:00Z" }), "/from"),
        (json!({ "resolution": "2h" }), "/resolution"),
        (json!({ "resolution": "" }), "/resolution"),
    ] {
        let played = day(3600, false, false);
        let fault = played.fault("get_history", asked(with.clone()));
        assert_eq!(
            (fault.code.as_str(), fault.field.as_deref()),
            ("invalid-arguments", Some(field)),
            "{with}"
        );
        assert!(played.asked().is_empty(), "{with}");
    }
}

#[test]
fn a_server_with_a_smaller_limit_of_its_own_is_asked_for_the_rest() {
    let played = Played::new(|request: &Request| {
        let bound = |key: &str| seconds(&request.query(key).expect("a bound"));
        let all = (seconds(FROM)..=seconds(TO))
            .step_by(300)
            .filter(|at| (bound("from")..=bound("to")).contains(at));
        let rows: Vec<_> =
            all.take(100).map(|at| json!({ "ts": at, "readings": { "air.humidity": 1 } })).collect();
        Response::json(200, rows)
    });
    let history = played.data("get_history", asked(json!({})));
    assert_eq!((history["points"].as_array().map(Vec::len), history.get("truncated")), (Some(289), None));
}

/// A value each minute of two days, of which the second is not asked for. The server keeps to these bounds alone.
fn two_days(bounds: &'static [&'static str], newest: bool) -> Played {
    Played::new(move |request: &Request| {
        let bound = |key: &str| bounds.contains(&key).then(|| seconds(&request.query(key).expect("a bound")));
        let (from, to) = (bound("from").unwrap_or(i64::MIN), bound("to").unwrap_or(i64::MAX));
        let limit: usize = request.query("limit").expect("a limit").parse().expect("a number");
        let all = (seconds(FROM) - 86_400..=seconds(TO) + 86_400).step_by(60);
        let mut rows: Vec<i64> = all.filter(|at| (from..=to).contains(at)).collect();
        if newest {
            rows.reverse();
        }
        rows.truncate(limit);
        Response::json(
            200,
            rows.into_iter()
                .map(|at| json!({ "ts": at, "readings": { "air.humidity": 1 } }))
                .collect::<Vec<_>>(),
        )
    })
}

#[test]
fn a_server_that_does_not_keep_to_the_range_is_read_whole_or_said_not_to_be() {
    for (bounds, newest) in [(&["from"], false), (&["to"], true)] {
        let history = two_days(bounds, newest).data("get_history", asked(json!({})));
        assert_eq!(
            (history["points"].as_array().map(Vec::len), history.get("truncated"), history.get("note")),
            (Some(1441), None, None),
            "{bounds:?}"
        );
    }
    for (bounds, newest) in [(&["from"][..], true), (&["to"], false), (&[], true), (&[], false)] {
        let played = two_days(bounds, newest);
        let history = played.data("get_history", asked(json!({})));
        assert_eq!((&history["points"], &history["truncated"]), (&json!([]), &json!(true)), "{bounds:?}");
        assert!(history["note"].as_str().is_some_and(|note| note.contains("range")), "{history}");
        assert!(played.asked().len() <= 4, "{:?}", played.asked().len());
    }
}

#[test]
fn more_values_of_one_instant_than_a_page_holds_hide_nothing_that_comes_later() {
    let all: Vec<(i64, i64)> = (0..2000).map(|n| (0, n)).chain((1..=5).map(|n| (n * 60, n))).collect();
    let played = Played::new(move |request: &Request| {
        let bound = |key: &str| seconds(&request.query(key).expect("a bound")) - seconds(FROM);
        let within = all.iter().filter(|(at, _)| (bound("from")..=bound("to")).contains(at)).take(1000);
        let row =
            |(at, n): &(i64, i64)| json!({ "ts": seconds(FROM) + at, "readings": { "air.humidity": n } });
        Response::json(200, within.map(row).collect::<Vec<_>>())
    });
    let history = played.data("get_history", asked(json!({})));
    let points = history["points"].as_array().expect("points");
    assert_eq!((points.len(), &points[1004]["value"]), (1005, &json!(5)));
    assert_eq!(history["truncated"], true);
}

#[test]
fn times_that_a_server_cuts_to_seconds_cost_no_values_where_a_page_ends() {
    for newest in [false, true] {
        let played = Played::new(move |request: &Request| {
            let bound = |key: &str| {
                let at: Timestamp = request.query(key).expect("a bound").parse().expect("a time");
                at.as_millisecond() - seconds(FROM) * 1000
            };
            // Three in a second: no page ends where a second does.
            let mut rows: Vec<i64> =
                (0..2500).filter(|n| (bound("from")..=bound("to")).contains(&(n * 333))).collect();
            if newest {
                rows.reverse();
            }
            let rows = rows.into_iter().take(1000);
            let row =
                |n: i64| json!({ "ts": seconds(FROM) + n * 333 / 1000, "readings": { "air.humidity": n } });
            Response::json(200, rows.map(row).collect::<Vec<_>>())
        });
        let history = played.data("get_history", asked(json!({})));
        let mut values: Vec<_> = history["points"]
            .as_array()
            .expect("points")
            .iter()
            .map(|point| point["value"].as_i64().expect("a number"))
            .collect();
        values.sort_unstable();
        assert_eq!(values, (0..2500).collect::<Vec<_>>(), "newest {newest}");
        assert_eq!(history.get("truncated"), None);
    }
}

#[test]
fn a_server_that_refuses_long_pages_or_resolutions_is_asked_as_jettyds_own_client_asks() {
    for status in [400, 422] {
        let played = Played::new(move |request: &Request| {
            let limit: usize = request.query("limit").expect("a limit").parse().expect("a number");
            if limit > 200 || request.query("resolution").is_some() {
                return Response::json(status, json!({ "error": "limit must be at most 200" }));
            }
            Response::json(200, json!([{ "ts": FROM, "readings": { "air.humidity": 4 } }]))
        });
        let history = played.data("get_history", asked(json!({ "resolution": "1h" })));
        assert_eq!(history["points"][0]["value"], 4);
        assert_eq!(played.asked().len(), 2);
    }
}

#[test]
fn a_server_that_refuses_whatever_is_asked_is_asked_twice_and_its_words_are_passed_on() {
    let played = Played::new(|request: &Request| match request.path() {
        "/devices" => Response::json(200, json!([])),
        _ => Response::json(400, json!({ "error": "no" })),
    });
    let fault = played.fault("get_history", asked(json!({})));
    assert_eq!(fault.message, "jettyd API error 400: {\"error\":\"no\"}");
    assert_eq!(played.asked().len(), 3);
}

#[test]
fn the_end_of_a_key_is_looked_up_in_rows_of_all_sensors_where_there_is_no_shadow() {
    let played =
        Played::new(|request: &Request| match (request.path(), request.query("metric").as_deref()) {
            (path, _) if !path.ends_with("/telemetry") => not_found(),
            (_, None) => {
                Response::json(200, json!([{ "ts": FROM, "readings": { "air.humidity": 1, "air.co2": 2 } }]))
            }
            (_, Some("air.humidity")) => {
                Response::json(200, json!([{ "ts": FROM, "readings": { "air.humidity": 1 } }]))
            }
            _ => Response::json(200, json!([])),
        });
    let history = played.data("get_history", asked(json!({ "sensor_key": "humidity" })));
    assert_eq!((&history["sensor_key"], &history["points"][0]["value"]), (&json!("air.humidity"), &json!(1)));
    assert_eq!(played.data("get_history", asked(json!({ "sensor_key": "pressure" })))["points"], json!([]));
}

#[test]
fn times_without_an_offset_are_utc_and_values_without_any_time_are_said_to_be_left_out() {
    let rows = json!([
        { "ts": "2025-05-19T12:00:00", "readings": { "air.humidity": 1 } },
        { "timestamp": "2025-05-19 13:00:00.5", "readings": { "air.humidity": 2 } },
        { "ts": "noon", "readings": { "air.humidity": 3 } }
    ]);
    let played = Played::new(move |_: &Request| Response::json(200, rows.clone()));
    let history = played.data("get_history", asked(json!({})));
    assert_eq!(
        history["points"],
        json!([
            { "timestamp": "2025-05-19T12:00:00Z", "value": 1 },
            { "timestamp": "2025-05-19T13:00:00.5Z", "value": 2 }
        ])
    );
    assert!(history["note"].as_str().is_some_and(|note| note.contains("time")), "{history}");
    assert_eq!(history.get("truncated"), None);
}

#[test]
fn a_page_of_other_sensors_alone_is_not_the_end() {
    let played = Played::new(|request: &Request| {
        if !request.path().ends_with("/telemetry") {
            return Response::json(200, json!({ "reported": { "air.humidity": 1500 } }));
        }
        let from = seconds(&request.query("from").expect("a bound"));
        let row = |n: i64| {
            let metric = if n < 1500 { "air.co2" } else { "air.humidity" };
            json!({ "ts": seconds(FROM) + n, "metric": metric, "value": n })
        };
        Response::json(200, (from - seconds(FROM)..1501).take(1000).map(row).collect::<Vec<_>>())
    });
    let history = played.data("get_history", asked(json!({})));
    assert_eq!(history["points"], json!([{ "timestamp": "2025-05-19T00:25:00Z", "value": 1500 }]));
}
