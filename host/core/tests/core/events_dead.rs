//! What becomes of events that fail: set aside with their fault, until the operator drops them or has them tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fleetgate_core::capability::Heard;
use fleetgate_core::events::{Wish, ask, forget, is_taken};

use super::events_world::{GRANTS, World, quiet, until};
use super::host::in_time;
use super::radio::{Fault, Given, heard, texts};

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
    let dead = world.dead().await;
    let mut said: Vec<_> = dead
        .iter()
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
    for (wish, id, left) in [(Wish::Retry, of("two"), 2), (Wish::Drop, of("one"), 1), (Wish::Retry, None, 0)]
    {
        let note = ask(&*world.disk, wish, world.meant(id)).await.unwrap();
        assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
        world.until("news", |status| status.dead == left).await;
    }
    world.until("news", |status| status.handled == 2).await;
    let again: Vec<_> = world.station.events().into_iter().filter(|event| event.attempt == 2).collect();
    assert_eq!(texts(&again), ["two", "three"]);
    assert!(world.dead().await.is_empty());
}

#[tokio::test]
async fn what_was_set_aside_is_settled_also_while_there_is_no_room() {
    let world = World::new("ev-settled", "grant.radio.set = {}\ngrant.events.news = { queue = 2 }\n").await;
    let answer = |event: &Given| match event.text().as_str() {
        "bad" => Err(Fault::new("malformed", false)),
        _ => Ok(()),
    };
    let gate = world.station.waits(move |batch| Ok(batch.iter().map(answer).collect()));
    gate.lets_through(1);
    world.station.says("news", vec![heard("a", "bad")]).await;
    world.until("news", |status| status.dead == 1).await;
    let sink = in_time(world.station.sink("news")).await;
    sink.keep(vec![heard("a", "one"), heard("a", "two")]).await.unwrap();
    let late = tokio::spawn(sink.keep(vec![heard("a", "late")]));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let note = ask(&*world.disk, Wish::Drop, world.meant(None)).await.unwrap();
    assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
    assert!(!late.is_finished());
    in_time(world.host.reload()).await;
    gate.opens();
    world.until("news", |status| status.handled == 3 && status.dead == 0).await;
}

#[tokio::test]
async fn what_is_too_large_to_be_handled_is_set_aside_and_does_not_stop_the_rest() {
    let world = World::new("ev-large", GRANTS).await;
    let large = "x".repeat((1 << 20) + 1);
    world.station.says("news", vec![heard("a", &large), heard("a", "small")]).await;
    world.until("news", |status| status.handled == 1 && status.dead == 1).await;
    let dead = world.dead().await.remove(0);
    assert_eq!((dead.code.as_str(), dead.size, dead.deliveries), ("limit", large.len(), 0));
    // So is what its source did not even read.
    let unread = Heard { left_out: Some(300_000), ..heard("a", "") };
    world.station.says("news", vec![unread, heard("a", "small")]).await;
    world.until("news", |status| status.handled == 2 && status.dead == 2).await;
    let dead = world.dead().await;
    let unread = dead.iter().find(|dead| dead.size == 300_000).expect("its size is known");
    assert!(unread.code == "limit" && unread.message.contains("300000"), "{unread:?}");
    // There is nothing to try again.
    let note = ask(&*world.disk, Wish::Retry, world.meant(None)).await.unwrap();
    assert!(is_taken(&*world.disk, &note, Duration::from_secs(30)).await.unwrap());
    assert_eq!(texts(&world.station.events()), ["small", "small"]);
    assert_eq!(world.until("news", |status| status.dead == 2).await.waiting, 0);
}

#[tokio::test]
async fn rubbish_of_all_sizes_is_set_aside_and_stops_nobody() {
    let world = World::prepared("ev-rubbish", GRANTS, |station| {
        station.answers(|event| match event.text().starts_with('x') {
            true => Err(Fault::new("malformed", false)),
            false => Ok(()),
        });
    })
    .await;
    let says = async |count: usize, bytes: usize| {
        let rubbish = "x".repeat(bytes);
        world.station.says("news", (0..count).map(|_| heard("a", &rubbish)).collect()).await;
    };
    // Almost as many as are kept, then almost as much, then some at once in whose place all of the first have to go.
    let mut all = 0;
    for (count, bytes) in [(930, 1), (62, 256 << 10), (95, 11 << 10)] {
        says(count, bytes).await;
        all += count as u64;
        world.until("news", |status| status.set_aside == all).await;
    }
    world.station.says("news", vec![heard("b", "fine")]).await;
    let status = world.until("news", |status| status.handled == 1 && status.waiting == 0).await;
    assert!(status.dead <= 1_000 && status.trouble.is_none(), "{status:?}");
    // The rest gives way to what is set aside next, and what is listed is what is there.
    for _ in 0..4 {
        says(1, 1).await;
        all += 1;
        world.until("news", |status| status.set_aside == all).await;
    }
    let status = world.status("news").await.unwrap();
    until(async || {
        let kept = world.dead().await;
        let bytes: usize = kept.iter().map(|dead| dead.size).sum();
        (kept.len() == status.dead && bytes <= 16 << 20).then_some(())
    })
    .await;
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
async fn what_was_set_aside_a_moment_ago_is_dropped_or_tried_again_once_it_is_written() {
    for (name, wish, handled) in [("ev-fresh-drop", Wish::Drop, 0), ("ev-fresh-retry", Wish::Retry, 1)] {
        let world = World::new(name, GRANTS).await;
        let disk = world.disk.clone();
        // It is hopeless, and the disk is full when that is to be written.
        world.station.answers(move |_| {
            disk.fails.store(true, Ordering::SeqCst);
            Err(Fault::new("malformed", false))
        });
        world.station.says("news", vec![heard("a", "one")]).await;
        until(async || world.disk.fails.load(Ordering::SeqCst).then_some(())).await;
        world.station.answers(|_| Ok(()));
        let operator = world.disk.of_another();
        let note = ask(&*operator, wish, world.meant(None)).await.unwrap();
        quiet().await;
        assert!(!is_taken(&*operator, &note, Duration::ZERO).await.unwrap(), "it is not done");
        world.disk.fails.store(false, Ordering::SeqCst);
        assert!(is_taken(&*operator, &note, Duration::from_secs(30)).await.unwrap());
        world.until("news", |status| status.set_aside == 1 && status.dead == 0).await;
        let status = world.until("news", |status| status.handled == handled).await;
        assert_eq!((status.waiting, status.set_aside), (0, 1));
        assert!(world.dead().await.is_empty());
        // Nor does it come back when another host begins with what is kept.
        let world = world.crash().await;
        world.station.says("news", vec![heard("a", "two")]).await;
        let status = world.until("news", |status| status.handled == handled + 1).await;
        assert_eq!((status.dead, status.waiting), (0, 0));
        let events = world.station.events();
        let again = match wish {
            Wish::Drop => &["one", "two"][..],
            Wish::Retry => &["one", "one", "two"][..],
        };
        assert_eq!(texts(&events), again);
        assert!(events[..again.len() - 1].iter().all(|event| event.id == events[0].id));
    }
}
