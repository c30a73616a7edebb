//! The platforms by the names that network tools give them.

use std::fmt;
use std::str::FromStr;

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Cisco IOS, a router.
    CiscoIos,
    /// Cisco NX-OS, a data centre switch.
    CiscoNxos,
    /// Arista EOS, a switch.
    AristaEos,
    /// Juniper Junos, a router.
    JuniperJunos,
    /// A Linux server.
    Linux,
    /// Cisco IOS XR, a router with a candidate configuration.
    CiscoXr,
    /// HP ProCurve, a campus switch.
    HpProcurve,
    /// MikroTik RouterOS, a router.
    MikrotikRouteros,
    /// Fortinet FortiOS, a firewall.
    Fortinet,
    /// Palo Alto Networks PAN-OS, a firewall.
    PaloaltoPanos,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CiscoIos,
        Self::CiscoNxos,
        Self::AristaEos,
        Self::JuniperJunos,
        Self::Linux,
        Self::CiscoXr,
        Self::HpProcurve,
        Self::MikrotikRouteros,
        Self::Fortinet,
        Self::PaloaltoPanos,
    ];

    /// The name that network tools give it, like `cisco_ios`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CiscoIos => "cisco_ios",
            Self::CiscoNxos => "cisco_nxos",
            Self::AristaEos => "arista_eos",
            Self::JuniperJunos => "juniper_junos",
            Self::Linux => "linux",
            Self::CiscoXr => "cisco_xr",
            Self::HpProcurve => "hp_procurve",
            Self::MikrotikRouteros => "mikrotik_routeros",
            Self::Fortinet => "fortinet",
            Self::PaloaltoPanos => "paloalto_panos",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|platform| platform.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("there is no platform `{name}`; there are {known}")
        })
    }
}
