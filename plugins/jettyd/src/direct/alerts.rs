//! list_alerts: what was heard, and the rules that devices are known to have.
//!
//! A device says that an alert fired, and mostly not that it is over. It is over when the device says so; when the sensor
//! that the rule watches was measured since and no longer meets it; or when it was not heard again for `alert_hold`.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

use super::keys::alerts_prefix;
use super::record::{HeardAlert, Record};
use super::store::Memory;
use crate::alert::{Alert, Alerts, State, Wanted};
use crate::reading::shown;
use crate::{settings, time};

/// list_alerts
pub fn list(wanted: &Wanted) -> Result<Alerts, Fault> {
    let after = match wanted.cursor.as_deref().map(|cursor| (cursor, cursor.split_once('/'))) {
        None => None,
        Some((_, Some((device, name)))) => Some(Place::of(device, name)),
        Some((cursor, None)) => {
            return Err(Fault::invalid("/cursor", format!("`{}` is no cursor of this list.", shown(cursor))));
        }
    };
    let (all, more) = all(&Memory::open()?, wanted.device_id.as_deref(), after.as_ref())?;
    let last_seen = all.last().map(|(_, alert)| alert.id.clone());
    let mut alerts: Vec<_> =
        all.into_iter().map(|(_, alert)| alert).filter(|alert| wanted.holds(alert)).collect();
    let cut = alerts.len() > wanted.most();
    alerts.truncate(wanted.most());
    let next_cursor = match (cut, more) {
        (true, _) => alerts.last().map(|alert| alert.id.clone()),
        (false, true) => last_seen,
        (false, false) => None,
    };
    Ok(Alerts { alerts, next_cursor, note: None })
}

/// Where an alert stands in the list: as its device's keys do in the bucket, and then by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    device: String,
    name: String,
}

impl Place {
    fn of(device: &str, name: &str) -> Self {
        Self { device: alerts_prefix(device), name: name.to_owned() }
    }
}

/// All alerts, of one device or of all, behind a place; and whether there are more behind those.
pub(super) fn all(
    memory: &Memory,
    device: Option<&str>,
    after: Option<&Place>,
) -> Result<(Vec<(Place, Alert)>, bool), Fault> {
    let (mut heard, more) = memory.alerts(device, after.map(|after| after.device.as_str()))?;
    // Of the device at which the list was cut some alerts may be missing: the next page has all of it.
    let cut_at = match more {
        true => heard.last().map(|(device, _)| device.clone()),
        false => None,
    };
    let end = cut_at.map(|device| {
        heard.retain(|(of, _)| *of != device);
        alerts_prefix(&device)
    });
    let mut alerts = BTreeMap::new();
    let scripts = match device {
        Some(device) => vec![(device.to_owned(), memory.script(device)?)],
        None => memory.scripts()?,
    };
    for (device, script) in scripts {
        for alert in script.rules().iter().filter_map(|rule| Alert::of_rule(&device, rule)) {
            let name = alert.id[device.len() + 1..].to_owned();
            alerts.insert(Place::of(&device, &name), Alert { state: State::Resolved, ..alert });
        }
    }
    let (now, hold) = (time::now().as_millisecond(), settings::alert_hold()?);
    let hold = i64::try_from(hold.as_millis()).unwrap_or(i64::MAX);
    let mut records: BTreeMap<String, Option<Record>> = BTreeMap::new();
    for (device, said) in heard {
        if said.trigger.is_some() && !records.contains_key(&device) {
            records.insert(device.clone(), memory.record(&device)?);
        }
        let record = records.get(&device).and_then(Option::as_ref);
        let id = format!("{device}/{}", said.name);
        let place = Place::of(&device, &said.name);
        let state = state(&said, record, now, hold);
        let of_rule: Option<Alert> = alerts.remove(&place);
        let alert = Alert {
            name: Some(said.message),
            device_id: Some(device),
            trigger: said.trigger.or_else(|| of_rule.and_then(|alert| alert.trigger)),
            channels: Vec::new(),
            severity: said.severity,
            state,
            last_fired_at: said.fired.map(|at| time::of_ms(at).to_string()),
            id,
        };
        alerts.insert(place, alert);
    }
    let within = |place: &Place| {
        after.is_none_or(|after| place > after) && end.as_ref().is_none_or(|end| place.device < *end)
    };
    Ok((alerts.into_iter().filter(|(place, _)| within(place)).collect(), more))
}

fn state(said: &HeardAlert, record: Option<&Record>, now: i64, hold: i64) -> State {
    let Some(fired) = said.fired else { return State::Resolved };
    if said.resolved.is_some_and(|resolved| resolved >= fired) {
        return State::Resolved;
    }
    let measured = said.trigger.as_ref().and_then(|trigger| {
        let (value, at) = record?.values.get(trigger.sensor.as_deref()?)?;
        trigger.is_met(value).filter(|_| *at > fired)
    });
    match measured {
        Some(true) => State::Fired,
        Some(false) => State::Resolved,
        None if now.saturating_sub(fired) > hold => State::Resolved,
        None => State::Fired,
    }
}
