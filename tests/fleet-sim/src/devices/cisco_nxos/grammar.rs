//! The commands and configuration lines that the simulated NX-OS knows. In configuration mode it takes all
//! commands as well.

use super::super::grammar::{Grammar, Kinds};
use super::super::industry::Do;
use super::super::machine::outputs;
use super::show;

const KINDS: Kinds = &["Ethernet", "mgmt", "Vlan", "port-channel", "loopback"];

/// The commands of a user, or of one with all privileges.
pub(super) fn commands(privileged: bool) -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    everywhere(&mut grammar, privileged);
    grammar.rule("exit", Do::Logout);
    grammar.rule("end", Do::End);
    grammar
}

fn everywhere(grammar: &mut Grammar<Do>, privileged: bool) {
    for (command, output) in outputs(include_str!("outputs.txt")) {
        grammar.rule(command, Do::Say(output));
    }
    grammar.rule("show clock", Do::Show(show::clock));
    grammar.rule("show interface description", Do::Show(show::descriptions));
    grammar.rule("show history", Do::Nothing);
    grammar.rule("terminal length <0-511>", Do::Length);
    grammar.rule("terminal width <24-511>", Do::Width);
    grammar.rule("terminal session-timeout <0-525600>", Do::Nothing);
    grammar.rule("terminal monitor", Do::Nothing);
    grammar.rule("enable [<0-15>]", Do::Enable);
    grammar.rule("where", Do::Show(show::location));
    if privileged {
        grammar.rule("configure [terminal]", Do::Configure);
        grammar.rule("show running-config", Do::Show(show::running));
        grammar.rule("show running-config interface IFACE", Do::Show(show::running_interface));
        grammar.rule("show startup-config", Do::Show(show::startup));
        grammar.rule("copy running-config startup-config", Do::Special("save"));
        grammar.rule("write erase", Do::Special("erase"));
        grammar.rule("clear counters [interface all]", Do::Nothing);
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
                switchname / WORD
                feature ospf|bgp|interface-vlan|lacp|lldp|pim|vpc|nxapi|dhcp|scp-server|tacacs+|telnet
                ip domain-name / WORD
                ip domain-lookup
                ip name-server LINE
                ip route PREFIX WORD [<1-255>]
                username WORD / LINE
                snmp-server community WORD / LINE
                snmp-server contact / LINE
                snmp-server location / LINE
                ntp server IP [use-vrf WORD]
                logging server IP [<0-7>]
                logging level LINE
                logging timestamp / seconds|milliseconds|microseconds
                clock timezone / WORD LINE
                ip access-list WORD
                spanning-tree mode / rapid-pvst|mst
                cdp enable",
                &set,
            );
            grammar.rule("interface IFACE", Do::Enter("if"));
            grammar.rule("vlan <1-4094>", Do::Enter("vlan"));
            grammar.rule("router ospf WORD", Do::Enter("router"));
            grammar.rule("router bgp <1-4294967295>", Do::Enter("router"));
            grammar.rule("vrf context WORD", Do::Enter("vrf"));
            grammar.rule("line vty", Do::Enter("line"));
            grammar.rule("line console", Do::Enter("line"));
        }
        "if" => {
            grammar.rules(
                "description / LINE
                ip address / PREFIX
                ip address / IP IP
                ip router ospf WORD area WORD
                shutdown
                switchport
                switchport mode / access|trunk
                switchport access vlan / <1-4094>
                switchport trunk allowed vlan / LINE
                switchport trunk native vlan / <1-4094>
                channel-group <1-4096> / mode active|passive|on
                mtu / <576-9216>
                speed / 100|1000|10000|25000|auto
                bandwidth / <1-100000000>
                spanning-tree port type / edge|network|normal
                vrf member / WORD",
                &set,
            );
        }
        "vlan" => {
            grammar
                .rules("name / WORD\nshutdown\nstate / active|suspend\nvn-segment / <4096-16773119>", &set);
        }
        "router" => {
            grammar.rules(
                "router-id / IP
                log-adjacency-changes [detail]
                passive-interface default
                redistribute / LINE
                default-information originate [always]",
                &set,
            );
            grammar.rule("neighbor IP", Do::Enter("router-neighbor"));
            grammar.rule("address-family ipv4 unicast", Do::Enter("router-af"));
        }
        "router-neighbor" => {
            grammar.rules("remote-as / <1-4294967295>\ndescription / LINE\nupdate-source / IFACE", &set);
            grammar.rule("address-family ipv4 unicast", Do::Enter("router-neighbor-af"));
        }
        "router-af" => {
            grammar.rules("network PREFIX\nmaximum-paths / <1-64>\nredistribute / LINE", &set);
        }
        "router-neighbor-af" => {
            grammar.rules("soft-reconfiguration inbound\nroute-map WORD / in|out\nsend-community", &set);
        }
        "vrf" => {
            grammar.rules("ip route PREFIX WORD\nrd / WORD", &set);
        }
        "line" => {
            grammar.rules("exec-timeout / <0-525600>\nsession-limit / <1-64>", &set);
        }
        _ => {}
    }
    grammar
}
