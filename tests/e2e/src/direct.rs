//! Simulated jettyd devices at a real broker, the jettyd plugin bound to that broker, and the host that serves it.

use std::time::{Duration, Instant};

use fleet_sim::broker::{self, Broker};
use fleet_sim::jettyd::fleet::{Device, Fleet, PASSWORD, Setup, USER};
use serde_json::{Value, json};

use crate::platform::every_role;
use crate::{Answer, Installation, PATIENCE, Server};

/// All of it, ended when dropped.
pub struct Direct {
    /// The host.
    pub server: Server,
    /// The devices.
    pub fleet: Fleet,
    /// The broker.
    pub broker: Broker,
    /// Folder and settings of the host.
    pub installation: Installation,
}

/// What a whole grant of the broker says beside its URL and credential.
pub const TOPICS: &str = r#"
publish = ["jettyd/acme/+/command", "jettyd/acme/+/config", "jettyd/acme/+/shadow/desired"]
subscribe = [
    "jettyd/acme/+/telemetry", "jettyd/acme/+/status", "jettyd/acme/+/shadow/report", "jettyd/acme/+/alert",
    "jettyd/acme/+/command/response", "jettyd/acme/+/config", "jettyd/acme/+/config/ack",
]
"#;

/// The settings of a host that listens to what devices say. `config`: more lines of the plugin's.
pub fn settings(url: &str, roles: &str, topics: &str, config: &str) -> String {
    format!(
        r#"
[serve]
local_roles = {roles}

[secrets]
broker = {{ file = "broker" }}

[plugins.jettyd.grant.mqtt.broker]
url = "{url}"
credential = {{ user = "{USER}", password = "broker" }}
{topics}

[plugins.jettyd.grant.events.telemetry]

[plugins.jettyd.grant.keyvalue.history]

[plugins.jettyd.config]
tenant_id = "acme"
{config}
"#
    )
}

impl Direct {
    /// Everything granted, and a caller with every role.
    pub async fn of(setup: Setup) -> Self {
        Self::grown(setup, "").await
    }

    /// The same with more lines of the plugin's configuration.
    pub async fn grown(setup: Setup, config: &str) -> Self {
        let settings_of = |url: &str| settings(url, &every_role("jettyd"), TOPICS, config);
        Self::edited(setup, settings_of).await
    }

    /// The same with whatever else the settings shall be; they are made from the broker's URL.
    pub async fn edited(setup: Setup, settings: impl FnOnce(&str) -> String) -> Self {
        let accounts = Fleet::accounts(&setup);
        let broker = Broker::start(broker::Setup { accounts, ..broker::Setup::default() });
        let broker = broker.expect("mosquitto is installed and starts");
        let installation = Installation::new();
        installation.install("jettyd");
        installation.secret("broker", PASSWORD);
        installation.config(&settings(&broker.url()));
        let server = Server::start(&installation);
        listens(&broker, &server).await;
        // Nothing that a device says is retained: who listens later has not heard it.
        let fleet = Fleet::start(broker.address(), setup).await.expect("the devices connect");
        let this = Self { server, fleet, broker, installation };
        this.until_all_are_known().await;
        this
    }

    /// Calls a tool of the plugin.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.server.client_of("jettyd").call(tool, arguments).await
    }

    /// The device with this id.
    pub fn device(&self, id: &str) -> &Device {
        self.fleet.device(id)
    }

    /// Waits until a tool's structured result is as it should be, and gives that.
    pub async fn until(&self, tool: &str, arguments: Value, holds: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.call(tool, arguments.clone()).await;
            let result = &answer.result()["structuredContent"];
            if holds(result) {
                return result.clone();
            }
            assert!(started.elapsed() < PATIENCE, "never: {answer:?}\n{}", self.server.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until every device that is there has been heard to be online.
    async fn until_all_are_known(&self) {
        let there = self.fleet.devices().iter().filter(|device| device.is_connected()).count();
        self.until("get_fleet_status", json!({}), |status| status["online_count"] == there).await;
    }
}

/// Waits until the broker has the host's standing subscriptions: they are asked for in the order of their names, and this
/// is the last of them.
pub async fn listens(broker: &Broker, server: &Server) {
    let started = Instant::now();
    while !broker.log().contains("jettyd/acme/+/telemetry") {
        assert!(started.elapsed() < PATIENCE, "never subscribed:\n{}\n{}", broker.log(), server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
