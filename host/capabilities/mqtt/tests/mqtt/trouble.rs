//! Brokers that are down, break, flood, or speak nonsense; and the records of what was done.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fleetgate_mqtt::testing::Heard;
use rumqttc::Packet;

use crate::mosquitto::{Mosquitto, free_addresses};
use crate::rogue::{CONNACK, Peer, Rogue, publish};
use crate::world::{Call, World, call, granting, until};

async fn rogue<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(Peer) -> F + Send + 'static,
) -> (Rogue, World) {
    let rogue = Rogue::start(serve).await;
    let world = World::new(&format!("{}\nconnect_timeout = \"5s\"", granting(&rogue.url())));
    (rogue, world)
}

#[tokio::test]
async fn a_broker_that_is_down_is_unreachable_and_asked_no_more_than_once_in_a_second() {
    let [address] = free_addresses();
    let world = World::new(&granting(&format!("mqtt://{address}")));
    let binding = world.bind();
    let begin = Instant::now();
    for _ in 0..50 {
        let failure = call().to(&binding).fails("a").await;
        assert_eq!((failure.code, failure.retryable, failure.sent), ("unreachable", true, false));
        assert_eq!(failure.message, "nothing listens where the broker is");
    }
    assert!(begin.elapsed() < Duration::from_secs(30), "the second to the last are answered from memory");
}

#[tokio::test]
async fn calls_that_wait_for_a_broker_are_answered_together() {
    let (rogue, world) = rogue(|mut peer| async move { peer.ignore().await }).await;
    let binding = world.bind();
    let calls = (0..20).map(|_| {
        let caller = call().to(&binding);
        async move { caller.fails("a").await }
    });
    for failure in futures_util::future::join_all(calls).await {
        assert_eq!((failure.code, failure.message.as_str()), ("unreachable", "the broker does not answer"));
    }
    assert!(rogue.connections.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn nonsense_is_a_protocol_error_and_the_next_call_asks_anew() {
    for (nonsense, code) in [
        // As MQTT these are the beginnings of packets that never end.
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "unreachable"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "unreachable"),
        (&[0x20, 2, 0, 9], "protocol"),
        (&[0x30, 3, 0, 1, b'a'], "protocol"),
        (&[0xff, 0xff, 0xff, 0xff, 0xff], "protocol"),
        (&[0x20, 2, 1, 0], "protocol"),
        (&[0; 64], "protocol"),
    ] {
        let (_rogue, world) = rogue(move |mut peer| async move {
            let _ = peer.packet().await;
            peer.say(nonsense).await;
            peer.ignore().await;
        })
        .await;
        let binding = world.bind();
        let failure = call().to(&binding).fails("a").await;
        assert_eq!((failure.code, failure.sent), (code, false), "{nonsense:?}: {}", failure.message);
    }
}

#[tokio::test]
async fn nonsense_in_the_middle_ends_the_connection_and_not_the_next() {
    let count = Arc::new(AtomicUsize::new(0));
    let (_rogue, world) = rogue(move |mut peer| {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            peer.welcome().await;
            if first {
                let _ = peer.packet().await;
                // An acknowledgement of what was never sent.
                peer.say(&[0x40, 2, 0x7f, 0xff]).await;
            }
            peer.serve(1).await;
        }
    })
    .await;
    let binding = world.bind();
    let failure = call().to(&binding).fails("a").await;
    assert_eq!((failure.code, failure.sent, failure.retryable), ("dropped", true, false));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    call().to(&binding).publish("a", "x").await.unwrap();
}

#[tokio::test]
async fn a_message_that_was_not_acknowledged_is_told_so_and_never_sent_again() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let (rogue, world) = rogue(move |mut peer| {
        let seen = Arc::clone(&count);
        async move {
            peer.welcome().await;
            while let Some(packet) = peer.packet().await {
                match packet {
                    // Without an answer the connection ends.
                    Packet::Publish(message) if &message.topic[..] == b"lost" => {
                        seen.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    packet => peer.answers(packet, 1).await,
                }
            }
        }
    })
    .await;
    let binding = world.bind();
    let caller = call().to(&binding);
    // Somebody listens, so that the connection is made again.
    let listening = caller.listening(&["a"]).await;
    for qos in [0, 1] {
        let done = caller.publish_with("lost", "x", &format!("{{\"qos\":{qos}}}")).await;
        match qos {
            0 => drop(done),
            _ => {
                let failure = done.unwrap_err().guest();
                assert_eq!((failure.code, failure.sent, failure.retryable), ("dropped", true, false));
            }
        }
        let before = rogue.connections.load(Ordering::SeqCst);
        assert_eq!(listening.next().await, Heard::Missed(0));
        until("connected again", || async { rogue.connections.load(Ordering::SeqCst) > before }).await;
        until("it works", || async { caller.publish("a", "x").await.is_ok() }).await;
    }
    assert_eq!(seen.load(Ordering::SeqCst), 2, "each was sent once");
}

#[tokio::test]
async fn a_flood_leaves_memory_flat_and_is_counted() {
    let (_rogue, world) = rogue(|mut peer| async move {
        peer.welcome().await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        let message = publish("flood/1", &[b'x'; 8 << 10]).repeat(16);
        for _ in 0..4_000 {
            peer.say(&message).await;
        }
        peer.say(&publish("flood/end", b"end")).await;
        peer.serve(1).await;
    })
    .await;
    let binding = world.bind();
    let listening = call().to(&binding).listening(&["flood/#"]).await;
    let before = resident();
    // 512 MiB came.
    let mut missed = 0;
    let mut heard = 0u64;
    let mut most = before;
    loop {
        most = most.max(resident());
        match listening.next().await {
            Heard::Missed(count) => missed += count,
            Heard::Message(message) if message.topic == "flood/end" => break,
            Heard::Message(_) => heard += 1,
            Heard::TimedOut => panic!("the flood stopped"),
        }
        if heard.is_multiple_of(500) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(heard + missed, 64_000, "every message was read or counted");
    assert!(most - before < 64 << 20, "{} MiB more", (most - before) >> 20);
}

/// What this process has in memory, in bytes.
pub fn resident() -> u64 {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|statm| statm.split(' ').nth(1)?.parse().ok())
        .unwrap_or(0);
    pages * 4096
}

#[tokio::test]
async fn messages_that_nobody_asked_for_are_heard_by_nobody() {
    let (_rogue, world) = rogue(|mut peer| async move {
        peer.welcome().await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        for topic in ["other", "mine/x", "$SYS/broker", "mine"] {
            peer.say(&publish(topic, b"x")).await;
        }
        peer.serve(1).await;
    })
    .await;
    let binding = world.bind();
    let listening = call().to(&binding).listening(&["mine"]).await;
    assert_eq!(listening.hears().await.0, "mine");
    listening.hears_nothing().await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_passed_over_without_being_kept_in_memory() {
    let (rogue, world) = rogue(|mut peer| async move {
        peer.welcome().await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        // 96 MiB, and something small behind them.
        peer.say(&[0x30, 0x83, 0x80, 0x80, 0x30, 0, 1, b'a']).await;
        for _ in 0..96 {
            peer.say(&vec![b'x'; 1 << 20]).await;
        }
        peer.say(&publish("a", b"small")).await;
        peer.ignore().await;
    })
    .await;
    let binding = world.bind();
    let before = resident();
    let listening = call().to(&binding).listening(&["a"]).await;
    assert_eq!(listening.next().await, Heard::Missed(1));
    assert_eq!(listening.payload().await, "small");
    assert!(resident() - before.min(resident()) < 32 << 20);
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_packet_over_the_limit_that_is_no_message_ends_the_connection() {
    let (_rogue, world) = rogue(|mut peer| async move {
        peer.welcome().await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        // A SUBACK of 256 MiB is announced.
        peer.say(&[0x90, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0]).await;
        peer.ignore().await;
    })
    .await;
    let binding = world.bind();
    let listening = call().to(&binding).listening(&["a"]).await;
    assert_eq!(listening.next().await, Heard::Missed(0));
}

#[tokio::test]
async fn a_subscription_lives_through_a_restart_and_is_told_of_the_gap() {
    let mut broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let binding = broker.world_with(&format!("version = \"{version}\"")).bind();
        let caller = call().to(&binding);
        let listening = caller.listening(&["a/+"]).await;
        broker.device().await.publish("a/1", "before").await;
        assert_eq!(listening.payload().await, "before");
        broker.again().await;
        assert_eq!(listening.next().await, Heard::Missed(0));
        until("it is heard again", || async {
            broker.device().await.publish("a/1", "after").await;
            matches!(listening.0.read(Duration::from_millis(200)).await, Ok(Heard::Message(message)) if message.payload == b"after")
        })
        .await;
    }
}

/// The broker is killed and started again while publications are under way: each that was acknowledged arrived, none came
/// twice, and what failed says whether it may have arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_publication_is_lost_or_sent_twice_when_the_broker_is_killed_under_load() {
    let (rogue, received) = witness().await;
    let world = World::new(&format!(
        "{}\nrate = \"100000/s\"\nqos = 2\nconnect_timeout = \"1s\"",
        granting(&format!("mqtt://{}", rogue.address))
    ));
    let binding = world.bind();
    let (mut acknowledged, mut unknown, mut unsent) = (HashSet::new(), HashSet::new(), HashSet::new());
    let begin = Instant::now();
    let mut round = 0;
    // For six seconds, and on a slow machine until there is something to look at.
    let enough = |acknowledged: &HashSet<String>, unknown: &HashSet<String>| {
        let seconds = begin.elapsed().as_secs();
        seconds >= 60 || seconds >= 6 && acknowledged.len() > 50 && !unknown.is_empty()
    };
    while !enough(&acknowledged, &unknown) {
        round += 1;
        let calls = (0..40).map(|number| {
            let caller = Call::default().to(&binding);
            let payload = format!("{round}-{number}");
            async move {
                let done = caller.publish("load", &payload).await;
                (payload, done)
            }
        });
        for (payload, done) in futures_util::future::join_all(calls).await {
            match done {
                Ok(()) => acknowledged.insert(payload),
                Err(failure) if failure.guest().sent => unknown.insert(payload),
                Err(_) => unsent.insert(payload),
            };
        }
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let received = received.lock().unwrap().clone();
    assert!(acknowledged.len() > 50 && !unknown.is_empty(), "{} {}", acknowledged.len(), unknown.len());
    for payload in &acknowledged {
        assert_eq!(received.get(payload), Some(&1), "{payload} was acknowledged");
    }
    for payload in &unknown {
        assert!(received.get(payload).is_none_or(|times| *times == 1), "{payload} came more than once");
    }
    for payload in &unsent {
        assert_eq!(received.get(payload), None, "{payload} was never sent");
    }
}

/// A broker that counts what it gets, and falls over again and again at any place.
#[allow(clippy::type_complexity)]
async fn witness() -> (Rogue, Arc<std::sync::Mutex<HashMap<String, usize>>>) {
    let received: Arc<std::sync::Mutex<HashMap<String, usize>>> = Arc::default();
    let seen = Arc::clone(&received);
    let count = Arc::new(AtomicUsize::new(0));
    let rogue = Rogue::start(move |mut peer| {
        let (seen, count) = (Arc::clone(&seen), Arc::clone(&count));
        async move {
            peer.welcome().await;
            // Now after some packets, now after many, now before the acknowledgement, now after it.
            let life = 50 + (count.fetch_add(1, Ordering::SeqCst) * 37) % 400;
            for packet in 0.. {
                let Some(message) = peer.packet().await else { return };
                if let Packet::Publish(message) = &message {
                    let payload = String::from_utf8(message.payload.to_vec()).unwrap();
                    *seen.lock().unwrap().entry(payload).or_default() += 1;
                }
                if packet == life {
                    return;
                }
                peer.answers(message, 1).await;
            }
        }
    })
    .await;
    (rogue, received)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_broker_that_is_killed_under_load_keeps_what_it_acknowledged() {
    let mut broker = Mosquitto::start().await;
    let binding = broker.world_with("rate = \"100000/s\"\nconnect_timeout = \"1s\"").bind();
    let binding = Arc::new(binding);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let fine = Arc::new(AtomicUsize::new(0));
    let load = {
        let (binding, stop, fine) = (Arc::clone(&binding), Arc::clone(&stop), Arc::clone(&fine));
        tokio::spawn(async move {
            let mut failed = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                match call().to(&binding).publish("load", "x").await {
                    Ok(()) => {
                        fine.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(failure) => {
                        failed.push(failure.guest());
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
            failed
        })
    };
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        broker.again().await;
    }
    until("it works again", || async { call().to(&binding).publish("end", "x").await.is_ok() }).await;
    until("many came through", || async { fine.load(Ordering::SeqCst) > 100 }).await;
    stop.store(true, Ordering::SeqCst);
    for failure in load.await.unwrap() {
        assert!(["dropped", "unreachable", "timeout"].contains(&failure.code), "{failure:?}");
    }
}

#[tokio::test]
async fn a_publication_whose_call_is_cancelled_is_told_as_possibly_sent() {
    let caller = call();
    let arrived = Arc::new(tokio::sync::Notify::new());
    let arrives = Arc::clone(&arrived);
    let (_rogue, world) = rogue(move |mut peer| {
        let arrives = Arc::clone(&arrives);
        async move {
            peer.welcome().await;
            let _ = peer.packet().await;
            arrives.notify_one();
            peer.ignore().await;
        }
    })
    .await;
    let binding = world.bind();
    let caller = caller.to(&binding);
    let cancel = caller.call.cancel.clone();
    tokio::spawn(async move {
        arrived.notified().await;
        cancel.cancel();
    });
    let failure = caller.fails("a").await;
    assert_eq!((failure.code, failure.sent, failure.retryable), ("cancelled", true, false));
}

#[tokio::test]
async fn more_than_the_connection_carries_waits_unsent() {
    let (rogue, world) = rogue(|mut peer| async move {
        peer.welcome().await;
        peer.ignore().await;
    })
    .await;
    let world = world.granting(&format!("{}\nrate = \"1000/s\"", granting(&rogue.url())));
    let binding = world.bind();
    let calls = (0..80).map(|_| {
        let caller = call().to(&binding);
        async move { caller.publish_with("a", "x", "{\"timeoutMs\":5000}").await.unwrap_err().guest() }
    });
    let failures = futures_util::future::join_all(calls).await;
    assert!(failures.iter().all(|failure| failure.code == "timeout"));
    let unsent = failures.iter().filter(|failure| !failure.sent).count();
    assert_eq!(unsent, 16, "64 are on their way at once");
}

#[tokio::test]
async fn keep_alive_finds_a_broker_that_went_silent() {
    let (rogue, _) = rogue(|mut peer| async move {
        let _ = peer.packet().await;
        peer.say(&CONNACK).await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        peer.ignore().await;
    })
    .await;
    let world = World::new(&format!("{}\nkeep_alive = \"5s\"", granting(&rogue.url())));
    let binding = world.bind();
    let listening = call().to(&binding).listening(&["a"]).await;
    let heard = listening.0.read(Duration::from_secs(60)).await.unwrap();
    assert_eq!(heard, Heard::Missed(0));
}
