//! What a call may do: the intersection of manifest, grant and reach, asked before anything is connected.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::rogue::Rogue;
use crate::standing::{Kept, try_listen};
use crate::world::{BROKER, Binding, World, call, granting};

/// Nothing is ever connected to it.
async fn nobody() -> Rogue {
    Rogue::start(|mut peer| async move { peer.ignore().await }).await
}

const REQUEST: &str =
    "publish = [\"site/+/command\", \"site/+/config\"]\nsubscribe = [\"site/+/state\", \"site/+/answer/#\"]";

fn world(rogue: &Rogue) -> World {
    let grant = format!(
        "url = \"{}\"\npublish = [\"site/7/command\"]\nsubscribe = [\"site/7/state\", \"site/7/answer/#\"]\npayload = \"16B\"",
        rogue.url()
    );
    World::new(&grant).request(REQUEST)
}

fn bind(rogue: &Rogue) -> Binding {
    world(rogue).bind()
}

#[tokio::test]
async fn a_topic_that_is_not_granted_is_refused_and_the_line_that_would_allow_it_is_said() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let caller = call().to(&binding);
    for (topic, rule) in [
        ("site/8/command", "[plugins.lab.grant.mqtt.broker] publish = [… \"site/8/command\"]"),
        ("site/7/config", "publish = [… \"site/7/config\"]"),
        ("site/7/command/x", "the manifest asks for"),
        ("site//command", "publish = [… \"site//command\"]"),
        ("/site/7/command", "the manifest asks for"),
        ("site/7/Command", "the manifest asks for"),
        ("$SYS/broker", "the manifest asks for"),
        ("$share/g/site/7/command", "the manifest asks for"),
    ] {
        let failure = caller.fails(topic).await;
        assert_eq!(
            (failure.code, failure.message.as_str(), failure.sent),
            ("denied", "this is not granted", false)
        );
        assert!(caller.refused().contains(rule), "{topic}: {}", caller.refused());
    }
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 0);
    assert!(caller.used().is_empty(), "{:?}", caller.used());
}

#[tokio::test]
async fn a_filter_wider_than_the_grant_is_refused() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let caller = call().to(&binding);
    for filter in [
        "#",
        "+/#",
        "site/#",
        "site/+/state",
        "site/7/+",
        "site/7/#",
        "site/7/state/#",
        "+/7/state",
        "$SYS/#",
    ] {
        let failure = caller.cannot_hear(filter).await;
        assert_eq!((failure.code, failure.message.as_str()), ("denied", "this is not granted"), "{filter}");
    }
    assert!(caller.refused().contains("the manifest asks for"));
    let failure = caller.open(&["site/7/state", "site/8/state"]).await.map(drop).unwrap_err();
    assert_eq!(failure.guest().code, "denied", "one of several is enough");
    assert!(caller.refused().contains("subscribe = [… \"site/8/state\"]"), "{}", caller.refused());
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_no_topic_no_filter_or_no_option_is_invalid() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let caller = call().to(&binding);
    for topic in ["", "site/+/command", "site/7/#", "site/7/command\0", "site/7/\u{1b}[2J"] {
        assert_eq!(caller.fails(topic).await.code, "invalid", "{topic:?}");
    }
    for filter in ["", "site/7/#/x", "site/7+", "$share/g/site/7/state", "$queue/site/7/state"] {
        assert_eq!(caller.cannot_hear(filter).await.code, "invalid", "{filter:?}");
    }
    let code = |done: Result<(), fleetgate_mqtt::Failure>| done.unwrap_err().guest().code;
    assert_eq!(code(caller.publish_with("site/7/command", "x", "{\"qos\":7}").await), "invalid");
    assert_eq!(code(caller.publish_with("site/7/command", "x", "{\"Qos\":1}").await), "invalid");
    assert_eq!(code(caller.open(&[]).await.map(drop)), "invalid");
    assert_eq!(code(caller.open(&["site/7/state"; 17]).await.map(drop)), "invalid");
    assert_eq!(code(caller.open_with(&["site/7/state"], "[]").await.map(drop)), "invalid");
}

#[tokio::test]
async fn qos_retaining_and_size_are_bounded_by_the_grant() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let caller = call().to(&binding);
    let options = |options: &'static str| caller.publish_with("site/7/command", "x", options);
    assert_eq!(options("{\"qos\":2}").await.unwrap_err().guest().code, "denied");
    assert!(caller.refused().contains("qos = 2"), "{}", caller.refused());
    assert_eq!(options("{\"retain\":true}").await.unwrap_err().guest().code, "denied");
    assert!(caller.refused().contains("retain = true"), "{}", caller.refused());
    let large = caller.publish("site/7/command", "seventeen bytes !").await.unwrap_err().guest();
    assert_eq!((large.code, large.sent), ("too-large", false));
    assert!(large.message.contains("17 bytes") && large.message.contains("16B"), "{}", large.message);
    let failure = caller.open_with(&["site/7/state"], "{\"qos\":2}").await.map(drop).unwrap_err();
    assert_eq!(failure.guest().code, "denied");
}

#[tokio::test]
async fn answers_are_asked_for_where_the_call_may_listen_and_nowhere_else() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let caller = call().to(&binding);
    let options = r#"{"responseTopic":"site/8/answer/1"}"#;
    let failure = caller.publish_with("site/7/command", "x", options).await.unwrap_err();
    assert_eq!(failure.guest().code, "denied");
    assert!(caller.refused().contains("with answers at \"site/8/answer/1\""), "{}", caller.refused());
}

/// Everything at a broker of which the operator says that it keeps topics as AMQP does.
fn amqp(rogue: &Rogue) -> World {
    World::new(&format!("{}\ntopics = \"amqp\"", granting(&rogue.url())))
}

#[tokio::test]
async fn a_topic_that_a_broker_of_amqp_takes_for_another_is_not_published_to() {
    let rogue = nobody().await;
    let binding = amqp(&rogue).bind();
    let caller = call().to(&binding);
    for topic in ["site/a.b", "site.7.command", ".", "site/7/*", "*/command", "site/a*"] {
        let failure = caller.fails(topic).await;
        assert_eq!((failure.code, failure.sent, failure.retryable), ("denied", false, false), "{topic}");
        let said =
            format!("publishing to \"{topic}\": with topics = \"amqp\" the broker takes . for / and * for +");
        assert!(caller.refused().contains(&said), "{topic}: {}", caller.refused());
    }
    assert!(
        caller.refused().contains("[plugins.lab.grant.mqtt.broker] topics = \"mqtt\""),
        "{}",
        caller.refused()
    );
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 0);
    assert!(caller.used().is_empty(), "{:?}", caller.used());
}

#[tokio::test]
async fn a_filter_that_a_broker_of_amqp_takes_for_another_is_not_listened_to() {
    let rogue = nobody().await;
    let binding = amqp(&rogue).bind();
    let caller = call().to(&binding);
    for filter in ["site/a.b", "site.7/#", "+/a.b", "*/7", "site/*/state"] {
        assert_eq!(caller.cannot_hear(filter).await.code, "denied", "{filter}");
    }
    let answers = ["site/7/answer/1", "site/7/answer.2"];
    assert_eq!(caller.open(&answers).await.map(drop).unwrap_err().guest().code, "denied", "one is enough");
    let said = "listening to \"site/7/answer.2\": with topics = \"amqp\"";
    assert!(caller.refused().contains(said), "{}", caller.refused());
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn answers_are_not_asked_for_where_a_broker_of_amqp_would_send_them_elsewhere() {
    let rogue = nobody().await;
    let binding = amqp(&rogue).bind();
    let caller = call().to(&binding);
    for response in ["site/7/answer.1", "site/*/answer"] {
        let options = format!(r#"{{"responseTopic":"{response}"}}"#);
        let failure = caller.publish_with("site/7/command", "x", &options).await.unwrap_err();
        assert_eq!(failure.guest().code, "denied", "{response}");
        let said = format!("with answers at \"{response}\": with topics = \"amqp\"");
        assert!(caller.refused().contains(&said), "{}", caller.refused());
    }
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_event_does_not_listen_to_what_a_broker_of_amqp_takes_for_another_filter() {
    let rogue = nobody().await;
    let world = amqp(&rogue);
    let binding = world.bind();
    let listen = |reach, narrowed| try_listen(&world, &binding, reach, narrowed, &Kept::new());
    let dotted = "subscribe = [\"site/a.b/state\", \"site/+/alarm\"]";
    let why = listen(dotted, None).map(drop).unwrap_err();
    assert_eq!(
        why,
        "the event telemetry listens to site/a.b/state, and with topics = \"amqp\" in the grant of mqtt.broker the \
         broker takes . for / and * for +: grant it less with from"
    );
    assert!(listen("subscribe = [\"site/*/state\"]", None).is_err());
    assert!(listen(dotted, Some("subscribe = [\"site/+/alarm\"]")).is_ok(), "less is granted");
}

#[tokio::test]
async fn at_a_broker_of_mqtt_dots_and_stars_are_letters_like_others() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        peer.serve(1).await;
    })
    .await;
    let binding = World::new(&granting(&rogue.url())).bind();
    let caller = call().to(&binding);
    caller.publish("site/a.b*", "x").await.unwrap();
    caller.open(&["site/a.b*/+"]).await.unwrap();
}

#[tokio::test]
async fn a_read_only_tool_publishes_nothing_unless_its_reach_says_so() {
    let rogue = nobody().await;
    let world = world(&rogue);
    let binding = world.bind();
    let caller = call().read_only().to(&binding);
    assert_eq!(caller.fails("site/7/command").await.code, "denied");
    assert!(caller.refused().contains("the tool is read-only"), "{}", caller.refused());
    let reach = world.reach("publish = [\"site/7/command\"]");
    let caller = call().read_only().reaching(reach).to(&binding);
    assert_ne!(
        caller.publish("site/7/command", "seventeen bytes !").await.unwrap_err().guest().code,
        "denied"
    );
    assert_eq!(caller.fails("site/7/config").await.code, "denied");
}

#[tokio::test]
async fn a_handler_of_events_publishes_nothing_without_may() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let caller = call().handling("plugins.lab.grant.events.telemetry").to(&binding);
    assert_eq!(caller.fails("site/7/command").await.code, "denied");
    let line = "[plugins.lab.grant.events.telemetry] may = [… \"mqtt.broker:publish\"]";
    assert!(caller.refused().contains(line), "{}", caller.refused());
}

#[tokio::test]
async fn a_tool_s_reach_is_its_ceiling() {
    let rogue = nobody().await;
    let world = world(&rogue);
    let binding = world.bind();
    let reach = world.reach("publish = [\"site/+/config\"]\nsubscribe = [\"site/7/answer/1\"]\nqos = 0");
    let caller = call().reaching(reach).to(&binding);
    assert_eq!(caller.fails("site/7/command").await.code, "denied");
    assert!(caller.refused().contains("the tool's reach is site/+/config"), "{}", caller.refused());
    assert_eq!(caller.cannot_hear("site/7/answer/+").await.code, "denied");
    assert_eq!(caller.cannot_hear("site/7/answer/1").await.code, "denied", "with QoS 1");
    assert!(caller.refused().contains("the tool's reach is 0"), "{}", caller.refused());
}

#[tokio::test]
async fn a_capability_that_is_not_granted_is_denied() {
    let rogue = nobody().await;
    let ungranted = world(&rogue).ungranted().bind();
    let caller = call().to(&ungranted);
    assert_eq!(caller.fails("site/7/command").await.code, "denied");
    assert!(caller.refused().contains("[plugins.lab.grant.mqtt.broker]"), "{}", caller.refused());
    let failure = caller.session.publish("mqtt.other", "a", Vec::new(), None).await.unwrap_err().guest();
    assert_eq!(failure.code, "denied");
    assert!(caller.refused().contains("the plugin does not ask for it"), "{}", caller.refused());
}

#[tokio::test]
async fn a_placeholder_of_a_secret_argument_is_not_published() {
    let rogue = nobody().await;
    let binding = bind(&rogue);
    let (call, [placeholder]) = call().with_secrets(["hunter22"]);
    let caller = call.to(&binding);
    let failure = caller.publish("site/7/command", &placeholder).await.unwrap_err().guest();
    assert_eq!(failure.code, "denied");
    assert!(caller.refused().contains("placeholder"), "{}", caller.refused());
}

#[tokio::test]
async fn more_than_the_rate_is_too_much_and_may_succeed_later() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        peer.serve(1).await;
    })
    .await;
    let binding = world(&rogue)
        .granting(&format!("url = \"{}\"\npublish = [\"site/7/command\"]\nrate = \"2/h\"", rogue.url()))
        .bind();
    let caller = call().to(&binding);
    caller.publish("site/7/command", "1").await.unwrap();
    caller.publish("site/7/command", "2").await.unwrap();
    let failure = caller.fails("site/7/command").await;
    assert_eq!((failure.code, failure.retryable, failure.sent), ("too-much", true, false));
    assert!(failure.message.contains("2/h"), "{}", failure.message);
    assert_eq!(
        caller.used(),
        ["mqtt.broker publish site/7/command (QoS 1) acknowledged"; 2],
        "what was refused was not used"
    );
}

#[tokio::test]
async fn a_subscription_that_the_broker_refuses_is_denied_with_its_reason() {
    let rogue = Rogue::start(|mut peer| async move {
        peer.welcome().await;
        peer.serve(0x80).await;
    })
    .await;
    let binding = bind(&rogue);
    let caller = call().to(&binding);
    let failure = caller.cannot_hear("site/7/state").await;
    assert_eq!((failure.code, failure.retryable), ("denied", false));
    let details: Value = failure.details.unwrap();
    assert_eq!((&details["broker"], &details["reason"]), (&Value::Bool(true), &Value::from(0x80)));
    assert_eq!(caller.used(), [format!("{BROKER} subscribe site/7/state failed: denied")]);
    // The connection is unharmed.
    caller.publish("site/7/command", "x").await.unwrap();
    assert_eq!(rogue.connections.load(Ordering::SeqCst), 1);
}
