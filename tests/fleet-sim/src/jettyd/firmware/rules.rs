//! What a device accepts as a configuration (`jettyd_vm_load_config` in `vm.c`).

use serde_json::{Value, json};

use super::model::Model;

/// Bytes of a configuration that a device takes (`JETTYD_VM_CONFIG_MAX_SIZE`; it says 4 KB when it refuses more).
const LIMIT: usize = 2_048;
const RULES: usize = 16;
const HEARTBEATS: usize = 8;
const ACTIONS: usize = 4;
const CONDITIONS: usize = 4;
const NESTING: usize = 2;
const COMPLAINTS: usize = 16;
/// Seconds that a heartbeat takes at least.
const FASTEST: i64 = 10;
/// Characters of an id that a complaint has room for.
const NAME: usize = 7;

/// How much of a configuration is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Rules.
    pub rules: usize,
    /// Heartbeats.
    pub heartbeats: usize,
}

impl Accepted {
    /// As it is published on `command/response`: without an id.
    pub fn to_json(self) -> Value {
        json!({"type": "config_accepted", "rules": self.rules, "heartbeats": self.heartbeats})
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The rule or heartbeat, cut to seven characters; none for the whole.
    pub rule: Option<String>,
    /// What.
    pub error: String,
}

impl Complaint {
    fn of_all(error: impl Into<String>) -> Self {
        Self { rule: None, error: error.into() }
    }

    /// As they are published on `alert`.
    pub fn to_json(complaints: &[Self]) -> Value {
        let errors: Vec<_> = complaints
            .iter()
            .map(|Self { rule, error }| match rule {
                Some(rule) => json!({"rule": rule, "error": error}),
                None => json!({"error": error}),
            })
            .collect();
        json!({"type": "config_rejected", "errors": errors})
    }
}

/// A configuration that this device accepts.
pub(super) fn load(model: Model, bytes: &[u8]) -> Result<(Value, Accepted), Vec<Complaint>> {
    if bytes.len() > LIMIT {
        return Err(vec![Complaint::of_all("Config exceeds 4KB limit")]);
    }
    let config: Value = serde_json::from_slice(bytes).map_err(|_| vec![Complaint::of_all("Invalid JSON")])?;
    if config["version"].as_f64().map(f64::trunc) != Some(1.0) {
        return Err(vec![Complaint::of_all("Unsupported config version (expected 1)")]);
    }
    let (rules, heartbeats) = (rows(&config["rules"]), rows(&config["heartbeats"]));
    let mut reader = Reader { model, complaints: Vec::new() };
    if rules.len() > RULES {
        let error = format!("Too many rules: {} (max {RULES})", rules.len());
        reader.complaints.push(Complaint::of_all(error));
    } else {
        rules.iter().enumerate().for_each(|(number, rule)| reader.rule(number, rule));
    }
    if heartbeats.len() > HEARTBEATS {
        let error = format!("Too many heartbeats: {} (max {HEARTBEATS})", heartbeats.len());
        reader.complaints.push(Complaint::of_all(error));
    } else {
        heartbeats.iter().enumerate().for_each(|(number, heartbeat)| reader.heartbeat(number, heartbeat));
    }
    let accepted = Accepted { rules: rules.len(), heartbeats: heartbeats.len() };
    if reader.complaints.is_empty() { Ok((config, accepted)) } else { Err(reader.complaints) }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

struct Reader {
    model: Model,
    complaints: Vec<Complaint>,
}

impl Reader {
    fn complain(&mut self, rule: &str, error: impl Into<String>) {
        if self.complaints.len() < COMPLAINTS {
            let rule = Some(rule.chars().take(NAME).collect());
            self.complaints.push(Complaint { rule, error: error.into() });
        }
    }

    fn rule(&mut self, number: usize, rule: &Value) {
        let id = rule["id"].as_str().map_or_else(|| format!("r{number}"), str::to_owned);
        let Some(when) = rule.get("when") else {
            return self.complain(&id, "Missing 'when' condition");
        };
        self.condition(&id, when, 0);
        let then = rows(&rule["then"]);
        if then.len() > ACTIONS {
            self.complain(&id, format!("Too many actions: {} (max {ACTIONS})", then.len()));
        }
        for action in then.iter().take(ACTIONS).filter(|action| action["action"] == "switch_on") {
            let target = action["target"].as_str().unwrap_or_default();
            if !target.is_empty() && self.model.driver(target).is_none() {
                self.complain(&id, format!("Unknown target: {target}"));
            }
        }
    }

    fn condition(&mut self, id: &str, when: &Value, depth: usize) {
        if depth > NESTING {
            return self.complain(id, "Condition nesting too deep (max 2)");
        }
        match when["type"].as_str() {
            None => self.complain(id, "Condition missing 'type'"),
            Some("threshold" | "range") => {
                let sensor = when["sensor"].as_str().unwrap_or("system.");
                if !sensor.starts_with("system.") && self.model.capability(sensor).is_none() {
                    self.complain(id, format!("Unknown sensor: {sensor}"));
                }
            }
            Some("compound") => {
                for inner in rows(&when["conditions"]).iter().take(CONDITIONS) {
                    self.condition(id, inner, depth + 1);
                }
            }
            Some("schedule" | "time_window") => {}
            Some(other) => self.complain(id, format!("Unknown condition type: {other}")),
        }
    }

    fn heartbeat(&mut self, number: usize, heartbeat: &Value) {
        let id = heartbeat["id"].as_str().map_or_else(|| format!("h{number}"), str::to_owned);
        let every = heartbeat["every"].as_f64().map(|every| every as i64);
        if let Some(every) = every.filter(|every| *every < FASTEST) {
            self.complain(&id, format!("Heartbeat interval {every} below minimum {FASTEST}"));
        }
    }
}
