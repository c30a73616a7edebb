//! An IoT fleet as MCP tools: read sensors, look at history, send commands that devices acknowledge, see alerts.
//!
//! - [`tools`] are what a client sees: the tools of the jettyd MCP server, by the same names and with the same shapes.
//! - [`mode`] decides the way to the devices. [`api`] goes through jettyd's REST API, [`direct`] through a broker: it
//!   remembers what devices say when nobody calls, and talks to them when somebody does.
//! - [`device`], [`reading`], [`history`], [`command`], [`configuration`] and [`alert`] are what both ways have in
//!   common: what is asked, and what comes of it.

mod alert;
mod api;
mod command;
mod configuration;
mod device;
mod direct;
mod history;
mod mode;
mod naming;
mod reading;
mod settings;
mod time;
mod tools;

fleetgate_sdk::export! {
    tools:
        tools::devices::list_devices,
        tools::devices::get_device,
        tools::devices::get_fleet_status,
        tools::sensors::read_sensor,
        tools::sensors::get_history,
        tools::acting::send_command,
        tools::acting::configure_device,
        tools::alerts::list_alerts;
    events: direct::heard::handle;
}

#[cfg(test)]
mod tests;
