//! Lines of a configuration: where they go, and what `no` takes away.

use super::super::grammar::{Meant, Refusal};
use super::super::terminal::{Gone, Terminal};
use super::dialect::{Change, Dialect, Do, Next, Seat};
use super::talk;

/// Does what a line of configuration mode says.
pub(crate) async fn run<D: Dialect>(
    dialect: &D,
    seat: &mut Seat,
    terminal: &mut Terminal,
    line: &str,
) -> Result<Next, Gone> {
    if let Some(command) = line.trim_start().strip_prefix("do ") {
        let stay = seat.clone();
        seat.configuring = false;
        let next = talk::command(dialect, seat, terminal, command).await;
        (seat.configuring, seat.path) = (stay.configuring, stay.path);
        return next;
    }
    let off = off(line);
    let (body, offset) = match off {
        Some(rest) => (rest, line.len() - rest.len()),
        None => (line, 0),
    };
    // A line that means nothing in its section may mean something in one around it.
    let mut first: Option<Refusal> = None;
    for depth in (0..=seat.path.len()).rev() {
        let mode = depth.checked_sub(1).map_or("", |at| seat.path[at].1);
        let Some(grammar) = dialect.lines(mode) else { continue };
        match grammar.resolve(body) {
            Ok(meant) => return apply(dialect, seat, terminal, depth, &meant, off.is_some()).await,
            Err(Refusal::Incomplete { words }) if off.is_some() => {
                let key = words.len();
                let meant = Meant { meaning: Do::Set, words, key };
                return apply(dialect, seat, terminal, depth, &meant, true).await;
            }
            Err(refusal) => {
                let better = first.as_ref().is_none_or(|first| further(&refusal) > further(first));
                if better {
                    first = Some(refusal);
                }
            }
        }
    }
    if let Some(refusal) = first {
        let refusal = moved(refusal, offset);
        let said = dialect.refuse(seat, line, &refusal);
        terminal.say(&said);
    }
    Ok(Next::Prompt)
}

/// What stands behind `no`.
fn off(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("no")?;
    rest.starts_with(' ').then(|| rest.trim_start())
}

fn further(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::Invalid { column, matched, .. } => column + matched,
        Refusal::Ambiguous { column, .. } => *column,
        Refusal::Incomplete { .. } => usize::MAX,
    }
}

fn moved(refusal: Refusal, offset: usize) -> Refusal {
    match refusal {
        Refusal::Invalid { column, matched, word } => {
            Refusal::Invalid { column: column + offset, matched, word }
        }
        Refusal::Ambiguous { column, word } => Refusal::Ambiguous { column: column + offset, word },
        incomplete @ Refusal::Incomplete { .. } => incomplete,
    }
}

async fn apply<D: Dialect>(
    dialect: &D,
    seat: &mut Seat,
    terminal: &mut Terminal,
    depth: usize,
    meant: &Meant<Do>,
    off: bool,
) -> Result<Next, Gone> {
    if let Some(text) = talk::output(dialect, seat, meant) {
        let before = dialect.before(seat);
        terminal.say(&before);
        let rows = seat.length.unwrap_or_else(|| dialect.rows(terminal));
        dialect.pager().print(terminal, &text, rows).await?;
        return Ok(Next::Prompt);
    }
    if !matches!(meant.meaning, Do::Set | Do::Enter(_)) {
        return talk::act(dialect, seat, terminal, meant).await;
    }
    if !off && let Err(said) = dialect.judge(seat, meant) {
        terminal.say(&said);
        return Ok(Next::Prompt);
    }
    seat.path.truncate(depth);
    let (path, line) = (seat.lines(), meant.line());
    let change = Change {
        stays: off && dialect.keeps_no(&meant.words),
        key: (!matches!(meant.meaning, Do::Enter(_))).then_some(meant.key),
        line: line.clone(),
        path,
        off,
    };
    match &mut seat.candidate {
        Some(candidate) => {
            change.make(candidate);
            seat.changes.push(change);
        }
        None => {
            let mut configs = dialect.machine().configs();
            change.make(&mut configs.running);
            configs.changed = jiff::Timestamp::now();
            configs.generation += 1;
        }
    }
    if let (false, Do::Enter(mode)) = (off, meant.meaning) {
        seat.path.push((line, mode));
    }
    Ok(Next::Prompt)
}
