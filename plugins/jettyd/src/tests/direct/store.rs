//! The bucket is bounded, and full is not broken.

use fleetgate_sdk::prelude::*;

use super::{Direct, event, telemetry};

fn heard(direct: &Direct, device: &str, value: u64) -> Result<(), Fault> {
    let data = telemetry(json!({ "t": value })).to_string();
    direct.deliver(vec![event(&format!("jettyd/acme/{device}/telemetry"), &data, 0)]).remove(0)
}

#[test]
fn in_a_full_bucket_the_oldest_history_makes_room() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 20, 21) };
    for value in 0..50 {
        assert_eq!(heard(&direct, "d1", value), Ok(()));
    }
    let kept = direct.kept("h/");
    assert!((4..=20).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last().map(|(_, value)| value["t"].clone()), Some(json!(49)));
    assert_eq!(direct.data("read_sensor", json!({ "device_id": "d1", "sensor_key": "t" }))["value"], 49);
    assert!(
        direct.host.logs().iter().any(|log| log.data.as_ref().is_some_and(|data| data["code"] == "quota"))
    );
}

#[test]
fn a_new_device_finds_room_among_the_others() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 20, 20) };
    for value in 0..19 {
        assert_eq!(heard(&direct, "d1", value), Ok(()));
    }
    assert_eq!(heard(&direct, "d2", 1), Ok(()));
    assert_eq!(direct.data("list_devices", json!({}))["count"], 2);
}

#[test]
fn in_a_bucket_that_is_full_of_devices_another_one_is_refused_and_those_that_are_known_go_on() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 20, 2) };
    assert_eq!(heard(&direct, "d1", 1), Ok(()));
    for _ in 0..3 {
        let fault = heard(&direct, "d2", 1).expect_err("there is no room");
        assert!(fault.is("no-room") && !fault.retryable, "{fault}");
    }
    for value in 2..5 {
        assert_eq!(heard(&direct, "d1", value), Ok(()));
        assert_eq!(value_of(&direct, "d1"), value, "last values are kept where there is no room for history");
    }
}

fn value_of(direct: &Direct, device: &str) -> u64 {
    let value = direct.data("read_sensor", json!({ "device_id": device, "sensor_key": "t" }));
    value["value"].as_u64().expect("a number")
}

/// Entries of history of a device.
fn held(direct: &Direct, device: &str) -> usize {
    direct.kept(&format!("h/{device}/")).len()
}

/// Messages of a device, in batches of a hundred.
fn talks(direct: &Direct, device: impl Fn(u64) -> String, messages: u64) -> usize {
    let mut kept = 0;
    for part in 0..messages.div_ceil(100) {
        let batch = (part * 100..messages.min(part * 100 + 100)).map(|n| {
            let data = telemetry(json!({ "t": n })).to_string();
            event(&format!("jettyd/acme/{}/telemetry", device(n)), &data, 0)
        });
        kept += direct.deliver(batch.collect()).iter().filter(|answer| answer.is_ok()).count();
    }
    kept
}

#[test]
fn a_device_that_never_stops_pushes_nobody_out() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 24, 1000) };
    for (device, messages) in [("d1", 20), ("d2", 150), ("d3", 300)] {
        assert_eq!(talks(&direct, |_| device.to_owned(), messages), messages as usize);
    }
    assert_eq!(talks(&direct, |_| "loud".to_owned(), 3000), 3000);
    assert_eq!(["d1", "d2", "d3"].map(|device| held(&direct, device)), [20, 150, 300]);
    // They go on, each of them, while it does not stop.
    for n in 0..100 {
        talks(&direct, |_| "loud".to_owned(), 20);
        for device in ["d1", "d2", "d3"] {
            assert_eq!(heard(&direct, device, n), Ok(()));
        }
    }
    let [d1, d2, d3] = ["d1", "d2", "d3"].map(|device| held(&direct, device));
    assert!(d1 >= 60, "who has little gains: {d1}");
    assert!(d2 >= 120, "who has less than an equal share keeps it: {d2}");
    assert!(d3 >= 200, "who has more keeps that share: {d3}");
    assert_eq!(["d1", "d2", "d3"].map(|device| value_of(&direct, device)), [99; 3]);
    assert!(direct.kept("").len() <= 1000);
}

#[test]
fn a_fleet_of_equals_keeps_equal_histories_in_a_full_bucket() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 24, 1200) };
    let device = |n: u64| format!("d{:03}", n % 120);
    assert_eq!(
        talks(&direct, device, 3000),
        3000,
        "each message is kept, though the bucket is full after a third"
    );
    let held: Vec<_> = (0..120).map(|n| held(&direct, &device(n))).collect();
    let (least, most) = (held.iter().min().copied(), held.iter().max().copied());
    assert!(least >= Some(3) && most <= Some(25), "{held:?}");
    assert!((0..120).all(|n| value_of(&direct, &device(n)) >= 2880), "last values are the last");
}

#[test]
fn large_messages_push_nobody_out_either() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 400_000, 100_000) };
    assert_eq!(talks(&direct, |_| "d1".to_owned(), 200), 200);
    let long: serde_json::Map<_, _> = (0..100).map(|n| (format!("s{n}"), json!("x".repeat(200)))).collect();
    for _ in 0..60 {
        let data = telemetry(Value::Object(long.clone())).to_string();
        let answers = direct.deliver(vec![event("jettyd/acme/loud/telemetry", &data, 0)]);
        assert_eq!(answers, [Ok(())]);
    }
    assert_eq!(held(&direct, "d1"), 200);
    assert!(held(&direct, "loud") < 20);
}

#[test]
fn ten_thousand_ids_that_somebody_made_up_push_nobody_out() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 24, 2500) };
    for device in ["d1", "d2", "d3", "d4"] {
        assert_eq!(talks(&direct, |_| device.to_owned(), 200), 200);
    }
    let kept = talks(&direct, |n| format!("made-up-{n}"), 10_000);
    assert!(kept < 2000, "the others are refused: {kept}");
    // Nor by going on with those that are known.
    talks(&direct, |n| format!("made-up-{}", n % 500), 1000);
    for device in ["d1", "d2", "d3", "d4"] {
        assert!(held(&direct, device) >= 100, "{device} {}", held(&direct, device));
        assert_eq!(value_of(&direct, device), 199);
        assert_eq!(heard(&direct, device, 7), Ok(()));
        assert_eq!(value_of(&direct, device), 7);
    }
    let history = direct
        .data("get_history", json!({ "device_id": "d1", "sensor_key": "t", "from": "2025-01-01T00:00:00Z" }));
    assert!(history["points"].as_array().map(Vec::len) >= Some(100));
    assert_eq!(direct.host.logs().iter().filter(|log| log.message.contains("bucket is full")).count(), 1);
}

#[test]
fn what_was_kept_in_a_shape_that_nobody_knows_any_more_counts_as_nothing() {
    let direct = Direct::new();
    direct.host.run(|| {
        let bucket = fleetgate_sdk::keyvalue::Bucket::open("keyvalue.history").expect("it is granted");
        bucket.set("d/d1", "no json").expect("it is kept");
    });
    assert_eq!(direct.data("list_devices", json!({}))["count"], 0);
    assert_eq!(heard(&direct, "d1", 1), Ok(()));
    assert_eq!(direct.data("list_devices", json!({}))["count"], 1);
}
