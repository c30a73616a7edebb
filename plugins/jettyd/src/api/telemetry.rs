//! Values of a sensor in a range of time.
//!
//! The server has no cursor. A page that is full is followed by asking for what lies before its first or behind its last
//! row, whichever the server left out: that differs between servers, and so does the order of rows.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;

use super::client::{Api, answer};
use super::devices;
use super::lookup::by_id_or_name;
use super::reading::{Row, Summed, may_be_cut, rows};
use crate::history::{Asked, History, Point, Resolution, points};
use crate::reading::{Missing, Scalar, find};

/// Rows on a page, and pages that are read.
const PAGE: usize = 1000;
const PAGES: usize = 10;

/// get_history
pub fn history(asked: &str, key: &str, range: &Asked) -> Result<History, Fault> {
    let api = Api::connect()?;
    by_id_or_name(&api, asked, |id| {
        let pages = Pages { api: &api, device: id, range };
        let first = pages.read(key, range.from, range.to)?;
        let (key, first) = pages.key(key, first)?;
        let mut values = Values::default();
        let truncated = pages.all(&key, first, &mut values)?;
        Ok(History::new(id, &key, range, values.points(range), truncated))
    })
}

struct Pages<'a> {
    api: &'a Api,
    device: &'a str,
    range: &'a Asked,
}

impl Pages<'_> {
    fn read(&self, metric: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Row>, Fault> {
        let resolution = self.range.resolution;
        let request = self
            .api
            .get(self.device, ["telemetry"])
            .query("metric", metric)
            .query("from", from)
            .query("to", to)
            .query("limit", PAGE)
            .query_opt("resolution", resolution.ms().map(|_| resolution.word()));
        rows(answer(request)?, metric)
    }

    /// The sensor's whole key, and the first page for that.
    fn key(&self, wanted: &str, first: Vec<Row>) -> Result<(String, Vec<Row>), Fault> {
        let in_rows: Vec<_> = first.iter().flat_map(|row| row.readings.keys().cloned()).collect();
        match find(wanted, in_rows.iter().map(String::as_str)) {
            Ok(key) => return Ok((key.to_owned(), first)),
            Err(several @ Missing::Several(_)) => return Err(several.fault(self.device, wanted)),
            Err(Missing::None(_)) => {}
        }
        // No row has it. Whether that is because nothing was measured, or there is no such sensor, the shadow knows.
        let known = match devices::shadow(self.api, self.device) {
            Ok(Some(shadow)) => shadow.readings(),
            Ok(None) => return Ok((wanted.to_owned(), first)),
            Err(fault) if fault.is("cancelled") => return Err(fault),
            Err(_) => return Ok((wanted.to_owned(), first)),
        };
        match find(wanted, known.keys().map(String::as_str)) {
            Ok(key) if key == wanted => Ok((key.to_owned(), first)),
            Ok(key) => Ok((key.to_owned(), self.read(key, self.range.from, self.range.to)?)),
            Err(missing) => Err(missing.fault(self.device, wanted)),
        }
    }

    /// The first page and all that the server left out of it. True: there was more than is read.
    fn all(&self, key: &str, first: Vec<Row>, values: &mut Values) -> Result<bool, Fault> {
        let ascending = match (first.first().and_then(|row| row.at), first.last().and_then(|row| row.at)) {
            (Some(first), Some(last)) => first <= last,
            _ => true,
        };
        let full = may_be_cut(first.len(), PAGE);
        values.add(key, first);
        // Which ends the server may have cut: both, until one proves to be whole.
        let (mut before, mut behind) = (full, full);
        let mut towards_behind = ascending;
        for _ in 1..PAGES {
            if !before && !behind {
                return Ok(false);
            }
            if (towards_behind && !behind) || (!towards_behind && !before) {
                towards_behind = !towards_behind;
            }
            let Some((least, greatest)) = values.ends() else { return Ok(false) };
            let (from, to) =
                if towards_behind { (greatest, self.range.to) } else { (self.range.from, least) };
            let rows = self.read(key, from, to)?;
            let full = may_be_cut(rows.len(), PAGE);
            let new = values.add(key, rows);
            match (new, full) {
                // Nothing is left out at this end.
                (0, _) if towards_behind => behind = false,
                (0, _) => before = false,
                // It was this end, and this was the rest.
                (_, false) => return Ok(false),
                (_, true) if towards_behind => before = false,
                (_, true) => behind = false,
            }
        }
        Ok(before || behind)
    }
}

/// Values of one sensor, in order, none twice.
#[derive(Default)]
struct Values {
    by_time: BTreeMap<Timestamp, Vec<(Scalar, Option<Summed>)>>,
}

impl Values {
    /// Adds what the rows say about this sensor, and says how much of it is new.
    fn add(&mut self, key: &str, rows: Vec<Row>) -> usize {
        let mut new = 0;
        for mut row in rows {
            let (Some(at), Some(reading)) = (row.at, row.readings.remove(key)) else { continue };
            let same_time = self.by_time.entry(at).or_default();
            let value = (reading.value, row.summed);
            if !same_time.contains(&value) {
                same_time.push(value);
                new += 1;
            }
        }
        new
    }

    fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        Some((*self.by_time.first_key_value()?.0, *self.by_time.last_key_value()?.0))
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
