//! The jettyd REST API, version 1, as the tools see it.
//!
//! - [`client`] sends: one place for timeouts and for what a missing answer means. [`refusal`] says what a status means,
//!   [`reading`] reads what comes back, leniently: the server is closed, and its public descriptions differ.
//! - [`lookup`] finds a device by its id or its name, for tools that only look.
//! - [`devices`], [`latest`], [`telemetry`], [`commands`], [`configuring`] and [`alerts`] are its parts.

pub mod alerts;
mod client;
pub mod commands;
pub mod configuring;
pub mod devices;
pub mod latest;
mod lookup;
mod reading;
mod refusal;
pub mod telemetry;

/// The manifest's request for the API.
pub const CAPABILITY: &str = "http.api";
