//! Publishing, at a real broker, in both versions of MQTT.

use std::time::Duration;

use rumqttc::QoS;

use crate::mosquitto::Mosquitto;
use crate::world::call;

#[tokio::test]
async fn a_message_arrives_with_every_qos_in_both_versions() {
    let broker = Mosquitto::start().await;
    let mut watcher = broker.device().await;
    watcher.subscribe("out/#").await;
    for version in ["3.1.1", "5"] {
        let binding = broker.world_with(&format!("version = \"{version}\"\nqos = 2")).bind();
        let caller = call().to(&binding);
        for (qos, expected) in [(0, QoS::AtMostOnce), (1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)] {
            let topic = format!("out/{version}/{qos}");
            caller.publish_with(&topic, "hello", &format!("{{\"qos\":{qos}}}")).await.unwrap();
            let message = watcher.next().await;
            assert_eq!((&message.topic[..], &message.payload[..]), (topic.as_bytes(), &b"hello"[..]));
            assert_eq!(message.qos, expected, "{version}");
        }
        let ends = ["written", "acknowledged", "acknowledged"];
        let expected: Vec<_> = (0..3)
            .map(|qos| format!("mqtt.broker publish out/{version}/{qos} (QoS {qos}) {}", ends[qos]))
            .collect();
        assert_eq!(caller.used(), expected);
    }
    assert!(watcher.heard().is_empty(), "each came once");
}

#[tokio::test]
async fn a_retained_message_is_kept_where_it_is_granted_and_an_empty_one_forgets_it() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("retain = true").bind();
    let caller = call().to(&binding);
    caller.publish_with("state/1", "on", "{\"retain\":true}").await.unwrap();
    let mut late = broker.device().await;
    late.subscribe("state/#").await;
    let kept = late.next().await;
    assert!(kept.retain && &kept.payload[..] == b"on");
    caller.publish_with("state/1", "", "{\"retain\":true}").await.unwrap();
    let mut later = broker.device().await;
    later.subscribe("state/#").await;
    caller.publish("state/2", "end").await.unwrap();
    assert_eq!(later.hears().await.0, "state/2", "nothing was kept");
}

#[tokio::test]
async fn mqtt_5_carries_what_is_said_beside_a_message_and_3_1_1_leaves_it_out() {
    let broker = Mosquitto::start().await;
    let options = r#"{"contentType":"text/plain","responseTopic":"answers/1","correlationData":"AQID",
        "userProperties":[["unit","°C"],["unit","K"]],"messageExpiryInterval":60}"#;
    for version in ["5", "3.1.1"] {
        let binding = broker.world_with(&format!("version = \"{version}\"")).bind();
        let caller = call().to(&binding);
        let listening = caller.listening(&["said/+"]).await;
        caller.publish_with("said/1", "x", options).await.unwrap();
        let properties = listening.message().await.properties;
        if version == "3.1.1" {
            assert_eq!(properties, None);
            continue;
        }
        let properties: serde_json::Value = serde_json::from_str(&properties.unwrap()).unwrap();
        assert_eq!(properties["contentType"], "text/plain");
        assert_eq!(properties["responseTopic"], "answers/1");
        assert_eq!(properties["correlationData"], "AQID");
        assert_eq!(properties["userProperties"], serde_json::json!([["unit", "°C"], ["unit", "K"]]));
        assert!(properties["messageExpiryInterval"].as_u64().unwrap() <= 60);
    }
}

/// Subscribes, publishes, and hears the answer that a device gives to it.
#[tokio::test]
async fn a_request_is_answered_while_a_hundred_calls_share_one_connection() {
    let broker = Mosquitto::start().await;
    let mut device = broker.device().await;
    device.subscribe("site/+/command").await;
    let device = tokio::spawn(async move {
        loop {
            let message = device.next().await;
            let topic = String::from_utf8(message.topic.to_vec()).unwrap();
            device.publish(&topic.replace("command", "answer"), message.payload).await;
        }
    });
    let binding = broker.world_with("subscriptions = 200\nrate = \"1000/s\"").bind();
    let calls = (0..100).map(|number| {
        let caller = call().to(&binding);
        async move {
            let listening = caller.listening(&[&format!("site/{number}/answer")]).await;
            caller.publish(&format!("site/{number}/command"), &format!("do {number}")).await.unwrap();
            assert_eq!(listening.hears().await, (format!("site/{number}/answer"), format!("do {number}")));
            listening.hears_nothing().await;
        }
    });
    futures_util::future::join_all(calls).await;
    device.abort();
    let connects = || broker.said().matches("New client connected").count();
    crate::world::until("the device and the host", || async { connects() >= 2 }).await;
    assert_eq!(connects(), 2, "the device and the host:\n{}", broker.said());
}

#[tokio::test]
async fn the_connection_has_a_random_name_with_the_grant_s_beginning_and_goes_when_it_is_idle() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("client_id = \"fleet-7-\"\nidle = \"0s\"").bind();
    call().to(&binding).publish("a", "1").await.unwrap();
    crate::world::until("the goodbye", || async {
        let said = broker.said();
        said.lines().any(|line| line.contains("Client fleet-7-") && line.contains("disconnected"))
    })
    .await;
    call().to(&binding).publish("a", "2").await.unwrap();
    crate::world::until("another name", || async {
        let said = broker.said();
        let names = said.lines().filter_map(|line| line.split(" as fleet-7-").nth(1)?.split(' ').next());
        names.collect::<std::collections::HashSet<_>>().len() == 2
    })
    .await;
    let said = broker.said();
    assert!(said.contains("c1"), "a clean session");
}

#[tokio::test]
async fn dropped_bindings_end_their_connections() {
    let broker = Mosquitto::start().await;
    let binding = broker.world_with("client_id = \"fleet-\"").bind();
    let listening = call().to(&binding).listening(&["a"]).await;
    drop((listening, binding));
    crate::world::until("the goodbye", || async {
        broker.said().lines().any(|line| line.contains("Client fleet-") && line.contains("disconnected"))
    })
    .await;
}

#[tokio::test]
async fn a_payload_at_the_limit_passes_and_one_byte_more_does_not() {
    let broker = Mosquitto::start().await;
    for version in ["3.1.1", "5"] {
        let binding = broker
            .world_with(&format!("version = \"{version}\"\npayload = \"512KiB\"\nmessage = \"1MiB\""))
            .bind();
        let caller = call().to(&binding);
        let listening = caller.listening(&["big"]).await;
        let big = "x".repeat(512 << 10);
        caller.publish("big", &big).await.unwrap();
        assert_eq!(listening.payload().await.len(), big.len());
        let failure = caller.publish("big", &(big + "x")).await.unwrap_err().guest();
        assert_eq!((failure.code, failure.sent), ("too-large", false));
    }
}

#[tokio::test]
async fn a_call_publishes_no_longer_than_it_has_time() {
    let silent = crate::rogue::Rogue::start(|mut peer| async move {
        peer.welcome().await;
        peer.ignore().await;
    })
    .await;
    let world = crate::world::World::new(&crate::world::granting(&silent.url()));
    let binding = world.bind();
    let caller = call().to(&binding);
    let failure = caller.publish_with("a", "x", "{\"timeoutMs\":2000}").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent, failure.retryable), ("timeout", true, false));
    assert!(failure.message.contains("whether the message arrived is not known"), "{}", failure.message);
    let caller = call().timeout(Duration::from_secs(2)).to(&binding);
    assert_eq!(caller.fails("a").await.code, "timeout");
    assert_eq!(caller.used(), ["mqtt.broker publish a (QoS 1) failed: timeout, and may have arrived"]);
}

#[tokio::test]
async fn a_message_that_the_broker_took_and_then_complained_of_may_have_arrived() {
    let rogue = crate::rogue::Rogue::start(|mut peer| async move {
        peer.bytes().await;
        // CONNACK of MQTT 5; then PUBREC, and PUBCOMP with "packet identifier not found" (0x92).
        peer.say(&[0x20, 3, 0, 0, 0]).await;
        peer.bytes().await;
        peer.say(&[0x50, 2, 0, 1]).await;
        peer.bytes().await;
        peer.say(&[0x70, 3, 0, 1, 0x92]).await;
        while peer.bytes().await > 0 {}
    })
    .await;
    let grant = format!("{}\nversion = \"5\"\nqos = 2", crate::world::granting(&rogue.url()));
    let binding = crate::world::World::new(&grant).bind();
    let caller = call().to(&binding);
    let failure = caller.publish_with("a", "x", "{\"qos\":2}").await.unwrap_err().guest();
    assert_eq!((failure.code, failure.sent), ("protocol", true));
    assert_eq!(caller.used(), ["mqtt.broker publish a (QoS 2) failed: protocol, and may have arrived"]);
}
