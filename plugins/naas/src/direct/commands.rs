//! Commands that show something, one after the other.

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::failure::{Failure, quoted};
use super::platform::{Config, Platform};
use super::prompt::Mode;
use super::session::Session;
use crate::job::{DeviceJob, ErrorCode};

/// What is kept of one answer, in bytes, and of all together.
pub const MOST: usize = 2 << 20;
const MOST_TOGETHER: usize = 8 << 20;
/// What is kept of each, however much there is already.
const LEAST: usize = 64 << 10;

/// How much of the next answer is kept.
pub fn room(taken: usize) -> usize {
    MOST_TOGETHER.saturating_sub(taken).clamp(LEAST, MOST)
}

/// What is said about an answer that was cut.
pub fn cut(command: &str, most: usize) -> String {
    format!("The output of {} is not whole: it was cut after {most} bytes.", quoted(command))
}

/// Says which command a failure is about, where there are several.
pub fn about(failure: Failure, at: usize, job: &DeviceJob) -> Failure {
    match job.commands.len() {
        1 => failure,
        all => failure.and(format!("This was command {} of {all}: {}.", at + 1, quoted(&job.commands[at]))),
    }
}

/// Runs them, and returns the texts by command.
pub fn run(session: &mut Session<'_>, warnings: &mut Vec<String>) -> Result<Map<String, Value>, Failure> {
    let job = session.job;
    let mut results = Map::new();
    let mut taken = 0;
    let mut former: Option<&String> = None;
    for (at, command) in job.commands.iter().enumerate() {
        call::progress(at as f64, Some(job.commands.len() as f64), Some(&format!("command {}", at + 1)));
        let answered = answer(session, command, room(taken));
        let reply = answered.map_err(|failure| about(failure, at, job))?;
        if reply.cut {
            warnings.push(cut(command, room(taken)));
        }
        if let Some(Value::String(text)) = former.and_then(|former| results.get_mut(former))
            && !reply.late.is_empty()
        {
            text.push('\n');
            text.push_str(&reply.late);
        }
        former = Some(command);
        taken += reply.text.len() + reply.late.len();
        if results.insert(command.clone(), reply.text.into()).is_some() {
            warnings
                .push(format!("{} was asked for more than once; the last answer is given.", quoted(command)));
        }
    }
    Ok(results)
}

fn answer(session: &mut Session<'_>, command: &str, room: usize) -> Result<super::terminal::Reply, Failure> {
    session.reopen_if_gone()?;
    let silence = session.silence;
    let terminal = &mut session.terminal;
    let before = terminal.mode();
    terminal.limit(room);
    let reply = terminal.run(command, silence)?;
    let left = matches!(terminal.mode(), Mode::Config | Mode::Shell) && before != terminal.mode();
    if left && !terminal.is_gone() {
        // The host leaves the mode when the terminal is dropped, which is next.
        if let Platform { config: Config::Mode { on_close, .. }, .. } = terminal.platform() {
            terminal.on_close(on_close)?;
        }
        let why = format!(
            "{} left the mode in which devices show things, and the session was ended. Use send_config to configure.",
            quoted(command)
        );
        return Err(Failure::new(ErrorCode::InvalidJob, why));
    }
    Ok(reply)
}
