//! Telemetry of the past. A device reports everything at each heartbeat, so its rows are where its heartbeats were:
//! they are made when they are asked for, beside those that a test has recorded.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Number, Value};

use super::seed::{Order, Seed};
use super::world::Device;

/// Readings at a time.
pub(crate) type Row = (Timestamp, Map<String, Value>);

/// What is asked of the past.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) metric: Option<String>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) limit: usize,
    /// The length of a bucket.
    pub(crate) resolution: Option<SignedDuration>,
}

/// Rows that answer it, as the seed wants them.
pub(crate) fn rows(seed: &Seed, device: &Device, question: &Question, now: Timestamp) -> Vec<Row> {
    let mut rows = all(device, question, seed.honours_to, now);
    rows.retain(|(_, readings)| question.metric.as_ref().is_none_or(|metric| readings.contains_key(metric)));
    if let Some(metric) = question.metric.as_ref().filter(|_| !seed.whole_rows) {
        rows.iter_mut().for_each(|(_, readings)| readings.retain(|name, _| name == metric));
    }
    if let Some(length) = question.resolution.filter(|_| seed.honours_resolution) {
        rows = buckets(rows, length);
    }
    let limit = question.limit.min(seed.most_rows);
    match seed.order {
        Order::OldestFirst => rows.truncate(limit),
        Order::NewestOldestFirst => drop(rows.drain(..rows.len().saturating_sub(limit))),
        Order::NewestFirst => {
            rows.reverse();
            rows.truncate(limit);
        }
    }
    rows
}

/// Oldest first.
fn all(device: &Device, question: &Question, honours_to: bool, now: Timestamp) -> Vec<Row> {
    let (Some(unit), Some(last)) = (&device.unit, device.last_seen(now)) else { return Vec::new() };
    let from = question.from.unwrap_or(last - SignedDuration::from_hours(24)).max(device.since);
    let to = question.to.filter(|_| honours_to).unwrap_or(Timestamp::MAX);
    let mut rows: Vec<Row> = Vec::new();
    let every = SignedDuration::from_secs(i64::from(unit.heartbeat().max(1)));
    let mut at = device.heartbeat_after(from);
    while at <= last.min(to) {
        // What it says carries its own time; what it does is done in ours.
        rows.push((at, unit.readings(at - device.ahead)));
        at += every;
    }
    let recorded = device.recorded.iter().filter(|(at, _)| (from..=to).contains(at));
    rows.extend(recorded.cloned());
    rows.sort_by_key(|(at, _)| *at);
    rows
}

/// The mean of each metric in each bucket; the last value of what is no number.
fn buckets(rows: Vec<Row>, length: SignedDuration) -> Vec<Row> {
    let seconds = length.as_secs().max(1);
    let mut buckets: BTreeMap<Timestamp, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for (at, readings) in rows {
        let start = at.as_second().div_euclid(seconds) * seconds;
        let bucket = buckets.entry(Timestamp::from_second(start).unwrap_or(at)).or_default();
        for (name, value) in readings {
            bucket.entry(name).or_default().push(value);
        }
    }
    let mean = |values: &[Value]| -> Value {
        let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
        if numbers.is_empty() {
            return values.last().cloned().unwrap_or_default();
        }
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        Number::from_f64(mean).map_or(Value::Null, Value::Number)
    };
    let means = |metrics: BTreeMap<String, Vec<Value>>| {
        metrics.into_iter().map(|(name, values)| (name, mean(&values))).collect()
    };
    buckets.into_iter().map(|(start, metrics)| (start, means(metrics))).collect()
}
