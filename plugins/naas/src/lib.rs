//! Network automation as MCP tools: run commands and push configuration on network devices.
//!
//! - [`job`] is what both modes have in common: what is asked of a device, and what comes of it.
//! - [`direct`] drives a device over SSH, where `ssh.devices` is granted.
//! - [`structured`] turns what a device wrote into tables.

pub mod direct;
pub mod job;
pub mod structured;
