//! A simulated NAAS server, the naas plugin bound to it, and the host that serves it.

use std::time::Duration;

use fleet_sim::naas::{Behaviour, Naas, Running, Seed, known};
use serde_json::{Value, json};

use crate::{Answer, Installation, Server, with};

/// The three, ended when dropped.
pub struct Network {
    /// The backend.
    pub naas: Running,
    /// Folder and settings of the host.
    pub installation: Installation,
    /// The host.
    pub server: Server,
}

/// Jobs that are over soon.
pub fn quick(behaviour: Behaviour) -> Seed {
    let (queued, running) = (Duration::from_millis(20), Duration::from_millis(60));
    Seed { behaviour, queued, running, ..Seed::default() }
}

impl Network {
    /// An operator's key, and callers who are operators.
    pub async fn of(behaviour: Behaviour) -> Self {
        Self::grown(quick(behaviour), known::OPERATOR, "operator", "").await
    }

    /// Another key and role, with more lines: settings of the plugin first, then tables. `{url}` is the server's.
    pub async fn grown(seed: Seed, key: &str, role: &str, more: &str) -> Self {
        Self::edited(seed, key, role, |settings, url| settings + &more.replace("{url}", url)).await
    }

    /// The same with whatever else the settings shall be; they are given with the server's URL.
    pub async fn edited(
        seed: Seed,
        key: &str,
        role: &str,
        edit: impl FnOnce(String, &str) -> String,
    ) -> Self {
        let naas = Naas::start(seed).await;
        let installation = Installation::new();
        installation.install("naas");
        installation.secret("token", naas.token(key));
        installation.secret("device", known::PASSWORD);
        installation.secret("admin", known::ADMIN_SECRET);
        let url = naas.url();
        installation.config(&edit(settings(&url, role), &url));
        let server = Server::start(&installation);
        Self { naas, installation, server }
    }

    /// Calls a tool of the plugin.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.server.client_of("naas").call(tool, arguments).await
    }

    /// Reads a resource of the plugin.
    pub async fn read(&self, uri: &str) -> Value {
        let answer = self.server.client_of("naas").request("resources/read", json!({ "uri": uri })).await;
        let text = answer.result()["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer:?}"));
        serde_json::from_str(text).expect("JSON")
    }

    /// What reached the server, as `GET /path`.
    pub fn arrived(&self) -> Vec<String> {
        self.naas.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

fn settings(url: &str, role: &str) -> String {
    format!(
        r#"
[serve]
local_roles = ["naas:{role}"]

[secrets]
token = {{ file = "token" }}
device = {{ file = "device" }}
admin = {{ file = "admin" }}

[plugins.naas.grant.http.api]
url = "{url}"
credential = {{ bearer = "token" }}
from_call = {{ body = ["/password", "/enable"], basic = true }}

[plugins.naas.config]
poll_interval = "50ms"
"#
    )
}

/// Commands for a device, with its login.
pub fn on(host: &str, platform: &str, commands: &[&str]) -> Value {
    json!({
        "host": host, "platform": platform, "commands": commands,
        "username": known::USER, "password": known::PASSWORD,
    })
}

/// A look at the switch that answers everything, and more arguments.
pub fn show(more: Value) -> Value {
    with(on(known::IOS, "cisco_ios", &["show version"]), more)
}
