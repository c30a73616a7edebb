//! More than is kept at once: nothing is lost that must arrive, and nothing grows.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Kept, forgotten, listen, well};
use crate::mosquitto::Mosquitto;
use crate::rogue::{Rogue, publish};
use crate::trouble::resident;
use crate::world::{World, granting, until};

#[tokio::test]
async fn a_thousand_messages_at_once_are_kept_in_order_and_once() {
    let broker = Mosquitto::with("allow_anonymous true\nmax_queued_messages 100000").await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, "subscribe = [\"many/+\", \"many/#\"]", &kept);
        well(&*listening).await;
        let device = broker.device().await;
        let sending = (0..1000).map(|number| device.publish("many/1", number.to_string()));
        join_all(sending).await;
        until("all", || async { kept.count() >= 1000 }).await;
        let expected: Vec<_> = (0..1000).map(|number: u32| number.to_string()).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        listening.give_up();
        forgotten(&broker, &world).await;
    }
}

#[tokio::test]
async fn messages_that_must_arrive_wait_at_the_broker_while_nobody_keeps_them() {
    let broker = Mosquitto::with("allow_anonymous true\nmax_queued_messages 100000").await;
    let world = broker.world_with("keep_alive = \"5s\"");
    let binding = world.bind();
    let slow = Kept::shut();
    let listening = listen(&world, &binding, "subscribe = [\"wait/+\"]", &slow);
    well(&*listening).await;
    let device = broker.device().await;
    for number in 0..300 {
        device.publish("wait/1", number.to_string()).await;
    }
    // Longer than the keep-alive: the connection stands meanwhile.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!((slow.count(), listening.trouble()), (0, None));
    slow.may.add_permits(1000);
    until("all", || async { slow.count() == 300 }).await;
    let expected: Vec<_> = (0..300).map(|number: u32| number.to_string()).collect();
    assert_eq!(slow.payloads(), expected);
}

#[tokio::test]
async fn a_flood_that_nobody_keeps_up_with_leaves_memory_flat_and_the_connection_standing() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        if let Some(packet) = peer.packet().await {
            peer.answers(packet, 1).await;
        }
        let message = publish("flood/1", &[b'x'; 8 << 10]).repeat(16);
        for _ in 0..2_000 {
            peer.say(&message).await;
        }
        peer.say(&publish("flood/end", b"end")).await;
        peer.serve(1).await;
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let shut = Kept::shut();
    let before = resident();
    let listening = listen(&world, &binding, "subscribe = [\"flood/#\"]", &shut);
    well(&*listening).await;
    // 256 MiB came, with QoS 0, and nothing of it was kept yet.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let more = resident().saturating_sub(before);
    // Other tests of this process take some, too.
    assert!(more < 128 << 20, "{} MiB more", more >> 20);
    shut.may.add_permits(1000);
    until("what waited", || async { shut.count() > 500 }).await;
    assert!(listening.trouble().is_none());
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 1);
}
