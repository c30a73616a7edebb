//! The simulated network devices, as a person at a terminal meets them: logins, prompts, pagers, modes, errors,
//! saved and committed configurations, and everything that can be wrong with a device.

mod arista_eos;
mod cisco_ios;
mod cisco_nxos;
mod cisco_xr;
mod faults;
mod fleet;
mod fortinet;
mod hp_procurve;
mod juniper_junos;
mod linux;
mod login;
mod mikrotik_routeros;
mod paloalto_panos;
mod person;
mod program;
mod typing;
