//! list_alerts: what was heard, and the rules that devices are known to have.
//!
//! A device says that an alert fired, and mostly not that it is over. It is over when the device says so; when the sensor
//! that the rule watches was measured since and no longer meets it; or when it was not heard again for `alert_hold`.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;

use super::record::{HeardAlert, Record};
use super::store::Memory;
use crate::alert::{Alert, Alerts, State, Wanted};
use crate::{settings, time};

/// list_alerts
pub fn list(wanted: &Wanted) -> Result<Alerts, Fault> {
    let (all, more) = all(&Memory::open()?, wanted.device_id.as_deref())?;
    let after = wanted.cursor.as_deref().unwrap_or_default();
    let mut alerts: Vec<_> =
        all.into_iter().filter(|alert| *alert.id > *after && wanted.holds(alert)).collect();
    let cut = alerts.len() > wanted.limit;
    alerts.truncate(wanted.limit);
    let next_cursor = alerts.last().filter(|_| cut).map(|alert| alert.id.clone());
    let note = more.then(|| "There are more alerts than were looked through.".to_owned());
    Ok(Alerts { alerts, next_cursor, note })
}

/// All alerts, of one device or of all, by id; and whether there are more.
pub(super) fn all(memory: &Memory, device: Option<&str>) -> Result<(Vec<Alert>, bool), Fault> {
    let (heard, more) = memory.alerts(device)?;
    let mut alerts = BTreeMap::new();
    let scripts = match device {
        Some(device) => vec![(device.to_owned(), memory.script(device)?)],
        None => memory.scripts()?,
    };
    for (device, script) in scripts {
        for rule in script.rules() {
            if let Some(alert) = Alert::of_rule(&device, rule) {
                alerts.insert(alert.id.clone(), Alert { state: State::Resolved, ..alert });
            }
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
        let state = state(&said, record, now, hold);
        let of_rule: Option<Alert> = alerts.remove(&id);
        let alert = Alert {
            name: Some(said.message),
            device_id: Some(device),
            trigger: said.trigger.or_else(|| of_rule.and_then(|alert| alert.trigger)),
            channels: Vec::new(),
            severity: said.severity,
            state,
            last_fired_at: said.fired.map(|at| time::of_ms(at).to_string()),
            id: id.clone(),
        };
        alerts.insert(id, alert);
    }
    Ok((alerts.into_values().collect(), more))
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
