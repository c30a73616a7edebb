//! The promises of the README, kept by the real binary.

mod approval;
mod audit;
mod canaries;
mod cli;
mod clients;
mod environment;
mod events;
mod files;
mod framing;
mod hello;
mod inspector;
mod limits;
mod loading;
mod naas_api;
mod naas_api_failures;
mod naas_api_logins;
mod naas_direct;
mod naas_direct_failures;
mod naas_direct_many;
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
mod secret_arguments;
mod shell;
mod ssh;
#[allow(dead_code, reason = "other tests need other parts of it")]
#[path = "../../../../host/capabilities/ssh/tests/ssh/sshd.rs"]
mod sshd;
mod state;
mod surfaces;
mod tasks;
mod topics;
mod typescript;
