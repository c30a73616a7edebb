//! What pages say about one sensor, put together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::reading::{Row, Summed};
use crate::history::{Asked, Point, Resolution, points};
use crate::reading::Scalar;

/// Values of one sensor, in order, none twice.
#[derive(Default)]
pub(super) struct Values {
    by_time: BTreeMap<Timestamp, Vec<(Scalar, Option<Summed>)>>,
    /// The first and the last time of all rows, also of those that say nothing of this sensor.
    pub(super) ends: Option<(Timestamp, Timestamp)>,
    /// Some were left out, since their time cannot be read.
    pub(super) untimed: bool,
}

impl Values {
    /// Adds what the rows say about this sensor, and says whether they lead any further.
    pub(super) fn add(&mut self, key: &str, rows: Vec<Row>) -> bool {
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

    pub(super) fn points(self, range: &Asked) -> Vec<Point> {
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
