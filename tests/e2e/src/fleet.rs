//! A simulated NervesHub, the nerveshub plugin bound to it, and the host that serves it.

use fleet_sim::nerveshub::{Hub, Running, Seed, known};
use serde_json::{Value, json};

use crate::{Answer, Installation, Server};

/// The three, ended when dropped.
pub struct Fleet {
    /// The backend.
    pub hub: Running,
    /// Folder and settings of the host.
    pub installation: Installation,
    /// The host.
    pub server: Server,
}

impl Fleet {
    /// The plugin has this NervesHub user's token, and the caller may use every tool.
    pub async fn of(user: &str) -> Self {
        Self::grown(Seed::default(), user, "").await
    }

    /// The same over another hub, with more lines in front of the settings.
    pub async fn grown(seed: Seed, user: &str, settings: &str) -> Self {
        let hub = Hub::start(seed).await;
        let installation = Self::installation(&hub, user);
        installation.config(&format!("{settings}\n{}", installation.config_text()));
        let server = Server::start(&installation);
        Self { hub, installation, server }
    }

    /// The same with another file in place of the plugin's.
    pub async fn with_plugin(bytes: &[u8], user: &str) -> Self {
        let hub = Hub::start(Seed::default()).await;
        let installation = Self::installation(&hub, user);
        installation.install_bytes("nerveshub", bytes);
        let server = Server::start(&installation);
        Self { hub, installation, server }
    }

    fn installation(hub: &Running, user: &str) -> Installation {
        Installation::of("nerveshub", &hub.url(), hub.token(user), &["nerveshub:manage"])
    }

    /// Calls a tool of the plugin.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.server.client_of("nerveshub").call(tool, arguments).await
    }

    /// All that tools could change: devices, what devices were told, the hub's audit log.
    pub fn snapshot(&self) -> String {
        let state = self.hub.state();
        let orgs = [known::ACME, known::ROBOTICS, known::NORTHWIND].map(|org| state.devices(org));
        format!("{orgs:?}{:?}{:?}", state.events(), state.audit())
    }

    /// What reached the hub, as `GET /path`.
    pub fn arrived(&self) -> Vec<String> {
        self.hub.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// The same without what only looks.
    pub fn changes(&self) -> Vec<String> {
        self.arrived().into_iter().filter(|request| !request.starts_with("GET ")).collect()
    }
}

/// The arguments that name a kiosk.
pub fn kiosk(identifier: &str) -> Value {
    json!({"org": known::KIOSK.0, "product": known::KIOSK.1, "identifier": identifier})
}

/// Arguments, and more of them.
pub fn with(mut arguments: Value, more: Value) -> Value {
    let (Some(all), Value::Object(more)) = (arguments.as_object_mut(), more) else {
        panic!("arguments are objects");
    };
    all.extend(more);
    arguments
}
