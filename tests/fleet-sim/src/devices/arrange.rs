//! Which platform behaves how.

use super::arista_eos::AristaEos;
use super::behaviour::Behaviour;
use super::cisco_ios::CiscoIos;
use super::cisco_nxos::CiscoNxos;
use super::cisco_xr::CiscoXr;
use super::fortinet::Fortinet;
use super::hp_procurve::HpProcurve;
use super::juniper_junos::JuniperJunos;
use super::linux::Linux;
use super::mikrotik_routeros::MikrotikRouteros;
use super::paloalto_panos::PaloaltoPanos;
use super::{Platform, Setup};

/// The behaviour of a device with this setup.
pub(crate) fn behaviour(setup: &Setup) -> Box<dyn Behaviour> {
    match setup.platform {
        Platform::CiscoIos => Box::new(CiscoIos::new(setup)),
        Platform::CiscoNxos => Box::new(CiscoNxos::new(setup)),
        Platform::AristaEos => Box::new(AristaEos::new(setup)),
        Platform::JuniperJunos => Box::new(JuniperJunos::new(setup)),
        Platform::Linux => Box::new(Linux::new(setup)),
        Platform::CiscoXr => Box::new(CiscoXr::new(setup)),
        Platform::HpProcurve => Box::new(HpProcurve::new(setup)),
        Platform::MikrotikRouteros => Box::new(MikrotikRouteros::new(setup)),
        Platform::Fortinet => Box::new(Fortinet::new(setup)),
        Platform::PaloaltoPanos => Box::new(PaloaltoPanos::new(setup)),
    }
}
