//! One device: what it reads, what it is switched to, what it reports.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Number, Value, json};

use super::model::{Kind, Model};
use super::rules::{self, Accepted, Complaint};

/// Periods of a switch that are remembered.
const REMEMBERED: usize = 64;

/// A device's inner life. Time is given to it: it has no clock.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its type.
    pub model: Model,
    /// What it says it runs.
    pub firmware_version: String,
    /// When it was switched on.
    pub booted: Timestamp,
    /// Instances whose driver fails at whatever is asked of it.
    pub broken: BTreeSet<String>,
    /// The configuration that it accepted last.
    pub config: Option<Value>,
    /// Where its readings are in their day, so that no two devices say the same.
    phase: f64,
    /// From when to when each switch was on; an open end is open.
    on: BTreeMap<&'static str, Vec<(Timestamp, Option<Timestamp>)>>,
    levels: BTreeMap<String, f64>,
    loaded: Accepted,
}

impl Unit {
    /// A device of this type that has just been switched on; `number` makes it different from the others.
    pub fn new(model: Model, number: u64, booted: Timestamp) -> Self {
        Self {
            model,
            firmware_version: "1.2.0".into(),
            booted,
            broken: BTreeSet::new(),
            config: None,
            phase: (number % 97) as f64 / 97.0,
            on: BTreeMap::new(),
            levels: BTreeMap::new(),
            loaded: Accepted::default(),
        }
    }

    /// Every metric it has, as `telemetry_publish_all` sends them: those of its drivers, then those of the system.
    pub fn readings(&self, at: Timestamp) -> Map<String, Value> {
        let mut readings = Map::new();
        for driver in self.model.drivers() {
            for capability in driver.capabilities {
                let name = format!("{}.{}", driver.instance, capability.name);
                readings.extend(self.reading(&name, at).map(|value| (name, value)));
            }
        }
        let uptime = at.duration_since(self.booted).as_secs().max(0);
        readings.insert("system.battery".into(), json!(0));
        readings.insert("system.rssi".into(), json!(-54 - (self.phase * 20.0) as i64));
        readings.insert("system.uptime".into(), json!(uptime));
        readings.insert("system.heap_free".into(), json!(183_204));
        readings
    }

    /// One metric of a driver; none if it has none of that name, or the driver fails.
    pub fn reading(&self, name: &str, at: Timestamp) -> Option<Value> {
        let (driver, capability) = self.model.capability(name)?;
        if self.broken.contains(driver.instance) {
            return None;
        }
        Some(match capability.kind {
            Kind::Switchable(_) => json!(self.is_on(driver.instance, at)),
            Kind::Writable => number(self.levels.get(name).copied().unwrap_or_default()),
            Kind::Readable(middle, swing) => {
                let day = at.as_second().rem_euclid(86_400) as f64 / 86_400.0;
                let wave = ((day + self.phase) * std::f64::consts::TAU).sin();
                number((f64::from(middle) + f64::from(swing) * wave).round() / 10.0)
            }
        })
    }

    /// Whether a switch is on.
    pub fn is_on(&self, instance: &str, at: Timestamp) -> bool {
        let periods = self.on.get(instance).map(Vec::as_slice).unwrap_or_default();
        periods.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at < to))
    }

    /// Switches on, until then or for good.
    pub(super) fn switch_on(&mut self, instance: &'static str, at: Timestamp, until: Option<Timestamp>) {
        self.switch_off(instance, at);
        let periods = self.on.entry(instance).or_default();
        if periods.len() == REMEMBERED {
            periods.remove(0);
        }
        periods.push((at, until));
    }

    /// Switches off.
    pub(super) fn switch_off(&mut self, instance: &'static str, at: Timestamp) {
        let last = self.on.get_mut(instance).and_then(|periods| periods.last_mut());
        if let Some((_, to)) = last {
            *to = Some(to.map_or(at, |to| to.min(at)));
        }
    }

    /// `shadow/report`: what the drivers reported, the version, and how much of a configuration is loaded.
    pub fn shadow(&self, desired: Option<&Value>, at: Timestamp) -> Value {
        let mut reported = self.readings(at);
        reported.retain(|name, _| !name.starts_with("system."));
        reported.insert("system.firmware_version".into(), json!(self.firmware_version));
        reported.insert("vm.rules_loaded".into(), json!(self.loaded.rules));
        reported.insert("vm.heartbeats_loaded".into(), json!(self.loaded.heartbeats));
        json!({
            "reported": reported, "desired": desired, "metadata": {"last_report": at.as_second()},
        })
    }

    /// A configuration replaces the last one as a whole, or changes nothing.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn configure(&mut self, bytes: &[u8]) -> Result<Accepted, Vec<Complaint>> {
        let (config, accepted) = rules::load(self.model, bytes)?;
        self.config = Some(config);
        self.loaded = accepted;
        Ok(accepted)
    }

    /// Seconds between two reports of everything, as the configuration says.
    pub fn heartbeat(&self) -> u32 {
        let every = self.config.as_ref().and_then(|config| config["heartbeats"][0]["every"].as_u64());
        every.and_then(|every| u32::try_from(every).ok()).unwrap_or(self.model.heartbeat())
    }

    /// A desired state: what the drivers know of it is done, the rest is passed over. Gives the keys that were done.
    pub fn desire(&mut self, desired: &Map<String, Value>, at: Timestamp) -> Vec<String> {
        let mut done = Vec::new();
        for (key, value) in desired {
            let Some((driver, capability)) = self.model.capability(key) else { continue };
            match (&capability.kind, value) {
                (Kind::Switchable(_), Value::Bool(true)) => self.switch_on(driver.instance, at, None),
                (Kind::Switchable(_), Value::Bool(false)) => self.switch_off(driver.instance, at),
                (Kind::Writable, Value::Number(level)) => {
                    self.levels.insert(key.clone(), level.as_f64().unwrap_or_default());
                }
                _ => continue,
            }
            done.push(key.clone());
        }
        done
    }
}

/// A whole number is printed without a point, as `%g` does.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e6 {
        return json!(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
