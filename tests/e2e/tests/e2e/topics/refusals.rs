//! Reaching further than granted.

use serde_json::{Value, json};

use super::{Attacked, BINDING, GRANTED, code, to};

#[tokio::test]
async fn topics_that_were_not_granted_are_refused_and_the_reference_tells_the_operator_why() {
    let attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    for topic in [
        "elsewhere/7/get",
        "granted/7/state",
        "granted/get",
        "granted/7/8/get",
        "granted//7/get",
        "/granted/7/get",
        "granted/7/get/",
        "Granted/7/get",
        "$SYS/broker/uptime",
        "$share/group/granted/7/get",
        "$granted/7/get",
    ] {
        let answer = client.call("publish", to(topic, "forbidden")).await;
        let told = answer.structured();
        assert_eq!(code(told), Some("denied"), "{topic}: {told}");
        assert_eq!(told["error"]["message"], "this is not granted");
        assert_eq!(told["error"]["sent"], json!(false));
        let text = answer.message.to_string();
        assert!(!text.contains("granted/+") && !text.contains("127.0.0.1"), "the policy is told: {text}");
        let why = attacked.why(&answer);
        assert!(why.contains("refused: ") && why.contains(topic), "{why}");
    }
    let near = attacked.why(&client.call("publish", to("granted/7/reset", "x")).await);
    assert!(near.contains(&format!("plugins.{BINDING}.grant.mqtt.broker")), "{near}");
    assert!(near.contains("publish = [… \"granted/7/reset\"]"), "{near}");
    for capability in ["mqtt.never", "mqtt.unheard", "keyvalue.own", "broker", ""] {
        let arguments = json!({ "capability": capability, "topic": "granted/7/get", "payload": "forbidden" });
        let answer = client.call("publish", arguments).await;
        assert_eq!(code(answer.structured()), Some("denied"), "{capability}: {answer:?}");
        assert!(attacked.why(&answer).contains("refused: "));
    }
    let fine = client.call("publish", to("granted/7/get", "allowed")).await;
    assert_eq!(fine.structured()["published"], true, "{fine:?}");
    let log = attacked.broker.log();
    assert!(log.contains("'granted/7/get'"), "{log}");
    assert_eq!(log.matches("Received PUBLISH").count(), 1, "one of them arrived: {log}");
}

#[tokio::test]
async fn no_wildcard_or_shared_subscription_listens_beyond_the_grant() {
    let attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    for filter in [
        "#",
        "+",
        "+/#",
        "granted/#",
        "granted/+/#",
        "granted/+/+",
        "+/7/state",
        "granted/7/../8",
        "granted",
        "elsewhere/7/state",
        "$SYS/#",
        "$SYS/+/uptime",
        "$share/group/#",
        "$share/group/granted/7/state",
        "$queue/granted/7/state",
    ] {
        for filters in [json!([filter]), json!(["granted/7/state", filter])] {
            let answer = client.call("listen", json!({ "filters": filters })).await;
            // What takes messages away from others is no filter here at all.
            let shared = filter.starts_with("$share") || filter.starts_with("$queue");
            let expected = if shared { "invalid" } else { "denied" };
            let got = code(answer.structured()).unwrap_or("listened");
            // Within the grant's own `granted/7/#` two dots are a name like any other.
            if filter == "granted/7/../8" {
                assert_eq!(got, "listened");
            } else {
                assert_eq!(got, expected, "{filter}: {answer:?}");
                let text = answer.message.to_string();
                assert!(!text.contains("granted/+/state"), "the policy is told: {text}");
            }
            if got == "denied" {
                let why = attacked.why(&answer);
                assert!(why.contains("refused: ") && why.contains(filter), "{why}");
            }
        }
    }
    let log = attacked.broker.log();
    let subscribed: Vec<_> =
        log.lines().filter(|line| line.contains("(QoS ") && !line.contains("PUB")).collect();
    assert!(
        subscribed.iter().all(|line| line.contains("granted/7/")),
        "another filter arrived at the broker: {subscribed:?}"
    );
}

#[tokio::test]
async fn what_others_say_elsewhere_is_not_heard() {
    let attacked = Attacked::new(GRANTED);
    let (client, world) = (attacked.client(), attacked.world());
    for (topic, payload) in
        [("granted/7/state", "mine"), ("granted/8/private", "theirs"), ("elsewhere/7/state", "theirs")]
    {
        let arguments = json!({ "topic": topic, "payload": payload, "options": { "retain": true } });
        assert_eq!(world.call("publish", arguments).await.structured()["published"], true);
    }
    let listen = json!({ "filters": ["granted/+/state", "granted/7/#"], "count": 10, "wait": 3_000 });
    let answer = client.call("listen", listen).await;
    let heard = answer.structured()["heard"].as_array().expect("messages").clone();
    assert_eq!(heard.len(), 1, "two filters match it, and it is heard once: {heard:?}");
    assert_eq!((&heard[0]["topic"], &heard[0]["payload"]), (&json!("granted/7/state"), &json!("mine")));
    // Both bindings listen at one broker: what `world` hears does not reach the other.
    let wide = json!({ "filters": ["#"], "count": 10, "wait": 3_000 });
    let all = world.call("listen", wide).await;
    assert_eq!(all.structured()["heard"].as_array().map(Vec::len), Some(3), "{all:?}");
}

#[tokio::test]
async fn what_is_no_topic_filter_or_option_is_invalid_and_the_connection_goes_on() {
    let attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    let long = "x".repeat(70_000);
    for topic in ["", "#", "granted/+/get", "granted/7/g#t", "granted/7/get\u{0}", "granted/\u{0}/get", &long]
    {
        let answer = client.call("publish", to(topic, "forbidden")).await;
        assert_eq!(code(answer.structured()), Some("invalid"), "{topic:.20}: {answer:?}");
    }
    for filter in ["", "granted/7/#/x", "granted/7/x#", "granted/7/+x", "granted/7/\u{0}", &long] {
        let answer = client.call("listen", json!({ "filters": [filter] })).await;
        assert_eq!(code(answer.structured()), Some("invalid"), "{filter:.20}: {answer:?}");
    }
    for filters in [json!([]), json!(vec!["granted/7/state"; 17])] {
        let answer = client.call("listen", json!({ "filters": filters })).await;
        assert_eq!(code(answer.structured()), Some("invalid"), "{answer:?}");
    }
    for options in [
        json!({ "qos": 3 }),
        json!({ "qos": -1 }),
        json!({ "qos": "1" }),
        json!({ "retain": "yes" }),
        json!({ "timeoutMs": -1 }),
        json!([]),
        json!("qos"),
        json!({ "correlationData": "no base64!" }),
        json!({ "userProperties": { "a": "b" } }),
        json!({ "username": "x" }),
    ] {
        let arguments = json!({ "topic": "granted/7/get", "payload": "forbidden", "options": options });
        let answer = client.call("publish", arguments).await;
        assert_eq!(code(answer.structured()), Some("invalid"), "{options}: {answer:?}");
    }
    let arguments = json!({ "topic": "granted/7/get", "payload": "forbidden", "options_text": "{" });
    assert_eq!(code(client.call("publish", arguments).await.structured()), Some("invalid"));
    let broken = client.call("publish_broken_text", json!({})).await;
    assert!(!broken.succeeded(), "{broken:?}");

    assert_eq!(client.call("publish", to("granted/7/get", "fine")).await.structured()["published"], true);
    let log = attacked.broker.log();
    assert_eq!(log.matches("Received PUBLISH").count(), 1, "{log}");
    assert_eq!(log.matches("New client connected").count(), 1, "one connection did for all: {log}");
}

#[tokio::test]
async fn qos_retaining_size_and_answers_elsewhere_are_the_operators_to_grant() {
    let attacked = Attacked::new(&format!("{GRANTED}\npayload = \"1KiB\""));
    let client = attacked.client();
    for (options, size, expected, rule) in [
        (json!({ "qos": 2 }), 1, "denied", "qos = 2"),
        (json!({ "retain": true }), 1, "denied", "retain = true"),
        (json!({}), 1025, "too-large", ""),
        (json!({ "responseTopic": "elsewhere/answers" }), 1, "denied", "elsewhere/answers"),
        (json!({ "responseTopic": "granted/7/+" }), 1, "invalid", ""),
    ] {
        let arguments = json!({ "topic": "granted/7/get", "size": size, "options": options });
        let answer = client.call("publish", arguments).await;
        assert_eq!(code(answer.structured()), Some(expected), "{options}: {answer:?}");
        assert!(attacked.why(&answer).contains(rule), "{options}: {}", attacked.why(&answer));
    }
    let qos = json!({ "filters": ["granted/7/state"], "options": { "qos": 2 } });
    assert_eq!(code(client.call("listen", qos).await.structured()), Some("denied"));
    let fine = json!({
        "topic": "granted/7/get", "size": 1024, "options": { "qos": 1, "responseTopic": "granted/7/answers" },
    });
    assert_eq!(client.call("publish", fine).await.structured()["published"], true);
}

#[tokio::test]
async fn a_read_only_tool_publishes_nothing_beyond_its_reach() {
    let attacked = Attacked::new(GRANTED);
    let client = attacked.client();
    for (tool, topic, expected) in [
        ("publish_read_only", "granted/7/get", Some("denied")),
        ("publish_within_reach", "granted/7/set", Some("denied")),
        ("publish_within_reach", "granted/7/get", None),
    ] {
        let answer = client.call(tool, to(topic, "x")).await;
        assert_eq!(code(answer.structured()), expected, "{tool} {topic}: {answer:?}");
        if expected.is_some() {
            assert!(attacked.why(&answer).contains("refused: "), "{tool} {topic}");
        }
    }
    for (tool, filter, expected) in [
        ("listen_read_only", "granted/7/#", None),
        ("listen_within_reach", "granted/7/#", Some("denied")),
        ("listen_within_reach", "granted/7/state", None),
    ] {
        let answer = client.call(tool, json!({ "filters": [filter] })).await;
        assert_eq!(code(answer.structured()), expected, "{tool} {filter}: {answer:?}");
    }
}

#[tokio::test]
async fn a_question_gets_its_own_answer() {
    let attacked = Attacked::new(GRANTED);
    let (client, world) = (attacked.client(), attacked.world());
    let stale = json!({ "topic": "granted/7/state", "payload": "stale", "options": { "retain": true } });
    world.call("publish", stale).await;
    let heard = world.clone();
    let listening = tokio::spawn(async move {
        let asked = json!({ "filters": ["granted/7/get"], "count": 1, "wait": 20_000 });
        let asked = heard.call("listen", asked).await;
        heard.call("publish", to("granted/7/state", "fresh")).await;
        asked
    });
    super::until("the world listens", || attacked.broker.log().contains("granted/7/get (QoS")).await;
    let ask = json!({
        "topic": "granted/7/get", "payload": "how", "answers": "granted/7/state", "wait": 20_000,
    });
    let answer = client.call("ask", ask).await;
    assert_eq!(answer.structured()["answer"]["payload"], "fresh", "{answer:?}");
    let asked = listening.await.expect("it ends");
    assert_eq!(asked.structured()["heard"][0]["payload"], "how", "{asked:?}");
    let nobody = json!({
        "topic": "granted/8/get", "payload": "how", "answers": "granted/8/state", "wait": 300,
    });
    assert_eq!(client.call("ask", nobody).await.structured()["answer"], Value::Null);
}
