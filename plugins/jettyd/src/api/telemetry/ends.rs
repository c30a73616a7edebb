//! What a server left out of a page.
//!
//! The server has no cursor. A page that is full is followed by asking for what lies before its first or behind its last
//! row, whichever the server left out: that differs between servers, and so does the order of rows.

use fleetgate_sdk::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::values::Values;
use crate::api::reading::{Row, may_be_cut};
use crate::history::Asked;

/// Rows on a page, and pages that are read.
pub(super) const PAGE: usize = 1000;
const PAGES: usize = 10;
/// Servers may cut times to seconds.
const GRAIN: SignedDuration = SignedDuration::from_secs(1);

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With all that there is.
    Whole,
    /// With more than is read.
    Cut,
    /// With more than the server can be asked for.
    Hidden,
}

/// The first page and all that the server left out of it.
pub(super) fn rest(
    range: &Asked,
    first: Vec<Row>,
    values: &mut Values,
    key: &str,
    read: impl Fn(Timestamp, Timestamp) -> Result<Vec<Row>, Fault>,
) -> Result<End, Fault> {
    let ascending = match (first.first().and_then(|row| row.at), first.last().and_then(|row| row.at)) {
        (Some(first), Some(last)) => first <= last,
        _ => true,
    };
    let full = may_be_cut(first.len(), PAGE);
    values.add(key, first);
    // Which ends the server may have cut: both, until one proves to be whole.
    let (mut before, mut behind) = (full, full);
    let mut towards_behind = ascending;
    let (mut hidden, mut stepped) = (false, false);
    for _ in 1..PAGES {
        let Some((least, greatest)) = values.ends else { break };
        // Nobody asks for what lies outside of the range.
        before &= range.from <= least;
        behind &= greatest <= range.to;
        if !before && !behind {
            break;
        }
        if (towards_behind && !behind) || (!towards_behind && !before) {
            (towards_behind, stepped) = (!towards_behind, false);
        }
        let (edge, from, to) = if towards_behind {
            let from = if stepped { greatest.saturating_add(GRAIN) } else { Ok(greatest) };
            (greatest, from.map_or(greatest, |from| from.min(range.to)), range.to)
        } else {
            // Of a time that was cut to seconds, the whole second may have been left out.
            let to = if stepped { least.saturating_sub(GRAIN) } else { Ok(end_of(least)) };
            (least, range.from, to.map_or(least, |to| to.clamp(range.from, range.to)))
        };
        let rows = read(from, to)?;
        let full = may_be_cut(rows.len(), PAGE);
        let strayed = rows.iter().filter_map(|row| row.at).any(|at| is_outside(range, at, from, to));
        let at_once = rows.iter().all(|row| row.at.is_some_and(|at| (edge..=end_of(edge)).contains(&at)));
        let new = values.add(key, rows);
        match (new, full) {
            // A full page of one instant: what is left of that cannot be asked for, but what lies beyond it can.
            (false, true) if at_once && !stepped => (hidden, stepped) = (true, true),
            // Nothing is left out at this end, or it cannot be reached.
            (false, cut) => {
                hidden |= cut && strayed;
                (before, behind) = if towards_behind { (before, false) } else { (false, behind) };
            }
            // It was this end, and this was the rest.
            (true, false) => (before, behind) = (false, false),
            (true, true) => {
                stepped = false;
                (before, behind) = (!towards_behind, towards_behind);
            }
        }
    }
    Ok(match (hidden, before || behind) {
        (true, _) => End::Hidden,
        (false, true) => End::Cut,
        (false, false) => End::Whole,
    })
}

/// Whether the server did not keep to what it was asked for. A bucket may begin before it.
fn is_outside(range: &Asked, at: Timestamp, from: Timestamp, to: Timestamp) -> bool {
    let bucket = SignedDuration::from_millis(range.resolution.ms().unwrap_or_default());
    at.saturating_add(bucket.max(GRAIN)).is_ok_and(|at| at < from)
        || to.saturating_add(GRAIN).is_ok_and(|to| to < at)
}

/// The end of the second that a time stands for that names no part of it.
fn end_of(at: Timestamp) -> Timestamp {
    match at.as_millisecond().rem_euclid(1000) {
        0 => at.saturating_add(SignedDuration::from_millis(999)).unwrap_or(at),
        _ => at,
    }
}
