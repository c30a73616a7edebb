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
fn a_bucket_that_is_full_of_devices_refuses_and_asks_for_another_try() {
    let direct = Direct { host: Direct::new().host.quota("keyvalue.history", 1 << 20, 1) };
    let fault = heard(&direct, "d1", 1).expect_err("there is no room");
    assert!(fault.retryable, "{fault}");
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
