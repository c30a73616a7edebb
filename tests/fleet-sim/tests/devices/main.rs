//! The simulated network devices, as a person at a terminal meets them: logins, prompts, pagers, modes, errors,
//! saved and committed configurations, and everything that can be wrong with a device.

mod cisco_ios;
mod faults;
mod login;
mod person;
mod typing;
