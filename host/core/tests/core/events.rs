//! What becomes of events: in order, at least once, kept before they are acknowledged, and never more than there is
//! room for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fleetgate_core::events::Pace;
use futures_util::future::join_all;

use super::events_world::{GRANTS, PACE, World, until};
use super::host::in_time;
use super::radio::{Fault, Given, content, delivered, heard, texts};

#[tokio::test]
async fn what_is_heard_is_handled_once_as_it_was_said() {
    let world = World::new("ev-once", GRANTS).await;
    world.station.says("news", vec![heard("a", "one"), heard("b", "two")]).await;
    world.until("news", |status| status.handled == 2).await;
    let events = world.station.events();
    assert_eq!(texts(&events), ["one", "two"]);
    let first = &events[0];
    assert_eq!((first.source.as_str(), first.subject.as_str()), ("events.news", "fleet/a"));
    assert_eq!((first.attempt, first.attributes.as_str()), (1, r#"{"qos":1}"#));
    assert!(first.time_ms > 1_600_000_000_000, "Unix milliseconds: {}", first.time_ms);
    assert_ne!(events[0].id, events[1].id);
    let status = world.until("news", |status| status.handled == 2 && status.waiting == 0).await;
    assert_eq!((status.heard, status.failing, status.dead), (2, 0, 0));
}

#[tokio::test]
async fn ids_of_what_is_heard_in_one_moment_sort_as_it_came() {
    let world = World::new("ev-sorted", GRANTS).await;
    world.station.says("news", (0..500).map(|number| heard("a", &number.to_string())).collect()).await;
    world.until("news", |status| status.handled == 500).await;
    let mut events = world.station.events();
    events.sort_by(|one, other| one.id.cmp(&other.id));
    let numbers: Vec<u32> = texts(&events).iter().map(|text| text.parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[tokio::test]
async fn each_device_is_heard_in_its_order_whatever_fails_meanwhile() {
    let world = World::new("ev-order", GRANTS).await;
    let failed = Arc::new(AtomicUsize::new(0));
    let count = failed.clone();
    // Every seventh delivery fails.
    world.station.answers(move |_| match count.fetch_add(1, Ordering::SeqCst) % 7 {
        3 => Err(Fault::new("upstream", true)),
        _ => Ok(()),
    });
    for round in 0..20 {
        let all = ["a", "b", "c", "d", "e"].map(|device| heard(device, &format!("{device}{round:02}")));
        world.station.says("news", all.to_vec()).await;
    }
    world.until("news", |status| status.handled == 100).await;
    // An event counts when it was handled for the last time.
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (at, event) in world.station.events().iter().enumerate() {
        last.insert(event.text(), at);
    }
    for device in ["a", "b", "c", "d", "e"] {
        let places: Vec<usize> = (0..20).map(|round| last[&format!("{device}{round:02}")]).collect();
        assert!(places.is_sorted(), "{device}: {places:?}");
    }
    assert!(failed.load(Ordering::SeqCst) > 100);
}

#[tokio::test]
async fn a_failing_event_holds_up_its_own_device_and_nobody_else() {
    let world = World::new("ev-holds", GRANTS).await;
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = broken.clone();
    world.station.answers(move |event| match event.text().as_str() {
        "a1" if is_broken.load(Ordering::SeqCst) => Err(Fault::new("upstream", true)),
        _ => Ok(()),
    });
    world.station.says("news", ["a1", "b1", "a2", "b2"].map(|text| heard(&text[..1], text)).to_vec()).await;
    world.station.says("news", vec![heard("b", "b3"), heard("a", "a3")]).await;
    let status = world.until("news", |status| status.handled == 3 && status.failing == 1).await;
    assert_eq!(status.waiting, 3, "a1, and what stands behind it");
    world.given(10).await;
    broken.store(false, Ordering::SeqCst);
    world.until("news", |status| status.handled == 6).await;
    let of_a: Vec<String> =
        world.station.events().iter().filter(|event| event.subject == "fleet/a").map(Given::text).collect();
    assert_eq!(of_a[of_a.len() - 2..], ["a2", "a3"]);
    let first = world.station.events().into_iter().filter(|event| event.text() == "a1");
    let first: Vec<_> = first.collect();
    assert!(first.len() > 1 && first.iter().all(|event| event.id == first[0].id));
    assert!(first.iter().map(|event| event.attempt).is_sorted_by(|one, next| one < next));
}

#[tokio::test]
async fn the_event_over_which_a_handler_crashes_is_found_and_the_others_are_handled() {
    let world = World::new("ev-poison", "grant.radio.set = {}\ngrant.events.news = { attempts = 2 }\n").await;
    let gate = world.station.waits(|batch| match batch.iter().any(|event| event.text() == "poison") {
        true => Err(wasmtime::Error::msg("the handler crashed")),
        false => content(batch),
    });
    let mut all: Vec<_> = (0..16).map(|number| heard(&format!("d{number}"), "fine")).collect();
    all.insert(7, heard("d-poison", "poison"));
    world.station.says("news", all).await;
    gate.opens();
    world.until("news", |status| status.handled == 16 && status.dead == 1).await;
    let alone =
        world.station.given().into_iter().filter(|batch| batch.len() == 1 && batch[0].text() == "poison");
    assert_eq!(alone.count(), 2, "alone as often as it may fail");
    let dead = world.dead().await;
    assert_eq!(dead.iter().map(|dead| dead.code.as_str()).collect::<Vec<_>>(), ["internal"]);
}

#[tokio::test]
async fn a_handler_that_answers_too_few_or_too_many_has_answered_nothing() {
    for (name, more) in [("ev-few", -1), ("ev-many", 1)] {
        let world = World::new(name, "grant.radio.set = {}\ngrant.events.news = { attempts = 1 }\n").await;
        world.station.handles(move |_, batch| async move {
            let count = batch.len().saturating_add_signed(more);
            Ok(vec![Ok(()); count])
        });
        world.station.says("news", vec![heard("a", "one")]).await;
        world.until("news", |status| status.dead == 1).await;
        let status = world.status("news").await.unwrap();
        assert_eq!(status.handled, 0);
    }
}

#[tokio::test]
async fn what_had_begun_when_the_host_was_killed_is_delivered_again_as_the_next_attempt() {
    let world = World::prepared("ev-kill", GRANTS, |station| {
        station.handles(|_, _| std::future::pending());
    })
    .await;
    world.station.says("news", vec![heard("a", "one"), heard("b", "two")]).await;
    world.given(2).await;
    let before = world.station.events();
    world.station.answers(|_| Ok(()));
    let world = world.crash().await;
    world.until("news", |status| status.handled == 2).await;
    let after = &world.station.events()[before.len()..];
    for text in ["one", "two"] {
        let find = |events: &[Given]| events.iter().find(|event| event.text() == text).unwrap().clone();
        let (first, again) = (find(&before), find(after));
        assert_eq!((first.id, first.attempt, again.attempt), (again.id, 1, 2));
    }
}

#[tokio::test]
async fn what_was_handled_and_not_forgotten_when_the_host_was_killed_has_the_same_id_again() {
    let world = World::new("ev-kill-after", GRANTS).await;
    let disk = world.disk.clone();
    // It is handled, and the host dies before it can write so.
    world.station.handles(move |_, batch| {
        disk.fails.store(true, Ordering::SeqCst);
        std::future::ready(Ok(vec![Ok(()); batch.len()]))
    });
    world.station.says("news", vec![heard("a", "one")]).await;
    world.given(1).await;
    world.station.answers(|_| Ok(()));
    let world = world.crash().await;
    world.until("news", |status| status.handled == 1).await;
    let events = world.station.events();
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].id.as_str(), events[1].attempt), (events[1].id.as_str(), 2));
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_kept() {
    let world = World::new("ev-full-disk", GRANTS).await;
    let sink = in_time(world.station.sink("news")).await;
    world.disk.fails.store(true, Ordering::SeqCst);
    let keeping = tokio::spawn(sink.keep(vec![heard("a", "one")]));
    let trouble =
        until(async || (world.station.events().len() + usize::from(keeping.is_finished()) > 0).then_some(()));
    assert!(tokio::time::timeout(Duration::from_millis(300), trouble).await.is_err());
    world.disk.fails.store(false, Ordering::SeqCst);
    in_time(keeping).await.unwrap().expect("it is kept");
    world.until("news", |status| status.handled == 1).await;
}

#[tokio::test]
async fn a_source_that_repeats_what_was_kept_is_not_heard_twice_even_after_a_restart() {
    let world = World::new("ev-origin", GRANTS).await;
    world.station.says("news", vec![delivered("a", "one", "1-x", false)]).await;
    world
        .station
        .says("news", vec![delivered("a", "one", "1-x", true), delivered("a", "two", "2-y", true)])
        .await;
    world.until("news", |status| status.handled == 2).await;
    let world = world.crash().await;
    // The same name without the mark of a repetition is another delivery.
    world
        .station
        .says("news", vec![delivered("a", "two", "2-y", true), delivered("a", "three", "1-x", false)])
        .await;
    let status = world.until("news", |status| status.handled == 3).await;
    assert_eq!((status.heard, status.again), (3, 2));
    assert_eq!(texts(&world.station.events()), ["one", "two", "three"]);
}

#[tokio::test]
async fn when_the_queue_is_full_the_source_waits_and_nothing_is_lost() {
    let world =
        World::new("ev-room", "grant.radio.set = {}\ngrant.events.news = { queue = 10, batch = 5 }\n").await;
    let gate = world.station.waits(content);
    let sink = in_time(world.station.sink("news")).await;
    for number in 0..10 {
        sink.keep(vec![heard("a", &number.to_string())]).await.unwrap();
    }
    let late = tokio::spawn(sink.keep(vec![heard("a", "late")]));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!late.is_finished(), "there is no room");
    gate.lets_through(1);
    in_time(late).await.unwrap().expect("there is room");
    gate.opens();
    world.until("news", |status| status.handled == 11).await;
    assert_eq!(texts(&world.station.events()).len(), 11);
}

#[tokio::test]
async fn a_thousand_messages_are_a_few_writes() {
    // How it stands is written, too, for as long as it takes: not often here.
    let (name, pace) = ("ev-many-messages", Pace { look: Duration::from_secs(1), ..PACE });
    let world = World::paced(name, World::place(name, GRANTS), Arc::default(), pace).await;
    let sink = in_time(world.station.sink("news")).await;
    let before = *world.disk.writes.lock().unwrap();
    let keeping =
        (0..1_000).map(|number| sink.keep(vec![heard(&format!("d{}", number % 50), &number.to_string())]));
    for kept in in_time(join_all(keeping)).await {
        kept.expect("it is kept");
    }
    world.until("news", |status| status.handled == 1_000).await;
    let writes = *world.disk.writes.lock().unwrap() - before;
    assert!(writes < 200, "{writes} writes");
    let numbers: Vec<usize> =
        texts(&world.station.events()).iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_source_does_not_wait_for_any_more_is_not_kept_and_does_not_pile_up() {
    let world =
        World::new("ev-gone-source", "grant.radio.set = {}\ngrant.events.news = { queue = 1 }\n").await;
    let gate = world.station.waits(content);
    let sink = in_time(world.station.sink("news")).await;
    sink.keep(vec![heard("a", "one")]).await.unwrap();
    world.given(1).await;
    // Its connection breaks again and again while there is no room.
    let large = "x".repeat(1 << 19);
    for _ in 0..64 {
        let keeping = tokio::time::timeout(Duration::from_millis(5), sink.keep(vec![heard("a", &large)]));
        assert!(keeping.await.is_err());
    }
    let last = tokio::spawn(sink.keep(vec![heard("a", "last")]));
    gate.opens();
    in_time(last).await.unwrap().expect("there is room");
    world.until("news", |status| status.waiting == 0 && status.handled >= 2).await;
    let large = world.station.events().iter().filter(|event| event.data.len() > 100).count();
    assert!(large <= 1, "{large} were kept that nobody waited for");
}
