//! A handler of events that does what nobody should, by way of the real host and a real mosquitto. What each event makes
//! it do stands in its payload; another plugin with a grant of its own publishes them.

mod alone;
mod crashing;
mod killed;

use std::time::{Duration, Instant};

use fleet_sim::broker::{Broker, Setup};
use fleetgate_e2e::{Installation, Modern, PATIENCE, Server};
use serde_json::{Value, json};

const BINDING: &str = "hostile-events";
/// Publishes what is heard.
const WORLD: &str = "hostile-topics";

/// A broker, and a host with the handler. The world is another host, which lives on when this one is killed.
struct Attacked {
    broker: Broker,
    installation: Installation,
    server: Option<Server>,
    world: Server,
    _elsewhere: Installation,
}

impl Attacked {
    /// With these lines for the handler's binding, beside its broker, its log, and its events.
    fn new(lines: &str) -> Self {
        let setup = Setup { persistent: true, ..Setup::default() };
        let broker = Broker::start(setup).expect("mosquitto is installed");
        let there = format!("url = \"{}\"\npublish = [\"#\"]\nsubscribe = [\"#\"]\n", broker.url());
        let elsewhere = Installation::new();
        elsewhere.install(WORLD);
        elsewhere.config(&format!(
            "[serve]\n\n[plugins.{WORLD}.grant.mqtt.broker]\n{there}rate = \"10000/s\"\nqos = 2\n"
        ));
        let installation = Installation::new();
        installation.install(BINDING);
        installation.secret("login", "the-login-of-nobody");
        installation.config(&format!(
            "[serve]\n\n[limits]\ncpu = \"1s\"\n\n\
             [plugins.{BINDING}.grant.mqtt.broker]\n{there}\n\
             [plugins.{BINDING}.grant.keyvalue.log]\nquota = \"64MiB\"\n\n{lines}\n"
        ));
        let (server, world) = (Server::start(&installation), Server::start(&elsewhere));
        Self { broker, installation, server: Some(server), world, _elsewhere: elsewhere }
    }

    /// With the event granted, and these lines in its grant.
    async fn hearing(grant: &str, more: &str) -> Self {
        let attacked = Self::new(&format!("[plugins.{BINDING}.grant.events.heard]\n{grant}\n\n{more}"));
        attacked.listens().await;
        attacked
    }

    /// Waits until the broker has the standing subscription.
    async fn listens(&self) {
        let publish = json!({ "do": "", "probe": true });
        self.until("the handler hears", async || {
            self.publish("granted/probe", &publish).await;
            self.lines().await.iter().any(|line| line["subject"] == "granted/probe")
        })
        .await;
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    fn client(&self) -> Modern {
        self.server().client_of(BINDING)
    }

    /// Publishes an order, and answers once the broker has it.
    async fn publish(&self, topic: &str, order: &Value) {
        let arguments = json!({ "topic": topic, "payload": order.to_string() });
        let answer = self.world.client_of(WORLD).call("publish", arguments).await;
        assert_eq!(answer.structured()["published"], true, "{answer:?}");
    }

    /// Everything that the handler wrote down.
    async fn lines(&self) -> Vec<Value> {
        self.log("line/").await.into_iter().map(|line| line["value"].clone()).collect()
    }

    async fn log(&self, prefix: &str) -> Vec<Value> {
        let (mut lines, mut part) = (Vec::<Value>::new(), json!({ "prefix": prefix, "limit": 1000 }));
        loop {
            let answer = self.client().call("log", part.clone()).await;
            let page = answer.structured().clone();
            lines.extend(page["lines"].as_array().expect("lines").iter().cloned());
            if page["more"] != true {
                return lines;
            }
            part["behind"] = lines.last().expect("there are more than none")["key"].clone();
        }
    }

    /// What the handler wrote of the events with this topic, once it is so many.
    async fn told(&self, topic: &str, many: usize) -> Vec<Value> {
        let of = async || {
            let lines = self.lines().await;
            lines.into_iter().filter(|line| line["subject"] == topic).collect::<Vec<_>>()
        };
        self.until(&format!("{many} lines of {topic}"), async || of().await.len() >= many).await;
        of().await
    }

    /// What was set aside, as the operator sees it, once it is so many: it is counted before it is written.
    async fn dead(&self, many: usize) -> Vec<Value> {
        let of = || self.installation.run_well(&["events", "dead", "--json"]).json_lines();
        self.until(&format!("{many} were set aside"), async || of().len() >= many).await;
        of()
    }

    /// How the events stand, as the operator sees it: a moment later.
    fn status(&self, event: &str) -> Value {
        let listed = self.installation.run_well(&["events", "list", "--json"]).json_lines();
        listed.into_iter().find(|one| one["event"] == event).unwrap_or(Value::Null)
    }

    async fn until(&self, what: &str, is: impl AsyncFn() -> bool) {
        let begin = Instant::now();
        while !is().await {
            let log = self.server.as_ref().map(Server::log).unwrap_or_default();
            assert!(begin.elapsed() < PATIENCE * 2, "never: {what}\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
