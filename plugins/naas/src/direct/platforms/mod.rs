//! The platforms, one file each.

mod arista_eos;
mod cisco_ios;
mod cisco_nxos;
mod cisco_xr;
mod fortinet;
mod hp_procurve;
mod juniper_junos;
mod mikrotik_routeros;
mod paloalto_panos;

pub use juniper_junos::companion as junos_companion;

use super::platform::Platform;

/// All of them.
pub const ALL: [&Platform; 9] = [
    &arista_eos::PLATFORM,
    &cisco_ios::PLATFORM,
    &cisco_nxos::PLATFORM,
    &cisco_xr::PLATFORM,
    &fortinet::PLATFORM,
    &hp_procurve::PLATFORM,
    &juniper_junos::PLATFORM,
    &mikrotik_routeros::PLATFORM,
    &paloalto_panos::PLATFORM,
];
