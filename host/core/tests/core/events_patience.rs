//! How much patience there is with devices whose every message fails: as much as granted where it is not their own fault,
//! and no more than leaves the others room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fleetgate_core::capability::Heard;
use fleetgate_core::events::{EventStatus, Wish, ask, is_taken};

use super::events_world::{World, quiet, until};
use super::host::in_time;
use super::radio::{Answers, Fault, Given, heard};

/// Little room, and more attempts than a test would live to see.
const SMALL: &str = "grant.radio.set = {}\ngrant.events.news = { queue = 40, attempts = 100 }\n";
/// Devices that work.
const FINE: usize = 20;

/// What the devices say in one round: each that works one thing, each of the others so much.
fn round(number: usize, bad: usize, much: usize) -> Vec<Heard> {
    let bad = (0..bad).flat_map(|device| {
        (0..much).map(move |part| heard(&format!("b{device}"), &format!("b{device} {number:03} {part}")))
    });
    let fine = (0..FINE).map(|device| heard(&format!("f{device}"), &format!("f{device} {number:03}")));
    bad.chain(fine).collect()
}

fn is_bad(event: &Given) -> bool {
    event.subject.starts_with("fleet/b")
}

/// A handler that fails over what these devices say, as long as that is so.
fn fails_over_bad_ones(world: &World) -> Arc<AtomicBool> {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = broken.clone();
    world.station.answers(move |event| match is_bad(event) && is_broken.load(Ordering::SeqCst) {
        true => Err(Fault::new("upstream", true)),
        false => Ok(()),
    });
    broken
}

/// What was handled of those that work came in the order of each.
fn is_in_order(events: &[Given]) -> bool {
    let mut of_each: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| !is_bad(event)) {
        of_each.entry(&event.subject).or_default().push(event.text());
    }
    of_each.len() == FINE && of_each.values().all(|texts| texts.is_sorted())
}

async fn says(world: &World, rounds: std::ops::Range<usize>, bad: usize, much: usize) {
    for number in rounds {
        in_time(world.station.says("news", round(number, bad, much))).await;
    }
}

/// All that works was handled in so many rounds; how it stands then.
async fn all_that_works(world: &World, rounds: usize) -> EventStatus {
    world.until("news", |status| status.handled == (FINE * rounds) as u64).await
}

#[tokio::test]
async fn one_device_whose_every_message_fails_keeps_no_other_from_being_heard() {
    let world = World::prepared("ev-one-bad", SMALL, |_| {}).await;
    let broken = fails_over_bad_ones(&world);
    says(&world, 0..50, 1, 3).await;
    let status = all_that_works(&world, 50).await;
    assert!(is_in_order(&world.station.events()));
    assert_eq!(status.waiting as u64 + status.set_aside, 150, "and nothing of the one that fails is lost");
    assert!(status.waiting < 40 + 3 && status.set_aside > 100, "{status:?}");
    // Each of them was tried, and says why it was not tried longer.
    let mut dead = world.dead().await;
    assert!(dead.iter().all(|dead| (1..100).contains(&dead.deliveries) && dead.code == "upstream"));
    let why = "of 100 attempts: its device fails over and over while others are fine";
    assert!(dead.iter().all(|dead| dead.message.contains(why)), "{}", dead[0].message);
    assert!(dead.iter().all(|dead| dead.message.starts_with("it said upstream")), "{}", dead[0].message);
    dead.sort_by(|one, other| one.id.cmp(&other.id));
    let mut last = BTreeMap::new();
    for (at, event) in world.station.events().into_iter().filter(is_bad).enumerate() {
        last.insert(event.id, at);
    }
    assert!(last.keys().map(String::as_str).take(dead.len()).eq(dead.iter().map(|dead| &*dead.id)));
    assert!(last.values().is_sorted(), "one after the other, in its order");
    // The device is repaired: what waits is handled, and so is what the operator has tried again.
    broken.store(false, Ordering::SeqCst);
    world.until("news", |status| status.waiting == 0).await;
    let note = ask(&*world.disk, Wish::Retry, world.meant(None)).await.unwrap();
    assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
    let status = world.until("news", |status| status.handled == 50 * 23).await;
    assert_eq!((status.dead, status.waiting), (0, 0));
}

#[tokio::test]
async fn several_that_would_fill_the_queue_together_keep_no_other_from_being_heard() {
    let world = World::prepared("ev-eight-bad", SMALL, |_| {}).await;
    fails_over_bad_ones(&world);
    says(&world, 0..1, 8, 1).await;
    // The others go on until each of the eight has failed five times.
    let mut rounds = 1;
    until(async || {
        says(&world, rounds..rounds + 1, 0, 0).await;
        rounds += 1;
        let events = world.station.events();
        let times =
            |device| events.iter().filter(|event| event.subject == format!("fleet/b{device}")).count();
        (0..8).all(|device| times(device) >= 5).then_some(())
    })
    .await;
    says(&world, rounds..rounds + 30, 8, 1).await;
    let status = all_that_works(&world, rounds + 30).await;
    assert!(is_in_order(&world.station.events()));
    assert_eq!(status.waiting as u64 + status.set_aside, 8 * 31);
}

#[tokio::test]
async fn one_over_whose_every_message_the_handler_crashes_keeps_no_other_from_being_heard() {
    let world = World::prepared("ev-bad-crash", SMALL, |_| {}).await;
    world.station.handles(|_, batch| {
        let crashes = batch.iter().any(is_bad);
        let answers: Answers = vec![Ok(()); batch.len()];
        std::future::ready(if crashes { Err(wasmtime::Error::msg("it crashed")) } else { Ok(answers) })
    });
    says(&world, 0..20, 1, 5).await;
    let status = all_that_works(&world, 20).await;
    assert_eq!(status.waiting as u64 + status.set_aside, 100);
    let dead = world.dead().await;
    assert!(!dead.is_empty() && dead.iter().all(|dead| dead.code == "internal"));
}

#[tokio::test]
async fn a_host_that_begins_with_what_such_a_device_left_comes_to_the_same_end() {
    let world = World::prepared("ev-bad-crashed", SMALL, |_| {}).await;
    fails_over_bad_ones(&world);
    says(&world, 0..20, 1, 3).await;
    all_that_works(&world, 20).await;
    let world = world.crash().await;
    says(&world, 20..40, 1, 3).await;
    until(async || {
        let events = world.station.events();
        let handled: BTreeSet<_> = events.iter().filter(|event| !is_bad(event)).map(Given::text).collect();
        (handled.len() == FINE * 40).then_some(())
    })
    .await;
    let is_all = |status: &EventStatus| {
        let all = status.handled + status.set_aside + status.waiting as u64;
        status.heard == 40 * 23 && all == status.heard && status.waiting <= 40
    };
    world.until("news", is_all).await;
}

/// Devices that all worked, and then all fail until the queue is full and each has failed many times: nothing is set
/// aside, and all is handled once they work again.
async fn nothing_is_set_aside_while_all_fail(name: &'static str, devices: usize) {
    let world = World::prepared(name, SMALL, |_| {}).await;
    let says = |number: usize| {
        (0..devices).map(move |device| heard(&format!("d{device}"), &format!("{number}"))).collect::<Vec<_>>()
    };
    world.station.says("news", says(0)).await;
    world.until("news", |status| status.handled == devices as u64).await;
    world.station.answers(|_| Err(Fault::new("upstream", true)));
    let rounds = 40 / devices;
    for number in 1..=rounds {
        in_time(world.station.says("news", says(number))).await;
    }
    let sink = in_time(world.station.sink("news")).await;
    let late = tokio::spawn(sink.keep(says(rounds + 1)));
    world.given(devices * 16).await;
    quiet().await;
    let status = world.status("news").await.unwrap();
    assert_eq!((status.set_aside, status.dead, status.waiting), (0, 0, 40));
    assert!(!late.is_finished(), "the source waits");
    world.station.answers(|_| Ok(()));
    in_time(late).await.unwrap().expect("there is room");
    let status = world.until("news", |status| status.handled == status.heard && status.waiting == 0).await;
    assert_eq!((status.heard, status.set_aside), ((devices * (rounds + 2)) as u64, 0));
}

#[tokio::test]
async fn where_a_backend_is_down_for_all_nothing_is_set_aside_before_its_attempts() {
    nothing_is_set_aside_while_all_fail("ev-all-down", 5).await;
}

#[tokio::test]
async fn a_fleet_of_one_device_has_all_the_patience_that_was_granted() {
    nothing_is_set_aside_while_all_fail("ev-only-one", 1).await;
}
