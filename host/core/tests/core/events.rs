//! What becomes of events: in order, at least once, kept before they are acknowledged, and never more than there is
//! room for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fleetgate_core::events::{Meant, Wish, ask, dead, forget, is_taken};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::events_world::{GRANTS, World, until};
use super::host::in_time;
use super::radio::{Fault, Given, delivered, heard};

fn texts(events: &[Given]) -> Vec<String> {
    events.iter().map(Given::text).collect()
}

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
async fn an_event_that_fails_too_often_is_set_aside_with_its_fault_and_the_next_goes_on() {
    let world = World::new("ev-dead", "grant.radio.set = {}\ngrant.events.news = { attempts = 3 }\n").await;
    world.station.answers(|event| match event.text().as_str() {
        "bad" => Err(Fault::new("upstream", true)),
        "hopeless" => Err(Fault::new("malformed", false)),
        _ => Ok(()),
    });
    let said = [("a", "bad"), ("a", "good"), ("b", "hopeless"), ("b", "better")];
    world.station.says("news", said.map(|(device, text)| heard(device, text)).to_vec()).await;
    world.until("news", |status| status.handled == 2 && status.dead == 2).await;
    let times = |text: &str| world.station.events().iter().filter(|event| event.text() == text).count();
    assert_eq!((times("bad"), times("hopeless")), (3, 1), "what is hopeless is not tried again");
    let dead = dead(&*world.disk).await.unwrap();
    let mut said: Vec<_> = dead
        .iter()
        .filter(|dead| *dead.binding == *world.name)
        .map(|dead| (dead.code.as_str(), dead.message.as_str(), dead.deliveries, dead.size))
        .collect();
    said.sort_unstable();
    assert_eq!(said, [("malformed", "it said malformed", 1, 8), ("upstream", "it said upstream", 3, 3)]);
}

#[tokio::test]
async fn what_was_set_aside_is_tried_again_or_dropped_when_the_operator_says_so() {
    let world = World::new("ev-retry", GRANTS).await;
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = broken.clone();
    world.station.answers(move |event| match event.text().as_str() {
        _ if !is_broken.load(Ordering::SeqCst) => Ok(()),
        "fine" => Ok(()),
        _ => Err(Fault::new("malformed", false)),
    });
    world.station.says("news", ["one", "two", "three"].map(|text| heard(text, text)).to_vec()).await;
    world.until("news", |status| status.dead == 3).await;
    broken.store(false, Ordering::SeqCst);
    let of = |text: &str| {
        let found = world.station.events().into_iter().find(|event| event.text() == text).unwrap();
        Some(found.id.as_str().into())
    };
    let meant = |id| Meant { binding: world.name.into(), event: "news".into(), id };
    for (wish, id, left) in [(Wish::Retry, of("two"), 2), (Wish::Drop, of("one"), 1), (Wish::Retry, None, 0)]
    {
        let note = ask(&*world.disk, wish, meant(id)).await.unwrap();
        assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
        world.until("news", |status| status.dead == left).await;
    }
    world.until("news", |status| status.handled == 2).await;
    let again: Vec<_> = world.station.events().into_iter().filter(|event| event.attempt == 2).collect();
    assert_eq!(texts(&again), ["two", "three"]);
    assert!(dead(&*world.disk).await.unwrap().iter().all(|dead| *dead.binding != *world.name));
}

#[tokio::test]
async fn the_event_over_which_a_handler_crashes_is_found_and_the_others_are_handled() {
    let world = World::new("ev-poison", "grant.radio.set = {}\ngrant.events.news = { attempts = 2 }\n").await;
    let open = Arc::new(Semaphore::new(0));
    let gate = open.clone();
    world.station.handles(move |_, batch| {
        let gate = gate.clone();
        async move {
            gate.acquire().await?.forget();
            gate.add_permits(1);
            match batch.iter().any(|event| event.text() == "poison") {
                true => Err(wasmtime::Error::msg("the handler crashed")),
                false => Ok(vec![Ok(()); batch.len()]),
            }
        }
    });
    let mut all: Vec<_> = (0..16).map(|number| heard(&format!("d{number}"), "fine")).collect();
    all.insert(7, heard("d-poison", "poison"));
    world.station.says("news", all).await;
    open.add_permits(1);
    world.until("news", |status| status.handled == 16 && status.dead == 1).await;
    let alone =
        world.station.given().into_iter().filter(|batch| batch.len() == 1 && batch[0].text() == "poison");
    assert_eq!(alone.count(), 2, "alone as often as it may fail");
    let dead = dead(&*world.disk).await.unwrap();
    let dead = dead.iter().find(|dead| *dead.binding == *world.name).unwrap();
    assert_eq!(dead.code, "internal");
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
    let gate = Arc::new(Semaphore::new(0));
    let open = gate.clone();
    world.station.handles(move |_, batch| {
        let gate = gate.clone();
        async move {
            gate.acquire().await?.forget();
            Ok(vec![Ok(()); batch.len()])
        }
    });
    let sink = in_time(world.station.sink("news")).await;
    for number in 0..10 {
        sink.keep(vec![heard("a", &number.to_string())]).await.unwrap();
    }
    let late = tokio::spawn(sink.keep(vec![heard("a", "late")]));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!late.is_finished(), "there is no room");
    open.add_permits(1);
    in_time(late).await.unwrap().expect("there is room");
    open.add_permits(100);
    world.until("news", |status| status.handled == 11).await;
    assert_eq!(texts(&world.station.events()).len(), 11);
}

#[tokio::test]
async fn a_thousand_messages_are_a_few_writes() {
    let world = World::new("ev-many-messages", GRANTS).await;
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
async fn what_is_too_large_to_be_handled_is_set_aside_and_does_not_stop_the_rest() {
    let world = World::new("ev-large", GRANTS).await;
    let large = "x".repeat((1 << 20) + 1);
    world.station.says("news", vec![heard("a", &large), heard("a", "small")]).await;
    world.until("news", |status| status.handled == 1 && status.dead == 1).await;
    let dead = dead(&*world.disk).await.unwrap();
    let dead = dead.iter().find(|dead| *dead.binding == *world.name).unwrap();
    assert_eq!((dead.code.as_str(), dead.size, dead.deliveries), ("limit", large.len(), 0));
    // There is nothing to try again.
    let meant = Meant { binding: world.name.into(), event: "news".into(), id: None };
    let note = ask(&*world.disk, Wish::Retry, meant).await.unwrap();
    assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
    assert_eq!(texts(&world.station.events()), ["small"]);
    assert_eq!(world.until("news", |status| status.dead == 1).await.waiting, 0);
}

#[tokio::test]
async fn what_is_kept_of_an_event_that_nobody_grants_any_more_can_be_forgotten() {
    let world = World::prepared("ev-forget", GRANTS, |station| {
        station.answers(|_| Err(Fault::new("upstream", true)));
    })
    .await;
    world.station.says("news", vec![heard("a", "one")]).await;
    world.until("news", |status| status.failing == 1).await;
    world.settings("grant.radio.set = {}\n");
    in_time(world.host.reload()).await;
    let status = world.until("news", |status| !status.granted).await;
    assert_eq!(status.waiting, 1, "it is kept");
    forget(&*world.disk, world.name, "news").await.unwrap();
    assert!(world.status("news").await.is_none());
}

#[tokio::test]
async fn what_was_set_aside_is_settled_also_while_there_is_no_room() {
    let world = World::new("ev-settled", "grant.radio.set = {}\ngrant.events.news = { queue = 2 }\n").await;
    let gate = Arc::new(Semaphore::new(1));
    let open = gate.clone();
    world.station.handles(move |_, batch| {
        let gate = gate.clone();
        async move {
            gate.acquire().await?.forget();
            let answer = |event: &Given| match event.text().as_str() {
                "bad" => Err(Fault::new("malformed", false)),
                _ => Ok(()),
            };
            Ok(batch.iter().map(answer).collect())
        }
    });
    world.station.says("news", vec![heard("a", "bad")]).await;
    world.until("news", |status| status.dead == 1).await;
    let sink = in_time(world.station.sink("news")).await;
    sink.keep(vec![heard("a", "one"), heard("a", "two")]).await.unwrap();
    let late = tokio::spawn(sink.keep(vec![heard("a", "late")]));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let meant = Meant { binding: world.name.into(), event: "news".into(), id: None };
    let note = ask(&*world.disk, Wish::Drop, meant).await.unwrap();
    assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
    assert!(!late.is_finished());
    in_time(world.host.reload()).await;
    open.add_permits(100);
    world.until("news", |status| status.handled == 3 && status.dead == 0).await;
}

#[tokio::test]
async fn what_a_source_does_not_wait_for_any_more_is_not_kept_and_does_not_pile_up() {
    let world =
        World::new("ev-gone-source", "grant.radio.set = {}\ngrant.events.news = { queue = 1 }\n").await;
    let gate = Arc::new(Semaphore::new(0));
    let open = gate.clone();
    world.station.handles(move |_, batch| {
        let gate = gate.clone();
        async move {
            gate.acquire().await?.forget();
            Ok(vec![Ok(()); batch.len()])
        }
    });
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
    open.add_permits(1_000);
    in_time(last).await.unwrap().expect("there is room");
    world.until("news", |status| status.waiting == 0 && status.handled >= 2).await;
    let large = world.station.events().iter().filter(|event| event.data.len() > 100).count();
    assert!(large <= 1, "{large} were kept that nobody waited for");
}
