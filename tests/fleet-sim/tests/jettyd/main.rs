//! The simulated jettyd keeps the contract: the platform's API with each of its switches, the firmware's answers, and
//! the same devices on a real broker.

mod alerts;
mod client;
mod commands;
mod devices;
mod firmware;
mod fleet;
mod manners;
mod program;
mod settings;
mod telemetry;
