//! What runs on a device: its drivers, its readings, and what it does with commands, configurations and desired
//! states, as the public firmware does it (github.com/jettydiot/jettyd-firmware: `jettyd.c`, `telemetry.c`,
//! `shadow.c`, `vm.c`).
//!
//! A [`Unit`] knows no transport. The fleet gives it what came over MQTT, the platform what came over its API; what it
//! answers goes back the same way.

mod commands;
mod model;
mod rules;
mod unit;

pub use commands::{Answer, Dialect};
pub use model::{Capability, Driver, Kind, Model};
pub use rules::{Accepted, Complaint};
pub use unit::Unit;
