//! Operational mode.

use std::time::Duration;

use super::super::grammar::Grammar;
use super::super::machine::outputs;
use super::super::terminal::{Gone, Terminal};
use super::{BRACES, JuniperJunos, Mode, Next, Seat};

/// What a command does.
#[derive(Clone, Copy)]
pub(super) enum Do {
    Say(&'static str),
    ShowConfiguration,
    ScreenLength,
    ScreenWidth,
    /// A setting that is answered with these words.
    Answer(&'static str),
    SpellOut(bool),
    Configure,
    ConfigurePrivate,
    ConfigureExclusive,
    Ping,
    StartShell,
    Exit,
}

/// The commands that the simulated Junos knows.
pub(super) fn commands() -> Grammar<Do> {
    let mut grammar = Grammar::new(&[]);
    for (command, output) in outputs(include_str!("outputs.txt")) {
        grammar.rule(command, Do::Say(output));
    }
    grammar.rule("show configuration", Do::ShowConfiguration);
    grammar.rule("show configuration LINE", Do::ShowConfiguration);
    grammar.rule("set cli screen-length <0-100000>", Do::ScreenLength);
    grammar.rule("set cli screen-width <0-1024>", Do::ScreenWidth);
    grammar.rule("set cli complete-on-space off", Do::SpellOut(true));
    grammar.rule("set cli complete-on-space on", Do::SpellOut(false));
    grammar.rule("set cli timestamp disable", Do::Answer("CLI timestamp disabled\n"));
    grammar.rule("set cli terminal ansi|vt100|small-xterm|xterm", Do::Answer(""));
    grammar.rule("set cli idle-timeout <0-100000>", Do::Answer("Idle timeout disabled\n"));
    grammar.rule("configure", Do::Configure);
    grammar.rule("edit", Do::Configure);
    grammar.rule("configure private", Do::ConfigurePrivate);
    grammar.rule("configure exclusive", Do::ConfigureExclusive);
    grammar.rule("ping WORD [count <1-1000>]", Do::Ping);
    grammar.rule("start shell", Do::StartShell);
    grammar.rule("exit", Do::Exit);
    grammar.rule("quit", Do::Exit);
    grammar
}

/// Does what a line says; `offset` is where it begins behind `run`.
pub(super) async fn run(
    junos: &JuniperJunos,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
    offset: usize,
) -> Result<Next, Gone> {
    let (command, filters) = line.split_once('|').map_or((line, None), |(line, rest)| (line, Some(rest)));
    let meant = match junos.commands.resolve(command) {
        Ok(meant) => meant,
        Err(refusal) => {
            junos.refuse(seat, terminal, offset, command, &refusal);
            return Ok(Next::Prompt);
        }
    };
    match meant.meaning {
        Do::Say(text) => {
            let text = junos.machine.fill(text);
            junos.print(seat, terminal, text, filters).await?;
        }
        Do::ShowConfiguration => {
            let below = meant.words.get(2).map_or("", String::as_str);
            let below = match below {
                "" => Vec::new(),
                below => match junos.schema.beginning(below) {
                    Ok(words) => words,
                    Err(refusal) => {
                        junos.refuse(seat, terminal, "show configuration ".len(), below, &refusal);
                        return Ok(Next::Prompt);
                    }
                },
            };
            let set = filters.is_some_and(|filters| filters.trim().starts_with("display set"));
            let active = junos.configs().active.clone();
            let text = match set {
                true => active.as_set(&below),
                false if below.is_empty() => {
                    let when = junos.machine.fill("{booted %Y-%m-%d %H:%M:%S} UTC by {user}");
                    format!("## Last commit: {when}\n{}", active.as_braces(&below, BRACES))
                }
                false => active.as_braces(&below, BRACES),
            };
            let filters = match set {
                true => filters.and_then(|filters| filters.split_once(" | ")).map(|(_, rest)| rest),
                false => filters,
            };
            junos.print(seat, terminal, text, filters).await?;
        }
        Do::ScreenLength => {
            seat.length = meant.last().parse().ok();
            terminal.say(&format!("Screen length set to {}\n", meant.last()));
        }
        Do::ScreenWidth => {
            match meant.last().parse() {
                Ok(0) | Err(_) => terminal.columns = usize::MAX / 2,
                Ok(columns) => terminal.columns = columns,
            }
            terminal.say(&format!("Screen width set to {}\n", meant.last()));
        }
        Do::Answer(text) => terminal.say(text),
        Do::SpellOut(spells_out) => {
            seat.spells_out = spells_out;
            let doing = if spells_out { "Disabling" } else { "Enabling" };
            terminal.say(&format!("{doing} complete-on-space\n"));
        }
        Do::Configure => {
            let pending = {
                let mut configs = junos.configs();
                configs.editors += 1;
                configs.candidate != configs.active
            };
            seat.mode = Mode::Configuration;
            terminal.say("Entering configuration mode\n");
            if pending {
                terminal.say("The configuration has been changed but not committed\n");
            }
        }
        Do::ConfigurePrivate | Do::ConfigureExclusive => {
            let (active, pending) = {
                let configs = junos.configs();
                (configs.active.clone(), configs.candidate != configs.active)
            };
            if pending {
                let which = if matches!(meant.meaning, Do::ConfigurePrivate) { "shared " } else { "" };
                terminal.say(&format!("error: {which}configuration database modified\n"));
                return Ok(Next::Prompt);
            }
            seat.mode = Mode::Configuration;
            seat.private = Some(active);
            terminal
                .say("warning: uncommitted changes will be discarded on exit\nEntering configuration mode\n");
        }
        Do::Ping => {
            let target = &meant.words[1];
            let count = meant.words.get(3).and_then(|count| count.parse().ok()).unwrap_or(u64::MAX);
            terminal.say(&format!("PING {target} ({target}): 56 data bytes\n"));
            let mut sent = 0;
            while sent < count {
                terminal.say(&format!("64 bytes from {target}: icmp_seq={sent} ttl=64 time=1.204 ms\n"));
                sent += 1;
                if terminal.pause(Duration::from_millis(50)).await? {
                    terminal.say("^C\n");
                    break;
                }
            }
            terminal.say(&format!(
                "\n--- {target} ping statistics ---\n{sent} packets transmitted, {sent} packets received, 0% \
                 packet loss\nround-trip min/avg/max/stddev = 1.204/1.204/1.204/0.000 ms\n"
            ));
        }
        Do::StartShell => seat.mode = Mode::Shell,
        Do::Exit => return Ok(Next::Logout),
    }
    Ok(Next::Prompt)
}
