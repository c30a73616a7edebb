//! The demo's `fleetgate.toml`, its secrets, and the host keys of its lab.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::backends::{Backends, Broker};

/// Writes everything into this folder; gives the path of `fleetgate.toml`.
pub fn write(folder: &Path, backends: &Backends) -> Result<PathBuf> {
    let (nerveshub, token) = backends.nerveshub()?;
    let (naas, devices) = backends.naas()?;
    let (lab, login) = backends.lab()?;
    let (jettyd, key) = backends.jettyd()?;
    let broker = backends.broker()?;
    secret(folder, "jettyd-key", &key)?;
    secret(folder, "nerveshub-token", &token)?;
    secret(folder, "device-password", &devices.password)?;
    secret(folder, "lab-password", &login.password)?;
    secret(folder, "lab-enable", login.enable.as_deref().unwrap_or_default())?;
    std::fs::write(folder.join("known_hosts"), backends.known_hosts()?)?;
    let targets: Vec<String> = lab.iter().map(|device| format!("\"127.0.0.1:{}\"", device.port)).collect();
    let path = folder.join("fleetgate.toml");
    std::fs::write(
        &path,
        format!(
            r#"# The demo's configuration: three plugins, simulated fleets.
[serve]
plugins = "plugins"
local_roles = [
    "nerveshub:manage", "naas:operator", "naas-lab:operator",
    {roles},
]

[secrets]
nerveshub-token = {{ file = "nerveshub-token" }}
device-password = {{ file = "device-password" }}
lab-password = {{ file = "lab-password" }}
lab-enable = {{ file = "lab-enable" }}
jettyd-key = {{ file = "jettyd-key" }}
{broker_secret}
[plugins.nerveshub]
label = "DEMO"

[plugins.nerveshub.grant.http.api]
url = "{nerveshub}"
credential = {{ bearer = "nerveshub-token" }}

# The network plugin through a NAAS server. With Basic the server takes the devices' login from the host, so that no
# caller has to know it.
[plugins.naas]
label = "PRODUCTION"

[plugins.naas.grant.http.api]
url = "{naas}"
credential = {{ basic = {{ user = "{}", password = "device-password" }} }}

# The same plugin without a server, straight to some devices.
[plugins.naas-lab]
use = "naas"
label = "LAB"

[plugins.naas-lab.grant.ssh.devices]
targets = [{}]
known_hosts = "known_hosts"
credential = {{ user = "{}", password = "lab-password" }}
enable = "lab-enable"

# Sensors and actuators through jettyd's API.
[plugins.jettyd]
label = "PRODUCTION"

[plugins.jettyd.grant.http.api]
url = "{jettyd}"
credential = {{ bearer = "jettyd-key" }}
{lab_of_sensors}"#,
            devices.username,
            targets.join(", "),
            login.username,
            roles = roles(broker.is_some()),
            broker_secret =
                broker.as_ref().map_or("", |_| "broker-password = { file = \"broker-password\" }\n"),
            lab_of_sensors = broker.as_ref().map(straight).unwrap_or_default(),
        ),
    )?;
    if let Some(broker) = &broker {
        secret(folder, "broker-password", &broker.login.password)?;
    }
    Ok(path)
}

/// jettyd's scopes, for each of its bindings.
fn roles(with_lab: bool) -> String {
    let scopes = ["devices:read", "devices:write", "telemetry:read", "commands:write", "rules:read"];
    let bindings = if with_lab { &["jettyd", "jettyd-lab"][..] } else { &["jettyd"] };
    let roles = bindings.iter().flat_map(|binding| scopes.map(|scope| format!("\"{binding}:{scope}\"")));
    roles.collect::<Vec<_>>().join(", ")
}

/// The same plugin straight to a broker.
fn straight(broker: &Broker) -> String {
    let Broker { url, tenant, login } = broker;
    let filters = |suffixes: &[&str]| {
        let filters = suffixes.iter().map(|suffix| format!("\"jettyd/{tenant}/+/{suffix}\""));
        filters.collect::<Vec<_>>().join(", ")
    };
    format!(
        r#"
# The same plugin without a server, straight through a broker. What devices say when nobody calls is handled as it comes
# (events), and remembered (keyvalue).
[plugins.jettyd-lab]
use = "jettyd"
label = "LAB"

[plugins.jettyd-lab.config]
tenant_id = "{tenant}"

[plugins.jettyd-lab.grant.mqtt.broker]
url = "{url}"
credential = {{ user = "{}", password = "broker-password" }}
publish = [{}]
subscribe = [{}]

[plugins.jettyd-lab.grant.events.telemetry]

[plugins.jettyd-lab.grant.keyvalue.history]
"#,
        login.username,
        filters(&["command", "config", "shadow/desired"]),
        filters(&[
            "telemetry",
            "status",
            "shadow/report",
            "alert",
            "command/response",
            "config",
            "config/ack"
        ]),
    )
}

fn secret(folder: &Path, name: &str, value: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, value)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}
