//! Linux, and whatever else has a proper SSH server: commands run without a terminal, each by itself. Configuration is
//! typed into a shell of root's.
//!
//! A shell's prompt can be anything. So it is set to something of our own, which nobody who writes files on that machine
//! can know, and which says how the last line ended.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::{LineEnd, Secret};
use serde_json::Map;

use super::asking;
use super::commands::{about, cut, room};
use super::configuring::{Configured, summed_up};
use super::failure::{Failure, quoted};
use super::platform::{Answer, CTRL_C, Config, Platform};
use super::prompt::{Mode, Prompt};
use super::session::{connect, silence};
use super::terminal::{Heard, SETTLE, Terminal};
use crate::job::{DeviceJob, ErrorCode, Progress};

/// The name of the platform.
pub const NAME: &str = "linux";
/// So much of the call's time is left for what comes after a command.
const RESERVE: Duration = Duration::from_secs(2);
/// How long `sudo` may take.
const SUDO: Duration = Duration::from_secs(20);
/// What the prompt that is set begins with.
const MARK: &str = "fleetgate-";
/// Exit statuses of a shell for a command that cannot be run, and one that is not there (POSIX, 2.8.2).
const NOT_RUN: [u32; 2] = [126, 127];

/// Its shell.
static SHELL: Platform = Platform {
    name: NAME,
    line_end: LineEnd::Lf,
    return_ends_lines: false,
    prompt,
    shown: usize::MAX,
    user_suffix: "",
    greetings: &[],
    from_shell: None,
    enable: None,
    terminal: &[],
    companion: |_| false,
    config: Config::AtOnce,
    errors: &[],
    save: None,
};

/// `ann@web1:~$`, `[root@web1 etc]#`, and the prompt that is set: `fleetgate-1f2e:0#`.
pub fn prompt(line: &str) -> Option<Prompt> {
    let line = line.trim();
    let mode = match line.chars().last()? {
        '#' => Mode::Privileged,
        '$' | '%' | '>' => Mode::User,
        _ => return None,
    };
    let name = &line[..line.len() - 1];
    if let Some((host, _)) = set_prompt(line) {
        return Some(Prompt { host: host.to_owned(), mode });
    }
    // The directory is no part of the name.
    let host = name.trim_start_matches('[').split([':', ' ', '~', ']']).next().unwrap_or("");
    let fits = host.len() <= 128 && name.len() <= 200 && !host.contains(['#', '$', '*', '=']);
    fits.then(|| Prompt { host: host.to_owned(), mode })
}

/// The name and the exit status in the prompt that is set.
fn set_prompt(line: &str) -> Option<(&str, u32)> {
    let (host, status) = line.trim().strip_suffix('#')?.split_once(':')?;
    let known = host.strip_prefix(MARK).is_some_and(|rest| rest.len() == 16);
    Some((host, status.parse().ok()?)).filter(|_| known)
}

/// Runs commands, and returns the texts by command.
pub fn run(job: &DeviceJob, warnings: &mut Vec<String>) -> Result<Map<String, Value>, Failure> {
    if job.enable.is_some() {
        warnings.push("`enable` was not used: commands run as the user who logs in.".to_owned());
    }
    let connection = connect(job, "")?;
    let mut results = Map::new();
    let mut taken = 0;
    for (at, command) in job.commands.iter().enumerate() {
        call::progress(at as f64, Some(job.commands.len() as f64), Some(&format!("command {}", at + 1)));
        let most = room(taken);
        let output = connection
            .command(command)
            .timeout(call::deadline().saturating_sub(RESERVE))
            .max_bytes(most as u64)
            .run()
            .map_err(|error| about(Failure::of(&error, &format!("Running {}", quoted(command))), at, job))?;
        let mut text = output.stdout();
        if !output.stderr.is_empty() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&output.stderr());
        }
        if output.cut {
            warnings.push(cut(command, most));
        }
        match (output.exit_status, &output.exit_signal) {
            (Some(status), _) if status != 0 => {
                warnings.push(format!("{} ended with exit status {status}.", quoted(command)));
            }
            (None, Some(signal)) => {
                warnings.push(format!("{} was ended by {}.", quoted(command), quoted(signal)))
            }
            _ => {}
        }
        taken += text.len();
        results.insert(command.clone(), text.replace("\r\n", "\n").trim_end().into());
    }
    Ok(results)
}

/// Types lines into a shell of root's.
pub fn configure(job: &DeviceJob, warnings: &mut Vec<String>) -> Result<Configured, Failure> {
    let connection = connect(job, "")?;
    let mut terminal = Terminal::open(&connection, &SHELL)?;
    terminal.on_close(&[&[CTRL_C, Answer::Line("exit")], &[CTRL_C]])?;
    terminal.log_in(job)?;
    become_root(&mut terminal)?;
    let known = set_own_prompt(&mut terminal)?;
    for (asked, what) in [(job.commit, "commit"), (job.save_config, "save_config")] {
        if asked {
            warnings.push(format!("`{what}` was ignored: lines take effect at once, and stay."));
        }
    }
    let mut done = Configured::default();
    for (at, line) in job.commands.iter().enumerate() {
        call::progress(at as f64, Some(job.commands.len() as f64), Some(&format!("line {}", at + 1)));
        let before = terminal.line();
        let failure = match terminal.run(line, silence()) {
            Err(failure) => Some(failure),
            Ok(reply) => {
                let shown = [format!("{before} {line}"), reply.text.clone()];
                done.transcript.push_str(shown.join("\n").trim_end());
                done.transcript.push('\n');
                if reply.cut {
                    warnings.push(cut(line, room(0)));
                }
                judge(&terminal, line, &reply.text, known, warnings)
            }
        };
        if let Some(failure) = failure {
            let progress = Progress {
                applied: job.commands[..at].to_vec(),
                rejected: Some(line.clone()),
                not_sent: job.commands[at + 1..].to_vec(),
            };
            done.failure = Some(summed_up(failure, &progress, job.commands.len(), false));
            done.progress = Some(progress);
            break;
        }
    }
    done.transcript.truncate(done.transcript.trim_end().len());
    Ok(done)
}

/// Whether the shell ran the line. That a command was not content with what it found is for the reader to judge.
fn judge(
    terminal: &Terminal,
    line: &str,
    text: &str,
    known: bool,
    warnings: &mut Vec<String>,
) -> Option<Failure> {
    let status = set_prompt(&terminal.line()).map(|(_, status)| status);
    let lower = text.to_lowercase();
    let not_run = match status.filter(|_| known) {
        Some(status) => NOT_RUN.contains(&status),
        None => ["command not found", ": not found", "permission denied"]
            .iter()
            .any(|words| lower.contains(words)),
    };
    if not_run || lower.contains("syntax error") {
        let last = quoted(text.lines().last().unwrap_or("nothing"));
        let why = format!("Invalid input detected at command: {line}, matched error: {last}.");
        return Some(Failure::new(ErrorCode::ConfigRejected, why));
    }
    if let Some(status) = status.filter(|&status| known && status != 0) {
        warnings.push(format!("{} ended with exit status {status}.", quoted(line)));
    }
    None
}

fn become_root(terminal: &mut Terminal) -> Result<(), Failure> {
    if terminal.mode() == Mode::Privileged {
        return Ok(());
    }
    let refused = |why: &str| {
        Failure::new(ErrorCode::SshError, format!("Failed to enter configuration mode: {why}")).for_good()
    };
    terminal.answer(Answer::Line("sudo -s"))?;
    let mut asked = 0;
    loop {
        let heard = terminal.hear(SUDO, |screen| {
            let line = screen.line();
            match prompt(&line) {
                _ if asking::password(&line) => Some((None, SETTLE)),
                found => Some((Some(found?), SETTLE)),
            }
        })?;
        match heard {
            Heard::Said(Some(prompt)) if prompt.mode == Mode::Privileged => {
                terminal.met(&prompt);
                terminal.take();
                return Ok(());
            }
            Heard::Said(Some(_)) => {
                return Err(refused(&format!("`sudo -s` said {}.", quoted(&terminal.take()))));
            }
            Heard::Said(None) if asked == 0 => {
                asked += 1;
                // What `sudo` asks for is the user's own password, unless the operator says otherwise.
                let typed = match terminal.type_secret(Secret::Enable) {
                    Err(error) if error.is("denied") => terminal.type_secret(Secret::Password),
                    typed => typed,
                };
                typed.map_err(|error| Failure::of(&error, "Typing the password for `sudo`"))?;
            }
            Heard::Said(None) => {
                let why = "The device refuses the password for the privileged level.";
                return Err(Failure::new(ErrorCode::AuthFailure, why));
            }
            Heard::Silence | Heard::Cut => return Err(terminal.no_prompt(SUDO)),
        }
    }
}

/// False: the shell, or the grant, keeps the prompt as it is.
fn set_own_prompt(terminal: &mut Terminal) -> Result<bool, Failure> {
    let host = format!("{MARK}{:016x}", RandomState::new().hash_one(0));
    match terminal.type_line(&format!("PS1='{host}:$?#'")) {
        Ok(()) => {}
        Err(error) if error.is("denied") => return Ok(false),
        Err(error) => return Err(Failure::of(&error, "Setting the prompt")),
    }
    let old = terminal.prompt();
    let heard = terminal.hear(SUDO, |screen| {
        let own = set_prompt(&screen.line()).is_some_and(|(seen, _)| seen == host);
        Some((if own { prompt(&screen.line())? } else { old(screen)? }, SETTLE))
    })?;
    match heard {
        Heard::Said(prompt) => {
            terminal.met(&prompt);
            terminal.take();
            Ok(prompt.host == host)
        }
        Heard::Silence | Heard::Cut => Err(terminal.no_prompt(SUDO)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, prompt, set_prompt};

    #[test]
    fn shells_prompts_are_read_and_the_directory_is_no_part_of_the_name() {
        for (line, host, mode) in [
            ("ann@web1:~$ ", "ann@web1", Mode::User),
            ("ann@web1:/etc$", "ann@web1", Mode::User),
            ("[root@web1 etc]# ", "root@web1", Mode::Privileged),
            ("root@web1:~#", "root@web1", Mode::Privileged),
            ("$", "", Mode::User),
            ("fleetgate-0123456789abcdef:127#", "fleetgate-0123456789abcdef", Mode::Privileged),
        ] {
            let read = prompt(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((read.host.as_str(), read.mode), (host, mode), "{line}");
        }
        assert_eq!(prompt("*** Keep out! ***"), None);
        assert_eq!(set_prompt("fleetgate-0123456789abcdef:127#"), Some(("fleetgate-0123456789abcdef", 127)));
        assert_eq!(set_prompt("fleetgate-x:127#"), None);
    }
}
