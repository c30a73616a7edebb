//! Arista EOS 4.27 on a 7050TX.
//!
//! After the login the terminal is asked how it is (`ESC [ 5 n`); the prompt names the section with its object
//! (`(config-if-Et5)#`); the size of the terminal is the SSH client's; errors say nothing about where (Arista EOS User
//! Manual, chapter "Command-Line Interface").

mod grammar;
mod show;

use std::collections::HashMap;

use async_trait::async_trait;

use super::Setup;
use super::behaviour::{Behaviour, Login};
use super::editor::{Style, one_key, secret};
use super::filter::Filter;
use super::grammar::{Grammar, Meant, Refusal};
use super::industry::{self, Dialect, Do, Next, Seat};
use super::machine::Machine;
use super::pager::Pager;
use super::terminal::{Gone, Key, Terminal};

/// A device with EOS.
pub(crate) struct AristaEos {
    machine: Machine,
    user: Grammar<Do>,
    privileged: Grammar<Do>,
    modes: HashMap<&'static str, Grammar<Do>>,
}

const MODES: [&str; 7] = ["", "if", "vlan", "router-ospf", "router-bgp", "acl", "mgmt-ssh"];

impl AristaEos {
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
impl Behaviour for AristaEos {
    fn login(&self) -> Login {
        Login { server_id: "SSH-2.0-OpenSSH_7.8", ..Login::default() }
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
impl Dialect for AristaEos {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn style(&self) -> Style {
        Style::Wrapping
    }

    fn pager(&self) -> Pager {
        Pager {
            more: "\x1b[7m --More-- \x1b[27m\x1b[K",
            erase: "\r\x1b[K",
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
        let motd = match &self.machine.setup.disclaimer {
            Some(text) => format!("{text}\n"),
            None => String::new(),
        };
        let last = Machine::time(self.machine.configs().saved, "%a %b %e %H:%M:%S %Y");
        format!("{motd}Last login: {last} from 192.0.2.50\r\n\x1b[5n")
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.machine.hostname();
        match (seat.configuring, seat.privileged) {
            (true, _) => match seat.path.last() {
                None => format!("{name}(config)#"),
                Some((line, mode)) => {
                    let object = line.rsplit(' ').next().unwrap_or_default();
                    let section = match *mode {
                        "if" => format!("if-{}", show::short(object)),
                        "vlan" => format!("vlan-{object}"),
                        "acl" => format!("acl-{object}"),
                        mode => mode.to_owned(),
                    };
                    format!("{name}(config-{section})#")
                }
            },
            (false, true) => format!("{name}#"),
            (false, false) => format!("{name}>"),
        }
    }

    fn commands(&self, privileged: bool) -> &Grammar<Do> {
        if privileged { &self.privileged } else { &self.user }
    }

    fn lines(&self, mode: &str) -> Option<&Grammar<Do>> {
        self.modes.get(mode)
    }

    fn refuse(&self, seat: &Seat, line: &str, refusal: &Refusal) -> String {
        let known = || !seat.privileged && self.privileged.resolve(line).is_ok();
        match refusal {
            Refusal::Invalid { .. } if known() => "% Invalid input (privileged mode required)\n".to_owned(),
            Refusal::Invalid { .. } => "% Invalid input\n".to_owned(),
            Refusal::Ambiguous { .. } => "% Ambiguous command\n".to_owned(),
            Refusal::Incomplete { .. } => "% Incomplete command\n".to_owned(),
        }
    }

    fn entering(&self) -> &'static str {
        ""
    }

    fn filter(&self, text: &str) -> Result<Filter, String> {
        industry::usual_filter(text).ok_or_else(|| "% Invalid input\n".to_owned())
    }

    fn keeps_no(&self, words: &[String]) -> bool {
        matches!(words.join(" ").as_str(), "switchport" | "ip routing" | "aaa root")
    }

    fn judge(&self, _: &Seat, meant: &Meant<Do>) -> Result<(), String> {
        let name = meant.last();
        let fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
        match meant.words.first().map(String::as_str) {
            Some("hostname") if name.len() > 64 || !name.chars().all(fine) => Err(
                "% Host name is invalid. Host name must contain only alphanumeric characters, '.' and '-'.\n\
                 It must begin and end with an alphanumeric character. \nMaximum characters in hostname is 64.\n"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    async fn enable(&self, terminal: &mut Terminal) -> Result<bool, Gone> {
        for _ in 0..3 {
            match secret(terminal, "Password: ").await? {
                Some(given) if self.machine.setup.enable.as_deref() == Some(given.as_str()) => {
                    return Ok(true);
                }
                Some(_) => {}
                None => break,
            }
        }
        terminal.say("% Bad secret\n");
        Ok(false)
    }

    async fn special(
        &self,
        what: &'static str,
        meant: &Meant<Do>,
        seat: &mut Seat,
        terminal: &mut Terminal,
    ) -> Result<Next, Gone> {
        match what {
            "length" => {
                seat.length = meant.last().parse().ok();
                match seat.length {
                    Some(0) => terminal.say("Pagination disabled.\n"),
                    _ => terminal.say(&format!("Pagination set to {} lines.\n", meant.last())),
                }
            }
            "width" => {
                terminal.columns = meant.last().parse().unwrap_or(80);
                terminal.say(&format!("Width set to {} columns.\n", meant.last()));
            }
            "save" => {
                self.machine.save();
                terminal.say("Copy completed successfully.\n");
            }
            "reload" if !seat.batch => {
                let changed = {
                    let configs = self.machine.configs();
                    configs.running != configs.startup
                };
                if changed {
                    let asked = "System configuration has been modified. Save? [yes/no/cancel/diff]:";
                    match industry::ask(self, terminal, asked).await? {
                        Some(answer) if answer.starts_with('y') => self.machine.save(),
                        Some(answer) if answer.starts_with('n') => {}
                        _ => return Ok(Next::Prompt),
                    }
                }
                let key = one_key(terminal, "Proceed with reload? [confirm]").await?;
                terminal.put("\r\n");
                if matches!(key, Key::Enter | Key::Byte(b'y' | b'Y')) {
                    return Ok(Next::Logout);
                }
            }
            _ => {}
        }
        Ok(Next::Prompt)
    }
}
