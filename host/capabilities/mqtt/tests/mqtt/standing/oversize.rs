//! A message that is larger than granted costs itself: what was said around it is kept, and nothing of it is.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::{Kept, listen, well};
use crate::mosquitto::Mosquitto;
use crate::rogue::{Rogue, publish_surely};
use crate::trouble::resident;
use crate::world::{World, granting, until};

#[tokio::test]
async fn one_huge_message_is_told_without_its_payload_and_silences_nobody() {
    for version in ["3.1.1", "5"] {
        let broker = Mosquitto::start().await;
        let world = broker.world_with(&format!("version = \"{version}\"\n"));
        let kept = Kept::new();
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"site/+/+\"]", &kept);
        well(&*listening).await;
        drop((listening, binding));
        // While nobody is connected, so that the broker keeps it for the session.
        let device = broker.device().await;
        device.retain("site/1/state", vec![b'x'; 300 << 10]).await;
        device.publish("site/2/state", "small").await;
        let binding = world.bind();
        let listening = listen(&world, &binding, "subscribe = [\"site/+/+\"]", &kept);
        until("the small one", || async { kept.payloads().contains(&"small".to_owned()) }).await;
        well(&*listening).await;
        let heard = kept.heard.lock().unwrap().clone();
        let huge: Vec<_> = heard.iter().filter(|heard| heard.left_out.is_some()).collect();
        if version == "5" {
            assert!(huge.is_empty(), "the broker was told, and left it out: {heard:?}");
            continue;
        }
        assert!(!huge.is_empty() && huge.iter().all(|huge| huge.data.is_empty()), "{heard:?}");
        assert!(huge.iter().all(|huge| huge.subject == "site/1/state" && huge.left_out > Some(300 << 10)));
        assert!(heard.iter().all(|heard| heard.subject != "site/2/state" || heard.left_out.is_none()));
    }
}

/// 200 MiB, of which nothing is kept.
#[tokio::test]
async fn a_huge_message_takes_no_memory_and_is_acknowledged_in_its_turn() {
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let numbers = Arc::clone(&acknowledged);
    let rogue = Rogue::start(move |mut peer| {
        let acknowledged = Arc::clone(&numbers);
        async move {
            peer.welcome().await;
            while let Some(packet) = peer.packet().await {
                if let rumqttc::Packet::PubAck(ack) = &packet {
                    acknowledged.lock().unwrap().push(ack.pkid);
                }
                let subscribed = matches!(packet, rumqttc::Packet::Subscribe(_));
                peer.answers(packet, 1).await;
                if subscribed {
                    peer.say(&publish_surely("a/1", b"1", 1, false)).await;
                    // Its header, its topic and its number, and then the rest.
                    peer.say(&[0x32, 0x87, 0x80, 0x80, 0x64, 0, 3, b'a', b'/', b'1', 0, 2]).await;
                    for _ in 0..200 {
                        peer.say(&vec![b'x'; 1 << 20]).await;
                    }
                    peer.say(&publish_surely("a/1", b"3", 3, false)).await;
                }
            }
        }
    })
    .await;
    let world = World::new(&granting(&rogue.url()));
    let binding = world.bind();
    let kept = Kept::new();
    let before = resident();
    let listening = listen(&world, &binding, "subscribe = [\"a/+\"]", &kept);
    until("three acknowledgements", || async { acknowledged.lock().unwrap().len() == 3 }).await;
    assert_eq!(*acknowledged.lock().unwrap(), [1, 2, 3]);
    assert_eq!((kept.payloads(), listening.trouble()), (["1", "", "3"].map(str::to_owned).to_vec(), None));
    let left_out: Vec<_> = kept.heard.lock().unwrap().iter().map(|heard| heard.left_out).collect();
    assert_eq!(left_out, [None, Some((200 << 20) + 12), None]);
    let more = resident().saturating_sub(before);
    assert!(more < 64 << 20, "{} MiB more", more >> 20);
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 1);
}
