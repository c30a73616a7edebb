//! Configuration mode: the candidate, and the job that makes it the configuration.

use std::sync::Arc;
use std::time::Duration;

use super::super::editor::Completer;
use super::super::grammar::Refusal;
use super::super::statements::{Schema, Statements};
use super::super::terminal::{Gone, Terminal};
use super::{BRACES, Edit, PaloaltoPanos, Seat, operate};

const COMMANDS: [&str; 12] =
    ["commit", "delete", "edit", "exit", "quit", "revert", "run", "set", "show", "top", "up", "validate"];

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
            "set" | "delete" | "edit" | "show" => schema.grammar().complete(&joined(&place, rest)),
            _ => None,
        }
    })
}

fn joined(place: &str, rest: &str) -> String {
    if place.is_empty() { rest.to_owned() } else { format!("{place} {rest}") }
}

/// Does what a line says.
pub(super) async fn run(
    panos: &PaloaltoPanos,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
) -> Result<(), Gone> {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let mut fitting = COMMANDS.iter().filter(|command| command.starts_with(first));
    let command = match (COMMANDS.contains(&first), fitting.next(), fitting.next()) {
        (true, _, _) => first,
        (false, Some(short), None) => *short,
        (false, Some(_), Some(_)) => {
            terminal.say("Invalid syntax.\n");
            return Ok(());
        }
        (false, None, _) => {
            let refusal = Refusal::Invalid { column: 0, matched: 0, word: first.to_owned() };
            PaloaltoPanos::refuse(terminal, line, &refusal);
            return Ok(());
        }
    };
    let whole = joined(&seat.place.join(" "), rest);
    match command {
        "set" => match panos.schema.statement(&whole) {
            Ok(statement) => {
                panos.configs().edit(&seat.user, Edit::Set(statement));
            }
            Err(refusal) => refused(terminal, &refusal),
        },
        "delete" | "edit" | "show" => {
            let (whole, filter) = match whole.split_once('|') {
                Some((whole, filter)) => (whole.trim().to_owned(), Some(filter.to_owned())),
                None => (whole, None),
            };
            let words = match whole.as_str() {
                "" => Vec::new(),
                whole => match panos.schema.beginning(whole) {
                    Ok(words) => words,
                    Err(refusal) => {
                        refused(terminal, &refusal);
                        return Ok(());
                    }
                },
            };
            match command {
                "edit" => seat.place = words,
                "delete" => {
                    if words.is_empty() || !panos.configs().edit(&seat.user, Edit::Delete(words)) {
                        terminal.say("Server error : object not found\n");
                    }
                }
                _ => {
                    let candidate = panos.configs().candidate.clone();
                    let text = match seat.as_set {
                        true => candidate.as_set(&words),
                        false => candidate.as_braces(&words, BRACES),
                    };
                    panos.print(seat, terminal, text, filter.as_deref()).await?;
                }
            }
        }
        "run" => {
            operate::run(panos, seat, terminal, rest).await?;
        }
        "commit" if rest.is_empty() || rest == "force" || rest.starts_with("description") => {
            commit(panos, terminal, None, rest == "force").await?;
        }
        "commit" | "revert" if partial(command, rest).is_some() => {
            let user = partial(command, rest).map(str::to_owned);
            if command == "commit" {
                commit(panos, terminal, user.as_deref(), false).await?;
            } else {
                panos.configs().settle(user.as_deref());
                terminal.say("Config reverted\n");
            }
        }
        "validate" if rest == "full" => {
            let candidate = panos.configs().candidate.clone();
            match check(&candidate) {
                Ok(()) => terminal.say("Validate job enqueued with jobid 6\n"),
                Err(said) => terminal.say(&said),
            }
        }
        "revert" if rest == "config" => {
            panos.configs().settle(None);
            terminal.say("Config reverted\n");
        }
        "top" => seat.place.clear(),
        "up" => {
            seat.place.pop();
        }
        "exit" | "quit" if seat.place.is_empty() => {
            seat.configuring = false;
            terminal.say("Exiting configuration mode\n");
        }
        "exit" | "quit" => seat.place.clear(),
        _ => terminal.say("Invalid syntax.\n"),
    }
    Ok(())
}

fn refused(terminal: &mut Terminal, refusal: &Refusal) {
    match refusal {
        Refusal::Incomplete { .. } => terminal.say("Incomplete command. Please press ? for help\n"),
        _ => terminal.say("Invalid syntax.\n"),
    }
}

/// What is wrong with a candidate as a whole.
fn check(candidate: &Statements) -> Result<(), String> {
    for words in candidate.words() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let &[_, _, kind, rule, side @ ("source" | "destination"), object] = words.as_slice() else {
            continue;
        };
        let literal = object == "any"
            || object.split('/').next().is_some_and(|address| address.parse::<std::net::IpAddr>().is_ok());
        if kind == "rules" && !literal && !candidate.has(&["address", object]) {
            return Err(format!(
                "Validation Error:\n rulebase -> security -> rules -> {rule} -> {side} '{object}' is not an allowed \
                 keyword\n rulebase -> security -> rules -> {rule} -> {side} '{object}' is not a valid reference\n \
                 rulebase -> security -> rules -> {rule} -> {side} is invalid\n"
            ));
        }
    }
    Ok(())
}

/// Whose changes alone are meant: `commit partial admin netops`, `revert config partial admin netops`.
fn partial<'l>(command: &str, rest: &'l str) -> Option<&'l str> {
    let rest = if command == "revert" { rest.strip_prefix("config ")? } else { rest };
    let user = rest.strip_prefix("partial admin ")?.trim();
    (!user.is_empty() && !user.contains(' ')).then_some(user)
}

/// `user`: whose changes; `None`: everybody's.
async fn commit(
    panos: &PaloaltoPanos,
    terminal: &mut Terminal,
    user: Option<&str>,
    force: bool,
) -> Result<(), Gone> {
    let (candidate, changed, job) = {
        let mut configs = panos.configs();
        configs.job += 1;
        let candidate = configs.with(user);
        let changed = candidate != configs.active;
        (candidate, changed, configs.job)
    };
    if let Some(user) = user {
        terminal.say(&format!(
            "\nPartial changes to commit: changes to configuration by administrators: {user}\n"
        ));
    }
    if !changed && !force {
        terminal.say("\nThere are no changes to commit.\n");
        return Ok(());
    }
    if let Err(said) = check(&candidate) {
        terminal.say(&said);
        return Ok(());
    }
    terminal.say(&format!("\nCommit job {job} is in progress. Use Ctrl+C to return to command prompt\n"));
    let mut left = false;
    for progress in ["..", ".55%", "..", "98%", "....", "...100%"] {
        terminal.put(progress);
        if terminal.pause(Duration::from_millis(40)).await? {
            left = true;
            break;
        }
    }
    // Whoever leaves leaves the job running.
    {
        let mut configs = panos.configs();
        configs.active = candidate.clone();
        configs.settle(user);
    }
    if let Some(name) = candidate.values(&["deviceconfig", "system", "hostname"]).next() {
        panos.machine.configs().running.set(&[], &format!("hostname {name}"), 1);
    }
    match left {
        true => terminal.say(&format!("^C\nUse 'show jobs id {job}' to see the progress of the job\n")),
        false => terminal.say("\nConfiguration committed successfully\n"),
    }
    Ok(())
}
