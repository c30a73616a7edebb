//! Operational mode.

use super::super::grammar::Grammar;
use super::super::machine::outputs;
use super::super::terminal::{Gone, Terminal};
use super::{BRACES, PaloaltoPanos, Seat};

/// What a command does.
#[derive(Clone, Copy)]
pub(super) enum Do {
    Say(&'static str),
    ShowConfig,
    Pager(bool),
    Scripting(bool),
    AsSet(bool),
    Width,
    Configure,
    Ping,
    Exit,
}

/// The commands that the simulated PAN-OS knows.
pub(super) fn commands() -> Grammar<Do> {
    let mut grammar = Grammar::new(&[]);
    for (command, output) in outputs(include_str!("outputs.txt")) {
        grammar.rule(command, Do::Say(output));
    }
    grammar.rule("show config running", Do::ShowConfig);
    grammar.rule("set cli pager off", Do::Pager(true));
    grammar.rule("set cli pager on", Do::Pager(false));
    grammar.rule("set cli scripting-mode on", Do::Scripting(true));
    grammar.rule("set cli scripting-mode off", Do::Scripting(false));
    grammar.rule("set cli config-output-format set", Do::AsSet(true));
    grammar.rule("set cli config-output-format default", Do::AsSet(false));
    grammar.rule("set cli terminal width <1-500>", Do::Width);
    grammar.rule("configure", Do::Configure);
    grammar.rule("ping host WORD", Do::Ping);
    grammar.rule("exit", Do::Exit);
    grammar.rule("quit", Do::Exit);
    grammar
}

/// Does what a line says. False: the session ends.
pub(super) async fn run(
    panos: &PaloaltoPanos,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
) -> Result<bool, Gone> {
    let (command, filter) = line.split_once('|').map_or((line, None), |(line, rest)| (line, Some(rest)));
    let meant = match panos.commands.resolve(command) {
        Ok(meant) => meant,
        Err(refusal) => {
            PaloaltoPanos::refuse(terminal, command, &refusal);
            return Ok(true);
        }
    };
    match meant.meaning {
        Do::Say(text) => {
            let text = panos.machine.fill(text);
            panos.print(seat, terminal, text, filter).await?;
        }
        Do::ShowConfig => {
            let active = panos.configs().active.clone();
            let text = if seat.as_set { active.as_set(&[]) } else { active.as_braces(&[], BRACES) };
            panos.print(seat, terminal, text, filter).await?;
        }
        Do::Pager(off) => seat.pager_off = off,
        Do::Scripting(on) => seat.scripting = on,
        Do::AsSet(on) => seat.as_set = on,
        Do::Width => terminal.columns = meant.last().parse().unwrap_or(80),
        Do::Configure => {
            seat.configuring = true;
            terminal.say("Entering configuration mode\n");
        }
        Do::Ping => {
            let target = meant.last();
            terminal.say(&format!(
                "PING {target} ({target}) 56(84) bytes of data.\n64 bytes from {target}: icmp_seq=1 ttl=64 \
                 time=0.61 ms\n\n--- {target} ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss\n"
            ));
        }
        Do::Exit => return Ok(false),
    }
    Ok(true)
}
