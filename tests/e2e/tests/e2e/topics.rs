//! A guest that attacks a broker, and its host by way of it. The broker is a real mosquitto; what the world does is done
//! by another binding of the same guest, which was granted everything.

mod bounds;
mod leaving;
mod refusals;
mod secrets;

use std::time::{Duration, Instant};

use fleet_sim::broker::{Account, Broker, Setup};
use fleetgate_e2e::{Answer, Installation, Modern, PATIENCE, Server};
use serde_json::{Value, json};

const BINDING: &str = "hostile-topics";
const SECRET: &str = "brokers-own-passw0rd-41";

/// What is granted unless a test says something else.
const GRANTED: &str =
    "publish = [\"granted/+/get\", \"granted/+/set\"]\nsubscribe = [\"granted/+/state\", \"granted/7/#\"]";

/// A broker, and a host with two bindings: the attacking one, and `world`.
struct Attacked {
    broker: Broker,
    installation: Installation,
    server: Server,
}

impl Attacked {
    /// With these lines in the attacker's grant, beside where the broker is.
    fn new(grant: &str) -> Self {
        Self::at(broker(), grant)
    }

    fn at(broker: Broker, grant: &str) -> Self {
        let installation = Installation::new();
        installation.install(BINDING);
        installation.secret("password", SECRET);
        installation.config(&config(&broker, grant));
        let server = Server::start(&installation);
        Self { broker, installation, server }
    }

    fn client(&self) -> Modern {
        self.server.client_of(BINDING)
    }

    fn world(&self) -> Modern {
        self.server.client_of("world")
    }

    /// What the operator is told of a call.
    fn why(&self, answer: &Answer) -> String {
        self.installation.why(&answer.reference()).all()
    }
}

/// Mosquitto that logs every packet, with one account.
fn broker() -> Broker {
    let setup = Setup {
        accounts: vec![Account::anything("fleet", SECRET)],
        lines: vec!["log_type debug".into(), "log_type subscribe".into(), "log_type unsubscribe".into()],
        ..Setup::default()
    };
    Broker::start(setup).expect("mosquitto is installed")
}

fn config(broker: &Broker, grant: &str) -> String {
    let there =
        format!("url = \"{}\"\ncredential = {{ user = \"fleet\", password = \"password\" }}\n", broker.url());
    format!(
        "[serve]\n\n[secrets]\npassword = {{ file = \"password\" }}\n\n\
         [plugins.{BINDING}.grant.mqtt.broker]\n{there}{grant}\n\n\
         [plugins.world]\nuse = \"{BINDING}\"\n\n[plugins.world.grant.mqtt.broker]\n{there}\
         publish = [\"#\"]\nsubscribe = [\"#\"]\nqos = 2\nretain = true\nrate = \"10000/s\"\n"
    )
}

fn to(topic: &str, payload: &str) -> Value {
    json!({ "topic": topic, "payload": payload })
}

/// The failure's code, or none.
fn code(told: &Value) -> Option<&str> {
    told["error"]["code"].as_str()
}

/// Waits until something is so.
async fn until(what: &str, is: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
