//! The simulated network devices, as a person at a terminal meets them: logins, prompts, pagers, modes, errors,
//! saved and committed configurations, and everything that can be wrong with a device.

mod arista_eos;
mod cisco_ios;
mod cisco_nxos;
mod faults;
mod juniper_junos;
mod linux;
mod login;
mod person;
mod program;
mod typing;
