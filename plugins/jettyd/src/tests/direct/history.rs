//! get_history: what was heard, kept for as long as the operator says.

use fleetgate_sdk::prelude::*;

use super::{Direct, TOPIC, event, ms, telemetry};
use crate::time;

fn instant(ago: u64) -> String {
    time::of_ms(i64::try_from(ms(ago)).expect("it fits")).to_string()
}

fn asked(from: u64, to: u64, resolution: &str) -> Value {
    json!({ "device_id": "d1", "sensor_key": "t", "from": instant(from), "to": instant(to), "resolution": resolution })
}

/// A value each minute of the last hour.
fn an_hour() -> Direct {
    let direct = Direct::new();
    let batch = (0..60_u64).rev().map(|minute| {
        let data = json!({ "ts": ms(minute * 60), "readings": { "t": minute, "other": 1 } });
        event(&format!("{TOPIC}/telemetry"), &data.to_string(), minute * 60)
    });
    assert!(direct.deliver(batch.collect()).iter().all(Result::is_ok));
    direct
}

#[test]
fn raw_values_of_a_range_come_oldest_first() {
    let direct = an_hour();
    let history = direct.data("get_history", asked(630, 270, "raw"));
    let values: Vec<_> =
        history["points"].as_array().expect("points").iter().map(|point| point["value"].clone()).collect();
    assert_eq!(values, [10, 9, 8, 7, 6, 5].map(|n| json!(n)));
    assert_eq!(history["points"][0].get("count"), None);
}

#[test]
fn buckets_are_made_when_they_are_asked_for() {
    let direct = an_hour();
    for (resolution, most) in [("1m", 61), ("5m", 13), ("15m", 5), ("1h", 2), ("1d", 2)] {
        let history = direct.data("get_history", asked(3700, 0, resolution));
        let points = history["points"].as_array().expect("points");
        assert!(!points.is_empty() && points.len() <= most, "{resolution}: {}", points.len());
        let count: u64 = points.iter().map(|point| point["count"].as_u64().expect("a count")).sum();
        assert_eq!(count, 60, "{resolution}");
        for point in points {
            let (min, mean, max) = (&point["min"], &point["value"], &point["max"]);
            assert!(min.as_f64() <= mean.as_f64() && mean.as_f64() <= max.as_f64(), "{point}");
        }
    }
}

#[test]
fn a_sensor_without_values_in_the_range_has_no_points_and_one_that_does_not_exist_is_refused() {
    let direct = an_hour();
    assert_eq!(direct.data("get_history", asked(90_000, 80_000, "raw"))["points"], json!([]));
    let mut arguments = asked(630, 270, "raw");
    arguments["sensor_key"] = json!("pressure");
    let fault = direct.fault("get_history", arguments);
    assert_eq!(
        (fault.code.as_str(), fault.details.expect("details")["sensor_keys"].clone()),
        ("unknown", json!(["other", "t"]))
    );
}

#[test]
fn a_key_that_may_be_several_is_refused_with_them() {
    let direct = Direct::new();
    direct.says("telemetry", telemetry(json!({ "air.temperature": 1, "soil.temperature": 2 })));
    let mut arguments = asked(60, 0, "raw");
    arguments["sensor_key"] = json!("temperature");
    let fault = direct.fault("get_history", arguments);
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some("/sensor_key")));
    assert_eq!(fault.details.expect("details")["candidates"], json!(["air.temperature", "soil.temperature"]));
}

#[test]
fn what_a_clock_of_the_future_says_is_in_the_history_when_it_was_heard() {
    let direct = Direct::new();
    let ahead = json!({ "ts": ms(0) / 1000 + 86_400, "readings": { "t": 7 } });
    direct.said(&format!("{TOPIC}/telemetry"), ahead, 30);
    let points = direct.data("get_history", asked(60, 0, "raw"))["points"].clone();
    assert_eq!((points.as_array().map(Vec::len), &points[0]["value"]), (Some(1), &json!(7)));
}

#[test]
fn an_event_that_comes_twice_is_kept_once() {
    let direct = Direct::new();
    let one = event(&format!("{TOPIC}/telemetry"), &telemetry(json!({ "t": 1 })).to_string(), 5);
    let again = Event { attempt: 2, ..one.clone() };
    assert_eq!(direct.deliver(vec![one.clone(), one]), [Ok(()), Ok(())]);
    assert_eq!(direct.deliver(vec![again]), [Ok(())]);
    assert_eq!(direct.kept("h/").len(), 1);
    assert_eq!(direct.data("get_history", asked(60, 0, "raw"))["points"].as_array().map(Vec::len), Some(1));
}

#[test]
fn two_messages_of_one_moment_are_two() {
    let direct = Direct::new();
    let at = ms(5);
    for value in [1, 2] {
        direct.says("telemetry", json!({ "ts": at, "readings": { "t": value } }));
    }
    assert_eq!(direct.data("get_history", asked(60, 0, "raw"))["points"].as_array().map(Vec::len), Some(2));
}

#[test]
fn history_goes_when_its_time_is_over_and_last_values_stay() {
    let direct = Direct { host: Direct::new().host.config("history_retention", "1h") };
    direct.says("telemetry", json!({ "ts": ms(1800), "readings": { "t": 1 } }));
    direct.says("telemetry", json!({ "ts": ms(7200), "readings": { "t": 0 } }));
    assert_eq!(direct.kept("h/").len(), 1, "what is older than is kept is not kept at all");
    direct.host.passes(std::time::Duration::from_secs(1900));
    assert!(direct.kept("h/").is_empty());
    assert_eq!(direct.data("read_sensor", json!({ "device_id": "d1", "sensor_key": "t" }))["value"], 1);
}

#[test]
fn other_devices_are_not_in_it_also_when_one_id_begins_like_another() {
    let direct = Direct::with_device();
    for (device, value) in [("d1", 1), ("d10", 10), ("d1x", 11)] {
        direct.said(&format!("jettyd/acme/{device}/telemetry"), telemetry(json!({ "t": value })), 5);
    }
    let history = direct.data("get_history", asked(60, 0, "raw"));
    assert_eq!(history["points"].as_array().map(Vec::len), Some(1));
    assert_eq!(history["points"][0]["value"], 1);
}

#[test]
fn a_range_that_is_none_is_refused_by_name() {
    let direct = an_hour();
    for (key, value, field) in [
        ("from", json!("yesterday"), "/from"),
        ("to", json!("2025-05-19"), "/to"),
        ("to", json!("2020-01-01T00:00:00Z"), "/from"),
        ("resolution", json!("2h"), "/resolution"),
    ] {
        let mut arguments = asked(60, 0, "raw");
        arguments[key] = value;
        let fault = direct.fault("get_history", arguments);
        assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("invalid-arguments", Some(field)));
    }
}

#[test]
fn of_more_values_than_an_answer_holds_the_oldest_are_given_and_it_is_said() {
    let direct = Direct::new();
    let begin = ms(20_000);
    for part in 0..21_u64 {
        let batch = (0..500_u64).map(|n| {
            let data = json!({ "ts": begin + part * 500 + n, "readings": { "t": 1 } });
            event(&format!("{TOPIC}/telemetry"), &data.to_string(), 0)
        });
        assert!(direct.deliver(batch.collect()).iter().all(Result::is_ok));
    }
    let history = direct.data("get_history", asked(30_000, 0, "raw"));
    assert_eq!(
        (history["points"].as_array().map(Vec::len), &history["truncated"]),
        (Some(10_000), &json!(true))
    );
    let history = direct.data("get_history", asked(30_000, 0, "1d"));
    let count: u64 = history["points"]
        .as_array()
        .expect("points")
        .iter()
        .filter_map(|point| point["count"].as_u64())
        .sum();
    assert_eq!((count, history.get("truncated")), (10_500, None));
}
