//! Configuration mode: a candidate, and what makes it the configuration.

use std::sync::Arc;

use super::super::editor::{Completer, Editor, Input, Style};
use super::super::grammar::Refusal;
use super::super::statements::{Schema, Statements};
use super::super::terminal::{Gone, Terminal};
use super::{BRACES, JuniperJunos, Mode, Next, Seat, operate};

/// Commits that are kept for `rollback`.
const KEPT: usize = 49;

const COMMANDS: [&str; 12] =
    ["annotate", "commit", "delete", "edit", "exit", "quit", "rollback", "run", "set", "show", "top", "up"];

/// Finishes words of configuration mode.
pub(super) fn completer(schema: &Arc<Schema>, place: &[String]) -> Completer {
    let (schema, place) = (Arc::clone(schema), place.join(" "));
    Arc::new(move |line: &str| {
        let Some((command, rest)) = line.split_once(' ') else {
            let mut fitting = COMMANDS.iter().filter(|command| command.starts_with(line));
            return match (fitting.next(), fitting.next()) {
                (Some(command), None) => Some(command[line.len()..].to_owned()),
                _ => None,
            };
        };
        match command {
            "set" | "delete" | "edit" | "show" => schema.grammar().complete(&joined(&place, rest).0),
            _ => None,
        }
    })
}

/// A line below a place, and by how much the place makes it longer.
fn joined(place: &str, rest: &str) -> (String, usize) {
    match place {
        "" => (rest.to_owned(), 0),
        place => (format!("{place} {rest}"), place.len() + 1),
    }
}

/// Does what a line says.
pub(super) async fn run(
    junos: &JuniperJunos,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
) -> Result<Next, Gone> {
    let body = line.trim_start();
    let (first, rest) = body.trim_end().split_once(' ').unwrap_or((body.trim_end(), ""));
    let rest = rest.trim_start();
    let offset = line.trim_end().len() - rest.len();
    let mut fitting = COMMANDS.iter().filter(|command| command.starts_with(first));
    let command = match (COMMANDS.iter().find(|command| **command == first), fitting.next(), fitting.next()) {
        (Some(exact), _, _) => exact,
        (None, Some(short), None) => short,
        (None, Some(_), Some(_)) => {
            junos.refuse(seat, terminal, 0, line, &Refusal::Ambiguous { column: 0, word: first.to_owned() });
            return Ok(Next::Prompt);
        }
        (None, None, _) => {
            let refusal = Refusal::Invalid { column: 0, matched: 0, word: first.to_owned() };
            junos.refuse(seat, terminal, 0, line, &refusal);
            return Ok(Next::Prompt);
        }
    };
    match *command {
        "set" | "delete" | "edit" => change(junos, seat, terminal, command, rest, offset),
        "show" => show(junos, seat, terminal, rest, offset).await?,
        "run" => return operate::run(junos, seat, terminal, rest, offset).await,
        "commit" => commit(junos, seat, terminal, rest, offset),
        "rollback" => rollback(junos, seat, terminal, rest),
        "top" => seat.place.clear(),
        "up" => {
            seat.place.pop();
        }
        "exit" | "quit" => {
            let out = rest.starts_with("conf");
            if !seat.place.is_empty() && !out {
                seat.place.clear();
            } else {
                leave(junos, seat, terminal).await?;
            }
        }
        _ => terminal.say("error: not supported here\n"),
    }
    Ok(Next::Prompt)
}

/// Changes the candidate that this session edits.
fn with_candidate<T>(junos: &JuniperJunos, seat: &mut Seat, change: impl FnOnce(&mut Statements) -> T) -> T {
    match &mut seat.private {
        Some(own) => change(own),
        None => change(&mut junos.configs().candidate),
    }
}

fn change(
    junos: &JuniperJunos,
    seat: &mut Seat,
    terminal: &mut Terminal,
    command: &str,
    rest: &str,
    offset: usize,
) {
    let (whole, longer) = joined(&seat.place.join(" "), rest);
    let refusal = match command {
        "set" => match junos.schema.statement(&whole) {
            Ok(statement) => {
                with_candidate(junos, seat, |candidate| candidate.set(statement));
                seat.changed = true;
                return;
            }
            Err(refusal) => refusal,
        },
        _ => match junos.schema.beginning(&whole) {
            Ok(words) if command == "edit" => {
                seat.place = words;
                return;
            }
            Ok(words) => {
                if with_candidate(junos, seat, |candidate| candidate.delete(&words)) {
                    seat.changed = true;
                } else {
                    terminal.say("warning: statement not found\n");
                }
                return;
            }
            Err(refusal) => refusal,
        },
    };
    let refusal = match refusal {
        Refusal::Invalid { column, matched, word } => {
            Refusal::Invalid { column: column.saturating_sub(longer), matched, word }
        }
        Refusal::Ambiguous { column, word } => {
            Refusal::Ambiguous { column: column.saturating_sub(longer), word }
        }
        incomplete @ Refusal::Incomplete { .. } => incomplete,
    };
    junos.refuse(seat, terminal, offset, rest, &refusal);
}

async fn show(
    junos: &JuniperJunos,
    seat: &mut Seat,
    terminal: &mut Terminal,
    rest: &str,
    offset: usize,
) -> Result<(), Gone> {
    let (below, filters) =
        rest.split_once('|').map_or((rest, None), |(below, filters)| (below, Some(filters)));
    let (whole, _) = joined(&seat.place.join(" "), below.trim());
    let words = match whole.trim() {
        "" => Vec::new(),
        whole => match junos.schema.beginning(whole) {
            Ok(words) => words,
            Err(refusal) => {
                junos.refuse(seat, terminal, offset, below, &refusal);
                return Ok(());
            }
        },
    };
    let candidate = with_candidate(junos, seat, |candidate| candidate.clone());
    match filters.map(str::trim) {
        Some("compare") => {
            let text = {
                let configs = junos.configs();
                candidate.compare(&configs.active, BRACES)
            };
            junos.print(seat, terminal, text, None).await
        }
        Some("display set") => junos.print(seat, terminal, candidate.as_set(&words), None).await,
        filters => junos.print(seat, terminal, candidate.as_braces(&words, BRACES), filters).await,
    }
}

/// What is wrong with a candidate as a whole.
fn check(candidate: &Statements) -> Result<(), String> {
    for words in candidate.words() {
        let members = words.iter().position(|word| word == "members");
        if let Some(at) = members.filter(|_| words[0] == "interfaces") {
            let vlan = &words[at + 1];
            let numbered = vlan.parse::<u16>().is_ok() || vlan == "all";
            if !numbered && !candidate.has(&["vlans", vlan]) {
                return Err(format!(
                    "[edit {}]\n  'members {vlan}'\n    VLAN {vlan} is not defined\nerror: configuration check-out \
                     failed\n",
                    words[..at].join(" ")
                ));
            }
        }
    }
    if candidate.has(&["system", "host-name"]) {
        Ok(())
    } else {
        Err("[edit system]\n  'host-name'\n    Missing mandatory statement: 'host-name'\nerror: commit failed: \
             (missing mandatory statements)\n"
            .to_owned())
    }
}

fn commit(junos: &JuniperJunos, seat: &mut Seat, terminal: &mut Terminal, rest: &str, offset: usize) {
    let (only_check, quit) = match rest.split_whitespace().next() {
        None | Some("comment") => (false, false),
        Some("check") => (true, false),
        Some("and-quit") => (false, true),
        Some(word) => {
            let refusal = Refusal::Invalid { column: 0, matched: 0, word: word.to_owned() };
            junos.refuse(seat, terminal, offset, rest, &refusal);
            return;
        }
    };
    if !seat.place.is_empty() && seat.private.is_some() {
        terminal.say("error: private edits must be committed from the top level\n");
        return;
    }
    let candidate = with_candidate(junos, seat, |candidate| candidate.clone());
    if let Err(said) = check(&candidate) {
        terminal.say(&said);
        return;
    }
    terminal.say("configuration check succeeds\n");
    if only_check {
        return;
    }
    {
        let mut configs = junos.configs();
        let before = std::mem::replace(&mut configs.active, candidate.clone());
        configs.candidate = candidate.clone();
        configs.history.insert(0, before);
        configs.history.truncate(KEPT);
    }
    if let Some(name) = candidate.values(&["system", "host-name"]).next() {
        junos.machine.configs().running.set(&[], &format!("hostname {name}"), 1);
    }
    seat.changed = false;
    terminal.say("commit complete\n");
    if quit {
        junos.put_down(seat);
        terminal.say("Exiting configuration mode\n");
    }
}

fn rollback(junos: &JuniperJunos, seat: &mut Seat, terminal: &mut Terminal, rest: &str) {
    let number = match rest.trim() {
        "" => Ok(0),
        number => number.parse::<usize>(),
    };
    let found = {
        let configs = junos.configs();
        match number {
            Ok(0) => Some(configs.active.clone()),
            Ok(number) => configs.history.get(number - 1).cloned(),
            Err(_) => None,
        }
    };
    match found {
        Some(found) => {
            with_candidate(junos, seat, |candidate| *candidate = found);
            seat.changed = false;
            terminal.say("load complete\n");
        }
        None => terminal.say("error: could not open configuration file: No such file or directory\n"),
    }
}

async fn leave(junos: &JuniperJunos, seat: &mut Seat, terminal: &mut Terminal) -> Result<(), Gone> {
    let changed = {
        let configs = junos.configs();
        seat.private.as_ref().unwrap_or(&configs.candidate) != &configs.active
    };
    if changed {
        let question = match (seat.private.is_some(), seat.changed) {
            (true, _) => Some("Discard uncommitted changes? [yes,no] (yes) "),
            (false, true) => Some("Exit with uncommitted changes? [yes,no] (yes) "),
            (false, false) => None,
        };
        terminal.say("The configuration has been changed but not committed\n");
        if let Some(question) = question {
            let mut editor = Editor::new(Style::Junos);
            editor.helps = false;
            match editor.read(terminal, question).await? {
                Input::Line(answer) if !answer.trim().starts_with(['n', 'N']) => {}
                _ => return Ok(()),
            }
            terminal.say("\n");
        }
    }
    junos.put_down(seat);
    debug_assert!(seat.mode == Mode::Operational);
    terminal.say("Exiting configuration mode\n");
    Ok(())
}
