//! HP ProCurve (ArubaOS-Switch) YA.16.08 on a 2530.
//!
//! After the login a key must be pressed; the cursor is placed by row and column, lines end by scrolling the screen, so
//! that between what was typed and its output there is `ESC E` and no line end; sections close with `exit`; logging out
//! asks, and asks again when the configuration was not saved (HPE ArubaOS-Switch Basic Operation Guide; Management
//! and Configuration Guide for YA.16.08).

use std::collections::HashMap;

use async_trait::async_trait;

use super::Setup;
use super::behaviour::{Behaviour, Login};
use super::editor::{Style, one_key, secret};
use super::filter::Filter;
use super::grammar::{Grammar, Meant, Refusal};
use super::industry::{self, Dialect, Do, Next, Seat, View};
use super::machine::{Machine, outputs};
use super::pager::Pager;
use super::terminal::{Gone, Key, Terminal};
use super::tree::Layout;

const LAYOUT: Layout = Layout { indent: 3, between: "", closing: "{indent}   exit\n" };

/// A device with ProCurve's firmware.
pub(crate) struct HpProcurve {
    machine: Machine,
    operator: Grammar<Do>,
    manager: Grammar<Do>,
    modes: HashMap<&'static str, Grammar<Do>>,
}

impl HpProcurve {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            machine: Machine::new(setup, include_str!("running.cfg")),
            operator: commands(false),
            manager: commands(true),
            modes: ["", "eth", "vlan"].into_iter().map(|mode| (mode, lines(mode))).collect(),
        }
    }
}

fn everywhere(grammar: &mut Grammar<Do>, manager: bool) {
    for (command, output) in outputs(include_str!("outputs.txt")) {
        grammar.rule(command, Do::Say(output));
    }
    grammar.rule("show history", Do::Nothing);
    grammar.rule("page", Do::Special("page"));
    grammar.rule("no page", Do::Special("no page"));
    grammar.rule("terminal length <2-1000>", Do::Length);
    grammar.rule("terminal width <61-1920>", Do::Width);
    grammar.rule("enable", Do::Enable);
    grammar.rule("ping WORD", Do::Special("ping"));
    grammar.rule("logout", Do::Logout);
    if manager {
        grammar.rule("configure [terminal]", Do::Configure);
        grammar.rule("show running-config", Do::Show(running));
        grammar.rule("show config", Do::Show(startup));
        grammar.rule("write memory", Do::Special("save"));
        grammar.rule("write terminal", Do::Show(running));
        grammar.rule("reload", Do::Special("reload"));
    }
}

fn commands(manager: bool) -> Grammar<Do> {
    let mut grammar = Grammar::new(&[]);
    everywhere(&mut grammar, manager);
    // From manager to operator, and from there out.
    grammar.rule("exit", if manager { Do::Disable } else { Do::Logout });
    grammar
}

fn lines(mode: &str) -> Grammar<Do> {
    let mut grammar = Grammar::new(&[]);
    grammar.rule("exit", Do::Exit);
    grammar.rule("end", Do::End);
    let set = Do::Set;
    match mode {
        "" => {
            everywhere(&mut grammar, true);
            grammar.rules(
                "hostname / WORD
                ip default-gateway / IP
                ip route IP IP IP
                ip ssh [filetransfer]
                ip dns server-address priority <1-2> / IP
                snmp-server community WORD / LINE
                snmp-server host IP / LINE
                snmp-server contact / LINE
                timesync / sntp|ntp|timep
                sntp unicast
                sntp server priority <1-3> / IP
                time timezone / WORD
                logging IP
                spanning-tree
                spanning-tree priority / <0-15>
                lldp run
                cdp run
                max-vlans / <16-256>
                trunk WORD WORD lacp|trunk
                banner motd / LINE",
                &set,
            );
            grammar.rule("interface <1-52>", Do::Enter("eth"));
            grammar.rule("vlan <1-4094>", Do::Enter("vlan"));
        }
        "eth" => {
            grammar.rules(
                "name / LINE
                disable
                enable
                speed-duplex / WORD
                flow-control
                lacp active|passive
                poe-lldp-detect enabled|disabled
                power-over-ethernet
                broadcast-limit / <0-99>
                untagged vlan / <1-4094>
                tagged vlan <1-4094>",
                &set,
            );
        }
        "vlan" => {
            grammar.rules(
                "name / WORD
                untagged / WORD
                tagged / WORD
                voice
                ip address / IP IP
                ip address / PREFIX
                ip address / dhcp-bootp
                ip helper-address IP",
                &set,
            );
        }
        _ => {}
    }
    grammar
}

const HEAD: &str = "; J9776A Configuration Editor; Created on release #YA.16.08.0002\n; Ver #14:01.4f.f8.6d.9b.3f.bf.bb:a6\n\n";

fn running(view: &View<'_>) -> String {
    format!("\nRunning configuration:\n\n{HEAD}{}\n", view.machine.configs().running.render(LAYOUT))
}

fn startup(view: &View<'_>) -> String {
    format!("\nStartup configuration: \n\n{HEAD}{}\n", view.machine.configs().startup.render(LAYOUT))
}

#[async_trait]
impl Behaviour for HpProcurve {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-Mocana SSH 6.3",
            banner: Some(
                "We'd like to keep you up to date about:\n  * Software feature updates\n  * New product \
                 announcements\n  * Special events\nPlease register your products now at: \
                 www.hpe.com/networking/register\n\n"
                    .to_owned(),
            ),
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        industry::shell(self, terminal).await
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        // The firmware has no commands without a terminal: it says so and hangs up.
        let _ = command;
        terminal.say("SSH command execution is not supported.\n");
        Ok(None)
    }

    fn running(&self) -> String {
        self.machine.configs().running.render(LAYOUT)
    }

    fn startup(&self) -> String {
        self.machine.configs().startup.render(LAYOUT)
    }
}

#[async_trait]
impl Dialect for HpProcurve {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn style(&self) -> Style {
        Style::Placed
    }

    fn pager(&self) -> Pager {
        Pager {
            more: "-- MORE --, next page: Space, next line: Enter, quit: Control-C",
            erase: "\r                                                               \r",
            less: 1,
            quits: &[],
            quit_text: "",
            any_key_quits: false,
            at_end: None,
        }
    }

    fn rows(&self, terminal: &Terminal) -> usize {
        terminal.rows
    }

    fn greeting(&self, _: &Terminal) -> String {
        let banner = self.machine.setup.disclaimer.as_deref().unwrap_or_default();
        format!(
            "\x1b[2J\x1b[?7l\x1b[3;23r\x1b[?6l\x1b[1;1H\x1b[?25l\x1b[1;1HHPE J9776A 2530-24G Switch\n\
             Software revision YA.16.08.0002\n\n(C) Copyright 2018 Hewlett Packard Enterprise Development LP\n\n\
             \x20                 RESTRICTED RIGHTS LEGEND\n Confidential computer software. Valid license from \
             Hewlett Packard Enterprise\n Development LP required for possession, use or copying. Consistent with \
             FAR\n 12.211 and 12.212, Commercial Computer Software, Computer Software\n Documentation, and Technical \
             Data for Commercial Items are licensed to the\n U.S. Government under vendor's standard commercial \
             license.\n\n{banner}\n"
        )
    }

    async fn welcome(&self, terminal: &mut Terminal) -> Result<bool, Gone> {
        one_key(terminal, "Press any key to continue").await?;
        let rows = terminal.rows;
        terminal.put(&format!("\x1b[{rows};1H\x1b[?25h\x1b[?7h\x1b[1;{rows}r\x1b[2J\x1b[1;1H\x1b[{rows};1H"));
        Ok(true)
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.machine.hostname();
        match (seat.configuring, seat.privileged) {
            (true, _) => match seat.path.last() {
                Some((line, mode)) => {
                    format!("{name}({mode}-{})# ", line.rsplit(' ').next().unwrap_or_default())
                }
                None => format!("{name}(config)# "),
            },
            (false, true) => format!("{name}# "),
            (false, false) => format!("{name}> "),
        }
    }

    fn commands(&self, privileged: bool) -> &Grammar<Do> {
        if privileged { &self.manager } else { &self.operator }
    }

    fn lines(&self, mode: &str) -> Option<&Grammar<Do>> {
        self.modes.get(mode)
    }

    fn refuse(&self, _: &Seat, line: &str, refusal: &Refusal) -> String {
        match refusal {
            Refusal::Invalid { word, .. } => format!("Invalid input: {word}\n"),
            Refusal::Ambiguous { word, .. } => format!("Ambiguous input: {word}\n"),
            Refusal::Incomplete { .. } => {
                format!("Incomplete input: {}\n", line.split_whitespace().last().unwrap_or_default())
            }
        }
    }

    fn entering(&self) -> &'static str {
        ""
    }

    fn filter(&self, text: &str) -> Result<Filter, String> {
        industry::usual_filter(text).ok_or_else(|| format!("Invalid input: {text}\n"))
    }

    async fn enable(&self, terminal: &mut Terminal) -> Result<bool, Gone> {
        let user = industry::ask(self, terminal, "Username: ").await?;
        let given = secret(terminal, "Password: ").await?;
        let right = user.is_some()
            && given.is_some_and(|given| self.machine.setup.enable.as_deref() == Some(given.as_str()));
        if !right {
            terminal.say("Invalid password\n");
        }
        Ok(right)
    }

    async fn logout(&self, seat: &mut Seat, terminal: &mut Terminal) -> Result<bool, Gone> {
        let key = one_key(terminal, "Do you want to log out (y/n)? ").await?;
        let yes = matches!(key, Key::Byte(b'y' | b'Y'));
        terminal.say(if yes { "y\n" } else { "n\n" });
        let changed = {
            let configs = self.machine.configs();
            configs.running != configs.startup
        };
        if yes && changed && seat.privileged {
            let key = one_key(terminal, "Do you want to save current configuration (y/n/^C)? ").await?;
            match key {
                Key::Byte(b'y' | b'Y') => {
                    terminal.say("y\n");
                    self.machine.save();
                }
                Key::Byte(b'n' | b'N') => terminal.say("n\n"),
                _ => {
                    terminal.put("\r\n");
                    return Ok(false);
                }
            }
        }
        Ok(yes)
    }

    async fn special(
        &self,
        what: &'static str,
        meant: &Meant<Do>,
        seat: &mut Seat,
        terminal: &mut Terminal,
    ) -> Result<Next, Gone> {
        match what {
            "page" => seat.length = None,
            "no page" => seat.length = Some(0),
            "save" => self.machine.save(),
            "ping" => terminal.say(&format!("{} is alive, time = 1 ms\n", meant.last())),
            "reload" => {
                let key = one_key(
                    terminal,
                    "System will be rebooted from primary image. Do you want to continue (y/n)?  ",
                )
                .await?;
                let yes = matches!(key, Key::Byte(b'y' | b'Y'));
                terminal.say(if yes { "y\n" } else { "n\n" });
                if yes {
                    return Ok(Next::Logout);
                }
            }
            _ => {}
        }
        Ok(Next::Prompt)
    }
}
