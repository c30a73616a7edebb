//! The fleet on a real broker, as somebody sees it who watches and commands it.

use std::time::Duration;

use fleet_sim::broker::{Broker, Setup as Settings};
use fleet_sim::jettyd::firmware::Model;
use fleet_sim::jettyd::fleet::{Fleet, Load, PASSWORD, Profile, Setup, USER};
use fleet_sim::jettyd::known;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, PublishOptions, QoS};
use serde_json::{Value, json};

/// Generous: only to end a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whoever watches and commands a fleet.
pub struct Watcher {
    client: AsyncClient,
    eventloop: EventLoop,
}

/// A fleet at a broker of its own.
pub async fn fleet(setup: Setup) -> (Broker, Fleet) {
    let broker = Broker::start(Settings { accounts: Fleet::accounts(&setup), ..Settings::default() });
    let broker = broker.expect("mosquitto is installed");
    let fleet = Fleet::start(broker.address(), setup).await.expect("the devices connect");
    (broker, fleet)
}

pub fn only(profile: Profile) -> Setup {
    Setup { profiles: vec![profile], ..Setup::known() }
}

impl Watcher {
    /// Hears everything that it may hear of this broker's fleet from now on.
    pub async fn of(broker: &Broker) -> Self {
        let mut options = MqttOptions::new("watcher", ("127.0.0.1", broker.address().port()));
        options.set_credentials(USER, PASSWORD);
        let (client, eventloop) = AsyncClient::builder(options).build();
        client.subscribe("jettyd/acme/#", QoS::AtLeastOnce).await.unwrap();
        let mut this = Self { client, eventloop };
        this.next(|packet| matches!(packet, Packet::SubAck(_)).then_some(())).await;
        this
    }

    async fn next<T>(&mut self, wanted: impl Fn(Packet) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.eventloop.poll().await.expect("the broker stays");
                if let Event::Incoming(packet) = event
                    && let Some(found) = wanted(packet)
                {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("something is heard")
    }

    /// The next message on this topic, as it came.
    pub async fn text(&mut self, topic: &str) -> String {
        self.next(|packet| match packet {
            Packet::Publish(message) if message.topic == topic.as_bytes() => {
                assert!(!message.retain, "nothing that a device says is retained");
                assert_eq!(message.qos, QoS::AtLeastOnce);
                Some(String::from_utf8(message.payload.to_vec()).expect("text"))
            }
            _ => None,
        })
        .await
    }

    /// The next message on this topic.
    pub async fn json(&mut self, topic: &str) -> Value {
        let text = self.text(topic).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The topics of the next messages, in their order.
    async fn topics(&mut self, count: usize) -> Vec<String> {
        let mut topics = Vec::new();
        while topics.len() < count {
            let topic = self.next(|packet| match packet {
                Packet::Publish(message) => Some(String::from_utf8(message.topic.to_vec()).unwrap()),
                _ => None,
            });
            topics.push(topic.await);
        }
        topics
    }

    pub async fn say(&self, topic: &str, payload: &str) {
        self.client.publish(topic, payload, PublishOptions::at_least_once()).await.unwrap();
    }

    /// Sends a command to a device, and gives the next thing it answers.
    pub async fn command(&mut self, device: &str, command: Value) -> Value {
        self.say(&topic(device, "command"), &command.to_string()).await;
        self.json(&topic(device, "command/response")).await
    }
}

pub fn topic(device: &str, suffix: &str) -> String {
    format!("jettyd/acme/{device}/{suffix}")
}

#[tokio::test]
async fn a_boot_is_shadow_then_online_and_a_report_holds_everything() {
    let (broker, fleet) = fleet(only(Profile { online: false, ..Setup::known().profiles[0].clone() })).await;
    let device = fleet.device(known::GREENHOUSE);
    assert!(!device.is_connected());
    let mut watcher = Watcher::of(&broker).await;
    device.connect().await.unwrap();
    let [shadow, status] = ["shadow/report", "status"].map(|suffix| topic(known::GREENHOUSE, suffix));
    assert_eq!(watcher.topics(2).await, [shadow.clone(), status.clone()]);

    device.say("sleep").await.unwrap();
    let said = watcher.json(&status).await;
    let (ts, now) = (said["ts"].as_i64().unwrap(), jiff::Timestamp::now().as_second());
    assert_eq!(said["status"], "sleep");
    assert!((now - 60..=now).contains(&ts), "{ts} {now}");

    fleet.report().await.unwrap();
    let telemetry = watcher.json(&topic(known::GREENHOUSE, "telemetry")).await;
    assert!(telemetry["readings"]["soil.moisture"].is_number() && telemetry["ts"].is_i64(), "{telemetry}");
    device.alert("too hot", "warning").await.unwrap();
    let alert = watcher.json(&topic(known::GREENHOUSE, "alert")).await;
    assert_eq!((&alert["message"], &alert["severity"]), (&json!("too hot"), &json!("warning")));
    assert_eq!(device.sent().len(), 5);
}

#[tokio::test]
async fn commands_configurations_and_desired_states_are_done_and_answered() {
    let (broker, fleet) = fleet(only(Profile::new(known::GREENHOUSE, Model::SoilMoisture))).await;
    let device = fleet.device(known::GREENHOUSE);
    let mut watcher = Watcher::of(&broker).await;
    let on = json!({"id": "cmd_1", "action": "valve.on", "params": {}, "timeout": 30});
    let acked = json!({"id": "cmd_1", "status": "acked", "result": {"valve.state": true}});
    assert_eq!(watcher.command(known::GREENHOUSE, on.clone()).await, acked);
    assert_eq!(device.commands(), [on]);
    assert!(device.unit().is_on("valve", jiff::Timestamp::now()));
    // What is no JSON is not answered: the next answer is the next command's.
    watcher.say(&topic(known::GREENHOUSE, "command"), "{\"id\":").await;
    let pong = watcher.command(known::GREENHOUSE, json!({"id": "cmd_2", "action": "ping"})).await;
    assert_eq!(pong["id"], "cmd_2");

    let config = json!({"version": 1, "heartbeats": [{"id": "h1", "every": 60}]}).to_string();
    watcher.say(&topic(known::GREENHOUSE, "config"), &config).await;
    let accepted = watcher.json(&topic(known::GREENHOUSE, "command/response")).await;
    assert_eq!(accepted, json!({"type": "config_accepted", "rules": 0, "heartbeats": 1}));
    watcher.say(&topic(known::GREENHOUSE, "config"), r#"{"version":1,"rules":[{"id":"r1"}]}"#).await;
    let rejected = watcher.json(&topic(known::GREENHOUSE, "alert")).await;
    let errors = json!([{"rule": "r1", "error": "Missing 'when' condition"}]);
    assert_eq!(rejected, json!({"type": "config_rejected", "errors": errors}));

    watcher.say(&topic(known::GREENHOUSE, "shadow/desired"), r#"{"valve.state":false}"#).await;
    let report = watcher.json(&topic(known::GREENHOUSE, "shadow/report")).await;
    assert_eq!((&report["reported"]["valve.state"], &report["desired"]), (&json!(false), &json!(null)));
    let suffixes: Vec<_> = device.received().into_iter().map(|message| message.suffix).collect();
    assert_eq!(suffixes, ["command", "command", "command", "config", "config", "shadow/desired"]);
}

#[tokio::test]
async fn a_reboot_is_acknowledged_first_and_boots_then() {
    let (broker, _fleet) = fleet(only(Profile::new(known::GREENHOUSE, Model::SoilMoisture))).await;
    let mut watcher = Watcher::of(&broker).await;
    let acked = watcher.command(known::GREENHOUSE, json!({"id": "c", "action": "reboot"})).await;
    assert_eq!(acked["status"], "acked");
    let boot = ["shadow/report", "status"].map(|suffix| topic(known::GREENHOUSE, suffix));
    assert_eq!(watcher.topics(2).await, boot);
}

#[tokio::test]
async fn a_device_may_only_speak_for_itself() {
    let mut setup = Setup::plain(2);
    setup.tenant = "acme".into();
    let (broker, fleet) = fleet(setup.clone()).await;
    let mut watcher = Watcher::of(&broker).await;
    let thief = &setup.profiles[0];
    let mut options = MqttOptions::new("thief", ("127.0.0.1", broker.address().port()));
    options.set_credentials(thief.id.clone(), thief.key.clone());
    let (client, mut eventloop) = AsyncClient::builder(options).build();
    let forged = topic(&setup.profiles[1].id, "telemetry");
    client.publish(forged.clone(), r#"{"readings":{}}"#, PublishOptions::at_least_once()).await.unwrap();
    // The broker acknowledges what it throws away.
    while !matches!(eventloop.poll().await.unwrap(), Event::Incoming(Packet::PubAck(_))) {}
    fleet.device(&setup.profiles[1].id).report().await.unwrap();
    assert!(watcher.json(&forged).await["ts"].is_i64(), "the first that is heard is its own");
}

#[tokio::test]
async fn devices_come_back_after_the_broker_did_without_saying_so() {
    let (mut broker, fleet) = fleet(only(Profile::new(known::GREENHOUSE, Model::SoilMoisture))).await;
    let device = fleet.device(known::GREENHOUSE);
    let before = device.sent().len();
    broker.kill();
    broker.restart().unwrap();
    let mut watcher = Watcher::of(&broker).await;
    let heard = async {
        // Until it has subscribed again what is said to it reaches nobody.
        loop {
            let ping = watcher.command(known::GREENHOUSE, json!({"id": "c", "action": "ping"}));
            if let Ok(answer) = tokio::time::timeout(Duration::from_millis(500), ping).await {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, heard).await.expect("it comes back");
    assert_eq!(answer["result"], json!({"message": "pong"}));
    let since: Vec<_> = device.sent()[before..].iter().map(|sent| sent.suffix.clone()).collect();
    assert!(since.iter().all(|suffix| suffix == "command/response"), "{since:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_devices_have_a_connection_each_and_every_message_arrives_once() {
    let (broker, fleet) = fleet(Setup::plain(1_000)).await;
    let watcher = Watcher::of(&broker).await;
    let heard = tokio::spawn(async move {
        let mut watcher = watcher;
        let mut heard = std::collections::HashSet::new();
        while heard.len() < 3_000 {
            let message = watcher.next(|packet| match packet {
                Packet::Publish(message) => Some(message),
                _ => None,
            });
            let message = message.await;
            let body: Value = serde_json::from_slice(&message.payload).unwrap();
            let number = body["readings"][Load::SEQUENCE].as_u64().expect("a number");
            assert!(heard.insert((message.topic.to_vec(), number)), "twice: {body}");
        }
    });
    let loaded = fleet.load(Load { messages: 3, every: Duration::from_secs(1) }).await;
    assert_eq!((loaded.acknowledged, loaded.lost), (3_000, 0));
    tokio::time::timeout(PATIENCE, heard).await.expect("all of them").unwrap();
}
