//! Outputs that follow the configuration.

use super::super::industry::View;
use super::super::machine::Machine;
use super::super::tree::Layout;

pub(super) const LAYOUT: Layout = Layout { indent: 1, between: "!\n", closing: "" };

pub(super) fn clock(_: &View<'_>) -> String {
    Machine::now("*%H:%M:%S.%3f UTC %a %b %-d %Y\n")
}

pub(super) fn running(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let text = configs.running.render(LAYOUT);
    let mut head = format!("Building configuration...\n\nCurrent configuration : {} bytes\n!\n", text.len());
    if configs.generation > 0 {
        let user = &view.machine.setup.user;
        let when = Machine::time(configs.changed, "%H:%M:%S UTC %a %b %-d %Y");
        head.push_str(&format!("! Last configuration change at {when} by {user}\n!\n"));
    }
    format!("{head}{text}!\nend\n\n")
}

pub(super) fn running_interface(view: &View<'_>) -> String {
    let interface = view.words.last().map_or("", String::as_str);
    let part = view.machine.configs().running.part(&format!("interface {interface}"), LAYOUT);
    let part = part.unwrap_or_default();
    let part = part.trim_end_matches("!\n");
    format!("Building configuration...\n\nCurrent configuration : {} bytes\n!\n{part}end\n\n", part.len())
}

pub(super) fn startup(view: &View<'_>) -> String {
    let text = view.machine.configs().startup.render(LAYOUT);
    format!("Using {} out of 524288 bytes\n!\n{text}!\nend\n\n", text.len())
}

/// The interfaces of the configuration with what matters of them: name, address, description, whether they are shut.
fn interfaces(machine: &Machine) -> Vec<(String, Option<String>, String, bool)> {
    let configs = machine.configs();
    let names = configs.running.lines(&[]).unwrap_or_default();
    let names: Vec<&str> = names.into_iter().filter(|line| line.starts_with("interface ")).collect();
    let mut found = Vec::new();
    for line in names {
        let below = configs.running.lines(&[line]).unwrap_or_default();
        let value = |keyword: &str| below.iter().find_map(|line| line.strip_prefix(keyword));
        found.push((
            line["interface ".len()..].to_owned(),
            value("ip address ").and_then(|value| value.split(' ').next()).map(str::to_owned),
            value("description ").unwrap_or_default().to_owned(),
            below.contains(&"shutdown"),
        ));
    }
    found
}

/// Whether a cable is in.
fn has_link(name: &str) -> bool {
    let copper = name.strip_prefix("GigabitEthernet0/").and_then(|port| port.parse::<u8>().ok());
    copper.is_none_or(|port| port <= 4)
}

pub(super) fn ip_interface_brief(view: &View<'_>) -> String {
    let mut text = format!(
        "{:<22} {:<15} {} {} {:<21} {}\n",
        "Interface", "IP-Address", "OK?", "Method", "Status", "Protocol"
    );
    for (name, address, _, shut) in interfaces(view.machine) {
        let (status, protocol) = match (shut, has_link(&name)) {
            (true, _) => ("administratively down", "down"),
            (false, true) => ("up", "up"),
            (false, false) => ("down", "down"),
        };
        let method = if address.is_some() { "manual" } else { "unset" };
        let address = address.unwrap_or_else(|| "unassigned".to_owned());
        text.push_str(&format!("{name:<22} {address:<15} YES {method:<6} {status:<21} {protocol:<8}\n"));
    }
    text
}

pub(super) fn descriptions(view: &View<'_>) -> String {
    let mut text = format!("{:<31}{:<15}{:<9}{}\n", "Interface", "Status", "Protocol", "Description");
    let wanted = view.words.get(2).filter(|word| word.as_str() != "description");
    for (name, _, description, shut) in interfaces(view.machine) {
        if wanted.is_some_and(|wanted| *wanted != name) {
            continue;
        }
        let (status, protocol) = match (shut, has_link(&name)) {
            (true, _) => ("admin down", "down"),
            (false, true) => ("up", "up"),
            (false, false) => ("down", "down"),
        };
        let short = name.replace("GigabitEthernet", "Gi").replace("Vlan", "Vl").replace("Loopback", "Lo");
        text.push_str(&format!("{short:<31}{status:<15}{protocol:<9}{description}\n"));
    }
    text
}
