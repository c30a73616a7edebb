//! The promises of the README, kept by the real binary.

mod approval;
mod audit;
mod canaries;
mod cli;
mod clients;
mod files;
mod framing;
mod hello;
mod inspector;
mod limits;
mod loading;
mod nerveshub;
mod nerveshub_doctored;
mod nerveshub_failures;
mod nerveshub_outages;
mod nerveshub_paths;
mod new_plugin;
mod reach;
mod reload;
mod roles;
mod typescript;
