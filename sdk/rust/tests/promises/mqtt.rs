//! Brokers, played by the harness as the host and they behave.

use std::time::Duration;

use fleetgate_sdk::mqtt::{
    self, Heard, Message, MqttError, Publication, SubscribeOptions, Subscription, matches, topic,
};
use fleetgate_sdk::prelude::*;
use fleetgate_sdk::testing::{self, Broker, Harness, Reaction};

const SECOND: Duration = Duration::from_secs(1);

fn lab(broker: Broker) -> Harness {
    Harness::new().granted("mqtt.broker").broker("mqtt.broker", broker)
}

fn listen(filters: &[&str]) -> Result<Subscription, MqttError> {
    Subscription::open("mqtt.broker", filters)
}

fn publish(topic: &str, payload: &str) -> Result<(), MqttError> {
    mqtt::publish("mqtt.broker", topic, payload)
}

#[track_caller]
fn message(subscription: &Subscription) -> Message {
    match subscription.read(SECOND).unwrap() {
        Heard::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broker_that_is_not_granted_is_denied() {
    let host = Harness::new().broker("mqtt.broker", Broker::new());
    assert!(host.run(|| publish("a", "")).unwrap_err().is("denied"));
    assert!(listen(&["a"]).unwrap_err().is("denied"), "without a harness nothing is granted");
    let gone = Harness::new().granted("mqtt.broker").run(|| publish("a", "").unwrap_err());
    assert!(gone.is("unreachable") && gone.retryable && !gone.sent);
    let refused = lab(Broker::refusing(MqttError::new("credential", "it was refused")));
    assert!(refused.run(|| listen(&["a"])).unwrap_err().is("credential"));
}

#[test]
fn what_is_published_is_heard_by_those_whose_filters_match() {
    let host = lab(Broker::new().most_qos(2));
    host.run(|| {
        let (one, other) = (listen(&["lab/+/state", "lab/#"]).unwrap(), listen(&["hall/#"]).unwrap());
        Publication::new("lab/d1/state", "on").qos(2).send("mqtt.broker").unwrap();
        let heard = message(&one);
        assert_eq!((heard.topic.as_str(), heard.text().as_str()), ("lab/d1/state", "on"));
        assert_eq!((heard.qos, heard.retained), (1, false), "the lower of both");
        assert!(heard.time_ms > 0);
        assert_eq!(one.read(SECOND), Ok(Heard::TimedOut), "two filters match, and it is heard once");
        assert_eq!(other.read(SECOND), Ok(Heard::TimedOut));
        assert_eq!(host.listened(), ["lab/+/state", "lab/#", "hall/#"]);
    });
    assert!(host.listened().is_empty(), "what was dropped is listened to no more");
    assert_eq!((host.slept(), host.published()[0].qos), (2 * SECOND, 2));
}

#[test]
fn filters_match_by_mqtts_own_rules() {
    for (filter, topic, expected) in [
        ("a/b", "a/b", true),
        ("a/+", "a/b", true),
        ("a/+", "a/b/c", false),
        ("a/+", "a", false),
        ("a/+", "a/", true),
        ("a/#", "a", true),
        ("a/#", "a/b/c", true),
        ("+/b", "/b", true),
        ("+", "/b", false),
        ("#", "a/b", true),
        ("#", "$SYS/uptime", false),
        ("+/uptime", "$SYS/uptime", false),
        ("$SYS/#", "$SYS/uptime", true),
        ("a/b", "a/B", false),
    ] {
        assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
    }
}

#[test]
fn a_topic_is_made_of_levels_and_none_of_them_leaves_its_place() {
    assert_eq!(topic(["jettyd", "acme", "d 1"]).unwrap(), "jettyd/acme/d 1");
    for level in ["", "a/b", "+", "a#", "a\0", "a\nb"] {
        assert!(topic(["jettyd", level]).unwrap_err().is("invalid"), "{level:?}");
    }
    assert!(topic([""; 0]).unwrap_err().is("invalid"));
    assert!(topic(["a".repeat(65_536)]).unwrap_err().is("invalid"));
}

#[test]
fn what_is_retained_comes_first_and_an_empty_payload_ends_it() {
    let host = lab(Broker::new().retaining().retains("lab/d1/status", "online"));
    host.run(|| {
        let heard = message(&listen(&["lab/#"]).unwrap());
        assert!(heard.retained && heard.text() == "online");
        let options = SubscribeOptions { retained: false, ..SubscribeOptions::default() };
        let later = Subscription::open_with("mqtt.broker", &["lab/#"], &options).unwrap();
        assert_eq!(later.read(SECOND), Ok(Heard::TimedOut));
        Publication::new("lab/d1/status", "offline").retain(true).send("mqtt.broker").unwrap();
        assert!(!message(&later).retained, "who listened already hears it as new");
        assert_eq!(message(&listen(&["lab/#"]).unwrap()).text(), "offline");
        Publication::new("lab/d1/status", "").retain(true).send("mqtt.broker").unwrap();
        assert_eq!(listen(&["lab/#"]).unwrap().read(SECOND), Ok(Heard::TimedOut));
    });
}

#[test]
fn an_answer_is_waited_for_among_all_that_is_said() {
    let broker = Broker::new().on("lab/+/command", |command| {
        let answer = |id: Value| json!({ "id": id }).to_string();
        Reaction::new()
            .says("lab/d1/response", "no json")
            .says("lab/d1/response", answer(json!("another")))
            .after(3 * SECOND)
            .says("lab/d1/response", answer(command.json()["id"].clone()))
    });
    let host = lab(broker);
    let ask = |patience| {
        let answers = listen(&["lab/d1/response"]).unwrap();
        Publication::json("lab/d1/command", &json!({ "id": "c1" })).send("mqtt.broker").unwrap();
        let mine = |message: &Message| message.json::<Value>().is_ok_and(|answer| answer["id"] == "c1");
        answers.wait_for(mine, patience).unwrap()
    };
    assert_eq!(host.run(|| ask(2 * SECOND)), None);
    assert_eq!(host.slept(), 2 * SECOND);
    assert_eq!(host.run(|| ask(10 * SECOND)).unwrap().topic, "lab/d1/response");
    assert_eq!(host.slept(), 5 * SECOND);
}

#[test]
fn whoever_waits_longer_than_the_call_may_is_ended() {
    let host = lab(Broker::new()).deadline(4 * SECOND);
    let ended = host.run(|| listen(&["a"]).unwrap().wait_for(|_| true, 60 * SECOND).unwrap_err());
    assert!(ended.is("cancelled"));
    assert_eq!(host.slept(), 4 * SECOND);
    let broker = Broker::new().on("a", |_| {
        testing::cancel();
        Reaction::new()
    });
    lab(broker).run(|| {
        let heard = listen(&["b"]).unwrap();
        publish("a", "").unwrap();
        assert!(heard.read(SECOND).unwrap_err().is("cancelled"));
    });
}

#[test]
fn topics_and_filters_outside_of_the_grant_are_denied() {
    let broker =
        || Broker::new().may_publish(&["lab/+/command"]).may_subscribe(&["lab/+/telemetry", "lab/d1/#"]);
    lab(broker()).run(|| {
        for topic in ["lab/d1/telemetry", "lab/command", "hall/d1/command", "$SYS/d1/command"] {
            assert!(publish(topic, "").unwrap_err().is("denied"), "{topic}");
        }
        for filter in
            ["#", "lab/#", "+/d1/telemetry", "lab/+/+", "lab/+/#", "$share/g/lab/d1/telemetry", "$SYS/#"]
        {
            assert!(listen(&[filter]).unwrap_err().is("denied"), "{filter}");
            assert!(listen(&["lab/d1/state", filter]).unwrap_err().is("denied"), "{filter}");
        }
        for filter in ["lab/+/telemetry", "lab/d2/telemetry", "lab/d1", "lab/d1/#", "lab/d1/+/x"] {
            assert!(listen(&[filter]).is_ok(), "{filter}");
        }
        let outside = Publication::new("lab/d1/command", "").response_topic("hall/x").send("mqtt.broker");
        assert!(outside.unwrap_err().is("denied"));
    });
    let host = lab(broker().most_payload(4));
    host.run(|| {
        assert!(Publication::new("lab/d1/command", "").qos(2).send("mqtt.broker").unwrap_err().is("denied"));
        assert!(
            Publication::new("lab/d1/command", "").retain(true).send("mqtt.broker").unwrap_err().is("denied")
        );
        assert!(publish("lab/d1/command", "12345").unwrap_err().is("too-large"));
        assert!(publish("lab/d1/command", "1234").is_ok());
    });
    assert_eq!(host.published().len(), 1);
}

#[test]
fn what_is_no_topic_or_filter_is_invalid() {
    lab(Broker::new()).run(|| {
        for topic in ["", "a/+", "#", "a\0b"] {
            assert!(publish(topic, "").unwrap_err().is("invalid"), "{topic:?}");
        }
        for filter in ["", "a/#/b", "a#", "a+/b", "a\0"] {
            assert!(listen(&[filter]).unwrap_err().is("invalid"), "{filter:?}");
        }
        assert!(listen(&[]).unwrap_err().is("invalid"));
        assert!(listen(&["a"; 17]).unwrap_err().is("invalid"));
        assert!(Publication::new("a", "").qos(3).send("mqtt.broker").unwrap_err().is("invalid"));
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(Publication::json("a", &no_json).send("mqtt.broker").unwrap_err().is("invalid"));
    });
}

#[test]
fn who_reads_too_slowly_misses_the_oldest_and_is_told() {
    let host = lab(Broker::new());
    host.run(|| {
        let heard = listen(&["a"]).unwrap();
        for n in 0..1_030 {
            publish("a", &n.to_string()).unwrap();
        }
        assert_eq!(heard.read(SECOND), Ok(Heard::Missed(6)));
        assert_eq!(message(&heard).text(), "6");
        let large = listen(&["b"]).unwrap();
        for _ in 0..70 {
            host.says(
                "mqtt.broker",
                Message { topic: "b".into(), payload: vec![0; 64 << 10], ..Message::default() },
            );
        }
        assert_eq!(large.read(SECOND), Ok(Heard::Missed(6)));
        assert!(large.wait_for(|_| true, SECOND).unwrap().is_some());
    });
}

#[test]
fn what_mqtt_5_says_beside_a_message_arrives() {
    let host = lab(Broker::new());
    host.run(|| {
        let heard = listen(&["a"]).unwrap();
        Publication::new("a", "")
            .content_type("application/json")
            .response_topic("b")
            .correlation_data(&[1, 255])
            .user_property("k", "1")
            .user_property("k", "2")
            .expires_after(90 * SECOND)
            .timeout(2 * SECOND)
            .send("mqtt.broker")
            .unwrap();
        let message = message(&heard);
        assert_eq!((message.content_type(), message.response_topic()), (Some("application/json"), Some("b")));
        assert_eq!(message.correlation_data(), Some(vec![1, 255]));
        assert_eq!(message.user_properties(), [("k", "1"), ("k", "2")]);
    });
    let options = &host.published()[0].options;
    assert_eq!((&options["messageExpiryInterval"], &options["timeoutMs"]), (&json!(90), &json!(2000)));
    assert_eq!(Message::default().correlation_data(), None);
}

#[test]
fn options_of_a_subscription_are_spelled_as_the_interface_wants_them() {
    let options = serde_json::to_value(SubscribeOptions::default()).unwrap();
    assert_eq!(options, json!({ "qos": 1, "retained": true, "timeoutMs": 5000 }));
}

#[test]
fn a_publication_may_fail_and_have_been_sent() {
    let broker = Broker::new().on("a", |_| {
        Reaction::new().says("b", "done all the same").fails(MqttError::new("dropped", "it broke").sent())
    });
    lab(broker).run(|| {
        let heard = listen(&["b"]).unwrap();
        assert!(publish("a", "").unwrap_err().sent);
        assert_eq!(message(&heard).text(), "done all the same");
    });
}

/// Reads.
#[tool(requires = "any", read_only)]
fn reads() -> Result<(), Fault> {
    listen(&["lab/d1/state"])?;
    Ok(publish("lab/d1/get", "")?)
}

/// Reads where it is asked to.
#[tool(requires = "any", read_only, reach = {
    "mqtt.broker" = { publish = ["lab/+/get"], subscribe = ["lab/+/state"] }
})]
fn asks(args: Asks) -> Result<(), Fault> {
    listen(&[&*args.listen])?;
    Ok(publish(&args.publish, "")?)
}

#[derive(Deserialize, JsonSchema)]
struct Asks {
    listen: String,
    publish: String,
}

#[test]
fn a_tool_that_is_read_only_publishes_only_what_its_reach_says() {
    let host = lab(Broker::new());
    assert!(host.run(|| testing::call::<reads>(json!({}))).unwrap_err().is("denied"));
    let asks = |listen: &str, publish: &str| {
        host.run(|| testing::call::<asks>(json!({ "listen": listen, "publish": publish })))
    };
    assert!(asks("lab/d1/state", "lab/d1/get").is_ok());
    assert!(asks("lab/d1/state", "lab/d1/set").unwrap_err().is("denied"));
    assert!(asks("lab/d1/+", "lab/d1/get").unwrap_err().is("denied"));
    assert_eq!(host.published().len(), 1);
    let allowed = host.run(|| testing::call::<hears>(json!({})));
    assert!(allowed.is_ok(), "a reach that names no filters narrows none: {allowed:?}");
}

/// Publishes to one place, and hears everything.
#[tool(requires = "any", read_only, reach = { "mqtt.broker" = { publish = ["lab/+/get"] } })]
fn hears() -> Result<(), Fault> {
    listen(&["#"])?;
    let answered = Publication::new("lab/d1/get", "").response_topic("lab/d1/state").send("mqtt.broker");
    Ok(answered?)
}

#[test]
fn a_failure_becomes_a_fault_that_keeps_its_code() {
    for (code, expected) in [
        ("denied", "denied"),
        ("invalid", "invalid-arguments"),
        ("too-large", "invalid-arguments"),
        ("timeout", "timeout"),
        ("cancelled", "cancelled"),
        ("unreachable", "unavailable"),
        ("credential", "unavailable"),
        ("protocol", "upstream"),
        ("of-tomorrow", "upstream"),
    ] {
        let fault = Fault::from(MqttError::new(code, "it failed").sent());
        let details = fault.details.as_deref().unwrap();
        assert_eq!(
            (fault.code.as_str(), &details["mqtt"], &details["sent"]),
            (expected, &json!(code), &json!(true))
        );
        assert_eq!(fault.message, "MQTT: it failed.");
    }
}
