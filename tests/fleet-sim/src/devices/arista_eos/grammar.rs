//! The commands and configuration lines that the simulated EOS knows. In configuration mode it takes all commands
//! as well.

use super::super::grammar::{Grammar, Kinds};
use super::super::industry::Do;
use super::super::machine::outputs;
use super::show;

const KINDS: Kinds = &["Ethernet", "Management", "Loopback", "Vlan", "Port-Channel", "Vxlan"];

/// The commands of user mode, or of privileged mode.
pub(super) fn commands(privileged: bool) -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    everywhere(&mut grammar, privileged);
    grammar.rule("exit", Do::Logout);
    grammar.rule("logout", Do::Logout);
    grammar.rule("quit", Do::Logout);
    grammar
}

fn everywhere(grammar: &mut Grammar<Do>, privileged: bool) {
    for (command, output) in outputs(include_str!("outputs.txt")) {
        grammar.rule(command, Do::Say(output));
    }
    grammar.rule("show clock", Do::Show(show::clock));
    grammar.rule("show interfaces description", Do::Show(show::descriptions));
    grammar.rule("show history", Do::Nothing);
    grammar.rule("terminal length <0-32767>", Do::Special("length"));
    grammar.rule("terminal width <10-32767>", Do::Special("width"));
    grammar.rule("terminal monitor", Do::Nothing);
    grammar.rule("enable", Do::Enable);
    grammar.rule("disable", Do::Disable);
    if privileged {
        grammar.rule("configure [terminal]", Do::Configure);
        grammar.rule("show running-config", Do::Show(show::running));
        grammar.rule("show running-config interfaces IFACE", Do::Show(show::running_interface));
        grammar.rule("show startup-config", Do::Show(show::startup));
        grammar.rule("write [memory]", Do::Special("save"));
        grammar.rule("copy running-config startup-config", Do::Special("save"));
        grammar.rule("clear counters", Do::Nothing);
        grammar.rule("reload", Do::Special("reload"));
    }
}

/// The lines of a mode of the configuration.
pub(super) fn lines(mode: &str) -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    grammar.rule("exit", Do::Exit);
    grammar.rule("end", Do::End);
    let set = Do::Set;
    match mode {
        "" => {
            everywhere(&mut grammar, true);
            grammar.rules(
                "hostname / WORD
                dns domain / WORD
                ip name-server vrf WORD IP
                ip name-server IP
                ip routing
                ip route PREFIX WORD [<1-255>]
                username WORD / LINE
                enable password / LINE
                enable secret / LINE
                snmp-server community WORD / LINE
                snmp-server contact / LINE
                snmp-server location / LINE
                ntp server IP
                logging host IP
                logging buffered / LINE
                logging trap / WORD
                clock timezone / WORD
                spanning-tree mode / mstp|rstp|rapid-pvst|none
                lldp run
                aaa root / LINE
                banner motd / LINE",
                &set,
            );
            grammar.rule("interface IFACE", Do::Enter("if"));
            grammar.rule("vlan <1-4094>", Do::Enter("vlan"));
            grammar.rule("router ospf <1-65535>", Do::Enter("router-ospf"));
            grammar.rule("router bgp <1-4294967295>", Do::Enter("router-bgp"));
            grammar.rule("ip access-list WORD", Do::Enter("acl"));
            grammar.rule("management ssh", Do::Enter("mgmt-ssh"));
        }
        "if" => {
            grammar.rules(
                "description / LINE
                ip address / PREFIX
                ip address / IP IP
                ip ospf area / WORD
                ip access-group WORD / in|out
                shutdown
                switchport
                switchport mode / access|trunk
                switchport access vlan / <1-4094>
                switchport trunk allowed vlan / LINE
                switchport trunk native vlan / <1-4094>
                channel-group <1-2000> / mode active|passive|on
                mtu / <68-9214>
                speed / LINE
                spanning-tree portfast
                load-interval / <0-600>",
                &set,
            );
        }
        "vlan" => {
            grammar.rules("name / WORD\nstate / active|suspend", &set);
        }
        "router-ospf" => {
            grammar.rules(
                "router-id / IP
                network PREFIX area WORD
                passive-interface default
                passive-interface IFACE
                redistribute / LINE
                max-lsa / <0-100000>",
                &set,
            );
        }
        "router-bgp" => {
            grammar.rules(
                "router-id / IP
                neighbor IP remote-as / <1-4294967295>
                neighbor IP description / LINE
                neighbor IP update-source / IFACE
                network PREFIX
                redistribute connected|static
                maximum-paths / <1-600>",
                &set,
            );
        }
        "acl" => {
            grammar.rules("<1-4294967295> permit|deny LINE\npermit LINE\ndeny LINE\nremark LINE", &set);
        }
        "mgmt-ssh" => {
            grammar.rules("idle-timeout / <0-86400>\nshutdown", &set);
        }
        _ => {}
    }
    grammar
}
