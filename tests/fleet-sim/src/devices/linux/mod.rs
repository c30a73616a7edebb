//! A Linux server: Debian 12 with bash, as far as a small set of commands goes.
//!
//! It has what no network device has: exit statuses, standard error, files that anybody may change, a prompt that a
//! person coloured, and bracketed paste around each line (bash 5.2, readline 8.2; `sudo(8)`).

mod commands;
mod files;
mod syntax;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use russh::MethodKind;

use super::behaviour::{Behaviour, Login};
use super::editor::{Editor, Input, Style, secret};
use super::machine::Machine;
use super::terminal::{Gone, Terminal};
use super::{Fault, Setup};
use commands::Ran;
use files::Files;
use syntax::{Joined, Pipeline};

/// A Linux server.
pub(crate) struct Linux {
    machine: Machine,
    files: Mutex<Files>,
}

/// What one shell remembers.
#[derive(Debug, Clone)]
struct Seat {
    user: String,
    /// Root shells that were opened by `sudo -s`, one in another.
    roots: usize,
    directory: String,
    status: u32,
    /// `sudo` knows the user already.
    trusted: bool,
    tty: bool,
}

impl Seat {
    fn new(user: &str, tty: bool) -> Self {
        let directory = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
        Self { user: user.to_owned(), roots: 0, directory, status: 0, trusted: false, tty }
    }

    fn who(&self) -> &str {
        if self.roots > 0 { "root" } else { &self.user }
    }

    fn home(&self) -> String {
        if self.who() == "root" { "/root".to_owned() } else { format!("/home/{}", self.user) }
    }
}

/// What follows a line.
#[derive(PartialEq, Eq)]
enum Next {
    Prompt,
    /// The session ends.
    Logout,
}

impl Linux {
    pub(crate) fn new(setup: &Setup) -> Self {
        let machine = Machine::new(setup, "hostname {hostname}\n");
        let files = Mutex::new(Files::new(&setup.hostname, &setup.user));
        Self { machine, files }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prompt(&self, seat: &Seat, coloured: bool) -> String {
        let name = self.machine.hostname();
        let home = seat.home();
        let place = match seat.directory.strip_prefix(&home) {
            Some(rest) => format!("~{rest}"),
            None => seat.directory.clone(),
        };
        let (who, mark) = (seat.who(), if seat.who() == "root" { '#' } else { '$' });
        match coloured {
            true => format!("\x1b[01;32m{who}@{name}\x1b[00m:\x1b[01;34m{place}\x1b[00m{mark} "),
            false => format!("{who}@{name}:{place}{mark} "),
        }
    }

    async fn session(&self, terminal: &mut Terminal) -> Result<u32, Gone> {
        let mut seat = Seat::new(&terminal.user.clone(), true);
        let coloured = terminal.screen().term.contains("color");
        let mut editor = Editor::new(Style::Wrapping);
        editor.helps = false;
        loop {
            // Readline turns bracketed paste on around each line that it reads.
            terminal.put("\x1b[?2004h");
            let prompt = self.prompt(&seat, coloured);
            let input = editor.read(terminal, &prompt).await?;
            if !matches!(input, Input::Line(_)) {
                terminal.put(if input == Input::Interrupt { "^C\r\n" } else { "\r\n" });
            }
            terminal.put("\x1b[?2004l\r");
            match input {
                Input::Line(line) => {
                    if terminal.struck(&line).await? {
                        continue;
                    }
                    if self.line(&mut seat, terminal, &line).await? == Next::Logout {
                        return Ok(seat.status);
                    }
                }
                Input::Interrupt => seat.status = 130,
                Input::EndOfFile => {
                    if self.line(&mut seat, terminal, "exit").await? == Next::Logout {
                        return Ok(seat.status);
                    }
                }
                Input::Suspend(_) | Input::Help(_) => {}
            }
        }
    }

    /// Runs a line of commands.
    async fn line(&self, seat: &mut Seat, terminal: &mut Terminal, line: &str) -> Result<Next, Gone> {
        let joined = match syntax::parse(line, seat.status, seat.who(), &seat.home()) {
            Ok(joined) => joined,
            Err(said) => {
                seat.status = 2;
                self.say(terminal, seat, "", &said).await?;
                return Ok(Next::Prompt);
            }
        };
        for (join, pipeline) in joined {
            let skip = match join {
                Joined::Always => false,
                Joined::IfFine => seat.status != 0,
                Joined::IfNot => seat.status == 0,
            };
            if skip {
                continue;
            }
            if self.pipeline(seat, terminal, &pipeline).await? == Next::Logout {
                return Ok(Next::Logout);
            }
        }
        Ok(Next::Prompt)
    }

    async fn say(&self, terminal: &mut Terminal, seat: &Seat, out: &str, err: &str) -> Result<(), Gone> {
        if seat.tty {
            terminal.say(out);
            terminal.say(err);
            return Ok(());
        }
        terminal.put(out);
        if !err.is_empty() {
            terminal.error(err).await?;
        }
        Ok(())
    }

    async fn pipeline(
        &self,
        seat: &mut Seat,
        terminal: &mut Terminal,
        pipeline: &Pipeline,
    ) -> Result<Next, Gone> {
        let mut input = String::new();
        for (at, command) in pipeline.commands.iter().enumerate() {
            let mut words = command.words.clone();
            let mut seen = seat.clone();
            if words.first().is_some_and(|word| word == "sudo") {
                words.remove(0);
                words.retain(|word| word != "-n");
                if !self.sudo(seat, terminal).await? {
                    seat.status = 1;
                    return Ok(Next::Prompt);
                }
                if matches!(words.first().map(String::as_str), None | Some("-s" | "-i" | "su")) {
                    seat.roots += 1;
                    return Ok(Next::Prompt);
                }
                seen.roots += 1;
            }
            let first = words.first().map_or("", String::as_str);
            match first {
                "exit" | "logout" if seat.roots > 0 => {
                    seat.roots -= 1;
                    if seat.tty {
                        terminal.say("exit\n");
                    }
                    return Ok(Next::Prompt);
                }
                "exit" | "logout" => {
                    seat.status = words.get(1).and_then(|status| status.parse().ok()).unwrap_or(seat.status);
                    if seat.tty {
                        terminal.say("logout\n");
                    }
                    return Ok(Next::Logout);
                }
                "sleep" => {
                    let time: f64 = words.get(1).and_then(|time| time.parse().ok()).unwrap_or(0.0);
                    let stopped = terminal.pause(Duration::from_secs_f64(time.clamp(0.0, 3600.0))).await?;
                    seat.status = if stopped { 130 } else { 0 };
                    if stopped {
                        terminal.say("^C\n");
                    }
                    continue;
                }
                "cd" => {
                    let to = words.get(1).cloned().unwrap_or_else(|| seat.home());
                    let to = files::absolute(&seat.directory, &to);
                    seat.status = u32::from(!self.files().is_directory(&to));
                    if seat.status == 0 {
                        seat.directory = to;
                    } else {
                        let said = format!("bash: cd: {}: No such file or directory\n", words[1]);
                        self.say(terminal, seat, "", &said).await?;
                    }
                    continue;
                }
                _ => {}
            }
            let Ran { mut out, err, status } = commands::run(self, &seen, &words, &input);
            seat.status = status;
            if let Some((file, append)) = &command.into {
                let path = files::absolute(&seat.directory, file);
                let written = self.files().write(seen.who(), &path, &out, *append);
                out.clear();
                if let Err(said) = written {
                    seat.status = 1;
                    self.say(terminal, seat, "", &format!("bash: {file}: {said}\n")).await?;
                }
            }
            self.say(terminal, seat, "", &err).await?;
            input = out;
            if at + 1 == pipeline.commands.len() {
                let out = std::mem::take(&mut input);
                self.say(terminal, seat, &out, "").await?;
            }
        }
        Ok(Next::Prompt)
    }

    /// Whether the user may do something as root.
    async fn sudo(&self, seat: &mut Seat, terminal: &mut Terminal) -> Result<bool, Gone> {
        let Some(password) = self.machine.setup.enable.clone() else { return Ok(true) };
        if seat.trusted || seat.who() == "root" {
            return Ok(true);
        }
        if !seat.tty {
            let said = "sudo: a terminal is required to read the password; either use the -S option to read from \
                        standard input or configure an askpass helper\nsudo: a password is required\n";
            self.say(terminal, seat, "", said).await?;
            return Ok(false);
        }
        for attempt in 1..=3 {
            match secret(terminal, &format!("[sudo] password for {}: ", seat.user)).await? {
                Some(given) if given == password => {
                    seat.trusted = true;
                    return Ok(true);
                }
                Some(_) if attempt < 3 => terminal.say("Sorry, try again.\n"),
                Some(_) => terminal.say("sudo: 3 incorrect password attempts\n"),
                None => {
                    terminal.say("\nsudo: a password is required\n");
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }
}

#[async_trait]
impl Behaviour for Linux {
    fn login(&self) -> Login {
        Login {
            server_id: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
            methods: &[MethodKind::Password],
            tries: 6,
            ..Login::default()
        }
    }

    async fn shell(&self, terminal: &mut Terminal) -> Result<(), Gone> {
        terminal.joins_crlf = false;
        let motd = self.machine.setup.disclaimer.as_deref().unwrap_or(
            "\nThe programs included with the Debian GNU/Linux system are free software;\n\
             the exact distribution terms for each program are described in the\n\
             individual files in /usr/share/doc/*/copyright.\n\n\
             Debian GNU/Linux comes with ABSOLUTELY NO WARRANTY, to the extent\n\
             permitted by applicable law.",
        );
        terminal.say(&self.machine.fill(&format!(
            "Linux {{hostname}} 6.1.0-25-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.106-3 (2024-08-26) x86_64\n{motd}\n\
             Last login: {{now %a %b %e %H:%M:%S %Y}} from 192.0.2.50\n"
        )));
        if terminal.shared.has(&Fault::NoPrompt) {
            terminal.forever().await?;
        }
        match self.session(terminal).await {
            Err(Gone::Idle) => {
                terminal.say("\x07timed out waiting for input: auto-logout\n");
                terminal.flush().await
            }
            other => other.map(|_| ()),
        }
    }

    async fn exec(&self, command: &str, terminal: &mut Terminal) -> Result<Option<u32>, Gone> {
        let mut seat = Seat::new(&terminal.user.clone(), terminal.is_terminal());
        for line in command.lines() {
            if self.line(&mut seat, terminal, line).await? == Next::Logout {
                break;
            }
        }
        Ok(Some(seat.status))
    }

    fn running(&self) -> String {
        self.files().list()
    }
}
