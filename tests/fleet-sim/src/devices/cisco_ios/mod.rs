//! Cisco IOS 15.2 on a Catalyst 3560-CX.
//!
//! The terminal is 80 wide and 24 high whatever the SSH client asks for, until `terminal width` and `terminal
//! length` say otherwise; a line that is too long scrolls sideways; the prompt shows 20 characters of the name in
//! configuration mode (Cisco IOS Configuration Fundamentals Command Reference: `hostname`, `terminal length`,
//! `enable`, `copy`).

mod grammar;
mod show;

use std::collections::HashMap;
use std::time::Duration;

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

/// A device with IOS.
pub(crate) struct CiscoIos {
    machine: Machine,
    user: Grammar<Do>,
    privileged: Grammar<Do>,
    modes: HashMap<&'static str, Grammar<Do>>,
}

const MODES: [&str; 8] = ["", "if", "if-range", "vlan", "router", "std-nacl", "ext-nacl", "line"];

impl CiscoIos {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            machine: Machine::new(setup, include_str!("running.cfg")),
            user: grammar::commands(false),
            privileged: grammar::commands(true),
            modes: MODES.into_iter().map(|mode| (mode, grammar::lines(mode))).collect(),
        }
    }

    fn save(&self, terminal: &mut Terminal) {
        self.machine.save();
        terminal.say("Building configuration...\n[OK]\n");
    }
}

#[async_trait]
impl Behaviour for CiscoIos {
    fn login(&self) -> Login {
        Login::default()
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
impl Dialect for CiscoIos {
    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn style(&self) -> Style {
        Style::Sideways
    }

    fn pager(&self) -> Pager {
        Pager {
            more: " --More-- ",
            erase: "\x08\x08\x08\x08\x08\x08\x08\x08\x08        \x08\x08\x08\x08\x08\x08\x08\x08\x08",
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
        match &self.machine.setup.disclaimer {
            Some(text) => format!("\n{text}\n\n"),
            None => "\n".to_owned(),
        }
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.machine.hostname();
        match (seat.configuring, seat.privileged) {
            (true, _) => {
                let short: String = name.chars().take(20).collect();
                let mode = seat.mode();
                let dash = if mode.is_empty() { "" } else { "-" };
                format!("{short}(config{dash}{mode})#")
            }
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
        match refusal {
            Refusal::Invalid { column: 0, word, .. } if !seat.configuring && line.trim() == word => {
                format!(
                    "Translating \"{word}\"\n% Unknown command or computer name, or unable to find computer \
                     address\n"
                )
            }
            Refusal::Invalid { column, matched, .. } => {
                let caret = " ".repeat(self.prompt(seat).len() + column + matched);
                format!("{caret}^\n% Invalid input detected at '^' marker.\n\n")
            }
            Refusal::Ambiguous { .. } => format!("% Ambiguous command:  \"{}\"\n", line.trim_end()),
            Refusal::Incomplete { .. } => "% Incomplete command.\n\n".to_owned(),
        }
    }

    fn filter(&self, text: &str) -> Result<Filter, String> {
        industry::usual_filter(text).ok_or_else(|| "% Invalid input detected at '^' marker.\n\n".to_owned())
    }

    fn keeps_no(&self, words: &[String]) -> bool {
        let line = words.join(" ");
        ["switchport", "ip address", "ip routing", "ip http server", "service pad", "cdp run", "cdp enable"]
            .contains(&line.as_str())
    }

    async fn enable(&self, terminal: &mut Terminal) -> Result<bool, Gone> {
        for _ in 0..3 {
            match secret(terminal, "Password: ").await? {
                None => {
                    terminal.say("\n");
                    return Ok(false);
                }
                Some(given) if self.machine.setup.enable.as_deref() == Some(given.as_str()) => {
                    return Ok(true);
                }
                Some(_) => {}
            }
        }
        terminal.say("% Bad secrets\n\n");
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
            "configure" => {
                let asked = "Configuring from terminal, memory, or network [terminal]? ";
                let answer = industry::ask(self, terminal, asked).await?;
                if answer.is_some_and(|answer| "terminal".starts_with(answer.trim())) {
                    terminal.say(self.entering());
                    seat.configuring = true;
                } else {
                    terminal.say("?Must be \"terminal\", \"memory\" or \"network\"\n");
                }
            }
            "save" => self.save(terminal),
            "copy" => {
                let answer = match seat.batch {
                    true => Some(String::new()),
                    false => industry::ask(self, terminal, "Destination filename [startup-config]? ").await?,
                };
                match answer.as_deref().map(str::trim) {
                    Some("" | "startup-config") => self.save(terminal),
                    Some(other) => {
                        terminal.say(&format!("%Error opening nvram:/{other} (Permission denied)\n"))
                    }
                    None => {}
                }
            }
            "erase" => {
                let asked =
                    "Erasing the nvram filesystem will remove all configuration files! Continue? [confirm]";
                if self.confirmed(terminal, asked).await? {
                    terminal.say("[OK]\nErase of nvram: complete\n");
                }
            }
            "clear" => {
                let asked = match meant.words.get(1).map(String::as_str) {
                    Some("logging") => "Clear logging buffer [confirm]",
                    _ => "Clear \"show interface\" counters on all interfaces [confirm]",
                };
                self.confirmed(terminal, asked).await?;
            }
            "reload" => {
                let changed = {
                    let configs = self.machine.configs();
                    configs.running != configs.startup
                };
                if changed {
                    let asked = "\nSystem configuration has been modified. Save? [yes/no]: ";
                    if industry::ask(self, terminal, asked)
                        .await?
                        .is_some_and(|answer| answer.starts_with('y'))
                    {
                        self.save(terminal);
                    }
                }
                if self.confirmed(terminal, "Proceed with reload? [confirm]").await? {
                    return Ok(Next::Logout);
                }
            }
            "ping" => {
                let target = meant.last();
                if target.parse::<std::net::IpAddr>().is_err() {
                    terminal.say("% Unrecognized host or address, or protocol not running.\n\n");
                    return Ok(Next::Prompt);
                }
                terminal.say(&format!(
                    "Type escape sequence to abort.\nSending 5, 100-byte ICMP Echos to {target}, timeout is 2 \
                     seconds:\n"
                ));
                for _ in 0..5 {
                    terminal.put("!");
                    if terminal.pause(Duration::from_millis(20)).await? {
                        break;
                    }
                }
                terminal.say("\nSuccess rate is 100 percent (5/5), round-trip min/avg/max = 1/2/4 ms\n");
            }
            "banner" => self.banner(meant, terminal).await?,
            _ => {}
        }
        Ok(Next::Prompt)
    }

    fn interrupt_leaves(&self) -> bool {
        true
    }
}

impl CiscoIos {
    /// A question that enter or `y` confirms, as soon as the key is pressed.
    async fn confirmed(&self, terminal: &mut Terminal, question: &str) -> Result<bool, Gone> {
        let key = one_key(terminal, question).await?;
        terminal.put("\r\n");
        Ok(matches!(key, Key::Enter | Key::Byte(b'y' | b'Y')))
    }

    /// A text between two of the same character, over as many lines as it takes.
    async fn banner(&self, meant: &Meant<Do>, terminal: &mut Terminal) -> Result<(), Gone> {
        let kind = meant.words[1].clone();
        let text = meant.last().to_owned();
        let delimiter = match text.strip_prefix("^C") {
            Some(_) => "^C".to_owned(),
            None => text.chars().take(1).collect(),
        };
        let mut text = text[delimiter.len()..].to_owned();
        if !text.contains(&delimiter) {
            terminal.say(&format!("Enter TEXT message.  End with the character '{delimiter}'.\n"));
            while !text.contains(&delimiter) {
                match industry::ask(self, terminal, "").await? {
                    Some(line) => text = format!("{text}\n{line}"),
                    None => return Ok(()),
                }
            }
        }
        let text = text.split(&delimiter).next().unwrap_or_default().trim_matches('\n').replace('\n', "\n ");
        let line = format!("banner {kind} ^C{text}^C");
        let mut configs = self.machine.configs();
        configs.running.set(&[], &line, 2);
        configs.generation += 1;
        Ok(())
    }
}
