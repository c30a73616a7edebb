//! Devices that answer otherwise, or whose telemetry is not what it should be.

use std::time::{Duration, Instant};

use fleet_sim::jettyd::firmware::Model;
use fleet_sim::jettyd::fleet::{Manner, Setup};
use fleet_sim::jettyd::known;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fleet::{Watcher, fleet, topic};

fn ping() -> Value {
    json!({"id": "c", "action": "ping"})
}

fn response(device: &str) -> String {
    topic(device, "command/response")
}

#[tokio::test]
async fn every_known_device_answers_in_its_own_way() {
    let (broker, fleet) = fleet(Setup::known()).await;
    let mut watcher = Watcher::of(&broker).await;
    let on = || json!({"id": "c", "action": "valve.on", "params": {}});
    let said = |status: &str, result: Value| json!({"id": "c", "status": status, "result": result});
    assert_eq!(watcher.command(known::BUSY, on()).await, said("busy", json!({})));
    assert!(!fleet.device(known::BUSY).unit().is_on("valve", Timestamp::now()));
    let stuck = json!({"error": "Valve stuck"});
    assert_eq!(watcher.command(known::FAILING, on()).await, said("failed", stuck));
    assert_eq!(watcher.command(known::BROKEN, on()).await, said("rejected", json!({})));
    assert_eq!(watcher.command(known::ALIASES, ping()).await["status"], "ok");
    assert_eq!(watcher.command(known::ALIASES, json!({"id": "c"})).await["status"], "error");

    let other = watcher.command(known::OTHER_FIRST, ping()).await;
    assert_eq!((&other["id"], &other["status"]), (&json!("cmd_of_somebody_else"), &json!("rejected")));
    assert_eq!(watcher.json(&response(known::OTHER_FIRST)).await["id"], "c");

    watcher.say(&topic(known::GARBLED, "command"), &ping().to_string()).await;
    assert!(serde_json::from_str::<Value>(&watcher.text(&response(known::GARBLED)).await).is_err());
    assert!(watcher.json(&response(known::GARBLED)).await.is_array());
    assert_eq!(watcher.json(&response(known::GARBLED)).await["status"], "acked");

    let started = Instant::now();
    assert_eq!(watcher.command(known::LATE, ping()).await["status"], "acked");
    assert!(started.elapsed() >= Duration::from_secs(5));

    let newer = json!({"id": "c", "command_type": "ping", "payload": {}});
    assert_eq!(watcher.command(known::NEWER, newer.clone()).await["status"], "acked");
    assert_eq!(watcher.command(known::GREENHOUSE, newer).await["status"], "rejected");

    let config = r#"{"version":1,"rules":[]}"#;
    watcher.say(&topic(known::CONFIG_ACK, "config"), config).await;
    let ack = watcher.json(&topic(known::CONFIG_ACK, "config/ack")).await;
    assert_eq!(ack["type"], "config_accepted");
}

#[tokio::test]
async fn one_that_is_silent_has_heard_and_one_that_vanishes_has_done_it() {
    let (broker, fleet) = fleet(Setup::known()).await;
    let mut watcher = Watcher::of(&broker).await;
    let (silent, gone) = (fleet.device(known::SILENT), fleet.device(known::GREENHOUSE));
    gone.set_manner(Manner::Vanishes);
    let on = json!({"id": "c", "action": "valve.on"}).to_string();
    watcher.say(&topic(known::SILENT, "command"), &on).await;
    watcher.say(&topic(known::GREENHOUSE, "command"), &on).await;
    // Somebody else's answer comes after both have heard theirs, or shortly before.
    watcher.command(known::TWO_TEMPERATURES, ping()).await;
    let started = Instant::now();
    while silent.commands().is_empty() || gone.is_connected() {
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let now = Timestamp::now();
    assert!(!silent.unit().is_on("valve", now) && gone.unit().is_on("valve", now));
    let answers = |device: &fleet_sim::jettyd::fleet::Device| {
        device.sent().iter().filter(|sent| sent.suffix == "command/response").count()
    };
    assert_eq!((answers(silent), answers(gone)), (0, 0));

    let relays = fleet.device(known::RELAYS);
    relays.set_manner(Manner::Twice);
    let first = watcher.command(known::RELAYS, ping()).await;
    assert_eq!(watcher.json(&response(known::RELAYS)).await, first);
    assert_eq!(relays.profile().model, Model::RelayController);
}

#[tokio::test]
async fn clocks_may_be_absent_ahead_or_unset_and_a_broken_sensor_spoils_the_message() {
    let (broker, fleet) = fleet(Setup::known()).await;
    let mut watcher = Watcher::of(&broker).await;
    let now = Timestamp::now().as_second();
    let telemetry = |id: &str| topic(id, "telemetry");
    for id in [known::NO_CLOCK, known::UNSET_CLOCK, known::AHEAD] {
        fleet.device(id).report().await.unwrap();
    }
    assert_eq!(watcher.json(&telemetry(known::NO_CLOCK)).await.get("ts"), None);
    let unset = watcher.json(&telemetry(known::UNSET_CLOCK)).await["ts"].as_i64().unwrap();
    assert!((0..600).contains(&unset), "{unset}");
    let ahead = watcher.json(&telemetry(known::AHEAD)).await["ts"].as_i64().unwrap();
    assert!((3_600..4_200).contains(&(ahead - now)), "{ahead} {now}");
    fleet.device(known::NAN).report().await.unwrap();
    let nan = watcher.text(&telemetry(known::NAN)).await;
    assert!(nan.contains(r#""soil.moisture":nan,"air.temperature""#), "{nan}");
}
