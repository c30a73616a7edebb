//! NervesHub and NervesCloud as MCP tools: look at device fleets, and act on single devices.
//!
//! - [`upstream`] is the REST API: where things are ([`upstream::address`]), how it is asked, what its refusals
//!   mean ([`upstream::refusal`]) and how its answers are read ([`upstream::reading`], [`upstream::device`]).
//! - [`tools`] are the tools, one file for each group.
//!
//! Two rules run through all of it. What is sent is strict: every argument is checked before the first request,
//! because NervesHub answers what it does not understand with status 500 or by ignoring it. What is read is
//! lenient: servers differ, and a field that is missing costs that field.

mod tools;
mod upstream;

fleetgate_sdk::export!(
    tools::account::whoami,
    tools::account::list_orgs,
    tools::account::list_products,
    tools::summary::get_product_summary,
    tools::fleet::list_devices,
    tools::device::get_device,
    tools::health::get_device_health,
    tools::history::get_device_activity,
    tools::history::get_device_logs,
    tools::releases::list_firmware,
    tools::releases::list_deployment_groups,
    tools::scripts::list_scripts,
    tools::actions::set_device_tags,
    tools::actions::reboot_device,
    tools::actions::reconnect_device,
    tools::upgrade::upgrade_device,
    tools::scripts::run_script,
    tools::actions::clear_penalty_box,
);

#[cfg(test)]
mod tests;
