//! Lenient reading of what the API answers: a field that is missing or of another type costs that field.

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;

use crate::device::Device;
use crate::reading::{Readings, Scalar, is_hidden, read_map};
use crate::time;

/// How deep a list may lie.
const DEEPEST: usize = 2;

/// A text that is there and not empty. Numbers are taken as their decimal text.
pub(super) fn text(object: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match object.get(*key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A bare array, or one under any of these keys or `data`, `items`, `results`. Nothing, or null in its place, is an empty
/// one: some servers have no other word for it.
pub(super) fn list(answer: Value, keys: &[&str]) -> Result<Vec<Value>, Fault> {
    fn within(answer: Value, keys: &[&str], depth: usize) -> Option<Vec<Value>> {
        match answer {
            Value::Array(list) => Some(list),
            Value::Null => Some(Vec::new()),
            Value::Object(mut whole) => {
                let keys_of_all = keys.iter().chain(&["data", "items", "results"]);
                let (empty, inner): (Vec<_>, Vec<_>) =
                    keys_of_all.filter_map(|key| whole.shift_remove(*key)).partition(Value::is_null);
                let failed =
                    ["error", "errors"].iter().any(|key| whole.get(*key).is_some_and(|e| !e.is_null()));
                inner
                    .into_iter()
                    .find_map(|inner| within(inner, keys, depth.checked_sub(1)?))
                    .or_else(|| (!empty.is_empty() && !failed).then(Vec::new))
            }
            _ => None,
        }
    }
    within(answer, keys, DEEPEST).ok_or_else(|| {
        Fault::upstream(format!(
            "The API answered without a list of {}. Is the granted URL that of a jettyd server?",
            keys.first().unwrap_or(&"anything")
        ))
    })
}

/// The cursor of the next page, if the answer says that there is one.
pub(super) fn next_cursor(answer: &Value) -> Option<String> {
    let said = |whole: &Value| text(whole, &["next_cursor", "nextCursor", "cursor_next"]);
    said(answer).or_else(|| ["pagination", "meta", "page"].iter().find_map(|key| said(answer.get(*key)?)))
}

/// How many there are of what is listed, where the answer says so; `usize::MAX`: more than these.
pub(super) fn total(answer: &Value) -> Option<usize> {
    let said = |whole: &Value| {
        let more = ["has_more", "hasMore"].iter().any(|key| whole.get(*key) == Some(&Value::Bool(true)));
        let number = || {
            let all =
                ["total", "total_count", "totalCount"].iter().find_map(|key| whole.get(*key)?.as_u64())?;
            usize::try_from(all).ok()
        };
        if more { Some(usize::MAX) } else { number() }
    };
    said(answer).or_else(|| ["pagination", "meta", "page"].iter().find_map(|key| said(answer.get(*key)?)))
}

/// The object itself, or the one under `data` or one of these keys.
pub(super) fn object<'a>(answer: &'a Value, keys: &[&str]) -> &'a Value {
    keys.iter()
        .chain(&["data"])
        .find_map(|key| answer.get(*key).filter(|inner| inner.is_object()))
        .unwrap_or(answer)
}

/// A device. None: without an id.
pub(super) fn device(entry: &Value) -> Option<Device> {
    let instant = |keys: &[&str]| keys.iter().find_map(|key| time::read(entry.get(*key)?));
    let tags = match entry.get("tags") {
        Some(Value::Array(tags)) => tags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Some(Device {
        id: text(entry, &["id", "device_id"])?,
        name: text(entry, &["name", "device_name"]),
        status: text(entry, &["status", "state"])
            .map_or_else(|| "unknown".to_owned(), |word| word.to_ascii_lowercase()),
        last_seen_at: instant(&["last_seen_at", "last_seen"]).map(|at| at.to_string()),
        firmware_version: text(entry, &["firmware_version", "firmware"]),
        device_type_id: text(entry, &["device_type_id", "device_type"]),
        tags,
    })
}

/// A row of telemetry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) at: Option<Timestamp>,
    pub(super) readings: Readings,
    /// It sums up several values.
    pub(super) summed: Option<Summed>,
}

/// What a summed-up row says beside its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summed {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) count: Option<u64>,
}

/// `{"ts": …, "readings": {…}}`, or one value: `{"timestamp": …, "metric": …, "value": …}`, also as a mean with `min`,
/// `max` and `count`. `metric`: what was asked for, where the row does not say.
fn row(entry: &Value, metric: &str) -> Row {
    let instant = ["ts", "timestamp", "time", "bucket", "recorded_at", "created_at"];
    let at = instant.iter().find_map(|key| time::read(entry.get(*key)?));
    if let Some(readings) =
        ["readings", "values", "metrics"].iter().find_map(|key| entry.get(*key)?.as_object())
    {
        return Row { at, readings: read_map(readings, at), summed: None };
    }
    let number = |keys: &[&str]| keys.iter().find_map(|key| Scalar::read(entry.get(*key)?)?.number());
    let mean = ["value", "avg", "mean", "average"].iter().find_map(|key| Scalar::read(entry.get(*key)?));
    let key = text(entry, &["metric", "sensor_key", "key"]).unwrap_or_else(|| metric.to_owned());
    let mut readings = Readings::new();
    if let Some(value) = mean.filter(|_| !is_hidden(&key) && !key.is_empty()) {
        let unit = text(entry, &["unit"]);
        readings.insert(key, crate::reading::Reading { value, unit, at });
    }
    let summed = Summed {
        min: number(&["min"]),
        max: number(&["max"]),
        count: ["count", "samples"].iter().find_map(|key| entry.get(*key)?.as_u64()),
    };
    let is_sum = ["avg", "mean", "average", "bucket", "min", "max", "count"]
        .iter()
        .any(|key| entry.get(*key).is_some());
    Row { at, readings, summed: is_sum.then_some(summed) }
}

/// The rows of an answer.
pub(super) fn rows(answer: Value, metric: &str) -> Result<Vec<Row>, Fault> {
    let rows = list(answer, &["telemetry", "rows", "points", "readings"])?;
    Ok(rows.iter().map(|entry| row(entry, metric)).collect())
}

/// Whether a page of so many rows may have been cut: it is full, or as round as the limits are that servers have of their
/// own.
pub(super) fn may_be_cut(rows: usize, asked: usize) -> bool {
    let round = rows.is_multiple_of(10) || rows.is_multiple_of(25) || (rows >= 16 && rows.is_power_of_two());
    rows >= asked || (rows > 0 && round)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_found_bare_and_under_every_usual_key() {
        for answer in [
            json!([1, 2]),
            json!({ "devices": [1, 2] }),
            json!({ "data": [1, 2], "total": 2 }),
            json!({ "data": { "devices": [1, 2] } }),
            json!({ "items": [1, 2] }),
            json!({ "devices": null, "data": [1, 2] }),
        ] {
            assert_eq!(list(answer.clone(), &["devices"]).ok(), Some(vec![json!(1), json!(2)]), "{answer}");
        }
        for empty in [json!(null), json!([]), json!({ "devices": null }), json!({ "data": null, "total": 0 })]
        {
            assert_eq!(list(empty.clone(), &["devices"]).ok(), Some(Vec::new()), "{empty}");
        }
        for wrong in [
            json!({ "error": "x" }),
            json!({ "error": "x", "data": null }),
            json!({}),
            json!("x"),
            json!({ "data": { "data": { "data": [] } } }),
        ] {
            assert_eq!(
                list(wrong.clone(), &["devices"]).map_err(|fault| fault.code),
                Err("upstream".into()),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_device_without_most_fields_is_one_and_one_without_an_id_is_none() {
        let read = device(&json!({ "id": 7, "status": "ONLINE", "last_seen_at": null, "tags": null }))
            .expect("a device");
        assert_eq!((read.id.as_str(), read.status.as_str(), read.last_seen_at), ("7", "online", None));
        assert_eq!(device(&json!({ "name": "x" })), None);
    }
}
