//! The promises of the README, kept by the real binary.

mod clients;
mod hello;
mod inspector;
mod limits;
mod loading;
mod nerveshub;
mod nerveshub_failures;
mod nerveshub_outages;
mod nerveshub_paths;
mod reach;
mod reload;
mod roles;
