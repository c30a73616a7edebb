//! MikroTik RouterOS 7.14 on an RB4011.
//!
//! Menus instead of modes, and everything that is typed applies at once; options for the terminal come with the name
//! (`netops+ct511w4098h`); the line is shown again over itself while it is typed; enter gives CR LF CR; without options
//! the terminal is asked for its size and colours are used (RouterOS documentation: "Command Line Interface", "Console
//! login options").

mod menus;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use russh::MethodKind;

use super::behaviour::{Behaviour, Login};
use super::editor::{Editor, Input, Style, one_key};
use super::machine::{Machine, outputs};
use super::pager::Pager;
use super::terminal::{Gone, Key, Terminal};
use super::{Fault, Setup};
use menus::{Menus, Which, properties, property, words};

/// A device with RouterOS.
pub(crate) struct MikrotikRouteros {
    machine: Machine,
    outputs: Vec<(&'static str, &'static str)>,
    menus: Mutex<Menus>,
}

/// What one session remembers.
struct Seat {
    name: String,
    colours: bool,
    /// The menu that it stands in; empty is the top.
    place: String,
}

const PAGER: Pager = Pager {
    more: "-- [Q quit|D dump|down]",
    erase: "\r\x1b[K",
    less: 0,
    quits: &[],
    quit_text: "",
    any_key_quits: false,
    at_end: None,
};

const LOGO: &str = "\n\n\n\n\n\n\n\n  MMM      MMM       KKK                          TTTTTTTTTTT      KKK\n  \
                    MMMM    MMMM       KKK                          TTTTTTTTTTT      KKK\n  \
                    MMM MMMM MMM  III  KKK  KKK  RRRRRR     OOOOOO      TTT     III  KKK  KKK\n  \
                    MMM  MM  MMM  III  KKKKK     RRR  RRR  OOO  OOO     TTT     III  KKKKK\n  \
                    MMM      MMM  III  KKK KKK   RRRRRR    OOO  OOO     TTT     III  KKK KKK\n  \
                    MMM      MMM  III  KKK  KKK  RRR  RRR   OOOOOO      TTT     III  KKK  KKK\n\n  \
                    MikroTik RouterOS 7.14.3 (c) 1999-2024       https://www.mikrotik.com/\n\n\
                    Press F1 for help\n\n";

impl MikrotikRouteros {
    pub(crate) fn new(setup: &Setup) -> Self {
        let export =
            include_str!("export.rsc").replace("{hostname}", &setup.hostname).replace("{user}", &setup.user);
        Self {
            machine: Machine::new(setup, "hostname {hostname}\n"),
            outputs: outputs(include_str!("outputs.txt")),
            menus: Mutex::new(Menus::new(&export)),
        }
    }

    fn menus(&self) -> MutexGuard<'_, Menus> {
        self.menus.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn identity(&self) -> String {
        let menus = self.menus();
        let item = menus.items("/system/identity").first();
        item.and_then(|item| property(item, "name")).cloned().unwrap_or_else(|| "MikroTik".to_owned())
    }

    fn prompt(&self, seat: &Seat) -> String {
        let name = self.identity();
        let who = match seat.colours {
            true => format!("\x1b[m\x1b[36m{}\x1b[m@\x1b[m\x1b[32m{name}\x1b[m\x1b[m", seat.name),
            false => format!("{}@{name}", seat.name),
        };
        format!("[{who}] {}> ", seat.place)
    }

    /// Says text, each line with a CR before it as RouterOS has it.
    async fn print(&self, terminal: &mut Terminal, text: &str) -> Result<(), Gone> {
        let rows = if terminal.is_terminal() { terminal.rows } else { 0 };
        let end = if terminal.is_terminal() { "\r\n\r" } else { "\r\n" };
        PAGER.print_with(terminal, text, rows, end).await.map(|_| ())
    }

    /// Does what a line says. False: the session ends.
    async fn run(&self, seat: &mut Seat, terminal: &mut Terminal, line: &str) -> Result<bool, Gone> {
        let line = line.trim_end();
        if line.trim().is_empty() {
            return Ok(true);
        }
        if matches!(line.trim_start_matches('/').trim(), "quit") {
            return Ok(false);
        }
        let said = self.answer(seat, line);
        self.print(terminal, &said).await?;
        Ok(true)
    }

    /// What a line does, and what is said to it.
    fn answer(&self, seat: &mut Seat, line: &str) -> String {
        let mut place = if line.trim_start().starts_with('/') { String::new() } else { seat.place.clone() };
        let known: Vec<&'static str> = self.outputs.iter().map(|(command, _)| *command).collect();
        let words = words(line);
        let mut verb: Option<(usize, String)> = None;
        let mut rest = line.len();
        'words: for (at, word) in &words {
            let mut column = *at;
            for part in word.split('/') {
                let own = column;
                column += part.len() + 1;
                if part.is_empty() {
                    continue;
                }
                if part == ".." {
                    place.truncate(place.rfind('/').unwrap_or(0));
                    continue;
                }
                let on = format!("{place}/{part}");
                if self.menus().leads_on(&on, &known) && !known.contains(&on.as_str()) {
                    place = on;
                    continue;
                }
                verb = Some((own, part.to_owned()));
                rest = at + word.len();
                break 'words;
            }
        }
        let Some((column, verb)) = verb else {
            seat.place = place;
            return String::new();
        };
        let rest = line.get(rest..).unwrap_or_default().trim();
        let whole = format!("{place}/{verb}");
        if let Some((_, output)) = self.outputs.iter().find(|(command, _)| *command == whole) {
            return self.machine.fill(output);
        }
        if verb == "export" {
            let now = Machine::now("%Y-%m-%d %H:%M:%S");
            return format!(
                "# {now} by RouterOS 7.14.3\n# software id = 7T4J-XX1Q\n#\n# model = RB4011iGS+\n# serial number = \
                 B8E50C4D11A2\n{}",
                self.menus().export(&place)
            );
        }
        if place == "/system/clock" && verb == "print" {
            return Machine::now(
                "                  time: %H:%M:%S  \n                  date: %Y-%m-%d\n  time-zone-autodetect: yes\n\
                 \x20       time-zone-name: UTC\n            gmt-offset: +00:00\n",
            );
        }
        let error = |said: String| match said.strip_prefix("expected end of command (") {
            Some(name) => {
                let name = name.trim_end_matches(')');
                let at = line.find(&format!("{name}=")).unwrap_or(0) + 1;
                format!("expected end of command (line 1 column {at})\n")
            }
            None => format!("{said}\n"),
        };
        let mut menus = self.menus();
        let known = menus.is_menu(&place);
        let done = match verb.as_str() {
            "print" if known => return list(&menus, &place),
            "add" if known && !menus.is_single(&place) => menus.add(&place, properties(rest)),
            "set" if known => menus.set(&place, &which(rest), properties(&without_find(rest))),
            "remove" if known && !menus.is_single(&place) => menus.remove(&place, &which(rest)),
            "enable" | "disable" if known && !menus.is_single(&place) => {
                let disabled = if verb == "disable" { "yes" } else { "no" };
                menus.set(&place, &which(rest), vec![("disabled".to_owned(), disabled.to_owned())])
            }
            _ => return format!("bad command name {verb} (line 1 column {})\n", column + 1),
        };
        done.err().map(error).unwrap_or_default()
    }

    async fn session(&self, terminal: &mut Terminal, seat: &mut Seat) -> Result<(), Gone> {
        let mut editor = Editor::new(Style::Repainted);
        editor.helps = false;
        loop {
            let prompt = self.prompt(seat);
            match editor.read(terminal, &prompt).await? {
                Input::Line(line) => {
                    if !terminal.struck(&line).await? && !self.run(seat, terminal, &line).await? {
                        return Ok(());
                    }
                }
                Input::EndOfFile => return Ok(()),
                Input::Interrupt | Input::Suspend(_) | Input::Help(_) => terminal.put("\r\n\r"),
            }
        }
    }
}

/// What `[find …]`, numbers or a name choose.
fn which(rest: &str) -> Which {
    if let Some((_, inside)) = rest.split_once("[find") {
        return Which::Find(properties(inside.trim_end().trim_end_matches(']')));
    }
    let named = words(rest).into_iter().find_map(|(_, word)| match word.split_once('=') {
        Some(("numbers", names)) => Some(names.to_owned()),
        Some(_) => None,
        None => Some(word),
    });
    let names = named.unwrap_or_default();
    Which::Named(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn without_find(rest: &str) -> String {
    let Some((before, after)) = rest.split_once("[find") else {
        return words(rest)
            .into_iter()
            .filter(|(_, word)| !word.starts_with("numbers="))
            .map(|(_, word)| word + " ")
            .collect();
    };
    format!("{before} {}", after.split_once(']').map_or("", |(_, after)| after))
}

/// A menu as `print` shows it.
fn list(menus: &Menus, place: &str) -> String {
    let items = menus.items(place);
    if menus.is_single(place) {
        let item = items.first().cloned().unwrap_or_default();
        let wide = item.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
        return item.iter().map(|(name, value)| format!("{name:>wide$}: {value}\n")).collect();
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in items.iter().flatten() {
        if !names.contains(&name.as_str()) && !matches!(name.as_str(), "comment" | "disabled") {
            names.push(name);
        }
    }
    let value = |item: &menus::Item, name: &str| property(item, name).cloned().unwrap_or_default();
    let wide: Vec<usize> = names
        .iter()
        .map(|name| items.iter().map(|item| value(item, name).len()).max().unwrap_or(0).max(name.len()))
        .collect();
    let heads: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let mut text = format!("Flags: X - DISABLED\nColumns: {}\n", heads.join(", "));
    let row = |cells: Vec<String>| -> String {
        let cells: Vec<String> =
            cells.iter().zip(&wide).map(|(cell, &wide)| format!("{cell:<wide$}")).collect();
        cells.join("  ")
    };
    text.push_str(&format!("#   {}\n", row(heads.clone())));
    for (number, item) in items.iter().enumerate() {
        if let Some(comment) = property(item, "comment") {
            text.push_str(&format!(";;; {comment}\n"));
        }
        let flag =
            if property(item, "disabled").is_some_and(|disabled| disabled == "yes") { 'X' } else { ' ' };
        let cells = names.iter().map(|name| value(item, name)).collect();
        text.push_str(&format!("{number} {flag} {}\n", row(cells)));
    }
    text
}

#[async_trait]
impl Behaviour for MikrotikRouteros {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-ROSSSH",
            methods: &[MethodKind::Password],
            options: Some('+'),
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        let (name, options) = terminal.user.split_once('+').unwrap_or((terminal.user.as_str(), ""));
        let (name, options) = (name.to_owned(), options.to_owned());
        let mut number = String::new();
        for letter in options.chars() {
            match letter {
                '0'..='9' => number.push(letter),
                'w' => terminal.columns = std::mem::take(&mut number).parse().unwrap_or(terminal.columns),
                'h' => terminal.rows = std::mem::take(&mut number).parse().unwrap_or(terminal.rows),
                _ => number.clear(),
            }
        }
        if !options.contains('t') {
            // Who are you, and how big? Answers are keys that mean nothing.
            terminal.put("\x1bZ  \x08\x08\x1b[9999C\x1b[6n\r");
        }
        terminal.put(&LOGO.replace('\n', "\r\n\r"));
        if self.machine.setup.disclaimer.is_some() {
            let key = one_key(terminal, "Do you want to see the software license? [Y/n]: ").await?;
            terminal.put("\r\n\r");
            if !matches!(key, Key::Byte(b'n' | b'N')) {
                let text = self.machine.setup.disclaimer.clone().unwrap_or_default();
                self.print(terminal, &text).await?;
            } else if terminal.typed_ahead() {
                // The question takes one key; an enter behind it belongs to it.
                terminal.key().await?;
            }
        }
        if terminal.shared.has(&Fault::NoPrompt) {
            terminal.forever().await?;
        }
        let mut seat = Seat { name, colours: !options.contains('c'), place: String::new() };
        match self.session(terminal, &mut seat).await {
            Err(Gone::Idle) => {
                terminal.say("\n\rsession inactive, logging out\n");
                terminal.flush().await
            }
            other => other,
        }
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        let name = terminal.user.split('+').next().unwrap_or_default().to_owned();
        let mut seat = Seat { name, colours: false, place: String::new() };
        self.run(&mut seat, terminal, command).await?;
        Ok(Some(0))
    }

    fn running(&self) -> String {
        self.menus().export("")
    }
}
