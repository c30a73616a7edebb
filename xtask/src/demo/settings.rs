//! The demo's `fleetgate.toml`, its secrets, and the host keys of its lab.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::backends::Backends;

/// Writes everything into this folder; gives the path of `fleetgate.toml`.
pub fn write(folder: &Path, backends: &Backends) -> Result<PathBuf> {
    let (nerveshub, token) = backends.nerveshub()?;
    let (naas, devices) = backends.naas()?;
    let (lab, login) = backends.lab()?;
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
            r#"# The demo's configuration: two plugins, three simulated fleets.
[serve]
plugins = "plugins"
local_roles = ["nerveshub:manage", "naas:operator", "naas-lab:operator"]

[secrets]
nerveshub-token = {{ file = "nerveshub-token" }}
device-password = {{ file = "device-password" }}
lab-password = {{ file = "lab-password" }}
lab-enable = {{ file = "lab-enable" }}

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
"#,
            devices.username,
            targets.join(", "),
            login.username,
        ),
    )?;
    Ok(path)
}

fn secret(folder: &Path, name: &str, value: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, value)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}
