//! Outputs that follow the configuration and its candidate.

use super::super::industry::View;
use super::super::machine::Machine;
use super::super::tree::{Layout, Tree};

pub(super) const LAYOUT: Layout = Layout { indent: 1, between: "", closing: "{indent}!\n" };

pub(super) fn stamp() -> String {
    Machine::now("%a %b %e %H:%M:%S.%3f UTC\n")
}

pub(super) fn clock(_: &View<'_>) -> String {
    Machine::now("%H:%M:%S.%3f UTC %a %b %e %Y\n")
}

pub(super) fn running(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let when = Machine::time(configs.changed, "%a %b %e %H:%M:%S %Y");
    let text = configs.running.render(LAYOUT);
    let user = &view.machine.setup.user;
    format!(
        "Building configuration...\n!! IOS XR Configuration 7.3.2\n!! Last configuration change at {when} by {user}\n\
         !\n{text}end\n\n"
    )
}

pub(super) fn running_interface(view: &View<'_>) -> String {
    part(view, &format!("interface {}", view.words.last().map_or("", String::as_str)))
}

pub(super) fn running_part(view: &View<'_>) -> String {
    part(view, &view.words[2..].join(" "))
}

fn part(view: &View<'_>, begin: &str) -> String {
    match view.machine.configs().running.part(begin, LAYOUT) {
        Some(part) => format!("{part}\n"),
        None => "% No such configuration item(s)\n\n".to_owned(),
    }
}

/// What this session changed and did not commit.
pub(super) fn changes(view: &View<'_>) -> String {
    let mut tree = Tree::default();
    for change in &view.seat.changes {
        match change.off {
            true => {
                tree.set(&change.path, &format!("no {}", change.line), change.line.split(' ').count() + 1)
            }
            false => change.make(&mut tree),
        }
    }
    format!("Building configuration...\n!! IOS XR Configuration 7.3.2\n{}end\n\n", tree.render(LAYOUT))
}

/// What the last commit of this session stumbled over.
pub(super) fn failed(view: &View<'_>) -> String {
    match super::conflict(view.seat) {
        Some((old, new)) => format!(
            "!! SEMANTIC ERRORS: This configuration was rejected by \n!! the system due to semantic errors. The \
             individual \n!! errors with each failed configuration command can be \n!! found below.\n\n\nrouter bgp \
             {new}\n!!% The process 'bpm' rejected the operation: BGP is already running; AS is {old}\n!\nend\n\n"
        ),
        None => String::new(),
    }
}

pub(super) fn descriptions(view: &View<'_>) -> String {
    let configs = view.machine.configs();
    let mut text = format!("\nInterface          Status      Protocol    Description\n{}\n", "-".repeat(80));
    for line in configs.running.lines(&[]).unwrap_or_default() {
        let Some(name) = line.strip_prefix("interface ") else { continue };
        let below = configs.running.lines(&[line]).unwrap_or_default();
        let description = below.iter().find_map(|line| line.strip_prefix("description ")).unwrap_or_default();
        let state = if below.contains(&"shutdown") { "admin-down" } else { "up" };
        let short = name.replace("GigabitEthernet", "Gi").replace("Loopback", "Lo").replace("MgmtEth", "Mg");
        text.push_str(&format!("{short:<19}{state:<12}{state:<12}{description}\n"));
    }
    text
}
