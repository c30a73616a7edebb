//! The tables as people write them.

use fleetgate_core::capability::{Capability, Request};
use serde_json::{Value, json};

use crate::world::World;

const FINE: &str = "url = \"mqtts://broker.example.com\"\ncredential = { user = \"fleet\", password = \"password\" }\n\
                    publish = [\"site/7/command\"]\nsubscribe = [\"site/7/#\"]";

fn world(grant: &str) -> World {
    let request = "publish = [\"site/+/command\"]\nsubscribe = [\"site/#\"]";
    World::new(grant).request(request).secret("password", "s3cr3t-p4ssword")
}

fn asked(request: &str) -> Result<std::sync::Arc<dyn Request>, String> {
    World::new("")
        .ungranted()
        .request(request)
        .read()
        .map(|(request, _)| request)
        .map_err(|error| error.to_string())
}

#[test]
fn a_whole_grant_is_read_and_said_in_sentences() {
    let grant = format!(
        "{FINE}\nversion = \"5\"\ntopics = \"amqp\"\nnetworks = [\"10.1.0.0/16\"]\nclient_id = \"fleet-\"\nqos = 2\nretain = true\n\
         payload = \"1KiB\"\nmessage = \"1MiB\"\nrate = \"10/m\"\nsubscriptions = 8\nbuffer = \"1MiB\"\n\
         connect_timeout = \"5s\"\nidle = \"10s\"\nkeep_alive = \"1m\"\nsession = \"48h\""
    );
    let world = world(&grant);
    let said = world.read().unwrap().1.unwrap().describe().join("\n");
    world.try_bind().map(drop).unwrap_or_else(|problems| panic!("{problems}"));
    for sentence in [
        "MQTT 5 at mqtts://broker.example.com:8883",
        "publishing to site/7/command (QoS 2 at most, 1KiB each, 10/m, retained where it likes)",
        "listening to site/7/#",
        "no topic with a . or a *, which this broker takes for / and +",
        "with user \"fleet\" with a password, from the secret password",
        "its name may lead to 10.1.0.0/16 beside public addresses",
    ] {
        assert!(said.contains(sentence), "{sentence:?} is not in\n{said}");
    }
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn everything_that_is_wrong_with_a_grant_is_said_with_what_to_do() {
    let with = |line: &str| format!("{FINE}\n{line}");
    let url = |url: &str| FINE.replace("mqtts://broker.example.com", url);
    for (grant, problem) in [
        (FINE.replace("url =", "uri ="), "missing key \"url\""),
        (url("broker.example.com"), "this is not a URL"),
        (url("amqp://broker.example.com"), "\"amqp\" is not mqtt, mqtts, ws or wss"),
        (url("mqtts://fleet:hunter2@broker"), "a URL in a grant has no user and no password"),
        (url("mqtt://broker.example.com"), "no encryption, to a host that may be anywhere"),
        (url("mqtt://1.1.1.1"), "a credential is not sent to a public address without TLS"),
        (url("mqtts://0.0.0.0"), "cannot be granted"),
        (url("mqtts://broker.example.com/path"), "only ws and wss have a path"),
        (format!("{}\nca = \"ca.pem\"", url("mqtt://127.0.0.1")), "ca belongs to TLS"),
        (with("ca = \"missing.pem\""), "missing.pem"),
        (with("client_key = \"password\""), "its certificate is missing"),
        (with("version = \"4\""), "\"4\" is not known here"),
        (with("qos = 3"), "qos"),
        (with("topics = \"rabbitmq\""), "\"rabbitmq\" is not known here"),
        (
            with("topics = \"amqp\"").replace("site/7/#", "site/7.1/#"),
            "site/7.1/# cannot be granted with topics = \"amqp\": the broker takes . for / and * for +",
        ),
        (
            with("topics = \"amqp\"").replace("site/7/command", "site/*/command"),
            "site/*/command cannot be granted with topics = \"amqp\"",
        ),
        (with("payload = \"1GiB\""), "not a size that is used here"),
        (with("rate = \"fast\""), "\"fast\" is not a rate"),
        (with("session = \"1s\""), "not a time that is used here"),
        (with("subscriptions = 0"), "subscriptions"),
        (with("client_id = \"a b\""), "not the beginning of a client's name"),
        (with("retian = true"), "unknown key \"retian\""),
        (FINE.replace("site/7/command", "site/+/config"), "the plugin does not ask for all of site/+/config"),
        (FINE.replace("site/7/command", "#"), "it asks for site/+/command; less may be named here, not more"),
        (
            FINE.replace("site/7/#", "$share/all/site/7/#"),
            "shared and exclusive subscriptions take messages away",
        ),
        (FINE.replace("site/7/#", "site/7#"), "+ and # stand for whole levels"),
        (FINE.replace("[\"site/7/#\"]", "[]"), "no filter is named"),
        (
            "url = \"mqtts://broker.example.com\"".into(),
            "nothing is granted (say what, or less: publish = [\"site/+/command\"], subscribe = [\"site/#\"])",
        ),
        (
            FINE.replace("password = \"password\"", "password = \"hunter2 \""),
            "there is no secret of this name",
        ),
        (FINE.replace("user = \"fleet\", ", ""), "missing key \"user\""),
    ] {
        let problems = world(&grant).problem();
        assert!(problems.contains(problem), "{problem:?} is not in\n{problems}\nof\n{grant}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_request_that_is_wrong_is_refused_with_place_and_advice() {
    for (request, problem) in [
        ("", "nothing is asked for"),
        ("publish = []", "nothing is asked for"),
        ("publish = [\"a/#/b\"]", "# stands at the end alone"),
        ("subscribe = [\"$share/g/a\"]", "shared and exclusive subscriptions"),
        ("subscribe = \"a\"", "expected a list of texts"),
        ("subscribe = [\"a\"]\nqos = 1", "unknown key \"qos\""),
    ] {
        let problems = asked(request).expect_err(request);
        assert!(problems.contains(problem), "{problem:?} is not in\n{problems}");
    }
}

#[test]
fn asking_for_more_widens_and_asking_for_less_does_not() {
    let old = asked("publish = [\"site/+/command\"]\nsubscribe = [\"site/#\"]").unwrap();
    for (request, more) in [
        ("publish = [\"site/7/command\"]\nsubscribe = [\"site/+/state\"]", vec![]),
        ("subscribe = [\"#\"]", vec!["listening to #"]),
        ("publish = [\"site/+/config\", \"site/1/command\"]", vec!["publishing to site/+/config"]),
    ] {
        assert_eq!(asked(request).unwrap().widens(&*old), more, "{request}");
    }
}

#[test]
fn a_reach_lies_within_the_request_and_says_how_it_widens() {
    let world = world(FINE);
    let problems = world.try_reach("publish = [\"site/7/config\"]").expect_err("more").to_string();
    assert!(problems.contains("the plugin does not ask for all of site/7/config"), "{problems}");
    let reach = |text: &str| world.reach(text);
    let widens = |new: &str, old: &str| reach(new).widens(&*reach(old));
    assert!(widens("subscribe = [\"site/7/a\"]", "subscribe = [\"site/7/#\"]").is_empty());
    assert!(widens("subscribe = [\"site/7/a\"]", "subscribe = [\"site/7/#\"]\nqos = 1").is_empty());
    assert_eq!(widens("subscribe = [\"site/8/#\"]", "subscribe = [\"site/7/#\"]"), ["listening to site/8/#"]);
    assert_eq!(widens("", "subscribe = [\"site/7/#\"]"), ["listening to every topic that is granted"]);
    assert_eq!(widens("qos = 2", "qos = 1"), ["QoS 2"]);
    assert_eq!(
        widens("publish = [\"site/7/command\"]", ""),
        ["publishing to site/7/command, where the tool is read-only"]
    );
    assert_eq!(
        reach("subscribe = [\"site/7/#\"]\nqos = 0").describe(),
        "publishing to what is granted, listening to site/7/#, QoS 0 at most"
    );
}

#[test]
fn the_template_of_a_grant_is_one_once_it_is_filled_in() {
    let template = world(FINE).read().unwrap().0.grant_template();
    let filled = template
        .replace("user = \"…\"", "user = \"fleet\"")
        .replace("password = \"…\"", "password = \"password\"");
    let world = world(&filled);
    let said = world.read().unwrap_or_else(|problems| panic!("{problems}\n{filled}")).1.unwrap().describe();
    assert!(said.iter().any(|line| line == "listening to site/#"), "{said:?}");
    assert!(template.contains("publish = [\"site/+/command\"]"), "{template}");
}

#[test]
fn variables_that_name_the_broker_grant_what_the_plugin_asks_of_it() {
    let request = world(FINE).read().unwrap().0;
    assert_eq!(request.granted_alone(&["user"].into()), "");
    let alone = request.granted_alone(&["url", "user"].into());
    let grant = format!("url = \"mqtt://broker.lan\"\n{alone}");
    let said =
        world(&grant).read().unwrap_or_else(|problems| panic!("{problems}\n{grant}")).1.unwrap().describe();
    assert!(said.contains(&"listening to site/#".to_owned()), "{said:?}");
}

#[test]
fn the_schemas_take_what_the_parsers_take() {
    let schemas = World::new("").capability.schemas();
    let valid = |schema: &Value, table: &str| {
        let table: Value = toml_to_json(table);
        jsonschema::validator_for(schema).unwrap().is_valid(&table)
    };
    assert!(valid(&schemas.grant, FINE));
    assert!(!valid(&schemas.grant, &format!("{FINE}\nretian = true")));
    assert!(!valid(&schemas.grant, &format!("{FINE}\nqos = 3")));
    assert!(valid(&schemas.grant, &format!("{FINE}\ntopics = \"amqp\"")));
    assert!(!valid(&schemas.grant, &format!("{FINE}\ntopics = \"rabbitmq\"")));
    assert!(valid(&schemas.request, "publish = [\"a\"]"));
    assert!(!valid(&schemas.request, "publish = \"a\""));
    assert!(valid(&schemas.reach, "publish = [\"a\"]\nqos = 2"));
    assert!(!valid(&schemas.reach, "topics = [\"a\"]"));
}

/// Lines of `key = value` whose values are JSON, but for tables in braces.
fn toml_to_json(text: &str) -> Value {
    let pairs = text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, value)| {
        let value = match value.starts_with('{') {
            true => json!({ "user": "fleet", "password": "password" }),
            false => serde_json::from_str(value).unwrap(),
        };
        (key.to_owned(), value)
    });
    Value::Object(pairs.collect())
}
