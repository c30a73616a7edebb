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
mod naas_api;
mod naas_api_failures;
mod naas_api_logins;
mod naas_drop_in;
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
