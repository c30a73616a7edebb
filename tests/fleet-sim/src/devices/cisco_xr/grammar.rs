//! The commands and configuration lines that the simulated IOS XR knows.

use super::super::grammar::{Grammar, Kinds};
use super::super::industry::Do;
use super::super::machine::outputs;
use super::show;

const KINDS: Kinds = &["GigabitEthernet", "Loopback", "Bundle-Ether", "TenGigE", "HundredGigE"];

/// The commands.
pub(super) fn commands() -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    let mut same = Vec::new();
    for (command, output) in outputs(include_str!("outputs.txt")) {
        // Commands above one another print the same.
        same.push(command);
        if !output.is_empty() {
            for command in same.drain(..) {
                grammar.rule(command, Do::Say(output));
            }
        }
    }
    grammar.rule("show clock", Do::Show(show::clock));
    grammar.rule("show interfaces description", Do::Show(show::descriptions));
    grammar.rule("show running-config", Do::Show(show::running));
    grammar.rule("show running-config interface IFACE", Do::Show(show::running_interface));
    grammar.rule("show running-config router bgp|ospf|static", Do::Show(show::running_part));
    grammar.rule("show running-config hostname", Do::Show(show::running_part));
    grammar.rule("show configuration failed", Do::Show(show::failed));
    grammar.rule("show history", Do::Nothing);
    grammar.rule("terminal length <0-512>", Do::Length);
    grammar.rule("terminal width <0-512>", Do::Width);
    grammar.rule("terminal monitor", Do::Nothing);
    grammar.rule("configure [terminal]", Do::Special("configure"));
    grammar.rule("exit", Do::Logout);
    grammar.rule("logout", Do::Logout);
    grammar.rule("quit", Do::Logout);
    grammar
}

/// The lines of a mode of the configuration.
pub(super) fn lines(mode: &str) -> Grammar<Do> {
    let mut grammar = Grammar::new(KINDS);
    grammar.rule("exit", Do::Exit);
    grammar.rule("end", Do::End);
    grammar.rule("root", Do::Special("root"));
    grammar.rule("commit", Do::Special("commit"));
    grammar.rule("commit label|comment LINE", Do::Special("commit"));
    grammar.rule("abort", Do::Special("abort"));
    grammar.rule("clear", Do::Special("clear"));
    grammar.rule("show", Do::Show(show::changes));
    grammar.rule("show configuration", Do::Show(show::changes));
    grammar.rule("show configuration failed", Do::Show(show::failed));
    grammar.rule("show running-config", Do::Show(show::running));
    let set = Do::Set;
    match mode {
        "" => {
            grammar.rules(
                "hostname / WORD
                domain name / WORD
                domain name-server IP
                logging IP [vrf default]
                logging buffered / LINE
                cdp
                lldp
                ssh server v2
                telnet vrf default ipv4 server max-servers / <1-200>
                banner motd / LINE
                clock timezone / LINE
                snmp-server community WORD / LINE
                snmp-server location / LINE
                snmp-server contact / LINE",
                &set,
            );
            grammar.rule("interface IFACE", Do::Enter("if"));
            grammar.rule("router static", Do::Enter("static"));
            grammar.rule("router ospf WORD", Do::Enter("ospf"));
            grammar.rule("router bgp <1-4294967295>", Do::Enter("bgp"));
            grammar.rule("ntp", Do::Enter("ntp"));
            grammar.rule("ipv4 access-list WORD", Do::Enter("ipv4-acl"));
            grammar.rule("username WORD", Do::Enter("un"));
        }
        "if" => {
            grammar.rules(
                "description / LINE
                ipv4 address / IP IP
                ipv4 address / PREFIX
                ipv6 address PREFIX
                shutdown
                mtu / <64-65535>
                bandwidth / <0-4294967295>
                cdp
                load-interval / <0-600>",
                &set,
            );
        }
        "static" | "bgp" => {
            grammar.rule("address-family ipv4 unicast", Do::Enter("afi"));
            grammar.rules("bgp router-id / IP\ntimers bgp / LINE", &set);
            grammar.rule("neighbor IP", Do::Enter("nbr"));
        }
        "afi" => {
            grammar
                .rules("PREFIX IP [description LINE]\nnetwork PREFIX\nredistribute connected|static", &set);
        }
        "nbr" => {
            grammar.rules("remote-as / <1-4294967295>\ndescription / LINE\nupdate-source / IFACE", &set);
        }
        "ospf" => {
            grammar.rules("router-id / IP\nlog adjacency changes", &set);
            grammar.rule("area WORD", Do::Enter("ar"));
        }
        "ar" => {
            grammar.rule("interface IFACE", Do::Enter("ar-if"));
        }
        "ar-if" => {
            grammar.rules("cost / <1-65535>\npassive enable|disable", &set);
        }
        "ntp" => {
            grammar.rule("server IP", Do::Set);
        }
        "ipv4-acl" => {
            grammar.rules("<1-2147483647> permit|deny LINE\nremark LINE", &set);
        }
        "un" => {
            grammar.rules("group WORD\nsecret / LINE\npassword / LINE", &set);
        }
        _ => {}
    }
    grammar
}
