//! What the log says of devices: when it begins, and not with each message.

use fleetgate_sdk::prelude::*;

use super::{Direct, event, ms, telemetry};

const MINUTE: u64 = 60;

/// The host's warnings of this code.
fn said(direct: &Direct, code: &str) -> Vec<Value> {
    let logs = direct.host.logs().into_iter().filter(|log| log.level == "warning");
    logs.filter_map(|log| log.data).filter(|data| data["code"] == code).collect()
}

/// Telemetry of a device by a clock that is a day ahead, heard so many seconds ago.
fn ahead(device: &str, ago: u64) -> Event {
    let data = json!({ "ts": ms(0) / 1000 + 86_400, "readings": { "t": 1 } }).to_string();
    event(&format!("jettyd/acme/{device}/telemetry"), &data, ago)
}

fn deliver(direct: &Direct, batch: Vec<Event>) {
    assert!(direct.deliver(batch).iter().all(Result::is_ok));
}

#[test]
fn a_clock_that_is_wrong_is_said_once_and_not_with_each_message() {
    let direct = Direct::new();
    for ago in (0..200).rev() {
        deliver(&direct, vec![ahead("d1", ago * 5)]);
    }
    let said = said(&direct, "device-clock");
    assert_eq!(said, [json!({ "code": "device-clock", "count": 1, "devices": ["d1"] })]);
}

#[test]
fn it_counts_again_after_a_day_and_is_over_once_the_clock_was_right_for_an_hour() {
    let direct = Direct::new();
    let hour = 60 * MINUTE;
    let counted = || direct.kept("d/d1")[0].1["matters"]["device-clock"].as_u64();
    let mut times = Vec::new();
    for ago in (10..60).rev() {
        deliver(&direct, vec![ahead("d1", ago * hour)]);
        times.extend(counted());
    }
    times.dedup_by(|one, other| one.abs_diff(*other) < 1000);
    assert_eq!(times.len(), 3, "when it begins, and after 24 and 48 hours: {times:?}");
    let right = |ago: u64| {
        let told = json!({ "ts": ms(ago) / 1000, "readings": { "t": 1 } });
        direct.said("jettyd/acme/d1/telemetry", told, ago);
    };
    // It last counted eleven hours ago.
    right(9 * hour);
    assert_eq!(counted(), None);
    deliver(&direct, vec![ahead("d1", 8 * hour)]);
    assert!(counted().is_some(), "it begins anew");
    right(8 * hour - 600);
    assert!(counted().is_some(), "what comes and goes is the same");
}

#[test]
fn a_thousand_devices_are_a_line_with_their_number() {
    let direct = Direct::new();
    for round in 0..5 {
        for part in 0..10 {
            deliver(
                &direct,
                (0..100).map(|n| ahead(&format!("d{:03}", part * 100 + n), 50 - round * 10)).collect(),
            );
        }
    }
    let first = said(&direct, "device-clock");
    assert_eq!(first.len(), 1, "the first batch says it: {first:?}");
    assert_eq!((&first[0]["count"], first[0]["devices"].as_array().map(Vec::len)), (&json!(100), Some(10)));
    let unsaid = &direct.kept("n/device-clock")[0].1;
    assert_eq!(unsaid["count"], 900, "the others are said with the next line");
}

#[test]
fn what_was_not_said_yet_is_said_with_the_next_message_once_it_is_time() {
    let direct = Direct::new();
    deliver(&direct, vec![ahead("d1", 0)]);
    deliver(&direct, vec![ahead("d2", 0), ahead("d3", 0)]);
    // Ten minutes later.
    direct.host.run(|| {
        let bucket = fleetgate_sdk::keyvalue::Bucket::open("keyvalue.history").expect("it is granted");
        let mut unsaid: Value =
            bucket.get_json("n/device-clock").expect("it can be read").expect("it is kept");
        unsaid["said"] = json!(ms(11 * MINUTE));
        bucket.set_json("n/device-clock", &unsaid).expect("it is kept");
    });
    deliver(&direct, vec![ahead("d1", 0)]);
    deliver(&direct, vec![ahead("d1", 0)]);
    let said = said(&direct, "device-clock");
    assert_eq!(said.len(), 2);
    assert_eq!(said[1], json!({ "code": "device-clock", "count": 2, "devices": ["d2", "d3"] }));
}

#[test]
fn a_broken_sensor_is_said_once_too() {
    let direct = Direct::new();
    for _ in 0..20 {
        let data = r#"{"readings":{"t":nan,"u":1}}"#;
        deliver(&direct, vec![event("jettyd/acme/d1/telemetry", data, 0)]);
    }
    assert_eq!(said(&direct, "device-values").len(), 1);
    assert!(direct.host.logs().iter().all(|log| log.level == "warning"), "nothing else is said");
}

#[test]
fn a_batch_of_what_is_no_message_is_a_line_with_its_number() {
    let direct = Direct::new();
    let wrong = |n: u64| event(&format!("jettyd/acme/d{n}/telemetry"), "no json", 0);
    let answers = direct.deliver((0..100).map(wrong).collect());
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|fault| fault.is("malformed-telemetry"))));
    let said = said(&direct, "malformed-telemetry");
    assert_eq!(said.len(), 1);
    assert_eq!((&said[0]["count"], &said[0]["topic"]), (&json!(100), &json!("jettyd/acme/d0/telemetry")));
}

#[test]
fn a_device_that_says_no_time_has_no_wrong_clock() {
    let direct = Direct::new();
    direct.says("telemetry", telemetry(json!({ "t": 1 })));
    assert_eq!(said(&direct, "device-clock"), Vec::<Value>::new());
    assert!(direct.kept("n/").is_empty());
}
