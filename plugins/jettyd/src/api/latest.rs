//! The last value of a sensor: the shadow's; where that has none, the newest row of telemetry.
//!
//! Rows have a time and no order that anybody laid down, and of more rows than a page holds a server may leave out either
//! end. So a page counts by the times in it, and of one that may have been cut it is asked what lies behind its newest
//! row. A server that left out the oldest rows has nothing there. One that left out the newest is asked for the time
//! between what was read and now, each time for half of it: a month of minutes is read in a dozen small pages.

use std::collections::BTreeSet;

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;

use super::client::{Api, answer};
use super::lookup::by_id_or_name;
use super::reading::{Row, may_be_cut, rows};
use super::{devices, refusal};
use crate::reading::{Missing, Reading, find, shown, unit};
use crate::time;
use crate::tools::sensors::SensorValue;

/// Rows on a page: what jettyd's own client asks for.
const PAGE: usize = 200;
/// Pages behind the first one.
const PAGES: usize = 24;
/// Times this close have nothing between them.
const CLOSE: i64 = 1000;

/// read_sensor
pub fn last(asked: &str, key: &str) -> Result<SensorValue, Fault> {
    let api = Api::connect()?;
    by_id_or_name(&api, asked, |id| {
        let shadow = devices::shadow(&api, id);
        let mut known = BTreeSet::new();
        match &shadow {
            Ok(Some(shadow)) => {
                let readings = shadow.readings();
                match find(key, readings.keys().map(String::as_str)) {
                    Ok(key) => return of_shadow(&api, id, key, &readings[key]),
                    Err(several @ Missing::Several(_)) => return Err(several.fault(id, key)),
                    Err(Missing::None(keys)) => known.extend(keys),
                }
            }
            Ok(None) => {}
            // Without a shadow there may be telemetry all the same. What ends the call, or holds for that, too, does not.
            Err(fault) if matches!(refusal::status(fault), Some(404 | 405 | 500..)) => {}
            Err(fault) => return Err(fault.clone()),
        }
        let telemetry = Telemetry { api: &api, device: id, exists: shadow.is_ok() };
        match telemetry.newest(key, &mut known)? {
            Some(Newest { key, reading, note }) => Ok(value(id, &key, &reading, note.map(str::to_owned))),
            None => Err(Missing::None(known.into_iter().collect()).fault(id, key)),
        }
    })
}

/// The shadow's value. Where the shadow does not say when, the newest row of telemetry may.
fn of_shadow(api: &Api, id: &str, key: &str, reading: &Reading) -> Result<SensorValue, Fault> {
    if reading.at.is_some() {
        return Ok(value(id, key, reading, ahead(reading, time::now()).map(str::to_owned)));
    }
    let telemetry = Telemetry { api, device: id, exists: true };
    let newest = match telemetry.newest(key, &mut BTreeSet::new()) {
        Err(fault) if fault.is("cancelled") => return Err(fault),
        // The value is worth telling all the same.
        newest => newest.ok().flatten().filter(|newest| newest.key == key),
    };
    Ok(match newest {
        Some(newest) if newest.reading.value.is_same(&reading.value) => value(
            id,
            key,
            &Reading { at: newest.reading.at, ..reading.clone() },
            newest.note.map(str::to_owned),
        ),
        Some(Newest { reading: Reading { value: other, at: Some(at), .. }, .. }) => {
            let other = shown(&json!(other).to_string());
            let note = format!("The device's shadow does not say when. Its telemetry has {other} at {at}.");
            value(id, key, reading, Some(note))
        }
        _ => value(id, key, reading, None),
    })
}

fn value(id: &str, key: &str, reading: &Reading, note: Option<String>) -> SensorValue {
    SensorValue {
        device_id: id.to_owned(),
        sensor_key: key.to_owned(),
        value: reading.value.clone(),
        unit: reading.unit.clone().or_else(|| unit(key).map(str::to_owned)),
        timestamp: reading.at.map(|at| at.to_string()),
        note,
    }
}

/// What is to be known of a reading whose time cannot have been yet.
fn ahead(reading: &Reading, now: Timestamp) -> Option<&'static str> {
    reading.at.is_some_and(|at| time::is_ahead(at, now)).then_some(
        "Its time lies in the future: the device's clock is wrong, or was. Other values may be newer; get_history up to now \
         has them.",
    )
}

/// The newest reading, as far as can be told.
struct Newest {
    key: String,
    reading: Reading,
    note: Option<&'static str>,
}

struct Telemetry<'a> {
    api: &'a Api,
    device: &'a str,
    /// The API knows the device.
    exists: bool,
}

impl Telemetry<'_> {
    fn page(&self, metric: Option<&str>, from: Option<Timestamp>) -> Result<Vec<Row>, Fault> {
        let request = self.api.get(self.device, ["telemetry"]);
        let request = request.query_opt("metric", metric).query_opt("from", from).query("limit", PAGE);
        rows(answer(request)?, metric.unwrap_or_default())
    }

    /// The newest reading of a sensor. None: no row has it; `known` then gained the keys that rows have.
    fn newest(&self, wanted: &str, known: &mut BTreeSet<String>) -> Result<Option<Newest>, Fault> {
        // Unasked, a server may give the last day alone.
        for from in [None, Some(Timestamp::UNIX_EPOCH)] {
            let page = match self.page(Some(wanted), from) {
                // The device is there; some servers have no empty answer for a metric that they do not know.
                Err(fault) if self.exists && matches!(refusal::status(&fault), Some(400 | 404 | 422)) => {
                    break;
                }
                page => page?,
            };
            let keys: BTreeSet<_> = page.iter().flat_map(|row| row.readings.keys().cloned()).collect();
            match find(wanted, keys.iter().map(String::as_str)) {
                Ok(key) => return self.behind(key, &page).map(Some),
                Err(several @ Missing::Several(_)) => return Err(several.fault(self.device, wanted)),
                Err(Missing::None(keys)) => known.extend(keys),
            }
        }
        self.by_end(wanted, known)
    }

    /// A server that knows metrics by their whole names alone has them in the rows of all sensors.
    fn by_end(&self, wanted: &str, known: &mut BTreeSet<String>) -> Result<Option<Newest>, Fault> {
        let page = match self.page(None, None) {
            Err(fault) if fault.is("cancelled") => return Err(fault),
            page => page.unwrap_or_default(),
        };
        let keys: BTreeSet<_> = page.iter().flat_map(|row| row.readings.keys().cloned()).collect();
        match find(wanted, keys.iter().map(String::as_str)) {
            Ok(key) if key != wanted => self.newest(key, known),
            Ok(key) => self.behind(key, &page).map(Some),
            Err(several @ Missing::Several(_)) => Err(several.fault(self.device, wanted)),
            Err(Missing::None(keys)) => {
                known.extend(keys);
                Ok(None)
            }
        }
    }

    /// The newest reading on a page that has some, or behind it.
    fn behind(&self, key: &str, page: &[Row]) -> Result<Newest, Fault> {
        let mut newest = newest_on(page, key)
            .cloned()
            .ok_or_else(|| Fault::internal("A page lost the reading that it was found by."))?;
        let now = time::now();
        let done = |reading: Reading, note: Option<&'static str>| {
            let note = note.or(ahead(&reading, now));
            Ok(Newest { key: key.to_owned(), reading, note })
        };
        // Without times the last row is the newest, as jettyd's own client has it.
        let (Some(mut at), true) = (newest.at, may_be_cut(page.len(), PAGE)) else {
            return done(newest, None);
        };
        let (mut from, mut end) = (at, now);
        for _ in 0..PAGES {
            let page = self.page(Some(key), Some(from))?;
            match newest_on(&page, key)
                .and_then(|reading| Some((reading, reading.at.filter(|new| *new > at)?)))
            {
                Some((reading, newer)) => {
                    (newest, at) = (reading.clone(), newer);
                    if !may_be_cut(page.len(), PAGE) {
                        return done(newest, None);
                    }
                }
                None if page.iter().any(|row| row.at.is_some_and(|row| row < from)) => {
                    return done(
                        newest,
                        Some("The server does not keep to `from`: there may be newer values."),
                    );
                }
                None if from <= at => return done(newest, None),
                None => end = from,
            }
            let left = end.as_millisecond().saturating_sub(at.as_millisecond());
            from = if left > CLOSE { time::of_ms(at.as_millisecond() + left / 2) } else { at };
        }
        done(newest, Some("There is more than could be read: there may be newer values."))
    }
}

/// The newest reading of a sensor on a page; of one time, and where no row has a time, the last.
fn newest_on<'a>(page: &'a [Row], key: &str) -> Option<&'a Reading> {
    page.iter().filter_map(|row| row.readings.get(key)).max_by_key(|reading| reading.at)
}
