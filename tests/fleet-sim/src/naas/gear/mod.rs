//! The gear behind the server: what each platform prints for common commands, and what it takes as configuration.
//!
//! All text is of our own making after the vendors' formats. Nothing here speaks SSH: the server's worker reads
//! a device's answer straight from here.

mod config;
mod eos;
mod fleet;
mod fortinet;
mod ios;
mod junos;
mod linux;
mod mikrotik;
mod nxos;
mod panos;
mod procurve;
mod tables;
mod xr;

pub(crate) use config::{apply, configure};
pub(crate) use fleet::fleet;
pub(crate) use tables::parsed;

use super::model::{Device, Platform};

/// What a device prints for a command.
pub(crate) fn print(device: &Device, command: &str) -> String {
    let wanted: Vec<&str> = command.split_whitespace().collect();
    let shows = shows(device.platform);
    let found = shows.iter().find(|(known, _)| known.split(' ').eq(wanted.iter().copied()));
    match found {
        Some((_, text)) => filled(device, text),
        None => unknown(device.platform, command),
    }
}

fn shows(platform: Platform) -> &'static [(&'static str, &'static str)] {
    match platform {
        Platform::Ios => ios::SHOWS,
        Platform::Nxos => nxos::SHOWS,
        Platform::Xr => xr::SHOWS,
        Platform::Eos => eos::SHOWS,
        Platform::Junos => junos::SHOWS,
        Platform::Linux => linux::SHOWS,
        Platform::Procurve => procurve::SHOWS,
        Platform::Mikrotik => mikrotik::SHOWS,
        Platform::Fortinet => fortinet::SHOWS,
        Platform::Panos => panos::SHOWS,
    }
}

fn filled(device: &Device, text: &str) -> String {
    let mut config: String = device.config.iter().map(|line| format!("{line}\n")).collect();
    if !config.is_empty() && matches!(device.platform, Platform::Ios | Platform::Eos | Platform::Xr) {
        config.push_str("!\n");
    }
    text.replace("{name}", hostname(device))
        .replace("{address}", &device.address)
        .replace("{serial}", &device.serial)
        .replace("{config}", &config)
}

/// The name in force: what was configured last, or what it was delivered with.
pub(crate) fn hostname(device: &Device) -> &str {
    let configured = device.config.iter().rev().find_map(|line| {
        line.trim().strip_prefix("hostname ").or_else(|| line.trim().strip_prefix("set system host-name "))
    });
    configured.map_or(&*device.name, |name| name.trim_matches('"'))
}

/// What a platform says to a command it has not got.
fn unknown(platform: Platform, command: &str) -> String {
    let word = command.split_whitespace().next().unwrap_or_default();
    match platform {
        Platform::Ios | Platform::Xr => "          ^\n% Invalid input detected at '^' marker.\n".to_owned(),
        Platform::Nxos => "           ^\n% Invalid command at '^' marker.".to_owned(),
        Platform::Eos => "% Invalid input".to_owned(),
        Platform::Junos => "          ^\nunknown command.".to_owned(),
        Platform::Linux => format!("-bash: {word}: command not found"),
        Platform::Procurve => format!("Invalid input: {word}"),
        Platform::Mikrotik => format!("bad command name {word} (line 1 column 1)"),
        Platform::Fortinet => "Unknown action 0\n\nCommand fail. Return code 1".to_owned(),
        Platform::Panos => format!("Unknown command: {word}"),
    }
}
