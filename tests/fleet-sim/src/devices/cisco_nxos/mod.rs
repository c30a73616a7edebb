//! Cisco NX-OS 9.3 on a Nexus 93180YC-EX.
//!
//! Users land in privileged mode; the prompt ends with a blank; the size of the terminal is the SSH client's; enter is
//! shown as CR CR LF, and a lone CR stands before each prompt; commands work in configuration mode too (Cisco Nexus
//! 9000 Series NX-OS Fundamentals Configuration Guide; Command Reference: `copy running-config startup-config`).

mod grammar;
mod show;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

use super::Setup;
use super::behaviour::{Behaviour, Login};
use super::editor::{Style, secret};
use super::filter::Filter;
use super::grammar::{Grammar, Meant, Refusal};
use super::industry::{self, Dialect, Do, Next, Seat};
use super::machine::Machine;
use super::pager::Pager;
use super::terminal::{Gone, Terminal};

/// A device with NX-OS.
pub(crate) struct CiscoNxos {
    machine: Machine,
    user: Grammar<Do>,
    privileged: Grammar<Do>,
    modes: HashMap<&'static str, Grammar<Do>>,
}

const MODES: [&str; 9] =
    ["", "if", "vlan", "router", "router-neighbor", "router-af", "router-neighbor-af", "vrf", "line"];

impl CiscoNxos {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            machine: Machine::new(setup, include_str!("running.cfg")),
            user: grammar::commands(false),
            privileged: grammar::commands(true),
            modes: MODES.into_iter().map(|mode| (mode, grammar::lines(mode))).collect(),
        }
    }
}

#[async_trait]
impl Behaviour for CiscoNxos {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-OpenSSH_7.8 PKIX[11.0]",
            banner: Some("User Access Verification\n".to_owned()),
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        industry::shell(self, terminal).await
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        industry::exec(self, command, terminal).await
    }

    fn running(&self) -> String {
        self.machine.configs().running.render(show::LAYOUT)
    }

    fn startup(&self) -> String {
        self.machine.configs().startup.render(show::LAYOUT)
    }
}

#[async_trait]
impl Dialect for CiscoNxos {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn style(&self) -> Style {
        Style::Nexus
    }

    fn pager(&self) -> Pager {
        Pager {
            more: "\x1b[7m--More--\x1b[27m",
            erase: "\r\x1b[K\r",
            less: 0,
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
            "{banner}\nCisco Nexus Operating System (NX-OS) Software\nTAC support: http://www.cisco.com/tac\n\
             Copyright (C) 2002-2021, Cisco and/or its affiliates.\nAll rights reserved.\n\
             The copyrights to certain works contained in this software are\n\
             owned by other third parties and used and distributed under their own\n\
             licenses, such as open source.  This software is provided \"as is,\" and unless\n\
             otherwise stated, there is no warranty, express or implied, including but not\n\
             limited to warranties of merchantability and fitness for a particular purpose.\n\
             Certain components of this software are licensed under\n\
             the GNU General Public License (GPL) version 2.0 or \n\
             GNU General Public License (GPL) version 3.0  or the GNU\n\
             Lesser General Public License (LGPL) Version 2.1 or \n\
             Lesser General Public License (LGPL) Version 2.0. \n\
             A copy of each such license is available at\n\
             http://www.opensource.org/licenses/gpl-2.0.php and\n\
             http://opensource.org/licenses/gpl-3.0.html and\n\
             http://www.opensource.org/licenses/lgpl-2.1.php and\n\
             http://www.gnu.org/licenses/old-licenses/library.txt.\n"
        )
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.machine.hostname();
        match (seat.configuring, seat.privileged) {
            (true, _) => {
                let mode = seat.mode();
                let dash = if mode.is_empty() { "" } else { "-" };
                format!("{name}(config{dash}{mode})# ")
            }
            (false, true) => format!("{name}# "),
            (false, false) => format!("{name}> "),
        }
    }

    fn commands(&self, privileged: bool) -> &Grammar<Do> {
        if privileged { &self.privileged } else { &self.user }
    }

    fn lines(&self, mode: &str) -> Option<&Grammar<Do>> {
        self.modes.get(mode)
    }

    fn refuse(&self, seat: &Seat, line: &str, refusal: &Refusal) -> String {
        let (column, what) = match refusal {
            Refusal::Invalid { column, matched, .. } => (column + matched, "Invalid"),
            Refusal::Ambiguous { column, word } => (column + word.len(), "Ambiguous"),
            Refusal::Incomplete { .. } => (line.trim_end().len(), "Incomplete"),
        };
        let caret = " ".repeat(self.prompt(seat).len() + column);
        format!("{caret}^\n% {what} command at '^' marker.\n")
    }

    fn filter(&self, text: &str) -> Result<Filter, String> {
        industry::usual_filter(text).ok_or_else(|| "% Invalid command at '^' marker.\n".to_owned())
    }

    fn keeps_no(&self, words: &[String]) -> bool {
        matches!(words.join(" ").as_str(), "shutdown" | "switchport" | "ip domain-lookup")
    }

    async fn enable(&self, terminal: &mut Terminal) -> Result<bool, Gone> {
        let given = secret(terminal, "Password: ").await?;
        let right = given.is_some_and(|given| self.machine.setup.enable.as_deref() == Some(given.as_str()));
        if !right {
            terminal.say("% Access denied\n");
        }
        Ok(right)
    }

    async fn special(
        &self,
        what: &'static str,
        _: &Meant<Do>,
        seat: &mut Seat,
        terminal: &mut Terminal,
    ) -> Result<Next, Gone> {
        match what {
            "save" => {
                for percent in [0_usize, 25, 50, 75, 100] {
                    let (done, left) = ("#".repeat(percent * 2 / 5), " ".repeat(40 - percent * 2 / 5));
                    terminal.put(&format!("\r[{done}{left}] {percent:>3}%"));
                    terminal.pause(Duration::from_millis(20)).await?;
                }
                self.machine.save();
                terminal.say("\nCopy complete, now saving to disk (please wait)...\n");
                terminal.pause(Duration::from_millis(20)).await?;
                terminal.say("Copy complete.\n");
            }
            "erase" => {
                terminal.say("Warning: This command will erase the startup-configuration.\n");
                let asked = "Do you wish to proceed anyway? (y/n)  [n] ";
                industry::ask(self, terminal, asked).await?;
            }
            "reload" if !seat.batch => {
                let changed = {
                    let configs = self.machine.configs();
                    configs.running != configs.startup
                };
                if changed {
                    terminal.say(
                        "WARNING: There is unsaved configuration!!!\nWARNING: This command will reboot the system\n",
                    );
                } else {
                    terminal.say("This command will reboot the system. (y/n)?  [n] ");
                }
                let asked = if changed { "Do you want to continue? (y/n) [n] " } else { "" };
                let answer = industry::ask(self, terminal, asked).await?;
                if answer.is_some_and(|answer| answer.trim().starts_with(['y', 'Y'])) {
                    return Ok(Next::Logout);
                }
            }
            _ => {}
        }
        Ok(Next::Prompt)
    }
}
