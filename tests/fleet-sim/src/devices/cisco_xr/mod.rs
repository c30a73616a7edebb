//! Cisco IOS XR 7.3 on an XRv 9000.
//!
//! A line with the time stands before each output; what is configured goes into a candidate of the session's own until
//! `commit`; leaving with changes asks; a commit is all or nothing (Cisco IOS XR System Management Command Reference:
//! `commit`, `end`, `abort`, `show configuration failed`).

mod grammar;
mod show;

use std::collections::HashMap;

use async_trait::async_trait;

use super::Setup;
use super::behaviour::{Behaviour, Login};
use super::editor::Style;
use super::filter::Filter;
use super::grammar::{Grammar, Meant, Refusal};
use super::industry::{self, Dialect, Do, Next, Seat};
use super::machine::Machine;
use super::pager::Pager;
use super::terminal::{Gone, Terminal};

/// A device with IOS XR.
pub(crate) struct CiscoXr {
    machine: Machine,
    commands: Grammar<Do>,
    modes: HashMap<&'static str, Grammar<Do>>,
}

const MODES: [&str; 12] =
    ["", "if", "static", "bgp", "afi", "nbr", "ospf", "ar", "ar-if", "ntp", "ipv4-acl", "un"];

const FAILED: &str = "\n% Failed to commit one or more configuration items during a pseudo-atomic operation. All \
                      changes made have been reverted. Please issue 'show configuration failed [inheritance]' from \
                      this session to view the errors\n";

impl CiscoXr {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            machine: Machine::new(setup, include_str!("running.cfg")),
            commands: grammar::commands(),
            modes: MODES.into_iter().map(|mode| (mode, grammar::lines(mode))).collect(),
        }
    }

    /// Makes the candidate of a session the configuration. False: it is not.
    async fn commit(&self, seat: &mut Seat, terminal: &mut Terminal) -> Result<bool, Gone> {
        terminal.say(&show::stamp());
        if seat.changes.is_empty() {
            terminal.say("% No configuration changes to commit.\n");
            return Ok(true);
        }
        let newer = self.machine.configs().generation != seat.based;
        if newer {
            let asked = "\nOne or more commits have occurred from other\nconfiguration sessions since this session \
                         started or since\nthe last commit was made from this session.\nYou can use the 'show \
                         configuration commit changes' command to\nbrowse the changes.\nDo you wish to proceed with \
                         this commit anyway? [no]: ";
            let answer = industry::ask(self, terminal, asked).await?;
            if !answer.is_some_and(|answer| answer.trim().starts_with('y')) {
                return Ok(false);
            }
        }
        if conflict(seat).is_some() {
            terminal.say(FAILED);
            return Ok(false);
        }
        let mut configs = self.machine.configs();
        seat.changes.iter().for_each(|change| change.make(&mut configs.running));
        configs.startup = configs.running.clone();
        configs.changed = jiff::Timestamp::now();
        configs.generation += 1;
        seat.based = configs.generation;
        seat.candidate = Some(configs.running.clone());
        seat.changes.clear();
        Ok(true)
    }

    fn drop_candidate(seat: &mut Seat) {
        seat.candidate = None;
        seat.changes.clear();
        seat.configuring = false;
        seat.path.clear();
    }
}

/// Two BGP processes in one candidate, the one that runs first: there can be one alone.
fn conflict(seat: &Seat) -> Option<(String, String)> {
    let lines = seat.candidate.as_ref()?.lines(&[])?;
    let mut systems = lines.iter().filter_map(|line| line.strip_prefix("router bgp "));
    Some((systems.next()?.to_owned(), systems.next()?.to_owned()))
}

#[async_trait]
impl Behaviour for CiscoXr {
    fn login(&self) -> Login {
        Login { server_id: "SSH-2.0-Cisco-2.0", ..Login::default() }
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
}

#[async_trait]
impl Dialect for CiscoXr {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn style(&self) -> Style {
        Style::Sideways
    }

    fn pager(&self) -> Pager {
        Pager {
            more: " --More-- ",
            erase: "\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08          \x08\x08\x08\x08\x08\x08\x08\x08\x08\x08",
            less: 0,
            quits: &[],
            quit_text: "",
            any_key_quits: true,
            at_end: None,
        }
    }

    fn columns(&self, _: &Terminal) -> usize {
        80
    }

    fn greeting(&self, _: &Terminal) -> String {
        let banner = self.machine.setup.disclaimer.as_deref().unwrap_or_default();
        format!("\n{banner}\n\n")
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.machine.hostname();
        match seat.configuring {
            true => {
                let mut mode = seat.mode().to_owned();
                if let [(_, outer), (_, inner)] = seat.path.as_slice() {
                    mode = format!("{outer}-{inner}");
                }
                let dash = if mode.is_empty() { "" } else { "-" };
                format!("RP/0/RSP0/CPU0:{name}(config{dash}{mode})#")
            }
            false => format!("RP/0/RSP0/CPU0:{name}#"),
        }
    }

    fn commands(&self, _: bool) -> &Grammar<Do> {
        &self.commands
    }

    fn lines(&self, mode: &str) -> Option<&Grammar<Do>> {
        self.modes.get(mode)
    }

    fn refuse(&self, seat: &Seat, line: &str, refusal: &Refusal) -> String {
        let prompt = self.prompt(seat).len();
        match refusal {
            Refusal::Invalid { column, matched, .. } => {
                let caret = " ".repeat(prompt + column + matched);
                format!("{caret}^\n% Invalid input detected at '^' marker.\n")
            }
            Refusal::Ambiguous { .. } => format!("% Ambiguous command:  \"{}\"\n", line.trim_end()),
            Refusal::Incomplete { .. } => "% Incomplete command.\n".to_owned(),
        }
    }

    fn before(&self, _: &Seat) -> String {
        show::stamp()
    }

    fn entering(&self) -> &'static str {
        ""
    }

    fn filter(&self, text: &str) -> Result<Filter, String> {
        industry::usual_filter(text).ok_or_else(|| "% Invalid input detected at '^' marker.\n".to_owned())
    }

    async fn enable(&self, _: &mut Terminal) -> Result<bool, Gone> {
        Ok(true)
    }

    async fn leave(&self, seat: &mut Seat, terminal: &mut Terminal) -> Result<bool, Gone> {
        if !seat.changes.is_empty() {
            let asked = "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:";
            let answer = industry::ask(self, terminal, asked).await?.unwrap_or_default();
            match answer.trim() {
                "y" | "yes" => {
                    if !self.commit(seat, terminal).await? {
                        return Ok(false);
                    }
                }
                "n" | "no" => {}
                _ => return Ok(false),
            }
        }
        Self::drop_candidate(seat);
        Ok(true)
    }

    async fn special(
        &self,
        what: &'static str,
        _: &Meant<Do>,
        seat: &mut Seat,
        terminal: &mut Terminal,
    ) -> Result<Next, Gone> {
        match what {
            "configure" => {
                terminal.say(&show::stamp());
                let configs = self.machine.configs();
                seat.candidate = Some(configs.running.clone());
                seat.based = configs.generation;
                seat.configuring = true;
            }
            "commit" => {
                self.commit(seat, terminal).await?;
            }
            "abort" => Self::drop_candidate(seat),
            "clear" => {
                let configs = self.machine.configs();
                seat.candidate = Some(configs.running.clone());
                seat.based = configs.generation;
                seat.changes.clear();
                seat.path.clear();
            }
            "root" => seat.path.clear(),
            _ => {}
        }
        Ok(Next::Prompt)
    }
}
