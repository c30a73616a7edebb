//! Juniper Junos 20.4 on an EX4300.
//!
//! Operational and configuration mode; a candidate that all sessions share, unless one asked for its own;
//! `{master:0}` above every prompt, since the switch could have company; words are completed at blanks, until
//! `set cli complete-on-space off`; enter shows a blank (Junos OS CLI User Guide: "Using the Junos OS CLI",
//! "Commit a Device Configuration", "Using the Junos OS Pipe Filter Functions").

mod configure;
mod operate;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use russh::MethodKind;

use super::behaviour::{Behaviour, Login};
use super::editor::{Editor, Input, Style};
use super::filter::Filter;
use super::grammar::{Grammar, Refusal};
use super::machine::Machine;
use super::pager::Pager;
use super::statements::{Braces, Schema, Statements};
use super::terminal::{Gone, Terminal};
use super::{Fault, Setup};

const BRACES: Braces = Braces { indent: 4 };

/// A device with Junos.
pub(crate) struct JuniperJunos {
    machine: Machine,
    schema: Arc<Schema>,
    commands: Arc<Grammar<operate::Do>>,
    configs: Mutex<Configs>,
}

/// What is in force, what is pending, and what was.
struct Configs {
    active: Statements,
    candidate: Statements,
    history: Vec<Statements>,
    /// How many sessions edit the shared candidate.
    editors: usize,
}

/// What one session remembers.
#[derive(Default)]
struct Seat {
    user: String,
    mode: Mode,
    /// Where `edit` went.
    place: Vec<String>,
    /// Lines on a page, as the user set them.
    length: Option<usize>,
    spells_out: bool,
    /// A candidate of this session's own.
    private: Option<Statements>,
    /// This session changed the shared candidate.
    changed: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A Unix shell, where root lands.
    Shell,
    #[default]
    Operational,
    Configuration,
}

/// What follows a line.
#[derive(PartialEq, Eq)]
enum Next {
    Prompt,
    Logout,
}

impl JuniperJunos {
    pub(crate) fn new(setup: &Setup) -> Self {
        let schema = Schema::read(include_str!("schema.txt"), &[]);
        let text =
            include_str!("running.set").replace("{hostname}", &setup.hostname).replace("{user}", &setup.user);
        let active = schema.parse(&text);
        Self {
            machine: Machine::new(setup, "hostname {hostname}\n"),
            schema: Arc::new(schema),
            commands: Arc::new(operate::commands()),
            configs: Mutex::new(Configs {
                candidate: active.clone(),
                active,
                history: Vec::new(),
                editors: 0,
            }),
        }
    }

    fn configs(&self) -> MutexGuard<'_, Configs> {
        self.configs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prompt(&self, seat: &Seat) -> String {
        let (user, name) = (&seat.user, self.machine.hostname());
        match seat.mode {
            Mode::Shell => format!("{user}@{name}:RE:0% "),
            Mode::Operational => format!("\n{{master:0}}\n{user}@{name}> "),
            Mode::Configuration => {
                let blank = if seat.place.is_empty() { "" } else { " " };
                format!("\n{{master:0}}[edit{blank}{}]\n{user}@{name}# ", seat.place.join(" "))
            }
        }
    }

    async fn session(&self, terminal: &mut Terminal, seat: &mut Seat) -> Result<(), Gone> {
        let mut editor = Editor::new(Style::Junos);
        loop {
            editor.completer = match (seat.mode, seat.spells_out) {
                (Mode::Shell, _) | (_, true) => None,
                (Mode::Operational, false) => {
                    let commands = Arc::clone(&self.commands);
                    Some(Arc::new(move |line: &str| commands.complete(line)))
                }
                (Mode::Configuration, false) => Some(configure::completer(&self.schema, &seat.place)),
            };
            let prompt = self.prompt(seat);
            match editor.read(terminal, &prompt).await? {
                Input::Line(line) => {
                    if terminal.struck(&line).await? {
                        continue;
                    }
                    if self.run(seat, terminal, &line).await? == Next::Logout {
                        return Ok(());
                    }
                }
                Input::Interrupt => terminal.say("^C\n"),
                Input::Suspend(_) => terminal.say("\n"),
                Input::EndOfFile => {
                    terminal.say("\n");
                    if self.run(seat, terminal, "exit").await? == Next::Logout {
                        return Ok(());
                    }
                }
                Input::Help(text) => {
                    let nexts = match seat.mode {
                        Mode::Operational => self.commands.nexts(&text),
                        _ => Vec::new(),
                    };
                    terminal.say("\nPossible completions:\n");
                    nexts.iter().for_each(|next| terminal.say(&format!("  {next}\n")));
                }
            }
        }
    }

    async fn run(&self, seat: &mut Seat, terminal: &mut Terminal, line: &str) -> Result<Next, Gone> {
        if line.trim().is_empty() {
            return Ok(Next::Prompt);
        }
        match seat.mode {
            Mode::Shell => match line.trim() {
                "cli" => {
                    seat.mode = Mode::Operational;
                    Ok(Next::Prompt)
                }
                "exit" | "logout" => Ok(Next::Logout),
                other => {
                    let word = other.split_whitespace().next().unwrap_or_default();
                    terminal.say(&format!("{word}: Command not found.\n"));
                    Ok(Next::Prompt)
                }
            },
            Mode::Operational => operate::run(self, seat, terminal, line, 0).await,
            Mode::Configuration => configure::run(self, seat, terminal, line).await,
        }
    }

    /// Says what is wrong with a line; `offset` is where the part that was looked at begins.
    fn refuse(&self, seat: &Seat, terminal: &mut Terminal, offset: usize, line: &str, refusal: &Refusal) {
        let prompt = self.prompt(seat);
        let width = prompt.rsplit('\n').next().map_or(0, str::len);
        let caret = |column: usize| format!("{}^\n", " ".repeat(width + offset + column));
        let said = match refusal {
            Refusal::Invalid { column: 0, .. } if offset == 0 => format!("{}unknown command.\n", caret(0)),
            Refusal::Invalid { column, .. } if seat.mode == Mode::Operational => {
                format!("{}syntax error, expecting <command>.\n", caret(*column))
            }
            Refusal::Invalid { column, .. } => format!("{}syntax error.\n", caret(*column)),
            Refusal::Ambiguous { column, word } => {
                format!("{}'{word}' is ambiguous.\n", caret(*column))
            }
            Refusal::Incomplete { .. } if seat.mode == Mode::Operational => {
                format!("{}syntax error, expecting <command>.\n", caret(line.trim_end().len()))
            }
            Refusal::Incomplete { .. } => format!("{}missing argument.\n", caret(line.trim_end().len())),
        };
        terminal.say(&said);
    }

    /// Prints an output through its filters and the pager.
    async fn print(
        &self,
        seat: &Seat,
        terminal: &mut Terminal,
        mut text: String,
        filters: Option<&str>,
    ) -> Result<(), Gone> {
        let mut rows = seat.length.unwrap_or(if terminal.is_terminal() { terminal.rows } else { 0 });
        for filter in filters.into_iter().flat_map(|filters| filters.split(" | ")) {
            let (name, rest) = filter.trim().split_once(' ').unwrap_or((filter.trim(), ""));
            let pattern = Filter::pattern(rest).filter(|_| !rest.trim().is_empty());
            text = match (name, pattern) {
                ("no-more", _) => {
                    rows = 0;
                    text
                }
                ("match", Some(pattern)) => Filter::Include(pattern).apply(&text),
                ("except", Some(pattern)) => Filter::Exclude(pattern).apply(&text),
                ("find", Some(pattern)) => Filter::Begin(pattern).apply(&text),
                ("last", _) => Filter::Last(rest.trim().parse().unwrap_or(10)).apply(&text),
                ("count", _) => format!("Count: {} lines\n", text.lines().count()),
                _ => "syntax error.\n".to_owned(),
            };
        }
        PAGER.print(terminal, &text, rows).await.map(|_| ())
    }

    /// Leaves a candidate that others may still edit.
    fn put_down(&self, seat: &mut Seat) {
        if seat.mode == Mode::Configuration && seat.private.is_none() {
            self.configs().editors -= 1;
        }
        seat.private = None;
        (seat.mode, seat.changed) = (Mode::Operational, false);
        seat.place.clear();
    }
}

const PAGER: Pager = Pager {
    more: "---(more {percent}%)---",
    erase: "\r                                        \r",
    less: 0,
    quits: &[],
    quit_text: "",
    any_key_quits: false,
    at_end: Some("---(more 100%)---"),
};

#[async_trait]
impl Behaviour for JuniperJunos {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-OpenSSH_7.5",
            methods: &[MethodKind::Password, MethodKind::KeyboardInteractive],
            question: "Password:",
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        let motd = match &self.machine.setup.disclaimer {
            Some(text) => format!("{text}\n"),
            None => String::new(),
        };
        terminal.say(&self.machine.fill(&format!(
            "Last login: {{now %a %b %e %H:%M:%S %Y}} from 192.0.2.50\n\
             --- JUNOS 20.4R3.8 Kernel 32-bit  JNPR-12.1-20210918.fc4e7b4_buil\n{motd}"
        )));
        if terminal.shared.has(&Fault::NoPrompt) {
            terminal.forever().await?;
        }
        let mut seat = Seat { user: terminal.user.clone(), ..Seat::default() };
        if seat.user == "root" {
            seat.mode = Mode::Shell;
        }
        let ended = self.session(terminal, &mut seat).await;
        self.put_down(&mut seat);
        match ended {
            Err(Gone::Idle) => {
                terminal.say("Warning: session will be closed due to inactivity\nidle timeout reached: closing session\n");
                terminal.flush().await
            }
            other => other,
        }
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        let mut seat = Seat { user: terminal.user.clone(), length: Some(0), ..Seat::default() };
        self.run(&mut seat, terminal, command).await?;
        Ok(Some(0))
    }

    fn running(&self) -> String {
        self.configs().active.as_set(&[])
    }

    fn pending(&self) -> Option<String> {
        let configs = self.configs();
        (configs.candidate != configs.active).then(|| configs.candidate.compare(&configs.active, BRACES))
    }
}
