//! Outputs that follow the configuration.

use super::super::industry::View;
use super::super::machine::Machine;
use super::super::tree::Layout;

pub(super) const LAYOUT: Layout = Layout { indent: 2, between: "\n", closing: "" };

pub(super) fn clock(_: &View<'_>) -> String {
    Machine::now("%H:%M:%S.%3f UTC %a %b %d %Y\nTime source is NTP\n")
}

fn head(view: &View<'_>, what: &str) -> String {
    let when = |time| Machine::time(time, "%a %b %e %H:%M:%S %Y");
    let changed = view.machine.configs().changed;
    let now = when(jiff::Timestamp::now());
    format!("\n!Command: {what}\n!Running configuration last done at: {}\n!Time: {now}\n\n", when(changed))
}

pub(super) fn running(view: &View<'_>) -> String {
    let text = view.machine.configs().running.render(LAYOUT);
    format!("{}{text}\n", head(view, "show running-config"))
}

pub(super) fn running_interface(view: &View<'_>) -> String {
    let interface = view.words.last().map_or("", String::as_str);
    let part = view.machine.configs().running.part(&format!("interface {interface}"), LAYOUT);
    let what = format!("show running-config interface {interface}");
    format!("{}version 9.3(8) Bios:version 05.45\n\n{}", head(view, &what), part.unwrap_or_default())
}

pub(super) fn startup(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let when = Machine::time(configs.saved, "%a %b %e %H:%M:%S %Y");
    let text = configs.startup.render(LAYOUT);
    format!("\n!Command: show startup-config\n!Time: {when}\n!Startup config saved at: {when}\n\n{text}\n")
}

pub(super) fn location(view: &View<'_>) -> String {
    format!("  exec     {}@{}\n", view.seat.user, view.machine.hostname())
}

pub(super) fn descriptions(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let mut text = format!(
        "\n{0}\nPort          Type   Speed   Description\n{0}\n",
        "-------------------------------------------------------------------------------"
    );
    for line in configs.running.lines(&[]).unwrap_or_default() {
        let Some(name) = line.strip_prefix("interface Ethernet") else { continue };
        let below = configs.running.lines(&[line]).unwrap_or_default();
        let description = below.iter().find_map(|line| line.strip_prefix("description "));
        let port = format!("Eth{name}");
        text.push_str(&format!("{port:<14}{:<7}{:<8}{}\n", "eth", "10G", description.unwrap_or("--")));
    }
    text
}
