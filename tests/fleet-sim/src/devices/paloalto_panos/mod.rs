//! Palo Alto Networks PAN-OS 10.1 on a PA-220.
//!
//! Logins by `keyboard-interactive`; operational and configuration mode with one candidate for all; each word that is
//! finished has the line shown again, until `set cli scripting-mode on`; `[edit]` fills a whole row; a commit is a job
//! whose progress is shown (PAN-OS CLI Quick Start 10.1: "Use the CLI", "Commit Configuration Changes", "Modify the
//! Configuration").

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
use super::statements::{Braces, Schema, Statement, Statements};
use super::terminal::{Gone, Terminal};
use super::{Fault, Setup};

const BRACES: Braces = Braces { indent: 2 };

/// A device with PAN-OS.
pub(crate) struct PaloaltoPanos {
    machine: Machine,
    schema: Arc<Schema>,
    commands: Arc<Grammar<operate::Do>>,
    configs: Mutex<Configs>,
}

/// What is in force, what is pending and by whom, and the number of the next job.
struct Configs {
    active: Statements,
    candidate: Statements,
    edits: Vec<(String, Edit)>,
    job: u32,
}

/// One change of the candidate.
#[derive(Debug, Clone)]
enum Edit {
    Set(Statement),
    Delete(Vec<String>),
}

impl Edit {
    /// False: there is nothing like that.
    fn make(&self, statements: &mut Statements) -> bool {
        match self {
            Self::Set(statement) => {
                statements.set(statement.clone());
                true
            }
            Self::Delete(words) => statements.delete(words),
        }
    }
}

impl Configs {
    fn edit(&mut self, user: &str, edit: Edit) -> bool {
        let made = edit.make(&mut self.candidate);
        if made {
            self.edits.push((user.to_owned(), edit));
        }
        made
    }

    /// What would be in force if this user's changes were committed; `None`: everybody's.
    fn with(&self, user: Option<&str>) -> Statements {
        let Some(user) = user else { return self.candidate.clone() };
        let mut statements = self.active.clone();
        for (_, edit) in self.edits.iter().filter(|(by, _)| by == user) {
            edit.make(&mut statements);
        }
        statements
    }

    /// This user's changes are pending no more, and the others' still are.
    fn settle(&mut self, user: Option<&str>) {
        self.edits.retain(|(by, _)| user.is_some_and(|user| by != user));
        self.candidate = self.active.clone();
        for (_, edit) in &self.edits {
            edit.make(&mut self.candidate);
        }
    }
}

/// What one session remembers.
#[derive(Default)]
struct Seat {
    user: String,
    configuring: bool,
    place: Vec<String>,
    scripting: bool,
    /// No pages, as the user set it.
    pager_off: bool,
    as_set: bool,
}

impl PaloaltoPanos {
    pub(crate) fn new(setup: &Setup) -> Self {
        let schema = Schema::read(include_str!("schema.txt"), &[]);
        let text =
            include_str!("running.set").replace("{hostname}", &setup.hostname).replace("{user}", &setup.user);
        let active = schema.parse(&text);
        Self {
            machine: Machine::new(setup, "hostname {hostname}\n"),
            schema: Arc::new(schema),
            commands: Arc::new(operate::commands()),
            configs: Mutex::new(Configs { candidate: active.clone(), active, edits: Vec::new(), job: 5 }),
        }
    }

    fn configs(&self) -> MutexGuard<'_, Configs> {
        self.configs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prompt(&self, seat: &Seat, terminal: &Terminal) -> String {
        let (user, name) = (&seat.user, self.machine.hostname());
        if !seat.configuring {
            return format!("{user}@{name}> ");
        }
        let blank = if seat.place.is_empty() { "" } else { " " };
        let edit = format!("[edit{blank}{}]", seat.place.join(" "));
        // Readline paints the row above the prompt to its end.
        let pad = if seat.scripting { 0 } else { terminal.columns.saturating_sub(edit.len()) };
        format!("{edit}{}\n{user}@{name}# ", " ".repeat(pad))
    }

    async fn session(&self, terminal: &mut Terminal, seat: &mut Seat) -> Result<(), Gone> {
        let mut editor = Editor::new(Style::Words);
        loop {
            editor.helps = !seat.scripting;
            editor.completer = match (seat.scripting, seat.configuring) {
                (true, _) => None,
                (false, false) => {
                    let commands = Arc::clone(&self.commands);
                    Some(Arc::new(move |line: &str| commands.complete(line)))
                }
                (false, true) => Some(configure::completer(&self.schema, &seat.place)),
            };
            let prompt = self.prompt(seat, terminal);
            match editor.read(terminal, &prompt).await? {
                Input::Line(line) => {
                    if !terminal.struck(&line).await? && !self.run(seat, terminal, &line).await? {
                        return Ok(());
                    }
                }
                Input::Interrupt => terminal.say("^C\n"),
                Input::Suspend(_) => terminal.say("\n"),
                Input::EndOfFile => return Ok(()),
                Input::Help(text) => {
                    terminal.put("\r\n");
                    let nexts = if seat.configuring { Vec::new() } else { self.commands.nexts(&text) };
                    nexts.iter().for_each(|next| terminal.say(&format!("> {next}\n")));
                    terminal.put("\r\n");
                }
            }
        }
    }

    /// Does what a line says. False: the session ends.
    async fn run(&self, seat: &mut Seat, terminal: &mut Terminal, line: &str) -> Result<bool, Gone> {
        match (line.trim().is_empty(), seat.configuring) {
            (true, _) => Ok(true),
            (false, true) => {
                configure::run(self, seat, terminal, line.trim()).await?;
                terminal.put("\r\n");
                Ok(true)
            }
            (false, false) => operate::run(self, seat, terminal, line.trim()).await,
        }
    }

    fn refuse(terminal: &mut Terminal, line: &str, refusal: &Refusal) {
        match refusal {
            Refusal::Invalid { column: 0, .. } => {
                let word = line.split_whitespace().next().unwrap_or_default();
                terminal.say(&format!("Unknown command: {word}\n"));
            }
            Refusal::Incomplete { .. } => terminal.say("Incomplete command. Please press ? for help\n"),
            _ => terminal.say("Invalid syntax.\n"),
        }
    }

    async fn print(
        &self,
        seat: &Seat,
        terminal: &mut Terminal,
        mut text: String,
        filter: Option<&str>,
    ) -> Result<(), Gone> {
        if let Some(filter) = filter {
            let (name, rest) = filter.trim().split_once(' ').unwrap_or((filter.trim(), ""));
            text = match (name, Filter::pattern(rest)) {
                ("match", Some(pattern)) => Filter::Include(pattern).apply(&text),
                ("except", Some(pattern)) => Filter::Exclude(pattern).apply(&text),
                _ => "Invalid syntax.\n".to_owned(),
            };
        }
        let rows = if seat.pager_off || !terminal.is_terminal() { 0 } else { terminal.rows };
        PAGER.print(terminal, &text, rows).await.map(|_| ())
    }
}

const PAGER: Pager = Pager {
    more: "\x1b[7mlines {first}-{last} \x1b[27m\x1b[K",
    erase: "\r\x1b[K",
    less: 0,
    quits: &[],
    quit_text: "",
    any_key_quits: false,
    at_end: Some("\x1b[7m(END) \x1b[27m\x1b[K"),
};

#[async_trait]
impl Behaviour for PaloaltoPanos {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-OpenSSH_8.0",
            methods: &[MethodKind::KeyboardInteractive],
            question: "Password: ",
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        if let Some(text) = self.machine.setup.disclaimer.clone() {
            terminal.say(&format!("{text}\n"));
            let mut editor = Editor::new(Style::Wrapping);
            editor.helps = false;
            let asked = "Do you accept and acknowledge the statement above ? (yes/no) : ";
            match editor.read(terminal, asked).await? {
                Input::Line(answer) if answer.trim() == "yes" => {}
                _ => return Ok(()),
            }
        }
        terminal.say(&self.machine.fill(
            "Last login: {now %a %b %e %H:%M:%S %Y} from 192.0.2.50\n\n\nNumber of failed attempts since last \
             successful login: 0\n\n\n",
        ));
        if terminal.shared.has(&Fault::NoPrompt) {
            terminal.forever().await?;
        }
        let mut seat = Seat { user: terminal.user.clone(), ..Seat::default() };
        match self.session(terminal, &mut seat).await {
            Err(Gone::Idle) => {
                terminal.say("\nSession timed out.\n");
                terminal.flush().await
            }
            other => other,
        }
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        // Without a terminal the firewall reads its commands from the input alone.
        let _ = (command, &self.machine);
        terminal.say("Command line is not allowed.\n");
        Ok(Some(1))
    }

    fn running(&self) -> String {
        self.configs().active.as_set(&[])
    }

    fn pending(&self) -> Option<String> {
        let configs = self.configs();
        (configs.candidate != configs.active).then(|| configs.candidate.compare(&configs.active, BRACES))
    }
}
