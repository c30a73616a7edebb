//! The commands and configuration lines that the simulated IOS knows.

use super::super::grammar::{Grammar, Kinds};
use super::super::industry::Do;
use super::super::machine::outputs;
use super::show;

const KINDS: Kinds = &["GigabitEthernet", "Loopback", "Vlan", "Port-channel", "TenGigabitEthernet", "Tunnel"];

/// The commands of user mode, or of privileged mode.
pub(crate) fn commands(privileged: bool) -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    for (command, output) in outputs(include_str!("outputs.txt")) {
        grammar.rule(command, Do::Say(output));
    }
    grammar.rule("show clock", Do::Show(show::clock));
    grammar.rule("show ip interface brief", Do::Show(show::ip_interface_brief));
    grammar.rule("show interfaces description", Do::Show(show::descriptions));
    grammar.rule("show interfaces IFACE description", Do::Show(show::descriptions));
    grammar.rule("show history", Do::Nothing);
    grammar.rule("terminal length <0-512>", Do::Length);
    grammar.rule("terminal width <0-512>", Do::Width);
    grammar.rule("terminal monitor", Do::Nothing);
    grammar.rule("terminal no monitor", Do::Nothing);
    grammar.rule("enable [<0-15>]", Do::Enable);
    grammar.rule("disable", Do::Disable);
    grammar.rule("exit", Do::Logout);
    grammar.rule("logout", Do::Logout);
    grammar.rule("quit", Do::Logout);
    grammar.rule("ping WORD", Do::Special("ping"));
    if privileged {
        grammar.rule("configure terminal", Do::Configure);
        grammar.rule("configure", Do::Special("configure"));
        grammar.rule("show running-config", Do::Show(show::running));
        grammar.rule("show running-config interface IFACE", Do::Show(show::running_interface));
        grammar.rule("show startup-config", Do::Show(show::startup));
        grammar.rule("write [memory]", Do::Special("save"));
        grammar.rule("write terminal", Do::Show(show::running));
        grammar.rule("write erase", Do::Special("erase"));
        grammar.rule("copy running-config startup-config", Do::Special("copy"));
        grammar.rule("clear counters [IFACE]", Do::Special("clear"));
        grammar.rule("clear logging", Do::Special("clear"));
        grammar.rule("reload", Do::Special("reload"));
    }
    grammar
}

/// The lines of a mode of the configuration.
pub(crate) fn lines(mode: &str) -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    grammar.rule("exit", Do::Exit);
    grammar.rule("end", Do::End);
    let set = Do::Set;
    match mode {
        "" => {
            grammar.rules(
                "hostname / WORD
                ip domain-name / WORD
                ip domain name / WORD
                ip domain-lookup
                ip domain lookup
                ip name-server / LINE
                ip default-gateway / IP
                ip routing
                ip http server
                ip http secure-server
                ip ssh version / <1-2>
                ip route IP IP WORD [<1-255>]
                ip route IP IP IFACE IP
                ip scp server enable
                service timestamps debug|log / LINE
                service password-encryption
                service pad
                clock timezone / WORD LINE
                enable secret / LINE
                enable password / LINE
                username WORD / LINE
                aaa new-model
                aaa authentication login default / LINE
                logging host IP
                logging IP
                logging buffered / LINE
                logging trap / WORD
                logging on
                ntp server IP
                snmp-server community WORD / LINE
                snmp-server location / LINE
                snmp-server contact / LINE
                snmp-server host IP / LINE
                spanning-tree mode / pvst|rapid-pvst|mst
                spanning-tree portfast default
                vtp mode / transparent|server|client|off
                vtp domain / WORD
                cdp run
                lldp run
                access-list <1-199> permit|deny LINE",
                &set,
            );
            grammar.rule("interface IFACE", Do::Enter("if"));
            grammar.rule("interface range LINE", Do::Enter("if-range"));
            grammar.rule("vlan <1-4094>", Do::Enter("vlan"));
            grammar.rule("router ospf <1-65535>", Do::Enter("router"));
            grammar.rule("router bgp <1-65535>", Do::Enter("router"));
            grammar.rule("ip access-list standard WORD", Do::Enter("std-nacl"));
            grammar.rule("ip access-list extended WORD", Do::Enter("ext-nacl"));
            grammar.rule("line con|console <0-0>", Do::Enter("line"));
            grammar.rule("line vty <0-15> [<1-15>]", Do::Enter("line"));
            grammar.rule("banner motd|login|exec LINE", Do::Special("banner"));
        }
        "if" | "if-range" => {
            grammar.rules(
                "description / LINE
                ip address / IP IP
                ip address IP IP secondary
                ip address / dhcp
                ip helper-address IP
                ip ospf cost / <1-65535>
                ip access-group WORD / in|out
                shutdown
                switchport
                switchport mode / access|trunk
                switchport access vlan / <1-4094>
                switchport voice vlan / <1-4094>
                switchport trunk allowed vlan / LINE
                switchport trunk native vlan / <1-4094>
                switchport nonegotiate
                spanning-tree portfast [edge]
                spanning-tree bpduguard / enable|disable
                speed / 10|100|1000|auto
                duplex / auto|full|half
                mtu / <64-9198>
                bandwidth / <1-10000000>
                channel-group <1-48> / mode WORD
                cdp enable
                lldp transmit
                lldp receive
                load-interval / <30-600>",
                &set,
            );
        }
        "vlan" => {
            grammar.rules("name / WORD\nshutdown\nstate / active|suspend", &set);
        }
        "router" => {
            grammar.rules(
                "router-id / IP
                network IP IP area WORD
                network IP mask IP
                neighbor IP remote-as / <1-65535>
                neighbor IP description / LINE
                passive-interface / IFACE
                passive-interface default
                redistribute / LINE
                default-information originate
                log-adjacency-changes",
                &set,
            );
        }
        "std-nacl" | "ext-nacl" => {
            grammar.rules("permit LINE\ndeny LINE\nremark LINE\n<1-2147483647> permit|deny LINE", &set);
        }
        "line" => {
            grammar.rules(
                "login local
                login
                password / LINE
                exec-timeout / <0-35791> [<0-2147483>]
                transport input / LINE
                transport preferred / LINE
                access-class WORD / in|out
                logging synchronous
                privilege level / <0-15>
                length / <0-512>",
                &set,
            );
        }
        _ => {}
    }
    grammar
}
