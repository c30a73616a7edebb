//! Values of a sensor in a range of time.
//!
//! The server has no cursor. A page that is full is followed by asking for what lies before its first or behind its last
//! row, whichever the server left out: that differs between servers, and so does the order of rows.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use fleetgate_sdk::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::client::{Api, answer};
use super::lookup::by_id_or_name;
use super::reading::{Row, Summed, may_be_cut, rows};
use super::{devices, refusal};
use crate::history::{Asked, History, Point, Resolution, points};
use crate::reading::{Missing, Scalar, find};

/// Rows on a page, and pages that are read.
const PAGE: usize = 1000;
const PAGES: usize = 10;
/// Rows on a page of a server that takes no more: what jettyd's own client asks for.
const USUAL_PAGE: usize = 200;
/// Servers may cut times to seconds.
const GRAIN: SignedDuration = SignedDuration::from_secs(1);

/// get_history
pub fn history(asked: &str, key: &str, range: &Asked) -> Result<History, Fault> {
    let api = Api::connect()?;
    by_id_or_name(&api, asked, |id| {
        let pages = Pages { api: &api, device: id, range, plain: Cell::new(false) };
        let first = pages.read(key, range.from, range.to)?;
        let (key, first) = pages.key(key, first)?;
        let mut values = Values::default();
        let end = pages.all(&key, first, &mut values)?;
        let note = match end {
            End::Hidden => Some(
                "There may be more values, which this server cannot be asked for: it does not keep to the range, or has \
                 more of one instant than it gives at once.",
            ),
            _ if values.untimed => Some("Values were left out whose time cannot be read."),
            _ => None,
        };
        let history = History::new(id, &key, range, values.points(range), end != End::Whole);
        Ok(History { note: note.map(str::to_owned), ..history })
    })
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With all that there is.
    Whole,
    /// With more than is read.
    Cut,
    /// With more than the server can be asked for.
    Hidden,
}

struct Pages<'a> {
    api: &'a Api,
    device: &'a str,
    range: &'a Asked,
    /// The server does not take what jettyd's own client does not send.
    plain: Cell<bool>,
}

impl Pages<'_> {
    fn read(&self, metric: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Row>, Fault> {
        match self.ask(Some(metric), from, to) {
            // Perhaps it is the length of the page, or a word that it does not know.
            Err(fault) if matches!(refusal::status(&fault), Some(400 | 422)) && !self.plain.replace(true) => {
                self.ask(Some(metric), from, to)
            }
            read => read,
        }
    }

    fn ask(&self, metric: Option<&str>, from: Timestamp, to: Timestamp) -> Result<Vec<Row>, Fault> {
        let resolution = Some(self.range.resolution).filter(|resolution| resolution.ms().is_some());
        let usual = self.plain.get() || metric.is_none();
        let request = self
            .api
            .get(self.device, ["telemetry"])
            .query_opt("metric", metric)
            .query("from", from)
            .query("to", to)
            .query("limit", if usual { USUAL_PAGE } else { PAGE })
            .query_opt("resolution", resolution.filter(|_| !usual).map(Resolution::word));
        rows(answer(request)?, metric.unwrap_or_default())
    }

    /// The sensor's whole key, and the first page for that.
    fn key(&self, wanted: &str, first: Vec<Row>) -> Result<(String, Vec<Row>), Fault> {
        match find(wanted, first.iter().flat_map(|row| row.readings.keys()).map(String::as_str)) {
            Ok(key) => return Ok((key.to_owned(), first)),
            Err(several @ Missing::Several(_)) => return Err(several.fault(self.device, wanted)),
            Err(Missing::None(_)) => {}
        }
        // No row has it. Whether that is because nothing was measured, or there is no such sensor, the shadow knows.
        let shadow = match devices::shadow(self.api, self.device) {
            Err(fault) if fault.is("cancelled") => return Err(fault),
            shadow => shadow.ok().flatten(),
        };
        let mut known: BTreeSet<String> =
            shadow.iter().flat_map(|shadow| shadow.readings().into_keys()).collect();
        if let Err(Missing::None(_)) = find(wanted, known.iter().map(String::as_str)) {
            // A device may measure more than it reports, and have no shadow at all.
            match self.ask(None, self.range.from, self.range.to) {
                Err(fault) if fault.is("cancelled") => return Err(fault),
                Err(_) => {}
                Ok(rows) => known.extend(rows.into_iter().flat_map(|row| row.readings.into_keys())),
            }
        }
        match find(wanted, known.iter().map(String::as_str)) {
            Ok(key) if key == wanted => Ok((key.to_owned(), first)),
            Ok(key) => Ok((key.to_owned(), self.read(key, self.range.from, self.range.to)?)),
            // A few rows of the range do not say what there is not.
            Err(Missing::None(_)) if shadow.is_none() => Ok((wanted.to_owned(), first)),
            Err(missing) => Err(missing.fault(self.device, wanted)),
        }
    }

    /// The first page and all that the server left out of it.
    fn all(&self, key: &str, first: Vec<Row>, values: &mut Values) -> Result<End, Fault> {
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
            before &= self.range.from <= least;
            behind &= greatest <= self.range.to;
            if !before && !behind {
                break;
            }
            if (towards_behind && !behind) || (!towards_behind && !before) {
                (towards_behind, stepped) = (!towards_behind, false);
            }
            let (edge, from, to) = if towards_behind {
                let from = if stepped { greatest.saturating_add(GRAIN) } else { Ok(greatest) };
                (greatest, from.map_or(greatest, |from| from.min(self.range.to)), self.range.to)
            } else {
                // Of a time that was cut to seconds, the whole second may have been left out.
                let to = if stepped { least.saturating_sub(GRAIN) } else { Ok(end_of(least)) };
                (least, self.range.from, to.map_or(least, |to| to.clamp(self.range.from, self.range.to)))
            };
            let rows = self.read(key, from, to)?;
            let full = may_be_cut(rows.len(), PAGE);
            let strayed = rows.iter().filter_map(|row| row.at).any(|at| self.is_outside(at, from, to));
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
    fn is_outside(&self, at: Timestamp, from: Timestamp, to: Timestamp) -> bool {
        let bucket = SignedDuration::from_millis(self.range.resolution.ms().unwrap_or_default());
        at.saturating_add(bucket.max(GRAIN)).is_ok_and(|at| at < from)
            || to.saturating_add(GRAIN).is_ok_and(|to| to < at)
    }
}

/// The end of the second that a time stands for that names no part of it.
fn end_of(at: Timestamp) -> Timestamp {
    match at.as_millisecond().rem_euclid(1000) {
        0 => at.saturating_add(SignedDuration::from_millis(999)).unwrap_or(at),
        _ => at,
    }
}

/// Values of one sensor, in order, none twice.
#[derive(Default)]
struct Values {
    by_time: BTreeMap<Timestamp, Vec<(Scalar, Option<Summed>)>>,
    /// The first and the last time of all rows, also of those that say nothing of this sensor.
    ends: Option<(Timestamp, Timestamp)>,
    /// Some were left out, since their time cannot be read.
    untimed: bool,
}

impl Values {
    /// Adds what the rows say about this sensor, and says whether they lead any further.
    fn add(&mut self, key: &str, rows: Vec<Row>) -> bool {
        let ends = self.ends;
        let mut new = false;
        for mut row in rows {
            let reading = row.readings.remove(key);
            let Some(at) = row.at else {
                self.untimed |= reading.is_some();
                continue;
            };
            let (least, greatest) = self.ends.unwrap_or((at, at));
            self.ends = Some((least.min(at), greatest.max(at)));
            let Some(reading) = reading else { continue };
            let same_time = self.by_time.entry(at).or_default();
            let value = (reading.value, row.summed);
            if !same_time.contains(&value) {
                same_time.push(value);
                new = true;
            }
        }
        new || ends != self.ends
    }

    /// Whether the server made buckets itself: its rows say so, or each begins one and no two begin the same.
    fn are_buckets(&self, resolution: Resolution) -> bool {
        resolution != Resolution::Raw
            && (self.by_time.values().flatten().any(|(_, summed)| summed.is_some())
                || self.by_time.iter().all(|(at, values)| values.len() == 1 && resolution.begin(*at) == *at))
    }

    fn points(self, range: &Asked) -> Vec<Point> {
        let buckets = self.are_buckets(range.resolution);
        // A bucket belongs to the range if its end does.
        let from = if buckets { range.resolution.begin(range.from) } else { range.from };
        let within = Asked { from, ..range.clone() };
        let values = self
            .by_time
            .into_iter()
            .filter(|(at, _)| within.holds(*at))
            .flat_map(|(at, values)| values.into_iter().map(move |(value, summed)| (at, value, summed)));
        if !buckets {
            return points(values.map(|(at, value, _)| (at, value)), range.resolution);
        }
        values
            .map(|(at, value, summed)| Point {
                timestamp: at.to_string(),
                value,
                min: summed.and_then(|summed| summed.min),
                max: summed.and_then(|summed| summed.max),
                count: summed.and_then(|summed| summed.count),
            })
            .collect()
    }
}
