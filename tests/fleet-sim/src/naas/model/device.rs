//! Devices behind the server.

use std::time::Duration;

/// What a device runs; the ten of section 9 of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// `cisco_ios`
    Ios,
    /// `cisco_nxos`
    Nxos,
    /// `cisco_xr`
    Xr,
    /// `arista_eos`
    Eos,
    /// `juniper_junos`
    Junos,
    /// `linux`
    Linux,
    /// `hp_procurve`
    Procurve,
    /// `mikrotik_routeros`
    Mikrotik,
    /// `fortinet`
    Fortinet,
    /// `paloalto_panos`
    Panos,
}

impl Platform {
    /// netmiko's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ios => "cisco_ios",
            Self::Nxos => "cisco_nxos",
            Self::Xr => "cisco_xr",
            Self::Eos => "arista_eos",
            Self::Junos => "juniper_junos",
            Self::Linux => "linux",
            Self::Procurve => "hp_procurve",
            Self::Mikrotik => "mikrotik_routeros",
            Self::Fortinet => "fortinet",
            Self::Panos => "paloalto_panos",
        }
    }
}

/// How a device behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    Well,
    /// Connections are refused.
    Unreachable,
    /// Connections open and nothing comes.
    Silent,
    /// SSH breaks off in the middle of the session.
    Broken,
    /// The login lands in user mode.
    Unprivileged,
    /// Somebody else holds the configuration's lock.
    ReadOnly,
    /// Every command takes this long.
    Slow(Duration),
    /// Its output kills the worker.
    Crashes,
    /// Autodetection finds nothing it knows.
    Mystery,
}

/// One device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its host name, also in its prompt.
    pub name: String,
    /// Its address, by which it is known too.
    pub address: String,
    /// What it runs.
    pub platform: Platform,
    /// Its manners.
    pub manner: Manner,
    /// Who may log in, and the password.
    pub login: (String, String),
    /// Its serial number, in what it prints.
    pub serial: String,
    /// Configuration lines that are in force, oldest first, besides what it was delivered with.
    pub config: Vec<String>,
    /// Lines that wait for a commit, on platforms whose candidate is shared.
    pub candidate: Vec<String>,
    /// Whether the running configuration was saved after its last change.
    pub saved: bool,
}
