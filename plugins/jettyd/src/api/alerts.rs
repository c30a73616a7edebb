//! Alerts. No public page says where the API lists them; where it does not, the rules of the devices are read.

use std::collections::BTreeSet;

use fleetgate_sdk::prelude::*;

use super::client::{Api, answer};
use super::{devices, reading, refusal};
use crate::alert::{Alert, Alerts, State, Wanted, WantedState, rules};
use crate::settings;

/// Devices whose configuration is looked at.
const MOST_DEVICES: usize = 50;
/// Pages that are counted.
const PAGES: usize = 10;

/// list_alerts
pub fn list(wanted: &Wanted) -> Result<Alerts, Fault> {
    let api = Api::connect()?;
    match page(&api, wanted) {
        Err(fault) if matches!(refusal::status(&fault), Some(404 | 405 | 501)) && wanted.cursor.is_none() => {
            of_devices(&api, wanted)
        }
        listed => listed,
    }
}

/// Devices with an alert that is fired. None: the API does not say it of each alert, or has more than are read.
pub(super) fn devices_with_fired(api: &Api) -> Result<Option<usize>, Fault> {
    let mut cursor = None;
    let mut devices = BTreeSet::new();
    for _ in 0..PAGES {
        // As jettyd's own server asks; a limit is nothing that is known of its API.
        let wanted = Wanted { state: Some(WantedState::Fired), cursor: cursor.take(), ..Wanted::default() };
        let (alerts, next) = entries(api, &wanted)?;
        // One that is about no device in particular may be about any.
        if alerts.iter().any(|alert| alert.state == State::Unknown || alert.device_id.is_none()) {
            return Ok(None);
        }
        devices.extend(alerts.into_iter().filter_map(|alert| alert.device_id));
        if next.is_none() || next == wanted.cursor {
            return Ok(Some(devices.len()));
        }
        cursor = next;
    }
    Ok(None)
}

/// Where a list goes on that the server gives as a whole: a cursor of ours, behind which stands the last id.
const BEHIND: &str = "behind:";
/// A cursor that is longer is none.
const LONGEST_CURSOR: usize = 512;

/// Those of a page that are wanted, and the cursor of the next one.
fn entries(api: &Api, wanted: &Wanted) -> Result<(Vec<Alert>, Option<String>), Fault> {
    // What goes on within a whole list needs the whole list.
    let ours = wanted.cursor.as_deref().is_some_and(|cursor| cursor.starts_with(BEHIND));
    let request = api
        .list(settings::alerts_path()?)
        .query_opt("state", wanted.state.map(WantedState::word))
        .query_opt("device_id", wanted.device_id.as_deref())
        .query_opt("limit", wanted.limit.filter(|_| !ours))
        .query_opt("cursor", wanted.cursor.as_deref().filter(|_| !ours));
    let whole = answer(request)?;
    let next_cursor = reading::next_cursor(&whole);
    // A server may not know the filters.
    let entries = reading::list(whole, &["alerts", "rules"])?;
    Ok((entries.iter().filter_map(Alert::read).filter(|alert| wanted.holds(alert)).collect(), next_cursor))
}

fn page(api: &Api, wanted: &Wanted) -> Result<Alerts, Fault> {
    let (mut alerts, mut next_cursor) = entries(api, wanted)?;
    if let Some(last) = wanted.cursor.as_deref().and_then(|cursor| cursor.strip_prefix(BEHIND)) {
        let Some(at) = alerts.iter().position(|alert| alert.id == last) else {
            let message = "The alert that this cursor stands for is gone: begin anew, without a cursor.";
            return Err(Fault::invalid("/cursor", message));
        };
        alerts.drain(..=at);
    }
    let most = wanted.most();
    let cut = alerts.len() > most && next_cursor.is_none();
    if cut {
        alerts.truncate(most);
        next_cursor = alerts
            .last()
            .map(|last| format!("{BEHIND}{}", last.id))
            .filter(|cursor| cursor.len() <= LONGEST_CURSOR);
    }
    let note = cut.then(|| format!("There are more than these {most}."));
    Ok(Alerts { alerts, next_cursor, note })
}

/// What the rules of each device would say. Whether one is fired, only the platform knows.
fn of_devices(api: &Api, wanted: &Wanted) -> Result<Alerts, Fault> {
    let listed = wanted.device_id.is_none();
    let ids: Vec<_> = match &wanted.device_id {
        Some(id) => vec![id.clone()],
        None => devices::all(api)?.0.into_iter().map(|device| device.id).collect(),
    };
    let mut alerts = Vec::new();
    let (mut read, mut refused, mut unasked) = (false, None, 0);
    for id in ids.iter().take(MOST_DEVICES) {
        match answer(api.get(id, ["config"])) {
            Ok(config) => {
                read = true;
                alerts.extend(rules(&config).iter().filter_map(|rule| Alert::of_rule(id, rule)));
            }
            Err(fault) if refusal::status(&fault) == Some(403) => refused = Some(fault),
            // It has none, or the API does not show it.
            Err(fault) if matches!(refusal::status(&fault), Some(404 | 405 | 501)) => {}
            // The id of one device of the fleet stands in no path; the rules of the others are told all the same.
            Err(fault) if refusal::status(&fault).is_none() && fault.is("invalid-arguments") && listed => {
                unasked += 1;
            }
            Err(fault) => return Err(fault),
        }
    }
    if let (false, Some(fault)) = (read, refused) {
        return Err(fault);
    }
    let asked =
        wanted.state.map(|state| format!(" All are listed, `{}` or not.", state.word())).unwrap_or_default();
    let mut note = format!(
        "This API has no list of alerts. These are the rules of the devices that make one; whether they are fired is not \
         known.{asked}"
    );
    if unasked > 0 {
        note.push_str(&format!(" Not asked, since no path can hold their ids: {unasked} devices."));
    }
    if ids.len() > MOST_DEVICES {
        note.push_str(&format!(" Only {MOST_DEVICES} of {} devices were looked at.", ids.len()));
    }
    if alerts.len() > wanted.most() {
        alerts.truncate(wanted.most());
        note.push_str(&format!(" There are more than these {}.", wanted.most()));
    }
    Ok(Alerts { alerts, next_cursor: None, note: Some(note) })
}
