//! The core promises at a broker of another make than Mosquitto ([`crate::another`]): what is bent to one broker fails
//! here. Topics and names are new in each test, since a broker that runs already remembers them.

use std::sync::Arc;
use std::time::Duration;

use fleetgate_core::capability::Listening as Listens;
use fleetgate_mqtt::testing::Heard;
use rumqttc::PublishOptions;

use crate::another::Another;
use crate::standing::{Kept, listen_as, well};
use crate::world::{Binding, World, call, until};

/// Letters that nobody used before.
fn new() -> String {
    let mut random = [0; 11];
    getrandom::fill(&mut random).unwrap();
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn listen(
    world: &World,
    binding: &Binding,
    filter: &str,
    client: &str,
    kept: &Arc<Kept>,
) -> Box<dyn Listens> {
    listen_as(client, world, binding, &format!("subscribe = [\"{filter}\"]"), None, kept).unwrap()
}

/// The broker has seen the end of what was dropped.
async fn moment() {
    tokio::time::sleep(Duration::from_millis(800)).await;
}

#[tokio::test]
async fn messages_of_every_qos_come_and_go() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let mut device = broker.device().await;
        device.subscribe(&format!("{root}/out/#")).await;
        let binding = broker.world(version, "qos = 2").bind();
        let caller = call().to(&binding);
        let listening = caller.open_with(&[&format!("{root}/in/+")], "{\"qos\":2}").await.unwrap();
        let listening = crate::world::Listening(listening);
        for (qos, how) in
            [PublishOptions::at_most_once(), PublishOptions::at_least_once(), PublishOptions::exactly_once()]
                .into_iter()
                .enumerate()
        {
            let topic = format!("{root}/out/{qos}");
            caller.publish_with(&topic, "hello", &format!("{{\"qos\":{qos}}}")).await.unwrap();
            assert_eq!(device.hears().await, (topic, b"hello".to_vec()), "{version}");
            let topic = format!("{root}/in/{qos}");
            device.publish_with(&topic, "hello", how).await;
            assert_eq!(listening.hears().await, (topic, "hello".to_owned()), "{version}");
        }
        listening.hears_nothing().await;
        assert!(device.heard().is_empty(), "each came once");
    }
}

#[tokio::test]
async fn a_wrong_credential_is_told_as_such() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let binding = broker.world(version, "").secret("password", "wr0ng-p4ssword").bind();
        let caller = call().to(&binding);
        let failure = caller.fails("a").await;
        assert_eq!(
            (failure.code, failure.retryable, failure.sent),
            ("credential", false, false),
            "{version}"
        );
        assert!(caller.refused().contains("it does not take the credential"), "{}", caller.refused());
    }
}

#[tokio::test]
async fn a_refused_subscription_is_denied_and_others_go_on() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let world = broker.world(version, "");
        let binding = world.bind();
        let caller = call().to(&binding);
        let fine = caller.listening(&[&format!("{root}/+")]).await;
        let failure = caller.cannot_hear("forbidden/1").await;
        match failure.code {
            "denied" => assert_eq!(
                (failure.details.unwrap()["broker"].as_bool(), failure.retryable),
                (Some(true), false)
            ),
            // Some end the connection instead.
            code => assert!(["dropped", "unreachable"].contains(&code), "{version}: {code}"),
        }
        let device = broker.device().await;
        until("others", || async {
            device.publish(&format!("{root}/1"), "x").await;
            matches!(fine.0.read(Duration::from_millis(300)).await, Ok(Heard::Message(_)))
        })
        .await;
        // The same for an event.
        let kept = Kept::new();
        let listening = listen(&world, &binding, "forbidden/1", &new(), &kept);
        until("it says so", || async {
            let why = listening.trouble().unwrap_or_default();
            why.contains("refuses the subscription to forbidden/1") || why.contains("asked for forbidden/1")
        })
        .await;
        listening.give_up();
        moment().await;
    }
}

#[tokio::test]
async fn a_refused_publication_harms_no_later_one() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let binding = broker.world(version, "").bind();
        let caller = call().to(&binding);
        // MQTT 3.1.1 has no word for it: the broker throws it away, or ends the connection.
        match caller.publish("forbidden/1", "x").await.map_err(|failure| failure.guest()) {
            Ok(()) => {}
            Err(failure) if failure.sent => assert_eq!(failure.code, "dropped", "{failure:?}"),
            Err(failure) => assert_eq!(failure.code, "denied", "{failure:?}"),
        }
        until("the next", || async { caller.publish(&format!("{root}/1"), "x").await.is_ok() }).await;
    }
}

#[tokio::test]
async fn wildcards_hear_what_they_match_and_nothing_of_the_broker_s_own() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let binding = broker.world(version, "").bind();
        let caller = call().to(&binding);
        let one = caller.listening(&[&format!("{root}/+/state")]).await;
        let rest = caller.listening(&[&format!("{root}/7/#")]).await;
        let device = broker.device().await;
        for topic in ["7/state", "8/state", "7", "7/a/b", "/state", "0/state", "7/end"] {
            device.publish(&format!("{root}/{topic}"), topic).await;
        }
        for expected in ["7/state", "8/state", "/state", "0/state"] {
            assert_eq!(one.hears().await, (format!("{root}/{expected}"), expected.to_owned()), "{version}");
        }
        for expected in ["7/state", "7", "7/a/b", "7/end"] {
            assert_eq!(rest.hears().await, (format!("{root}/{expected}"), expected.to_owned()), "{version}");
        }
        one.hears_nothing().await;
        let all = caller.open_with(&["#"], "{\"retained\":false}").await.unwrap();
        // Others come and go meanwhile, and some brokers tell of it under $SYS.
        drop(broker.device().await);
        device.publish(&format!("{root}/end"), "x").await;
        loop {
            match all.read(Duration::from_secs(10)).await.unwrap() {
                Heard::Message(message) if message.topic == format!("{root}/end") => break,
                Heard::Message(message) => assert!(!message.topic.starts_with('$'), "{}", message.topic),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_the_broker_kept_is_told_to_everybody_who_comes_until_it_is_forgotten() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let topic = format!("{}/state", new());
        let device = broker.device().await;
        device.retain(&topic, "first").await;
        let binding = broker.world(version, "retain = true").bind();
        let caller = call().to(&binding);
        let early = caller.listening(&[&topic]).await;
        let message = early.message().await;
        assert_eq!((message.payload.as_slice(), message.retained), (&b"first"[..], true), "{version}");
        caller.publish_with(&topic, "second", "{\"retain\":true}").await.unwrap();
        let message = early.message().await;
        assert_eq!((message.payload.as_slice(), message.retained), (&b"second"[..], false), "{version}");
        let late = caller.listening(&[&topic]).await;
        assert_eq!(late.payload().await, "second");
        caller.publish_with(&topic, "", "{\"retain\":true}").await.unwrap();
        assert_eq!(late.payload().await, "");
        caller.listening(&[&topic]).await.hears_nothing().await;
    }
}

#[tokio::test]
async fn what_the_broker_kept_is_told_to_wildcards() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let device = broker.device().await;
        device.retain(&format!("{root}/1"), "kept").await;
        let binding = broker.world(version, "").bind();
        let caller = call().to(&binding);
        let several = caller.listening(&[&format!("{root}/+"), &format!("{root}/#")]).await;
        assert_eq!(several.payload().await, "kept");
        several.hears_nothing().await;
        device.retain(&format!("{root}/1"), "").await;
    }
}

#[tokio::test]
async fn a_message_that_several_filters_match_is_heard_once_by_each_subscription() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let binding = broker.world(version, "").bind();
        let caller = call().to(&binding);
        let filters = ["#", "+", "b"].map(|end| format!("{root}/{end}"));
        let several = caller.listening(&filters.each_ref().map(String::as_str)).await;
        let other = caller.listening(&[&filters[1]]).await;
        let device = broker.device().await;
        for number in 0..20 {
            device.publish(&filters[2], number.to_string()).await;
        }
        for listening in [&several, &other] {
            for number in 0..20 {
                assert_eq!(listening.payload().await, number.to_string(), "{version}");
            }
            listening.hears_nothing().await;
        }
    }
}

#[tokio::test]
async fn what_mqtt_5_says_beside_a_message_comes_with_the_request_and_with_its_answer() {
    let Some(broker) = Another::start().await else { return };
    for version in broker.versions.iter().filter(|version| *version == "5") {
        let root = new();
        let binding = broker.world(version, "").bind();
        let (asking, answering) = (call().to(&binding), call().to(&binding));
        let (request, answer) = (format!("{root}/request"), format!("{root}/answer"));
        let (requests, answers) =
            (answering.listening(&[&request]).await, asking.listening(&[&answer]).await);
        let options = format!(
            r#"{{"responseTopic":"{answer}","correlationData":"AQID","contentType":"text/plain",
                "userProperties":[["unit","°C"],["unit","K"]],"messageExpiryInterval":60}}"#
        );
        asking.publish_with(&request, "?", &options).await.unwrap();
        let asked = requests.message().await.properties.expect("properties");
        let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
        assert_eq!(
            (asked["responseTopic"].as_str(), asked["contentType"].as_str()),
            (Some(&*answer), Some("text/plain"))
        );
        assert_eq!(asked["userProperties"], serde_json::json!([["unit", "°C"], ["unit", "K"]]));
        let options = format!("{{\"correlationData\":{}}}", asked["correlationData"]);
        answering.publish_with(&answer, "!", &options).await.unwrap();
        let answered = answers.message().await.properties.expect("properties");
        assert!(answered.contains("\"AQID\""), "{answered}");
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_not_heard_and_the_next_one_is() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let root = new();
        let binding = broker.world(version, "message = \"16KiB\"").bind();
        let caller = call().to(&binding);
        let listening = caller.listening(&[&format!("{root}/+")]).await;
        let device = broker.device().await;
        device.publish(&format!("{root}/1"), "x".repeat(40_000)).await;
        until("the next", || async {
            device.publish(&format!("{root}/1"), "small").await;
            let heard = listening.0.read(Duration::from_millis(500)).await.unwrap();
            matches!(heard, Heard::Message(message) if message.payload == b"small")
        })
        .await;
    }
}

#[tokio::test]
async fn a_websocket_carries_it() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let Some(world) = broker.world_in_a_websocket(version) else { return };
        let topic = new();
        let binding = world.bind();
        let caller = call().to(&binding);
        let listening = caller.listening(&[&topic]).await;
        for payload in ["small", &"x".repeat(40_000)] {
            caller.publish(&topic, payload).await.unwrap();
            assert_eq!(listening.payload().await, payload, "{version}");
        }
    }
}

#[tokio::test]
async fn what_is_published_while_nobody_is_connected_is_heard_later_in_its_order() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let (root, client) = (new(), new());
        let topic = format!("{root}/1");
        let world = broker.world(version, "");
        let device = broker.device().await;
        let kept = Kept::new();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, &format!("{root}/+"), &client, &kept);
            well(&*listening).await;
            device.publish(&topic, "here").await;
            until("the first", || async { kept.count() == 1 }).await;
        }
        moment().await;
        for number in 0..50 {
            device.publish(&topic, number.to_string()).await;
        }
        let binding = world.bind();
        let listening = listen(&world, &binding, &format!("{root}/+"), &client, &kept);
        until("all", || async { kept.count() >= 51 }).await;
        let numbers = (0..50).map(|number| number.to_string());
        let expected: Vec<_> = std::iter::once("here".to_owned()).chain(numbers).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        listening.give_up();
        moment().await;
    }
}

#[tokio::test]
async fn what_was_not_durable_is_not_acknowledged_and_comes_again() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let (root, client) = (new(), new());
        let world = broker.world(version, "");
        let device = broker.device().await;
        let shut = Kept::shut();
        {
            let binding = world.bind();
            let listening = listen(&world, &binding, &format!("{root}/+"), &client, &shut);
            well(&*listening).await;
            for number in 0..10 {
                device.publish(&format!("{root}/1"), number.to_string()).await;
            }
            moment().await;
            assert_eq!(shut.count(), 0);
        }
        moment().await;
        let kept = Kept::new();
        let binding = world.bind();
        let listening = listen(&world, &binding, &format!("{root}/+"), &client, &kept);
        until("all again", || async { kept.count() >= 10 }).await;
        let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        listening.give_up();
        moment().await;
    }
}

#[tokio::test]
async fn a_thousand_messages_at_once_are_kept_in_order_and_once() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let (root, client) = (new(), new());
        let world = broker.world(version, "");
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, &format!("{root}/#"), &client, &kept);
        well(&*listening).await;
        let device = broker.device().await;
        let topic = format!("{root}/1");
        let sending = (0..1000).map(|number| device.publish(&topic, number.to_string()));
        futures_util::future::join_all(sending).await;
        until("all", || async { kept.count() >= 1000 }).await;
        let expected: Vec<_> = (0..1000).map(|number: u32| number.to_string()).collect();
        assert_eq!(kept.payloads(), expected, "{version}");
        assert_eq!(listening.trouble(), None);
        listening.give_up();
        moment().await;
    }
}

#[tokio::test]
async fn while_nobody_keeps_them_messages_wait_and_come_once_and_in_order() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let (root, client) = (new(), new());
        let world = broker.world(version, "keep_alive = \"5s\"");
        let binding = world.bind();
        let slow = Kept::shut();
        let listening = listen(&world, &binding, &format!("{root}/+"), &client, &slow);
        well(&*listening).await;
        let device = broker.device().await;
        for number in 0..300 {
            device.publish(&format!("{root}/1"), number.to_string()).await;
        }
        // Longer than the keep-alive.
        tokio::time::sleep(Duration::from_secs(9)).await;
        assert_eq!((slow.count(), listening.trouble()), (0, None), "{version}");
        slow.may.add_permits(1000);
        until("all", || async { slow.count() >= 300 }).await;
        moment().await;
        let expected: Vec<_> = (0..300).map(|number: u32| number.to_string()).collect();
        assert_eq!(slow.payloads(), expected, "{version}");
        listening.give_up();
        moment().await;
    }
}

#[tokio::test]
async fn events_that_are_given_up_leave_no_session_behind() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let (root, client) = (new(), new());
        let world = broker.world(version, "");
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, &format!("{root}/gone"), &client, &kept);
        well(&*listening).await;
        listening.give_up();
        moment().await;
        let device = broker.device().await;
        device.publish(&format!("{root}/gone"), "x").await;
        let listening = listen(&world, &binding, &format!("{root}/other"), &client, &kept);
        well(&*listening).await;
        device.publish(&format!("{root}/other"), "y").await;
        until("the other", || async { kept.count() > 0 }).await;
        assert_eq!(kept.payloads(), ["y"], "{version}");
        listening.give_up();
        moment().await;
    }
}

/// Another host of the same name: each ends the other's connection. When one has gone, the other hears all that came.
#[tokio::test]
async fn a_connection_that_another_client_of_its_name_ends_is_made_again() {
    let Some(broker) = Another::start().await else { return };
    for version in &broker.versions {
        let (root, client) = (new(), new());
        let worlds = [broker.world(version, ""), broker.world(version, "")];
        let bindings = worlds.each_ref().map(World::bind);
        let kept = Kept::new();
        let filter = format!("{root}/+");
        let first = listen(&worlds[0], &bindings[0], &filter, &client, &kept);
        well(&*first).await;
        let second = listen(&worlds[1], &bindings[1], &filter, &client, &kept);
        until("it is told", || async { first.trouble().is_some() }).await;
        let device = broker.device().await;
        for number in 0..10 {
            device.publish(&format!("{root}/1"), number.to_string()).await;
        }
        drop(second);
        well(&*first).await;
        let all = || {
            let mut payloads = kept.payloads();
            payloads.sort();
            payloads.dedup();
            payloads.len()
        };
        until("all", || async { all() == 10 }).await;
        first.give_up();
        moment().await;
    }
}

#[tokio::test]
async fn a_broker_that_is_killed_and_started_again_is_listened_to_again() {
    let Some(mut broker) = Another::start().await else { return };
    for version in broker.versions.clone() {
        let (root, client) = (new(), new());
        let world = broker.world(&version, "");
        let binding = world.bind();
        let kept = Kept::new();
        let listening = listen(&world, &binding, &format!("{root}/+"), &client, &kept);
        well(&*listening).await;
        let called = call().to(&binding).listening(&[&format!("{root}/+")]).await;
        if !broker.again().await {
            return;
        }
        assert_eq!(called.next().await, Heard::Missed(0));
        let device = broker.device().await;
        until("both hear", || async {
            device.publish(&format!("{root}/1"), "x").await;
            let heard = called.0.read(Duration::from_millis(300)).await;
            kept.count() > 0 && matches!(heard, Ok(Heard::Message(_)))
        })
        .await;
        well(&*listening).await;
        listening.give_up();
        moment().await;
    }
}
