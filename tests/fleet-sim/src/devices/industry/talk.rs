//! A session on the common command line.

use super::super::Fault;
use super::super::editor::{Editor, Input};
use super::super::filter::Filter;
use super::super::grammar::Meant;
use super::super::terminal::{Gone, Terminal};
use super::configure;
use super::dialect::{Dialect, Do, Next, Seat, View};

/// Talks to a person at a terminal.
pub(crate) async fn shell<D: Dialect>(dialect: &D, terminal: &mut Terminal) -> Result<(), Gone> {
    terminal.columns = dialect.columns(terminal);
    let greeting = dialect.greeting(terminal);
    terminal.say(&greeting);
    if terminal.shared.has(&Fault::NoPrompt) {
        terminal.forever().await?;
    }
    match session(dialect, terminal).await {
        Err(Gone::Idle) => {
            terminal.say(dialect.idle());
            terminal.flush().await
        }
        other => other,
    }
}

async fn session<D: Dialect>(dialect: &D, terminal: &mut Terminal) -> Result<(), Gone> {
    if !dialect.welcome(terminal).await? {
        return Ok(());
    }
    let mut editor = Editor::new(dialect.style());
    let mut seat = new_seat(dialect, terminal);
    let mut left: Option<String> = None;
    loop {
        let prompt = dialect.prompt(&seat);
        let input = match left.take() {
            Some(text) => {
                terminal.say(&prompt);
                editor.go_on(terminal, &prompt, text).await?
            }
            None => editor.read(terminal, &prompt).await?,
        };
        match input {
            Input::Line(line) => {
                if terminal.struck(&line).await? {
                    continue;
                }
                if line.trim() == "show history" {
                    editor.history().iter().for_each(|line| terminal.say(&format!("  {line}\n")));
                } else if run(dialect, &mut seat, terminal, &line).await? == Next::Logout {
                    return Ok(());
                }
            }
            Input::Interrupt => {
                if seat.configuring && dialect.interrupt_leaves() {
                    dialect.leave(&mut seat, terminal).await?;
                }
                terminal.say("^C\n");
            }
            Input::Suspend(text) => {
                terminal.say("^Z\n");
                if seat.configuring {
                    if !text.trim().is_empty() {
                        run(dialect, &mut seat, terminal, &text).await?;
                    }
                    dialect.leave(&mut seat, terminal).await?;
                }
            }
            Input::EndOfFile => {
                terminal.put("\r\n");
                if run(dialect, &mut seat, terminal, "exit").await? == Next::Logout {
                    return Ok(());
                }
            }
            Input::Help(text) => {
                terminal.put("\r\n");
                help(dialect, &seat, terminal, &text);
                left = Some(text);
            }
        }
    }
}

fn new_seat<D: Dialect>(dialect: &D, terminal: &Terminal) -> Seat {
    Seat { privileged: dialect.machine().setup.privileged, user: terminal.user.clone(), ..Seat::default() }
}

/// Runs one command without a terminal.
pub(crate) async fn exec<D: Dialect>(
    dialect: &D,
    command: &str,
    terminal: &mut Terminal,
) -> Result<Option<u32>, Gone> {
    let mut seat = new_seat(dialect, terminal);
    (seat.length, seat.batch) = (Some(0), true);
    terminal.put("\r\n");
    run(dialect, &mut seat, terminal, command).await?;
    Ok(Some(0))
}

fn help<D: Dialect>(dialect: &D, seat: &Seat, terminal: &mut Terminal, text: &str) {
    let grammar = match seat.configuring {
        true => dialect.lines(seat.mode()),
        false => Some(dialect.commands(seat.privileged)),
    };
    let nexts = grammar.map(|grammar| grammar.nexts(text)).unwrap_or_default();
    if nexts.is_empty() {
        terminal.say("% Unrecognized command\n");
    }
    nexts.iter().for_each(|next| terminal.say(&format!("  {next}\n")));
    terminal.put("\r\n");
}

/// Does what a line says.
pub(crate) async fn run<D: Dialect>(
    dialect: &D,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
) -> Result<Next, Gone> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('!') {
        return Ok(Next::Prompt);
    }
    if seat.configuring {
        return configure::run(dialect, seat, terminal, line).await;
    }
    command(dialect, seat, terminal, line).await
}

/// Does what a line of user or privileged mode says.
pub(crate) async fn command<D: Dialect>(
    dialect: &D,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
) -> Result<Next, Gone> {
    let (command, filters) = line.split_once('|').map_or((line, None), |(line, rest)| (line, Some(rest)));
    let meant = match dialect.commands(seat.privileged).resolve(command) {
        Ok(meant) => meant,
        Err(refusal) => {
            let said = dialect.refuse(seat, command, &refusal);
            terminal.say(&said);
            return Ok(Next::Prompt);
        }
    };
    if let Some(text) = output(dialect, seat, &meant) {
        let mut text = text;
        for filter in filters.into_iter().flat_map(|filters| split_filters(filters)) {
            match dialect.filter(filter.trim()) {
                Ok(filter) => text = filter.apply(&text),
                Err(said) => {
                    terminal.say(&said);
                    return Ok(Next::Prompt);
                }
            }
        }
        let before = dialect.before(seat);
        terminal.say(&before);
        let rows = seat.length.unwrap_or_else(|| dialect.rows(terminal));
        dialect.pager().print(terminal, &text, rows).await?;
        return Ok(Next::Prompt);
    }
    act(dialect, seat, terminal, &meant).await
}

/// Filters behind each other; a `|` in quotes or right before a letter is part of a pattern.
fn split_filters(text: &str) -> Vec<&str> {
    let mut filters = Vec::new();
    let mut begin = 0;
    let mut quoted = false;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'|' if !quoted && bytes.get(at.wrapping_sub(1)) == Some(&b' ') => {
                filters.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    filters.push(&text[begin..]);
    filters
}

/// The text that a command prints, if printing is all that it does.
pub(crate) fn output<D: Dialect>(dialect: &D, seat: &Seat, meant: &Meant<Do>) -> Option<String> {
    let machine = dialect.machine();
    match meant.meaning {
        Do::Say(text) => Some(machine.fill(text)),
        Do::Show(show) => Some(show(&View { machine, seat, words: &meant.words })),
        _ => None,
    }
}

/// Does what is more than printing.
pub(crate) async fn act<D: Dialect>(
    dialect: &D,
    seat: &mut Seat,
    terminal: &mut Terminal,
    meant: &Meant<Do>,
) -> Result<Next, Gone> {
    match meant.meaning {
        Do::Nothing | Do::Say(_) | Do::Show(_) | Do::Set | Do::Enter(_) => {}
        Do::Length => seat.length = meant.last().parse().ok(),
        Do::Width => {
            if let Some(columns) = meant.last().parse().ok().filter(|columns| *columns > 0) {
                terminal.columns = columns;
            }
        }
        Do::Enable => {
            if !seat.privileged {
                seat.privileged =
                    dialect.machine().setup.enable.is_none() || dialect.enable(terminal).await?;
            }
        }
        Do::Disable => seat.privileged = false,
        Do::Configure => {
            terminal.say(dialect.entering());
            seat.configuring = true;
        }
        Do::Exit if seat.configuring && !seat.path.is_empty() => {
            seat.path.pop();
        }
        Do::Exit | Do::End if seat.configuring => {
            dialect.leave(seat, terminal).await?;
        }
        Do::Exit | Do::Logout => {
            if dialect.logout(seat, terminal).await? {
                return Ok(Next::Logout);
            }
        }
        Do::End => {}
        Do::Special(what) => return dialect.special(what, meant, seat, terminal).await,
    }
    Ok(Next::Prompt)
}

/// Asks a question that a line answers; ctrl-c is `None`.
pub(crate) async fn ask<D: Dialect>(
    dialect: &D,
    terminal: &mut Terminal,
    question: &str,
) -> Result<Option<String>, Gone> {
    let mut editor = Editor::new(dialect.style());
    editor.helps = false;
    match editor.read(terminal, question).await? {
        Input::Line(line) => Ok(Some(line)),
        _ => Ok(None),
    }
}

/// The filters that nearly all of them have: `include`, `exclude`, `begin`, `section`, `count`, `last`, `no-more`.
pub(crate) fn usual_filter(text: &str) -> Option<Filter> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let short = |full: &str| !name.is_empty() && full.starts_with(name);
    if short("no-more") {
        return Some(Filter::NoMore);
    }
    if short("last") {
        return rest.trim().parse().ok().map(Filter::Last);
    }
    if short("count") && rest.is_empty() {
        return Filter::pattern(".").map(Filter::Count);
    }
    if rest.trim().is_empty() {
        return None;
    }
    let pattern = Filter::pattern(rest)?;
    match () {
        () if short("include") || name == "grep" || name == "egrep" => Some(Filter::Include(pattern)),
        () if short("exclude") => Some(Filter::Exclude(pattern)),
        () if short("begin") => Some(Filter::Begin(pattern)),
        () if short("section") => Some(Filter::Section(pattern)),
        () if short("count") => Some(Filter::Count(pattern)),
        () => None,
    }
}
