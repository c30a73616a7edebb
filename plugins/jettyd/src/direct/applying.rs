//! What messages make of what is known of a device.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetgate_sdk::prelude::*;

use super::clock::Measured;
use super::keys::{alert_key, alerts_prefix, history_key, record_key, report_key, script_key};
use super::matter::{Matter, Matters};
use super::message::{AlertSaid, Said, fits};
use super::record::{HeardAlert, Report, Script};
use super::room::{Need, Room, cost};
use super::store::Draft;
use crate::alert::{Alert, alert_of};
use crate::reading::{Scalar, shown};

/// Alerts that are remembered of one device.
const MOST_ALERTS: u32 = 64;
/// For so long a device of the same id under another prefix is another device.
const ELSEWHERE: i64 = 3_600_000;
/// What the key of an entry costs beside what a message has, in bytes.
const OVERHEAD: usize = 128;

/// What the operator set.
pub struct Rules {
    pub tolerance: Duration,
    pub retention: Duration,
    pub forget: Duration,
}

/// A message that was understood.
pub struct Heard {
    /// Which of the batch.
    pub at: usize,
    pub device: String,
    pub prefix: String,
    pub said: Said,
    pub event: String,
    /// By the host's clock, in Unix milliseconds.
    pub time: i64,
    pub retained: bool,
    /// The device itself said it.
    pub by_device: bool,
    pub bytes: usize,
}

/// What else came of it.
#[derive(Default)]
pub struct Kept {
    pub matters: Matters,
    pub refused: Vec<(usize, Fault)>,
    /// What all of it costs, by device.
    pub needs: Vec<Need>,
}

/// What these messages make of a device.
pub fn apply(
    draft: &mut Draft<'_>,
    rules: &Rules,
    room: &Room,
    heard: &[Heard],
    kept: &mut Kept,
) -> Result<(), Fault> {
    let Some((device, last)) = heard.last().map(|heard| (heard.device.as_str(), heard.time)) else {
        return Ok(());
    };
    let (known, when) = draft.record(device)?;
    let without = room.without.contains(device);
    if without && known.is_none() {
        let full = Fault::custom(
            "no-room",
            "The bucket is full, and no device has more than it has a right to: there is no room for another one.",
        );
        kept.refused.extend(heard.iter().map(|one| (one.at, full.clone())));
        return Ok(());
    }
    let mut record = known.clone().unwrap_or_default();
    let retention = i64::try_from(rules.retention.as_millis()).unwrap_or(i64::MAX);
    record.held.expire(last, retention);
    room.given.get(device).into_iter().for_each(|given| record.held.forget(*given));
    let bytes = heard.iter().map(|one| cost(one.bytes + OVERHEAD)).sum::<u64>();
    let first = if known.is_none() { OVERHEAD as u64 * 4 } else { 0 };
    kept.needs.push(Need { device: device.to_owned(), held: record.held.cost(), cost: bytes + first });
    let tolerance = i64::try_from(rules.tolerance.as_millis()).unwrap_or(i64::MAX);
    for one in heard {
        let latest = one.time.saturating_add(tolerance);
        record.nothing_behind(latest, one.time.saturating_sub(tolerance));
        let elsewhere = one.by_device && !record.prefix.is_empty() && record.prefix != one.prefix;
        if elsewhere {
            record.contested = Some(one.time);
        }
        if elsewhere && one.time - record.heard < ELSEWHERE {
            let message =
                format!("A device of this id was heard under another prefix ({}).", shown(&record.prefix));
            kept.refused.push((one.at, Fault::custom("foreign-topic", message)));
            continue;
        }
        if one.by_device {
            record.prefix.clone_from(&one.prefix);
        }
        let measured = |ts: Option<&Value>| Measured::of(ts, one.time, rules.tolerance);
        let away = matches!(&one.said, Said::Status { word, .. } if word == "offline");
        if one.by_device && !one.retained && !away {
            record.heard = record.heard.max(one.time);
        }
        match &one.said {
            Said::Telemetry { ts, readings, left_out } => {
                let at = measured(ts.as_ref());
                let clock = match at {
                    Measured::Told(_) => Some(false),
                    Measured::Corrected(_) => Some(true),
                    Measured::Heard(_) => None,
                };
                for (matter, is) in [(Matter::Clock, clock), (Matter::Values, Some(*left_out > 0))] {
                    let Some(is) = is else { continue };
                    if record.matters.counts(matter, is, one.time) {
                        kept.matters.begins(matter, device);
                    } else if is {
                        kept.matters.lasts(matter);
                    }
                }
                for (key, value) in readings {
                    record.measured(key, value, at.ms());
                }
                if !without && let Some(bytes) = history(draft, rules, one, at.ms(), readings)? {
                    record.held.add(at.ms(), cost(bytes), retention);
                }
            }
            Said::Status { ts, word, version } => {
                let at = if one.retained { told(ts.as_ref(), one, rules) } else { one.time };
                if record.status.as_ref().is_none_or(|(_, before)| *before <= at) {
                    record.status = Some((word.clone(), at));
                }
                if word == "updated" && version.is_some() {
                    record.firmware.clone_from(version);
                }
            }
            Said::Report(shadow) => {
                let said = shadow.last_report().map(|at| json!(at.as_millisecond()));
                let at = measured(said.as_ref()).ms();
                for (key, reading) in shadow.readings() {
                    if fits(&key, &reading.value) {
                        record.measured(&key, &reading.value, at);
                    }
                }
                if let Some(tags) = shadow.reported.get("tags").and_then(Value::as_array) {
                    record.tags = tags.iter().filter_map(Value::as_str).take(32).map(shown).collect();
                }
                let key = report_key(device);
                if draft.read::<Report>(&key)?.is_none_or(|before| before.at <= at || before.at > latest) {
                    let report = Report {
                        reported: shadow.reported.clone(),
                        desired: shadow.desired.clone(),
                        metadata: shadow.metadata.clone(),
                        at,
                    };
                    draft.set(key, &report, rules.forget)?;
                }
            }
            Said::Alert(said) => alert(draft, rules, device, said, measured(said.ts.as_ref()).ms())?,
            Said::ConfigAccepted { rules: count, heartbeats } => {
                let key = script_key(device);
                let mut script = draft.read::<Script>(&key)?.unwrap_or_default();
                if script.accepted(*count, *heartbeats) {
                    record.interval = script.interval();
                    draft.set(key, &script, rules.forget)?;
                } else if script.contradicted(*count, *heartbeats) {
                    script.known = None;
                    record.interval = None;
                    draft.set(key, &script, rules.forget)?;
                }
            }
            Said::ConfigRejected => {
                let key = script_key(device);
                if let Some(mut script) = draft.read::<Script>(&key)?.filter(|script| script.sent.is_some()) {
                    script.sent = None;
                    draft.set(key, &script, rules.forget)?;
                }
            }
            Said::Config(config) if config.contains_key("rules") || config.contains_key("heartbeats") => {
                let key = script_key(device);
                let mut script = draft.read::<Script>(&key)?.unwrap_or_default();
                // What the broker kept is what the device got when it came.
                match one.retained {
                    true => script = Script { known: Some(config.clone()), sent: None },
                    // It has it already, as who sent it has noted.
                    false if script.known.as_ref() == Some(config) => script.sent = None,
                    false => script.sent = Some(config.clone()),
                }
                if one.retained {
                    record.interval = script.interval();
                }
                draft.set(key, &script, rules.forget)?;
            }
            Said::Config(_) | Said::Nothing => {}
        }
    }
    // What others say to a device makes no device.
    if record.prefix.is_empty() || known.as_ref() == Some(&record) {
        return Ok(());
    }
    draft.set_when(record_key(device), &record, rules.forget, when)?;
    Ok(())
}

/// When something was said that the broker kept; 0 where nobody knows.
fn told(ts: Option<&Value>, heard: &Heard, rules: &Rules) -> i64 {
    match Measured::of(ts, heard.time, rules.tolerance) {
        Measured::Told(at) => at,
        Measured::Heard(_) | Measured::Corrected(_) => 0,
    }
}

/// The bytes that are kept of it, if some are.
fn history(
    draft: &mut Draft<'_>,
    rules: &Rules,
    heard: &Heard,
    at: i64,
    readings: &BTreeMap<String, Scalar>,
) -> Result<Option<usize>, Fault> {
    let age = Duration::from_millis(u64::try_from(heard.time.saturating_sub(at)).unwrap_or_default());
    // What is older than history is kept is none any more.
    match rules.retention.checked_sub(age) {
        Some(left) if !left.is_zero() && !readings.is_empty() => {
            draft.set(history_key(&heard.device, at, &heard.event), readings, left).map(Some)
        }
        _ => Ok(None),
    }
}

fn alert(draft: &mut Draft<'_>, rules: &Rules, device: &str, said: &AlertSaid, at: i64) -> Result<(), Fault> {
    let script = draft.read::<Script>(&script_key(device))?.unwrap_or_default();
    let rule = script.rules().iter().find(|rule| {
        let id = rule.get("id").and_then(Value::as_str).map(shown);
        let message = alert_of(rule).and_then(|alert| alert.get("message")?.as_str()).map(shown);
        id.as_ref() == Some(&said.name) || message.as_ref() == Some(&said.message)
    });
    let name = rule.and_then(|rule| rule.get("id")?.as_str()).map_or_else(|| said.name.clone(), shown);
    let key = alert_key(device, &name);
    let before = draft.read::<HeardAlert>(&key)?;
    if before.is_none() {
        forget_oldest(draft, device)?;
    }
    let mut alert = before.unwrap_or(HeardAlert {
        name,
        message: said.message.clone(),
        severity: None,
        fired: None,
        resolved: None,
        trigger: None,
    });
    alert.message.clone_from(&said.message);
    alert.severity = said.severity.clone().or(alert.severity);
    alert.trigger = rule.and_then(|rule| Alert::of_rule(device, rule)?.trigger).or(alert.trigger);
    let last = if said.resolved { &mut alert.resolved } else { &mut alert.fired };
    *last = Some(last.map_or(at, |before| before.max(at)));
    draft.set(key, &alert, rules.forget)?;
    Ok(())
}

/// Alerts may say something new each time (`31.2 is too hot`); of those, only so many are remembered.
fn forget_oldest(draft: &mut Draft<'_>, device: &str) -> Result<(), Fault> {
    let all = draft.list(&alerts_prefix(device), MOST_ALERTS)?;
    if all.len() < MOST_ALERTS as usize {
        return Ok(());
    }
    let time = |kept: &[u8]| {
        let alert: HeardAlert = serde_json::from_slice(kept).ok()?;
        alert.fired.max(alert.resolved)
    };
    if let Some((oldest, _)) = all.into_iter().min_by_key(|(_, kept)| time(kept)) {
        draft.delete(oldest);
    }
    Ok(())
}
