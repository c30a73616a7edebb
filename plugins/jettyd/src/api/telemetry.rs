//! Values of a sensor in a range of time: asked for in pages, [read on](ends) where one may have been cut, and
//! [put together](values).

use std::cell::Cell;
use std::collections::BTreeSet;

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;

use super::client::{Api, answer};
use super::lookup::by_id_or_name;
use super::reading::{Row, rows};
use super::{devices, refusal};
use crate::history::{Asked, History, Resolution};
use crate::reading::{Missing, find};

use ends::{End, PAGE, rest};
use values::Values;

mod ends;
mod values;

/// Rows on a page of a server that takes no more: what jettyd's own client asks for.
const USUAL_PAGE: usize = 200;

/// get_history
pub fn history(asked: &str, key: &str, range: &Asked) -> Result<History, Fault> {
    let api = Api::connect()?;
    by_id_or_name(&api, asked, |id| {
        let pages = Pages { api: &api, device: id, range, plain: Cell::new(false) };
        let first = pages.read(key, range.from, range.to)?;
        let (key, first) = pages.key(key, first)?;
        let mut values = Values::default();
        let end = rest(range, first, &mut values, &key, |from, to| pages.read(&key, from, to))?;
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
}
