//! Alerts. No public page says where the API lists them; where it does not, the rules of the devices are read.

use fleetgate_sdk::prelude::*;

use super::client::{Api, answer};
use super::{devices, reading, refusal};
use crate::alert::{Alert, Alerts, Wanted, WantedState, rules};
use crate::settings;

/// Devices whose configuration is looked at.
const MOST_DEVICES: usize = 50;
/// Pages that are counted.
const PAGES: usize = 10;
/// Entries on a page that is counted.
const PAGE: usize = 500;

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

/// All that are fired.
pub(super) fn fired(api: &Api) -> Result<Vec<Alert>, Fault> {
    let mut wanted = Wanted { state: Some(WantedState::Fired), limit: PAGE, ..Wanted::default() };
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let page = page(api, &wanted)?;
        all.extend(page.alerts);
        if page.next_cursor.is_none() || page.next_cursor == wanted.cursor {
            break;
        }
        wanted.cursor = page.next_cursor;
    }
    Ok(all)
}

fn page(api: &Api, wanted: &Wanted) -> Result<Alerts, Fault> {
    let request = api
        .list(settings::alerts_path()?)
        .query_opt("state", wanted.state.map(WantedState::word))
        .query_opt("device_id", wanted.device_id.as_deref())
        .query("limit", wanted.limit)
        .query_opt("cursor", wanted.cursor.as_deref());
    let whole = answer(request)?;
    let next_cursor = reading::next_cursor(&whole);
    // A server may not know the filters.
    let entries = reading::list(whole, &["alerts", "rules"])?;
    let mut alerts: Vec<_> =
        entries.iter().filter_map(Alert::read).filter(|alert| wanted.holds(alert)).collect();
    let cut = alerts.len() > wanted.limit && next_cursor.is_none();
    if cut {
        alerts.truncate(wanted.limit);
    }
    let note = cut.then(|| format!("There are more than these {}.", wanted.limit));
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
    if alerts.len() > wanted.limit {
        alerts.truncate(wanted.limit);
        note.push_str(&format!(" There are more than these {}.", wanted.limit));
    }
    Ok(Alerts { alerts, next_cursor: None, note: Some(note) })
}
