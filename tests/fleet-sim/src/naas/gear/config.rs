//! A configuration session: which lines a platform takes, what it prints meanwhile, and what stays.
//!
//! The server scans the output of each line for the error pattern of section 5 of the contract and stops at the
//! first hit. Several vendors' complaints (`unknown command.`, `Command fail.`) are not in that pattern; such a
//! line is passed over, and shows in the transcript alone.

use super::super::model::{Device, Manner, Platform};
use super::{hostname, unknown};

/// What became of a session.
#[derive(Debug)]
pub(crate) struct Session {
    /// Everything on the terminal.
    pub(crate) transcript: String,
    /// Lines that the device took.
    pub(crate) applied: Vec<String>,
    /// The line that ended it, and the words of the pattern that were found.
    pub(crate) rejected: Option<(String, String)>,
}

/// Types the lines into the device.
pub(crate) fn configure(device: &Device, lines: &[String]) -> Session {
    let name = hostname(device);
    let terminal = Terminal::of(device.platform, &device.login.0, name);
    let mut session = Session { transcript: terminal.enter.clone(), applied: Vec::new(), rejected: None };
    let mut section = "";
    for line in lines {
        session.transcript.push_str(&format!("{}{line}\n", terminal.prompt(section)));
        let complaint = match device.manner {
            Manner::ReadOnly => Some("% Error: configuration is locked by user admin on vty1".to_owned()),
            _ => complaint(device.platform, line),
        };
        let Some(complaint) = complaint else {
            session.applied.push(line.clone());
            section = entered(line).unwrap_or(section);
            continue;
        };
        session.transcript.push_str(&format!("{complaint}\n"));
        if let Some(found) = scan(&complaint) {
            session.rejected = Some((line.clone(), found));
            return session;
        }
    }
    session.transcript.push_str(&format!("{}{}", terminal.prompt(section), terminal.leave));
    session
}

/// What stays on the device: with commits only what is committed, elsewhere every line at once.
///
/// Saving comes before committing, and where a platform has neither, asking for it changes nothing.
pub(crate) fn apply(device: &mut Device, applied: &[String], commit: bool, save: bool) {
    match device.platform {
        // Left uncommitted, the session's changes are gone.
        Platform::Xr if commit => device.config.extend_from_slice(applied),
        Platform::Xr => {}
        // Left uncommitted, they wait in the candidate that everybody shares.
        Platform::Junos | Platform::Panos => {
            device.candidate.extend_from_slice(applied);
            if commit {
                device.config.append(&mut device.candidate);
            }
        }
        Platform::Linux | Platform::Mikrotik | Platform::Fortinet => device.config.extend_from_slice(applied),
        Platform::Ios | Platform::Nxos | Platform::Eos | Platform::Procurve => {
            device.config.extend_from_slice(applied);
            device.saved = save || (device.saved && applied.is_empty());
        }
    }
}

/// How a platform's terminal looks while it is configured.
struct Terminal {
    platform: Platform,
    enter: String,
    before: String,
    leave: String,
}

impl Terminal {
    fn of(platform: Platform, user: &str, name: &str) -> Self {
        let (enter, before, leave) = match platform {
            Platform::Ios => (
                "configure terminal\nEnter configuration commands, one per line.  End with CNTL/Z.\n"
                    .to_owned(),
                name.to_owned(),
                format!("end\n{name}#"),
            ),
            Platform::Nxos => (
                "configure terminal\nEnter configuration commands, one per line. End with CNTL/Z.\n"
                    .to_owned(),
                name.to_owned(),
                format!("end\n{name}#"),
            ),
            Platform::Eos | Platform::Procurve => {
                ("configure terminal\n".to_owned(), name.to_owned(), format!("end\n{name}#"))
            }
            Platform::Xr => {
                let name = format!("RP/0/RP0/CPU0:{name}");
                ("configure terminal\n".to_owned(), name.clone(), format!("end\n{name}#"))
            }
            Platform::Junos => (
                "configure\nEntering configuration mode\n\n".to_owned(),
                format!("[edit]\n{user}@{name}# "),
                format!("exit configuration-mode\nExiting configuration mode\n\n{user}@{name}> "),
            ),
            Platform::Panos => (
                "configure\nEntering configuration mode\n".to_owned(),
                format!("[edit]\n{user}@{name}# "),
                format!("exit\nExiting configuration mode\n{user}@{name}> "),
            ),
            Platform::Linux => {
                (String::new(), format!("root@{name}:~# "), format!("exit\n{user}@{name}:~$ "))
            }
            Platform::Mikrotik => (String::new(), format!("[{user}@{name}] > "), String::new()),
            Platform::Fortinet => (String::new(), format!("{name} # "), String::new()),
        };
        Self { platform, enter, before, leave }
    }

    /// The prompt; Cisco and its like show in it what is being configured.
    fn prompt(&self, section: &str) -> String {
        match self.platform {
            Platform::Ios | Platform::Nxos | Platform::Eos | Platform::Xr => {
                format!("{}(config{section})#", self.before)
            }
            Platform::Procurve => format!("{}(config)# ", self.before),
            _ => self.before.clone(),
        }
    }
}

/// The section that a line leads to, if it leads anywhere.
fn entered(line: &str) -> Option<&'static str> {
    match line.split_whitespace().next()? {
        "interface" => Some("-if"),
        "vlan" => Some("-vlan"),
        "router" => Some("-router"),
        "line" => Some("-line"),
        "exit" => Some(""),
        _ => None,
    }
}

const CISCO: &[&str] = &[
    "aaa",
    "access-list",
    "banner",
    "cdp",
    "channel-group",
    "clock",
    "crypto",
    "deny",
    "description",
    "do",
    "duplex",
    "enable",
    "exec-timeout",
    "exit",
    "feature",
    "hostname",
    "interface",
    "ip",
    "ipv4",
    "ipv6",
    "line",
    "lldp",
    "logging",
    "match",
    "mtu",
    "name",
    "neighbor",
    "network",
    "no",
    "ntp",
    "permit",
    "route-map",
    "router",
    "service",
    "set",
    "shutdown",
    "snmp-server",
    "spanning-tree",
    "speed",
    "ssh",
    "switchport",
    "tagged",
    "transport",
    "untagged",
    "username",
    "vlan",
    "vrf",
];
const JUNOS: &[&str] =
    &["activate", "deactivate", "delete", "edit", "insert", "rename", "rollback", "set", "show", "top", "up"];
const FORTINET: &[&str] =
    &["append", "config", "delete", "edit", "end", "get", "next", "set", "show", "unset"];
const MIKROTIK: &[&str] = &["/interface", "/ip", "/ipv6", "/queue", "/routing", "/snmp", "/system", "/user"];
/// What can be set at the top of a Junos or PAN-OS configuration.
const TREES: &[&str] = &[
    "address",
    "chassis",
    "deviceconfig",
    "firewall",
    "groups",
    "interfaces",
    "network",
    "policy-options",
    "protocols",
    "routing-options",
    "rulebase",
    "security",
    "shared",
    "snmp",
    "system",
    "vlans",
    "zone",
];

/// What the platform says about a line it does not take.
fn complaint(platform: Platform, line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let known = match platform {
        Platform::Ios | Platform::Nxos | Platform::Xr | Platform::Eos | Platform::Procurve => CISCO,
        Platform::Junos | Platform::Panos => JUNOS,
        Platform::Fortinet => FORTINET,
        Platform::Mikrotik => MIKROTIK,
        // A shell takes anything.
        Platform::Linux => return None,
    };
    if !known.contains(&first) {
        return Some(unknown(platform, line));
    }
    let tree = (first == "set").then(|| words.next().unwrap_or_default());
    match (platform, tree) {
        (Platform::Junos, Some(tree)) if !TREES.contains(&tree) => Some("      ^\nsyntax error.".to_owned()),
        (Platform::Panos, Some(tree)) if !TREES.contains(&tree) => Some("Invalid syntax.".to_owned()),
        _ => None,
    }
}

/// The error pattern, in lower case.
const PATTERN: [&str; 7] =
    ["% invalid", "% incomplete", "% ambiguous", "% error", "error:", "invalid input", "syntax error"];

/// The first words of the pattern in a text, as they are written there.
fn scan(output: &str) -> Option<String> {
    let lower = output.to_ascii_lowercase();
    let found = PATTERN.iter().filter_map(|words| lower.find(words).map(|at| (at, words.len())));
    let (at, length) = found.min_by_key(|(at, _)| *at)?;
    output.get(at..at + length).map(str::to_owned)
}
