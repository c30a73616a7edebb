//! What comes from time to time: not more often than granted, and not less, whatever the clock does.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleetgate_core::store::{Batch, Key, Space, Store};
use serde_json::{Value, json};

use super::events_world::{ASKS, Disk, World, manifest, quiet, until};
use super::guest::packed;
use super::host::{Place, in_time};
use super::radio::{component, content, station};

const SWEEP: &str = "grant.events.sweep = {}\n";
const HOUR_MS: u64 = 3_600_000;
const YEAR_MS: u64 = 365 * 24 * HOUR_MS;

/// Where it comes each second.
fn each_second(name: &str) -> Place {
    let place = Place::new(&format!("[plugins.{name}]\n{SWEEP}"));
    let asks = ASKS.replace("every = \"1h\"", "every = \"1s\"");
    place.drop_file(name, &packed(component(), &manifest(name, "1.0.0", &asks)));
    place
}

/// Has it kept that it came at another time.
async fn moved(disk: &Disk, name: &str, when: impl Fn(u64) -> u64) {
    let space = Space::new("events").unwrap();
    for (key, time) in [("k", "ticked_ms"), ("w", "began_ms")] {
        let key = Key::new(format!("{name}/sweep/{key}")).unwrap();
        let entry = disk.get(&space, &key).await.unwrap().unwrap();
        let mut stands: Value = serde_json::from_slice(&entry.value).unwrap();
        stands[time] = when(stands[time].as_u64().unwrap()).into();
        disk.write(&space, Batch::new().put(key, stands.to_string(), None)).await.unwrap();
    }
}

#[tokio::test]
async fn what_comes_from_time_to_time_comes_at_once_and_not_again_before_its_time() {
    let world = World::new("ev-tick", SWEEP).await;
    world.until("sweep", |status| status.handled == 1).await;
    let event = world.station.events()[0].clone();
    assert_eq!((event.source.as_str(), event.subject.as_str()), ("events.sweep", "sweep"));
    assert_eq!(serde_json::from_str::<Value>(&event.attributes).unwrap(), json!({ "every": "1h" }));
    // Neither a restart, nor a crash, nor another table brings it earlier.
    let world = world.restart().await;
    quiet().await;
    let world = world.crash().await;
    quiet().await;
    world.settings("grant.events.sweep = { every = \"2h\" }\n");
    in_time(world.host.reload()).await;
    quiet().await;
    assert_eq!(world.station.events().len(), 1);
}

#[tokio::test]
async fn what_was_missed_while_no_host_ran_comes_once() {
    let world = World::new("ev-missed", SWEEP).await;
    world.until("sweep", |status| status.handled == 1).await;
    world.stop().await;
    moved(&world.disk, world.name, |last_ms| last_ms - 3 * HOUR_MS).await;
    let world = world.restart().await;
    world.until("sweep", |status| status.handled == 2).await;
    quiet().await;
    assert_eq!(world.station.events().len(), 2);
}

#[tokio::test]
async fn while_one_waits_no_other_comes() {
    let name = "ev-pending";
    let place = each_second(name);
    let gate = station(name).waits(content);
    let world = World::over(name, place, Arc::default()).await;
    world.given(1).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let status = world.status("sweep").await.unwrap();
    assert_eq!((status.heard, status.waiting), (1, 1), "two more were due");
    gate.opens();
    world.until("sweep", |status| status.handled == 2).await;
}

#[tokio::test]
async fn a_clock_that_was_ahead_neither_keeps_it_away_nor_brings_it_earlier() {
    let name = "ev-ahead";
    let world = World::over(name, each_second(name), Arc::default()).await;
    world.until("sweep", |status| status.handled > 0).await;
    world.stop().await;
    moved(&world.disk, name, |last_ms| last_ms + YEAR_MS).await;
    let restarted = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let world = world.restart().await;
    let times = until(async || {
        let times = world.station.events().into_iter().map(|event| event.time_ms);
        let times: Vec<u64> = times.filter(|time_ms| *time_ms >= restarted).collect();
        (times.len() >= 2).then_some(times)
    })
    .await;
    assert!(times[0] >= restarted + 900, "{times:?} after {restarted}");
    assert!(times.is_sorted_by(|one, next| one + 1_000 <= *next), "{times:?}");
}

#[tokio::test]
async fn one_that_was_being_handled_by_a_clock_that_was_ahead_is_given_again_after_its_time() {
    let name = "ev-ahead-begun";
    station(name).handles(|_, _| std::future::pending());
    let world = World::over(name, each_second(name), Arc::default()).await;
    world.given(1).await;
    let World { place, host, disk, .. } = world;
    let disk = disk.after_a_crash();
    drop(host);
    moved(&disk, name, |last_ms| last_ms + YEAR_MS).await;
    station(name).answers(|_| Ok(()));
    let world = World::over(name, place, disk).await;
    world.until("sweep", |status| status.handled > 0).await;
    let events = world.station.events();
    assert_eq!((events[1].id.as_str(), events[1].attempt), (events[0].id.as_str(), 2));
}
