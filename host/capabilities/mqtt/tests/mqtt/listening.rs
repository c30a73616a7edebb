//! Listening, at a real broker.

use std::time::Duration;

use fleetgate_mqtt::testing::Heard;
use rumqttc::PublishOptions;

use crate::mosquitto::Mosquitto;
use crate::world::{call, until};

#[tokio::test]
async fn wildcards_hear_what_they_match_and_nothing_else() {
    let broker = Mosquitto::start().await;
    let device = broker.device().await;
    for version in ["3.1.1", "5"] {
        let binding = broker.world_with(&format!("version = \"{version}\"")).bind();
        let caller = call().to(&binding);
        let one = caller.listening(&["site/+/state"]).await;
        let rest = caller.listening(&["site/7/#"]).await;
        for topic in ["site/7/state", "site/8/state", "site/7", "site/7/a/b", "site/7/state/x", "site//state"]
        {
            device.publish(topic, topic).await;
        }
        device.publish("site/7/end", "end").await;
        device.publish("site/0/state", "end").await;
        for expected in ["site/7/state", "site/8/state", "site//state", "site/0/state"] {
            assert_eq!(one.hears().await.0, expected, "{version}");
        }
        for expected in ["site/7/state", "site/7", "site/7/a/b", "site/7/state/x", "site/7/end"] {
            assert_eq!(rest.hears().await.0, expected, "{version}");
        }
        one.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_message_that_several_filters_match_is_heard_once_by_each_subscription() {
    for copies in ["true", "false"] {
        let broker =
            Mosquitto::with(&format!("allow_anonymous true\nallow_duplicate_messages {copies}")).await;
        let device = broker.device().await;
        for version in ["3.1.1", "5"] {
            let binding = broker.world_with(&format!("version = \"{version}\"")).bind();
            let caller = call().to(&binding);
            let several = caller.listening(&["a/#", "a/+", "+/b", "a/b"]).await;
            let other = caller.listening(&["+/+"]).await;
            for number in 0..20 {
                device.publish("a/b", number.to_string()).await;
            }
            device.publish("a/c", "end").await;
            for listening in [&several, &other] {
                for number in 0..20 {
                    assert_eq!(listening.payload().await, number.to_string(), "copies {copies}, {version}");
                }
                assert_eq!(listening.payload().await, "end", "copies {copies}, {version}");
                listening.hears_nothing().await;
            }
        }
    }
}

#[tokio::test]
async fn the_broker_sees_each_filter_once_and_no_more_a_while_after_the_last_reader() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("client_id = \"fleet-\"").bind();
    let caller = call().to(&binding);
    let mut readers = Vec::new();
    for _ in 0..5 {
        readers.push(caller.listening(&["shared/+"]).await);
    }
    broker.device().await.publish("shared/1", "x").await;
    for reader in &readers {
        assert_eq!(reader.payload().await, "x");
    }
    let subscribes = || broker.said().matches("Received SUBSCRIBE from fleet-").count();
    until("subscribed", || async { subscribes() >= 1 }).await;
    assert_eq!(subscribes(), 1, "{}", broker.said());
    drop(readers);
    until("unsubscribed", || async { broker.said().contains("Received UNSUBSCRIBE from fleet-") }).await;
    let again = caller.listening(&["shared/+"]).await;
    broker.device().await.publish("shared/1", "y").await;
    assert_eq!(again.payload().await, "y");
    until("subscribed again", || async { subscribes() >= 2 }).await;
    assert_eq!(subscribes(), 2);
}

#[tokio::test]
async fn what_the_broker_kept_is_told_to_everybody_who_comes_and_is_never_old() {
    let broker = Mosquitto::start().await;
    let device = broker.device().await;
    device.retain("state/1", "first").await;
    device.retain("state/2", "other").await;
    for version in ["3.1.1", "5"] {
        let binding = broker.world_with(&format!("version = \"{version}\"")).bind();
        let caller = call().to(&binding);
        device.retain("state/1", "first").await;
        let early = caller.listening(&["state/+"]).await;
        let told = [early.message().await, early.message().await];
        assert!(told.iter().all(|message| message.retained), "{told:?}");
        // From memory, while nothing was published since.
        let second = caller.listening(&["state/+"]).await;
        let told = [second.payload().await, second.payload().await];
        assert!(told.contains(&"first".to_owned()) && told.contains(&"other".to_owned()), "{told:?}");
        // From the broker, since it has another now; who listens already hears it once, as what it is: new.
        device.retain("state/1", "second").await;
        let message = early.message().await;
        assert_eq!((message.payload.as_slice(), message.retained), (&b"second"[..], false), "{version}");
        let third = caller.listening(&["state/+"]).await;
        let told = [third.message().await, third.message().await];
        let second_state = told.iter().find(|message| message.topic == "state/1").unwrap();
        assert!(second_state.retained && second_state.payload == b"second", "{version}: {told:?}");
        assert_eq!(second.payload().await, "second");
        // One that it forgot is told to nobody.
        device.retain("state/1", "").await;
        assert_eq!(third.payload().await, "");
        let fourth = caller.listening(&["state/+"]).await;
        assert_eq!(fourth.payload().await, "other");
        fourth.hears_nothing().await;
        let none = caller.open_with(&["state/+"], "{\"retained\":false}").await.unwrap();
        assert_eq!(none.read(Duration::from_millis(200)).await.unwrap(), Heard::TimedOut);
        assert_eq!(early.payload().await, "");
        early.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_retained_message_of_two_filters_is_told_once() {
    let broker = Mosquitto::start().await;
    broker.device().await.retain("a/b", "kept").await;
    let binding = broker.world().bind();
    let listening = call().to(&binding).listening(&["a/+", "+/b", "a/b"]).await;
    assert_eq!(listening.payload().await, "kept");
    listening.hears_nothing().await;
}

#[tokio::test]
async fn messages_are_told_with_no_more_than_the_qos_that_was_asked_for() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("qos = 2").bind();
    let caller = call().to(&binding);
    let two = caller.open_with(&["a"], "{\"qos\":2}").await.unwrap();
    let zero = caller.open_with(&["a"], "{\"qos\":0}").await.unwrap();
    let device = broker.device().await;
    device.publish_with("a", "x", PublishOptions::exactly_once()).await;
    for (subscription, expected) in [(two, 2), (zero, 0)] {
        match subscription.read(Duration::from_secs(10)).await.unwrap() {
            Heard::Message(message) => assert_eq!(message.qos, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_how_much_is_missing_and_nobody_else_waits() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("buffer = \"64KiB\"").bind();
    let caller = call().to(&binding);
    let slow = caller.listening(&["flood/#"]).await;
    let device = broker.device().await;
    for number in 0..200 {
        device.publish("flood/1", format!("{number:0>1024}")).await;
    }
    let quick = caller.listening(&["other"]).await;
    device.publish("other", "x").await;
    assert_eq!(quick.payload().await, "x");
    let Heard::Missed(missed) = slow.next().await else { panic!("nothing is missing") };
    let next: u64 = slow.payload().await.parse().unwrap();
    assert_eq!(next, missed, "what follows is what came after those that are missing");
    let mut told = next;
    while told < 199 {
        told += 1;
        assert_eq!(slow.payload().await.parse::<u64>().unwrap(), told);
    }
}

#[tokio::test]
async fn subscriptions_are_bounded_for_a_call_and_for_a_grant() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("subscriptions = 20").bind();
    let (first, second) = (call().to(&binding), call().to(&binding));
    let mut open = Vec::new();
    for _ in 0..fleetgate_mqtt::MOST_AT_ONCE {
        open.push(first.listening(&["a"]).await);
    }
    let failure = first.cannot_hear("a").await;
    assert_eq!((failure.code, failure.retryable), ("too-much", true));
    while open.len() < 20 {
        open.push(second.listening(&["a"]).await);
    }
    let failure = second.cannot_hear("a").await;
    assert_eq!(
        (failure.code, failure.message.contains("20 subscriptions")),
        ("too-much", true),
        "{}",
        failure.message
    );
    open.pop();
    second.listening(&["a"]).await;
}

#[tokio::test]
async fn a_cancelled_call_stops_listening_at_once() {
    let broker = Mosquitto::start().await;
    let binding = broker.world().bind();
    let caller = call().to(&binding);
    let listening = caller.listening(&["a"]).await;
    let cancel = caller.call.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    let failure = listening.0.read(Duration::from_secs(30)).await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("cancelled", false));
}

#[tokio::test]
async fn reading_with_no_time_takes_what_is_there() {
    let broker = Mosquitto::start().await;
    let binding = broker.world().bind();
    let listening = call().to(&binding).listening(&["a"]).await;
    assert_eq!(listening.0.read(Duration::ZERO).await.unwrap(), Heard::TimedOut);
    broker.device().await.publish("a", "x").await;
    until("it is there", || async { listening.0.read(Duration::ZERO).await.unwrap() != Heard::TimedOut })
        .await;
}

/// Not every broker says "not authorized": to some a topic that is not for this client is not a topic (MQTT 5, section
/// 2.4).
#[tokio::test]
async fn what_the_broker_calls_no_topic_for_this_client_is_denied() {
    let rogue = crate::rogue::Rogue::start(|mut peer| async move {
        peer.bytes().await;
        peer.say(&[0x20, 3, 0, 0, 0]).await;
        // SUBSCRIBE has its number behind two bytes, PUBLISH behind the topic.
        let number = peer.said().await[3];
        peer.say(&[0x90, 4, 0, number, 0, 0x8f]).await;
        let number = peer.said().await[6];
        peer.say(&[0x40, 3, 0, number, 0x90]).await;
        while peer.bytes().await > 0 {}
    })
    .await;
    let grant = format!("{}\nversion = \"5\"", crate::world::granting(&rogue.url()));
    let binding = crate::world::World::new(&grant).bind();
    let caller = call().to(&binding);
    let failure = caller.cannot_hear("a").await;
    assert_eq!((failure.code, failure.details.unwrap()["reason"].as_u64()), ("denied", Some(0x8f)));
    let failure = caller.fails("a").await;
    assert_eq!((failure.code, failure.details.unwrap()["reason"].as_u64()), ("denied", Some(0x90)));
    assert!(!failure.sent);
}
