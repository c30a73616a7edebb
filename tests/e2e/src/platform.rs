//! A simulated jettyd platform, the jettyd plugin bound to its API, and the host that serves it.

use fleet_sim::jettyd::api::{Jettyd, Running, Seed};
use fleet_sim::jettyd::known;
use serde_json::Value;

use crate::{Answer, Installation, Server};

/// The scopes of jettyd, which are the plugin's roles.
pub const SCOPES: [&str; 6] =
    ["devices:read", "devices:write", "telemetry:read", "commands:write", "rules:read", "rules:write"];

/// The three, ended when dropped.
pub struct Platform {
    /// The backend.
    pub jettyd: Running,
    /// Folder and settings of the host.
    pub installation: Installation,
    /// The host.
    pub server: Server,
}

/// `local_roles` with all of the plugin's for this binding.
pub fn every_role(binding: &str) -> String {
    format!("{:?}", SCOPES.map(|scope| format!("{binding}:{scope}")))
}

impl Platform {
    /// A key with every scope, and a caller with every role.
    pub async fn of(seed: Seed) -> Self {
        Self::grown(seed, known::ALL, &every_role("jettyd"), "").await
    }

    /// Another key, other roles (a list of TOML), and more lines of configuration of the plugin.
    pub async fn grown(seed: Seed, key: &str, roles: &str, config: &str) -> Self {
        let jettyd = Jettyd::start(seed).await;
        let installation = Installation::new();
        installation.install("jettyd");
        installation.secret("token", jettyd.token(key));
        let url = jettyd.url();
        installation.config(&format!(
            r#"
[serve]
local_roles = {roles}

[secrets]
token = {{ file = "token" }}

[plugins.jettyd.grant.http.api]
url = "{url}"
credential = {{ bearer = "token" }}

[plugins.jettyd.config]
poll_interval = "100ms"
{config}
"#
        ));
        let server = Server::start(&installation);
        Self { jettyd, installation, server }
    }

    /// Calls a tool of the plugin.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.server.client_of("jettyd").call(tool, arguments).await
    }

    /// What reached the platform, as `GET /path?query`.
    pub fn arrived(&self) -> Vec<String> {
        let line = |method: &str, path: &str, query: &str| match query {
            "" => format!("{method} {path}"),
            query => format!("{method} {path}?{query}"),
        };
        let requests = self.jettyd.requests();
        requests.iter().map(|request| line(&request.method, &request.path, &request.query)).collect()
    }
}
