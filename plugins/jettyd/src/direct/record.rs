//! What is known of a device: one record, rewritten with each message.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::matter::Since;
use super::room::Held;
use crate::alert::Trigger;
use crate::device::Device;
use crate::reading::{Scalar, shown};
use crate::time;

/// Sensors of one device.
const MOST_SENSORS: usize = 512;
/// Silence of so many intervals is absence: one message may be late, or lost.
const MISSED: f64 = 2.5;

/// A device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What its topics begin with.
    pub prefix: String,
    /// When a device of the same id was heard under another prefix, in Unix milliseconds.
    pub contested: Option<i64>,
    /// When it was last heard, by the host's clock, in Unix milliseconds; 0: only something that a broker had kept was.
    pub heard: i64,
    /// The last word that it said about itself, and when.
    pub status: Option<(String, i64)>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
    /// What kind of device it is.
    pub kind: Option<String>,
    /// Seconds between two reports, where they are known.
    pub interval: Option<u64>,
    /// Tags that it was given here.
    pub tags: Vec<String>,
    /// The last value of each sensor, and when that was measured, in Unix milliseconds.
    pub values: BTreeMap<String, (Scalar, i64)>,
    /// What is the matter with it.
    pub matters: Since,
    /// What history is kept of it.
    pub held: Held,
}

impl Record {
    /// A value; an older one does not replace a newer one.
    pub fn measured(&mut self, key: &str, value: &Scalar, at: i64) {
        if self.values.get(key).is_none_or(|(_, before)| *before <= at) {
            self.values.insert(key.to_owned(), (value.clone(), at));
        }
        if self.values.len() > MOST_SENSORS {
            let oldest = self.values.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
            oldest.map(|key| self.values.remove(&key));
        }
        let text = || match value {
            Scalar::Text(text) => Some(shown(text)).filter(|text| !text.trim().is_empty()),
            Scalar::Number(number) => Some(number.to_string()),
            Scalar::Flag(_) => None,
        };
        match key {
            "system.firmware_version" | "firmware_version" => self.firmware = text().or(self.firmware.take()),
            "system.name" | "system.device_name" | "name" => self.name = text().or(self.name.take()),
            "system.device_type" | "device_type" => self.kind = text().or(self.kind.take()),
            _ => {}
        }
    }

    /// What is said to have happened behind `latest` did not: a clock was set back. It counts as older than what is said
    /// now, so that nothing waits for a time that may never come.
    pub fn nothing_behind(&mut self, latest: i64, instead: i64) {
        let put_right = |at: &mut i64| {
            if *at > latest {
                *at = instead;
            }
        };
        put_right(&mut self.heard);
        self.status.iter_mut().for_each(|(_, at)| put_right(at));
        self.values.values_mut().for_each(|(_, at)| put_right(at));
    }

    /// How long it may be silent before it is taken to be offline.
    fn patience(&self, unknown: Duration) -> Duration {
        self.interval.map_or(unknown, |seconds| Duration::from_secs(seconds).mul_f64(MISSED))
    }

    /// How it is, as far as can be told now.
    pub fn status(&self, now: i64, unknown: Duration) -> String {
        let word = self.status.as_ref().map(|(word, at)| (word.as_str(), *at));
        let silent = u64::try_from(now.saturating_sub(self.heard)).unwrap_or_default();
        let since = |at: i64| self.heard > at;
        match word {
            // It said so, and nothing since.
            Some((word @ ("offline" | "sleep"), at)) if !since(at) => word.to_owned(),
            _ if silent > u64::try_from(self.patience(unknown).as_millis()).unwrap_or(u64::MAX) => {
                "offline".to_owned()
            }
            Some((word @ ("updating" | "updated" | "error" | "provisioning"), _)) => word.to_owned(),
            _ => "online".to_owned(),
        }
    }

    /// As list_devices shows it.
    pub fn device(&self, id: &str, now: i64, unknown: Duration) -> Device {
        Device {
            id: id.to_owned(),
            name: self.name.clone(),
            status: self.status(now, unknown),
            last_seen_at: (self.heard > 0).then(|| time::of_ms(self.heard).to_string()),
            firmware_version: self.firmware.clone(),
            device_type_id: self.kind.clone(),
            tags: self.tags.clone(),
        }
    }
}

/// The last report of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub reported: Map<String, Value>,
    pub desired: Option<Map<String, Value>>,
    pub metadata: Option<Map<String, Value>>,
    /// In Unix milliseconds.
    pub at: i64,
}

/// The script of a device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Script {
    /// What it is known to have.
    pub known: Option<Map<String, Value>>,
    /// What it was sent, and has not answered.
    pub sent: Option<Map<String, Value>>,
}

impl Script {
    /// It takes what it was sent, if that has as many rules and heartbeats as it counts. Says whether it does.
    pub fn accepted(&mut self, rules: Option<u64>, heartbeats: Option<u64>) -> bool {
        let fits = |sent: &Map<String, Value>| {
            let count = |key: &str| sent.get(key).and_then(Value::as_array).map_or(0, Vec::len) as u64;
            rules.is_none_or(|said| said == count("rules"))
                && heartbeats.is_none_or(|said| said == count("heartbeats"))
        };
        match self.sent.take_if(|sent| fits(sent)) {
            Some(sent) => {
                self.known = Some(sent);
                true
            }
            None => false,
        }
    }

    /// Whether the device has another script than the one that it is known to have: it counts others.
    pub fn contradicted(&self, rules: Option<u64>, heartbeats: Option<u64>) -> bool {
        let count = |key: &str| {
            let list = self.known.as_ref()?.get(key).and_then(Value::as_array);
            Some(list.map_or(0, Vec::len) as u64)
        };
        let differs =
            |said: Option<u64>, key| said.zip(count(key)).is_some_and(|(said, known)| said != known);
        differs(rules, "rules") || differs(heartbeats, "heartbeats")
    }

    /// Seconds between two reports: the shortest heartbeat.
    pub fn interval(&self) -> Option<u64> {
        let heartbeats = self.known.as_ref()?.get("heartbeats")?.as_array()?;
        heartbeats.iter().filter_map(|heartbeat| heartbeat.get("every")?.as_u64()).min()
    }

    /// The rules that it is known to have.
    pub fn rules(&self) -> &[Value] {
        let rules = self.known.as_ref().and_then(|known| known.get("rules")?.as_array());
        rules.map_or(&[], Vec::as_slice)
    }
}

/// An alert that was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeardAlert {
    /// What names it among the alerts of the device: the rule's id, or what it says.
    pub name: String,
    pub message: String,
    pub severity: Option<String>,
    /// When it was last fired, in Unix milliseconds; none: it never was heard to be.
    pub fired: Option<i64>,
    /// When it was last said to be over.
    pub resolved: Option<i64>,
    /// What it watches, where a known rule of the device says so.
    pub trigger: Option<Trigger>,
}
