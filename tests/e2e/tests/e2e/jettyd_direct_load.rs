//! A thousand devices at one message a second: every message is stored once, and nothing grows.
//!
//! It takes `FLEETGATE_LOAD_SECONDS`, ten unless said otherwise; `cargo xtask bench P11` runs the whole minute, and
//! measures what other callers notice of it.

use std::time::Duration;

use fleet_sim::jettyd::fleet::{Load, Setup};
use fleetgate_e2e::Direct;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const DEVICES: usize = 1_000;

fn seconds() -> u32 {
    std::env::var("FLEETGATE_LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_devices_talk_and_every_message_is_stored_once() {
    let messages = seconds();
    let direct = Direct::of(Setup::plain(DEVICES)).await;
    // The first messages make what a device's first message makes, and pages that are kept.
    let warm = direct.fleet.load(Load { messages: 2, every: Duration::from_secs(1) }).await;
    assert_eq!(warm.lost, 0);
    let before = direct.server.resident();
    let began = Timestamp::now() - SignedDuration::from_secs(i64::from(messages) + 60);
    let loaded = direct.fleet.load(Load { messages, every: Duration::from_secs(1) }).await;
    assert_eq!((loaded.acknowledged, loaded.lost), (u64::from(messages) * DEVICES as u64, 0));

    let mut stored = 0;
    for device in direct.fleet.devices() {
        let asked = json!({
            "device_id": device.id(), "sensor_key": Load::SEQUENCE, "from": began.to_string(),
        });
        let numbers = |history: &Value| -> Vec<u64> {
            let points = history["points"].as_array().map(Vec::as_slice).unwrap_or_default();
            points.iter().map(|point| point["value"].as_u64().expect("a number")).collect()
        };
        // Both loads: two messages, and then all of them.
        let expected: Vec<_> = (0..2).chain(0..u64::from(messages)).collect();
        let whole =
            direct.until("get_history", asked, |history| numbers(history).len() >= expected.len()).await;
        assert_eq!(numbers(&whole), expected, "{}", device.id());
        stored += expected.len();
    }
    let after = direct.server.resident();
    println!(
        "{stored} messages stored once; slowest acknowledgement {:?}; resident {before} to {after}",
        loaded.slowest
    );
    let grown = after.saturating_sub(before);
    assert!(grown < 64 << 20, "resident memory grew by {grown} bytes");
}
