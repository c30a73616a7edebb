//! Fortinet FortiOS 7.0 on a FortiGate 60F.
//!
//! Sections and entries are opened with `config` and `edit`, left with `next` and `end`, and take effect then; the
//! configuration is saved by itself; `--More--` until the console's output is set to `standard`, for everybody; a
//! disclaimer after the login is accepted with `a` (FortiOS Administration Guide and CLI Reference 7.0: "Command
//! syntax", "Subcommands", `config system console`).

mod store;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use russh::MethodKind;

use super::behaviour::{Behaviour, Login};
use super::editor::{Editor, Input, Style, one_key};
use super::filter::Filter;
use super::machine::{Machine, outputs};
use super::pager::Pager;
use super::terminal::{Gone, Key, Terminal};
use super::{Fault, Setup};
use store::{Schema, Store, words};

/// A device with FortiOS.
pub(crate) struct Fortinet {
    machine: Machine,
    schema: Schema,
    outputs: Vec<(&'static str, &'static str)>,
    store: Mutex<Store>,
}

/// What one session remembers: the section and the entry that are open, with what is not in force yet.
#[derive(Default)]
struct Seat {
    section: Option<String>,
    entry: Option<String>,
    pending: Option<Store>,
}

const PAGER: Pager = Pager {
    more: "--More-- ",
    erase: "\r         \r",
    less: 0,
    quits: &[],
    quit_text: "",
    any_key_quits: false,
    at_end: None,
};

/// Lines on a page, whatever the terminal's height.
const ROWS: usize = 25;

impl Fortinet {
    pub(crate) fn new(setup: &Setup) -> Self {
        let schema = Schema::read(include_str!("schema.txt"));
        let text = include_str!("running.cfg").replace("{hostname}", &setup.hostname);
        let store = Store::read(&text);
        Self {
            machine: Machine::new(setup, "hostname {hostname}\n"),
            schema,
            outputs: outputs(include_str!("outputs.txt")),
            store: Mutex::new(store),
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hostname(&self) -> String {
        let store = self.store();
        let name = store.value("system global", None, "hostname").unwrap_or_default();
        name.trim_matches('"').to_owned()
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.hostname();
        let open =
            seat.entry.as_deref().or(seat.section.as_deref().and_then(|section| section.rsplit(' ').next()));
        match open {
            Some(open) => format!("{name} ({}) # ", open.trim_matches('"')),
            None => format!("{name} # "),
        }
    }

    /// Does what a line says. False: the session ends.
    async fn run(&self, seat: &mut Seat, terminal: &mut Terminal, line: &str) -> Result<bool, Gone> {
        let (command, filter) = line.split_once('|').map_or((line, None), |(line, rest)| (line, Some(rest)));
        let words = words(command);
        let text = words.join(" ");
        match text.as_str() {
            "" => return Ok(true),
            "exit" | "quit" if seat.section.is_none() => return Ok(false),
            "execute reboot" | "execute shutdown" => {
                terminal.say("This operation will reboot the system !\n");
                let key = one_key(terminal, "Do you want to continue? (y/n)").await?;
                terminal.put("\r\n\r\n");
                return Ok(!matches!(key, Key::Byte(b'y' | b'Y')));
            }
            _ => {}
        }
        let mut said = self.answer(seat, &words);
        let pattern = filter.and_then(|filter| filter.trim().strip_prefix("grep "));
        let pattern = pattern.map(|pattern| pattern.trim_start_matches("-f ").trim_start_matches("-i "));
        if let Some(pattern) = pattern.and_then(Filter::pattern) {
            said = Filter::Include(pattern).apply(&said);
        }
        let pages = self.store().value("system console", None, "output").as_deref() != Some("standard");
        let rows = if pages && terminal.is_terminal() { ROWS } else { 0 };
        PAGER.print(terminal, &said, rows).await?;
        terminal.put("\r\n");
        Ok(true)
    }

    fn answer(&self, seat: &mut Seat, words: &[String]) -> String {
        let text = words.join(" ");
        if let Some((_, output)) = self.outputs.iter().find(|(command, _)| *command == text) {
            self.machine.configs().running.set(&[], &format!("hostname {}", self.hostname()), 1);
            return self.machine.fill(output);
        }
        let refused =
            |word: &str| format!("\ncommand parse error before '{word}'\nCommand fail. Return code -61\n");
        let rest = words[1..].join(" ");
        match (words[0].as_str(), &seat.section) {
            ("config", None) => match self.schema.section(&rest) {
                Ok(section) => {
                    seat.section = Some(section);
                    seat.pending = Some(self.store().clone());
                    String::new()
                }
                Err(word) => refused(&word),
            },
            ("show", _) | ("get", Some(_)) => {
                let full = rest.starts_with("full-configuration");
                let rest = rest.trim_start_matches("full-configuration").trim();
                let store = seat.pending.clone().unwrap_or_else(|| self.store().clone());
                let section = match (&seat.section, rest) {
                    (Some(section), _) => Some(section.clone()),
                    (None, "") => None,
                    (None, rest) => match self.schema.beginning(rest) {
                        Ok(section) => Some(section),
                        Err(word) => return refused(&word),
                    },
                };
                let head = match (full, &section) {
                    (_, None) => {
                        "#config-version=FGT60F-7.0.12-FW-build0523-230606:opmode=0:vdom=0:user=admin\n"
                    }
                    _ => "",
                };
                format!("{head}{}", store.show(section.as_deref(), seat.entry.as_deref()))
            }
            ("ping" | "execute", None) if text.starts_with("execute ping ") => {
                let target = words.last().map_or("", String::as_str);
                let reply = format!("64 bytes from {target}: icmp_seq=0 ttl=64 time=0.4 ms\n");
                format!(
                    "PING {target} ({target}): 56 data bytes\n{reply}\n--- {target} ping statistics ---\n1 packets \
                         transmitted, 1 packets received, 0% packet loss\n"
                )
            }
            ("get" | "execute" | "diagnose", None) => {
                // The first word that no command has there.
                let known = |begin: &str| self.outputs.iter().any(|(command, _)| command.starts_with(begin));
                let mut begin = String::new();
                for word in words {
                    let longer = if begin.is_empty() { word.clone() } else { format!("{begin} {word}") };
                    if !known(&longer) {
                        return refused(word);
                    }
                    begin = longer;
                }
                "\nincomplete command in the end\nCommand fail. Return code -160\n".to_owned()
            }
            ("end" | "next" | "abort" | "set" | "unset" | "edit" | "delete" | "rename", Some(_)) => {
                self.edit(seat, words)
            }
            _ => "Unknown action 0\n".to_owned(),
        }
    }

    /// Lines within a section.
    fn edit(&self, seat: &mut Seat, words: &[String]) -> String {
        let (Some(section), Some(pending)) = (seat.section.clone(), &mut seat.pending) else {
            return String::new();
        };
        let refused = |word: &str, code: i32| {
            format!("\ncommand parse error before '{word}'\nCommand fail. Return code {code}\n")
        };
        let lists = self.schema.lists(&section);
        match words[0].as_str() {
            "end" => {
                *self.store() = pending.clone();
                *seat = Seat::default();
            }
            "abort" => *seat = Seat::default(),
            "next" if seat.entry.is_some() => {
                *self.store() = pending.clone();
                seat.entry = None;
            }
            "edit" if lists && seat.entry.is_none() => match words.get(1) {
                Some(name) => {
                    let name = pending.edit(&section, name);
                    seat.entry = Some(name);
                }
                None => {
                    return "\nincomplete command in the end\nCommand fail. Return code -160\n".to_owned();
                }
            },
            "delete" if lists && seat.entry.is_none() => {
                let name = words.get(1).map_or("", String::as_str);
                if !pending.delete(&section, name) {
                    return format!("\ndelete table entry {name} failed\nCommand fail. Return code -3\n");
                }
            }
            "set" | "unset" if !lists || seat.entry.is_some() => {
                let Some(name) = words.get(1) else {
                    return "\nincomplete command in the end\nCommand fail. Return code -160\n".to_owned();
                };
                if words[0] == "unset" {
                    if !self.schema.knows(&section, name) {
                        return refused(name, -61);
                    }
                    pending.unset(&section, seat.entry.as_deref(), name);
                    return String::new();
                }
                match self.schema.check(&section, name, &words[2..]) {
                    Ok(()) => pending.set(&section, seat.entry.as_deref(), name, &words[2..].join(" ")),
                    Err(said) => return said,
                }
            }
            word => return refused(word, -61),
        }
        String::new()
    }

    async fn session(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        let mut seat = Seat::default();
        let mut editor = Editor::new(Style::Wrapping);
        editor.helps = false;
        loop {
            let prompt = self.prompt(&seat);
            match editor.read(terminal, &prompt).await? {
                Input::Line(line) => {
                    if !terminal.struck(&line).await? && !self.run(&mut seat, terminal, &line).await? {
                        return Ok(());
                    }
                }
                Input::EndOfFile if seat.section.is_none() => return Ok(()),
                Input::Interrupt if seat.section.is_some() => {
                    // ctrl-c leaves a section without its changes.
                    seat = Seat::default();
                    terminal.put("\r\n");
                }
                _ => terminal.put("\r\n"),
            }
        }
    }
}

#[async_trait]
impl Behaviour for Fortinet {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-VAdXfWp",
            methods: &[MethodKind::KeyboardInteractive, MethodKind::Password],
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        if let Some(text) = self.machine.setup.disclaimer.clone() {
            terminal.say(&format!("{text}\n\n"));
            let key = one_key(terminal, "(Press 'a' to accept):").await?;
            terminal.put("\r\n");
            if key != Key::Byte(b'a') {
                return Ok(());
            }
            if terminal.typed_ahead() {
                // An enter behind the key belongs to the answer.
                terminal.key().await?;
            }
        }
        if terminal.shared.has(&Fault::NoPrompt) {
            terminal.forever().await?;
        }
        match self.session(terminal).await {
            Err(Gone::Idle) => {
                terminal.say("\ntimeout\n");
                terminal.flush().await
            }
            other => other,
        }
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        let mut seat = Seat::default();
        let prompt = self.prompt(&seat);
        // Without a terminal it still shows its prompt before the first output.
        terminal.put(&prompt);
        for line in command.lines() {
            if !self.run(&mut seat, terminal, line).await? {
                break;
            }
        }
        Ok(Some(0))
    }

    fn running(&self) -> String {
        self.store().show(None, None)
    }
}
