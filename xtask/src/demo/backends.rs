//! What stands behind the demo: simulated backends, each a process that says in its first line how to reach it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::running::{Running, text};
use crate::target;

/// The platforms of the lab.
const LAB: [&str; 5] = ["cisco_ios", "cisco_nxos", "arista_eos", "juniper_junos", "linux"];

/// The simulations; they end when this is dropped.
pub struct Backends {
    nerveshub: Running,
    naas: Running,
    lab: Running,
    jettyd: Running,
    /// None where there is no mosquitto.
    fleet: Option<Running>,
}

/// A broker with devices that talk.
pub struct Broker {
    /// `mqtt://127.0.0.1:PORT`
    pub url: String,
    /// The second level of every topic.
    pub tenant: String,
    /// Who may listen to all of them, and command them.
    pub login: Login,
}

/// A simulated device that is reached over SSH.
pub struct Device {
    /// Its own name.
    pub name: String,
    /// As network tools name it.
    pub platform: String,
    /// On 127.0.0.1.
    pub port: u64,
}

/// A login that the host uses and no caller sees.
pub struct Login {
    /// The user.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The password for `enable`.
    pub enable: Option<String>,
}

impl Backends {
    /// Starts all of them.
    pub fn start() -> Result<Self> {
        let start = |arguments: &[&str]| {
            Running::start(Command::new(target().join("debug/fleet-sim")).args(arguments))
        };
        let mut lab = vec!["devices"];
        for platform in LAB {
            lab.extend(["--platform", platform]);
        }
        // Its reason stands on stderr; the rest of the demo does without it.
        let fleet = start(&["jettyd-fleet", "--every", "2"]).ok();
        if fleet.is_none() {
            eprintln!("the demo goes on without devices at a broker");
        }
        Ok(Self {
            nerveshub: start(&["nerveshub"])?,
            naas: start(&["naas"])?,
            lab: start(&lab)?,
            jettyd: start(&["jettyd"])?,
            fleet,
        })
    }

    /// The NervesHub's URL and an admin's token.
    pub fn nerveshub(&self) -> Result<(String, String)> {
        let said = &self.nerveshub.said;
        Ok((text(&said["url"])?, text(&said["tokens"]["admin"])?))
    }

    /// The NAAS server's URL and the login of the devices behind it.
    pub fn naas(&self) -> Result<(String, Login)> {
        let said = &self.naas.said;
        Ok((text(&said["url"])?, login(&said["login"])?))
    }

    /// jettyd's URL, and an API key with every scope.
    pub fn jettyd(&self) -> Result<(String, String)> {
        let said = &self.jettyd.said;
        Ok((text(&said["url"])?, text(&said["tokens"]["all"])?))
    }

    /// The broker with devices that talk, where there is one.
    pub fn broker(&self) -> Result<Option<Broker>> {
        let Some(fleet) = &self.fleet else { return Ok(None) };
        let said = &fleet.said;
        let (url, tenant) = (text(&said["url"])?, text(&said["tenant"])?);
        Ok(Some(Broker { url, tenant, login: login(&said["login"])? }))
    }

    /// The devices that are reached without a server, and the login that they have in common.
    pub fn lab(&self) -> Result<(Vec<Device>, Login)> {
        let said = self.lab.said["devices"].as_array().context("the lab names no devices")?;
        let devices = said.iter().map(device).collect::<Result<Vec<_>>>()?;
        let mut logins = said.iter().map(|device| login(&device["login"]));
        let mut first = logins.next().context("the lab is empty")??;
        for other in logins {
            let other = other?;
            let same = (&other.username, &other.password) == (&first.username, &first.password);
            ensure!(same, "the lab's devices have different logins");
            first.enable = first.enable.or(other.enable);
        }
        Ok((devices, first))
    }

    /// The lab's host keys, as OpenSSH keeps them.
    pub fn known_hosts(&self) -> Result<String> {
        text(&self.lab.said["known_hosts"])
    }
}

fn device(said: &Value) -> Result<Device> {
    Ok(Device {
        name: text(&said["name"])?,
        platform: text(&said["platform"])?,
        port: said["port"].as_u64().context("a device of the lab has no port")?,
    })
}

fn login(said: &Value) -> Result<Login> {
    Ok(Login {
        username: text(&said["username"])?,
        password: text(&said["password"])?,
        enable: said["enable"].as_str().map(str::to_owned),
    })
}
