//! Simulated network devices, the naas plugin bound to them over SSH, and the host that serves it.

use std::time::Instant;

use fleet_sim::devices::{Device, Devices, Setup};
use serde_json::{Value, json};

use crate::{Answer, Installation, PATIENCE, Server, with};

/// The three, ended when dropped.
pub struct Lab {
    /// The devices.
    pub devices: Devices,
    /// Folder and settings of the host.
    pub installation: Installation,
    /// The host.
    pub server: Server,
}

/// The grant that is enough for these devices: their login, and their keys.
pub const LOGIN: &str = r#"credential = { user = "netops", password = "password" }
enable = "enable"
known_hosts = "known_hosts"
"#;

impl Lab {
    /// The plugin may do everything on these devices, and the caller may use every tool.
    pub async fn of(setups: impl IntoIterator<Item = Setup>) -> Self {
        Self::granted(setups, LOGIN, "").await
    }

    /// The same with other lines in the grant, and more at the end of the settings.
    pub async fn granted(setups: impl IntoIterator<Item = Setup>, grant: &str, more: &str) -> Self {
        let devices = Devices::start(setups).await.expect("free ports");
        let installation = Installation::new();
        installation.install("naas");
        installation.secret("password", "netops-password");
        installation.secret("enable", "enable-password");
        let keys: String = devices.all().iter().map(Device::known_hosts).collect();
        installation.secret("known_hosts", &keys);
        installation.secret("known_nowhere", "");
        // An address that stands there with its port opens itself.
        let targets: Vec<_> = devices.all().iter().map(|device| device.address().to_string()).collect();
        installation.config(&format!(
            r#"
[serve]
local_roles = ["naas:operator"]

[secrets]
password = {{ file = "password" }}
enable = {{ file = "enable" }}

[plugins.naas.grant.ssh.devices]
targets = {targets:?}
{grant}
{more}
"#
        ));
        let server = Server::start(&installation);
        Self { devices, installation, server }
    }

    /// The only device, or the first.
    pub fn device(&self) -> &Device {
        &self.devices.all()[0]
    }

    /// Calls a tool of the plugin.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.server.client_of("naas").call(tool, arguments).await
    }

    /// Sends commands to a device and returns what they gave.
    pub async fn show(&self, device: &Device, commands: &[&str]) -> Value {
        let answer = self.call("send_command", on(device, commands)).await;
        answer.structured()["results"].clone()
    }

    /// Pushes lines to a device. What else the arguments hold is `more`.
    pub async fn configure(&self, device: &Device, lines: &[&str], more: Value) -> Answer {
        self.call("send_config", with(on(device, lines), more)).await
    }

    /// Waits until something is true of the devices.
    pub async fn until(&self, what: &str, holds: impl Fn(&Devices) -> bool) {
        let started = Instant::now();
        while !holds(&self.devices) {
            assert!(started.elapsed() < PATIENCE, "never: {what}\n{}", self.server.log());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// The arguments that send commands to a device.
pub fn on(device: &Device, commands: &[&str]) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": device.port(),
        "platform": device.platform().name(),
        "commands": commands,
    })
}
