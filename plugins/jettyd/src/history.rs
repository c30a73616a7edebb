//! A sensor's values over time, raw or in buckets.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;

use crate::reading::{Scalar, unit};
use crate::time;

/// How fine the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Resolution {
    /// Every value as it was measured.
    #[default]
    #[serde(rename = "raw")]
    Raw,
    /// Minutes.
    #[serde(rename = "1m")]
    Minute,
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// Quarters of an hour.
    #[serde(rename = "15m")]
    QuarterHour,
    /// Hours.
    #[serde(rename = "1h")]
    Hour,
    /// Days, UTC.
    #[serde(rename = "1d")]
    Day,
}

impl Resolution {
    /// As callers write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }

    /// The length of a bucket in milliseconds. None: no buckets.
    pub fn ms(self) -> Option<i64> {
        let minutes = match self {
            Self::Raw => return None,
            Self::Minute => 1,
            Self::FiveMinutes => 5,
            Self::QuarterHour => 15,
            Self::Hour => 60,
            Self::Day => 24 * 60,
        };
        Some(minutes * 60_000)
    }

    /// The beginning of the bucket that an instant is in: buckets begin at whole multiples of their length, UTC.
    pub fn begin(self, at: Timestamp) -> Timestamp {
        match self.ms() {
            None => at,
            Some(length) => {
                let ms = at.as_millisecond();
                time::of_ms(ms - ms.rem_euclid(length))
            }
        }
    }
}

/// What is asked for, checked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// From when, included.
    pub from: Timestamp,
    /// Until when, included.
    pub to: Timestamp,
    /// How fine.
    pub resolution: Resolution,
}

impl Asked {
    /// # Errors
    /// `invalid-arguments` with the argument's name: not RFC 3339, or the end before the beginning.
    pub fn new(from: &str, to: Option<&str>, resolution: Option<Resolution>) -> Result<Self, Fault> {
        let from = time::argument("/from", from)?;
        let given = to.map(|to| time::argument("/to", to)).transpose()?;
        let to = given.unwrap_or_else(time::now);
        if from > to {
            let message = match given {
                Some(_) => format!("`from` ({from}) lies behind `to` ({to})."),
                None => format!("`from` ({from}) lies in the future: it is {to}."),
            };
            return Err(Fault::invalid("/from", message));
        }
        Ok(Self { from, to, resolution: resolution.unwrap_or_default() })
    }

    /// Whether an instant lies in the range.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

/// One value, or one bucket of values.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// When it was measured; of a bucket, when that begins. RFC 3339.
    pub timestamp: String,
    /// The value; of a bucket the mean (on counts 1 and off 0), and the last one where values are texts.
    pub value: Scalar,
    /// The least value of the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How many values are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct History {
    /// The device.
    pub device_id: String,
    /// The sensor's whole key.
    pub sensor_key: String,
    /// From when, RFC 3339.
    pub from: String,
    /// Until when, RFC 3339.
    pub to: String,
    /// `raw`, `1m`, `5m`, `15m`, `1h` or `1d`.
    pub resolution: Resolution,
    /// In what the values are measured; null if not known.
    pub unit: Option<String>,
    /// Oldest first.
    pub points: Vec<Point>,
    /// True: there are more values in this range than were read; ask for less.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// What else should be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl History {
    /// The answer of these points.
    pub fn new(device_id: &str, key: &str, asked: &Asked, points: Vec<Point>, truncated: bool) -> Self {
        Self {
            device_id: device_id.to_owned(),
            sensor_key: key.to_owned(),
            from: asked.from.to_string(),
            to: asked.to.to_string(),
            resolution: asked.resolution,
            unit: unit(key).map(str::to_owned),
            points,
            truncated,
            note: None,
        }
    }
}

/// Values in order of time, as points of this resolution.
pub fn points(values: impl IntoIterator<Item = (Timestamp, Scalar)>, resolution: Resolution) -> Vec<Point> {
    if resolution == Resolution::Raw {
        return values
            .into_iter()
            .map(|(at, value)| Point { timestamp: at.to_string(), value, min: None, max: None, count: None })
            .collect();
    }
    let mut buckets: BTreeMap<Timestamp, Bucket> = BTreeMap::new();
    for (at, value) in values {
        buckets.entry(resolution.begin(at)).or_default().add(value);
    }
    buckets.into_iter().filter_map(|(begin, bucket)| bucket.point(begin)).collect()
}

#[derive(Default)]
struct Bucket {
    count: u64,
    sum: f64,
    least: Option<f64>,
    greatest: Option<f64>,
    text: bool,
    last: Option<Scalar>,
}

impl Bucket {
    fn add(&mut self, value: Scalar) {
        self.count += 1;
        match value.number() {
            Some(number) => {
                self.sum += number;
                self.least = Some(self.least.map_or(number, |least| least.min(number)));
                self.greatest = Some(self.greatest.map_or(number, |greatest| greatest.max(number)));
            }
            None => self.text = true,
        }
        self.last = Some(value);
    }

    fn point(self, begin: Timestamp) -> Option<Point> {
        // Bounded by what was read, far below what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let mean = serde_json::Number::from_f64(self.sum / self.count as f64).filter(|_| !self.text);
        let (value, min, max) = match mean {
            Some(mean) => (Scalar::Number(mean), self.least, self.greatest),
            None => (self.last?, None, None),
        };
        Some(Point { timestamp: begin.to_string(), value, min, max, count: Some(self.count) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn buckets_begin_at_whole_hours_and_hold_mean_least_and_greatest() {
        let values = [
            (at("2025-05-19T00:10:00Z"), json!(1)),
            (at("2025-05-19T00:59:59.999Z"), json!(4)),
            (at("2025-05-19T01:00:00Z"), json!("10")),
        ];
        let values = values.map(|(at, value)| (at, Scalar::read(&value).expect("a scalar")));
        let points = points(values, Resolution::Hour);
        assert_eq!(
            json!(points),
            json!([
                { "timestamp": "2025-05-19T00:00:00Z", "value": 2.5, "min": 1.0, "max": 4.0, "count": 2 },
                { "timestamp": "2025-05-19T01:00:00Z", "value": 10.0, "min": 10.0, "max": 10.0, "count": 1 },
            ])
        );
    }

    #[test]
    fn a_bucket_of_switches_is_the_part_of_the_time_and_one_of_texts_the_last() {
        let bucket = |values: [Value; 3]| {
            let values =
                values.map(|value| (at("2025-05-19T00:10:00Z"), Scalar::read(&value).expect("a scalar")));
            json!(points(values, Resolution::Day)[0])
        };
        assert_eq!(bucket([json!(true), json!(true), json!(false)])["value"], json!(2.0 / 3.0));
        let texts = bucket([json!("idle"), json!("busy"), json!("done")]);
        assert_eq!(texts, json!({ "timestamp": "2025-05-19T00:00:00Z", "value": "done", "count": 3 }));
        assert_eq!(bucket([json!(1), json!("busy"), json!(2)])["value"], 2);
    }

    #[test]
    fn buckets_before_1970_begin_before_their_values() {
        assert_eq!(Resolution::Day.begin(at("1969-12-31T12:00:00Z")), at("1969-12-31T00:00:00Z"));
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused_by_name() {
        let fault = Asked::new("2025-05-20T00:00:00Z", Some("2025-05-19T00:00:00Z"), None)
            .expect_err("it is refused");
        assert_eq!(fault.field.as_deref(), Some("/from"));
        let fault = Asked::new("9999-01-01T00:00:00Z", None, None).expect_err("it is refused");
        assert!(fault.message.contains("in the future"), "{fault}");
        let fault = Asked::new("2025-05-20T00:00:00Z", Some("now"), None).expect_err("it is refused");
        assert_eq!(fault.field.as_deref(), Some("/to"));
        assert!(Asked::new("2025-05-20T00:00:00Z", Some("2025-05-20T00:00:00Z"), None).is_ok());
    }
}
