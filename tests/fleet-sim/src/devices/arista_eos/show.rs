//! Outputs that follow the configuration.

use super::super::industry::View;
use super::super::machine::Machine;
use super::super::tree::Layout;

pub(super) const LAYOUT: Layout = Layout { indent: 3, between: "!\n", closing: "" };

pub(super) fn clock(_: &View<'_>) -> String {
    Machine::now("%a %b %e %H:%M:%S %Y\nTimezone: UTC\nClock source: NTP server (192.0.2.1)\n")
}

pub(super) fn running(view: &View<'_>) -> String {
    let text = view.machine.configs().running.render(LAYOUT);
    let name = view.machine.hostname();
    format!(
        "! Command: show running-config\n! device: {name} (DCS-7050TX-64, EOS-4.27.3F)\n!\n\
         ! boot system flash:/EOS-4.27.3F.swi\n!\n{text}end\n"
    )
}

pub(super) fn running_interface(view: &View<'_>) -> String {
    let interface = view.words.last().map_or("", String::as_str);
    let part = view.machine.configs().running.part(&format!("interface {interface}"), LAYOUT);
    part.unwrap_or_default().trim_end_matches("!\n").to_owned()
}

pub(super) fn startup(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let when = Machine::time(configs.saved, "%a %b %e %H:%M:%S %Y");
    format!(
        "! Command: show startup-config\n! Startup-config last modified at  {when} by {}\n!\n{}end\n",
        view.machine.setup.user,
        configs.startup.render(LAYOUT)
    )
}

pub(super) fn descriptions(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let mut text =
        "Interface                      Status         Protocol           Description\n".to_owned();
    for line in configs.running.lines(&[]).unwrap_or_default() {
        let Some(name) = line.strip_prefix("interface ") else { continue };
        let below = configs.running.lines(&[line]).unwrap_or_default();
        let description = below.iter().find_map(|line| line.strip_prefix("description "));
        let (status, protocol) = match below.contains(&"shutdown") {
            true => ("admin down", "down"),
            false => ("up", "up"),
        };
        let short = short(name);
        let description = description.unwrap_or_default();
        text.push_str(&format!("{short:<31}{status:<15}{protocol:<19}{description}\n"));
    }
    text
}

/// An interface as EOS shortens it: `Et1`.
pub(super) fn short(name: &str) -> String {
    let number = name.find(|letter: char| letter.is_ascii_digit()).unwrap_or(name.len());
    let (kind, number) = name.split_at(number);
    let kind = match kind {
        "Port-Channel" => "Po",
        "Vxlan" => "Vx",
        kind => kind.get(..2).unwrap_or(kind),
    };
    format!("{kind}{number}")
}
