//! Network automation as MCP tools: run commands and push configuration on network devices.
//!
//! - [`tools`], [`resources`] and [`prompts`] are what a client sees: the tools of the NAAS MCP server, by the same names
//!   and with the same shapes.
//! - [`mode`] decides the way to the devices. [`api`] goes through a NAAS server; [`hosted`] keeps the jobs where there
//!   is none, [`direct`] drives the devices and [`structured`] turns what they wrote into tables.
//! - [`job`] is what both ways have in common: what is asked of a device, and what comes of it.

mod api;
pub mod direct;
mod hosted;
pub mod job;
mod listing;
mod mode;
mod prompts;
mod resources;
mod settings;
pub mod structured;
mod tools;
mod uuid;

fleetgate_sdk::export! {
    tools:
        tools::send::send_command,
        tools::send::send_config,
        tools::jobs::get_job_result,
        tools::jobs::cancel_job,
        tools::jobs::list_jobs,
        tools::send::send_command_structured,
        tools::keys::create_api_key,
        tools::keys::revoke_api_key;
    resources:
        resources::health,
        resources::contexts,
        resources::jobs,
        resources::failed_jobs;
    prompts:
        prompts::show_commands,
        prompts::config_push,
        prompts::troubleshoot_device;
    completions:
        prompts::platforms_of_show_commands,
        prompts::platforms_of_config_push,
        prompts::platforms_of_troubleshoot_device,
        prompts::save_or_not;
}

#[cfg(test)]
mod tests;
