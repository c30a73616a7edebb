//! What is heard is acknowledged when it is kept, and comes again until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{CLIENT, Kept, forgotten, listen, well};
use crate::mosquitto::Mosquitto;
use crate::rogue::{Rogue, publish_surely};
use crate::world::{World, granting, until};

#[tokio::test]
async fn what_is_published_while_nobody_is_connected_is_heard_later_under_the_same_name() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let device = broker.device().await;
        let kept = Kept::new();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, "subscribe = [\"away/+\"]", &kept);
            well(&*listening).await;
            device.publish("away/1", "here").await;
            until("the first", || async { kept.count() == 1 }).await;
        }
        broker.left(CLIENT).await;
        for number in 0..50 {
            device.publish("away/1", number.to_string()).await;
        }
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"away/+\"]", &kept);
        until("all", || async { kept.count() == 51 }).await;
        let expected: Vec<_> =
            std::iter::once("here".to_owned()).chain((0..50).map(|number| number.to_string())).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        listening.give_up();
        forgotten(&broker, &world).await;
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable_and_what_was_not_comes_again() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let world = broker.world_with(&format!("version = \"{version}\""));
        let device = broker.device().await;
        let shut = Kept::shut();
        let before = broker.said().matches(&format!("Sending PUBLISH to {CLIENT} ")).count();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, "subscribe = [\"late/+\"]", &shut);
            well(&*listening).await;
            for number in 0..10 {
                device.publish("late/1", number.to_string()).await;
            }
            let delivered = format!("Sending PUBLISH to {CLIENT} ");
            until("it was delivered", || async { broker.said().matches(&delivered).count() > before }).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(shut.count(), 0);
        }
        broker.left(CLIENT).await;
        let kept = Kept::new();
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"late/+\"]", &kept);
        until("all again", || async { kept.count() >= 10 }).await;
        let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        let heard = kept.heard.lock().unwrap().clone();
        assert!(heard[0].origin.as_ref().unwrap().again, "{version}: it says that it came before");
        listening.give_up();
        forgotten(&broker, &world).await;
    }
}

#[tokio::test]
async fn who_keeps_nothing_any_more_has_nothing_acknowledged() {
    let broker = Mosquitto::start().await;
    let world = broker.world();
    let binding = world.bind();
    let closed = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"end/+\"]", &closed);
    well(&*listening).await;
    closed.closed.store(true, Ordering::SeqCst);
    broker.device().await.publish("end/1", "x").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(listening);
    broker.left(CLIENT).await;
    let kept = Kept::new();
    let listening = listen(&world, &binding, "subscribe = [\"end/+\"]", &kept);
    until("it comes again", || async { kept.count() == 1 }).await;
    drop(listening);
}

#[tokio::test]
async fn what_a_broker_sends_again_before_it_is_acknowledged_is_one_message() {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let all_said = Arc::new(tokio::sync::Notify::new());
    let (count, says) = (Arc::clone(&acknowledged), Arc::clone(&all_said));
    let rogue = Rogue::start(move |mut peer| {
        let (acknowledged, says) = (Arc::clone(&count), Arc::clone(&says));
        async move {
            peer.welcome().await;
            while let Some(packet) = peer.packet().await {
                if matches!(packet, rumqttc::Packet::PubAck(_)) {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                let subscribed = matches!(packet, rumqttc::Packet::Subscribe(_));
                peer.answers(packet, 1).await;
                if subscribed {
                    // The last one does not say that it came before.
                    for again in [false, true, true, false] {
                        peer.say(&publish_surely("a/1", b"x", 7, again)).await;
                    }
                    says.notify_one();
                }
            }
        }
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let slow = Kept::shut();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &slow);
    well(&*listening).await;
    all_said.notified().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    slow.may.add_permits(1000);
    until("acknowledged", || async { acknowledged.load(Ordering::SeqCst) > 0 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((slow.count(), acknowledged.load(Ordering::SeqCst)), (1, 1));
    assert_eq!((rogue.connections.load(Ordering::SeqCst), listening.trouble()), (1, None));
}

/// Only one of the two could be acknowledged.
#[tokio::test]
async fn a_number_that_is_used_for_another_message_before_it_is_acknowledged_ends_the_connection() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        while let Some(packet) = peer.packet().await {
            let subscribed = matches!(packet, rumqttc::Packet::Subscribe(_));
            peer.answers(packet, 1).await;
            if subscribed {
                for payload in [b"x", b"y"] {
                    peer.say(&publish_surely("a/1", payload, 7, false)).await;
                }
            }
        }
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let shut = Kept::shut();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &shut);
    until("it says so", || async {
        listening.trouble().is_some_and(|why| why.contains("a message with the number of another one"))
    })
    .await;
}
