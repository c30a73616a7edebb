//! Alerts: what watches a device, and whether it is fired.

use fleetgate_sdk::prelude::*;

use crate::reading::{Scalar, shown};
use crate::time;

/// Whether something is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is.
    Fired,
    /// It was, or never has been.
    Resolved,
    /// Nobody says.
    Unknown,
}

impl State {
    /// What servers and devices write.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "fired" | "firing" | "active" | "triggered" | "alerting" | "open" => Self::Fired,
            "resolved" | "ok" | "inactive" | "normal" | "cleared" | "closed" | "pending" => Self::Resolved,
            _ => return None,
        })
    }
}

/// When an alert fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trigger {
    /// Which sensor is watched.
    pub sensor: Option<String>,
    /// How it is compared: `>`, `<`, …
    pub op: Option<String>,
    /// With what.
    pub value: Option<Scalar>,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alert {
    /// Identifies it.
    pub id: String,
    /// What it is called, or what it says.
    pub name: Option<String>,
    /// The device that it is about; null if about all.
    pub device_id: Option<String>,
    /// When it fires; null if not known.
    pub trigger: Option<Trigger>,
    /// Who is told, by what way.
    pub channels: Vec<String>,
    /// `info`, `warning` or `critical`; null if not known.
    pub severity: Option<String>,
    /// Whether it is fired now.
    pub state: State,
    /// When it last fired, RFC 3339; null if never.
    pub last_fired_at: Option<String>,
}

/// A list of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Alerts {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Ask again with this as `cursor` for more; null if these are all.
    pub next_cursor: Option<String>,
    /// What should be known about the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which alerts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Only those in this state.
    pub state: Option<WantedState>,
    /// Only those of this device.
    #[schemars(length(min = 1, max = 256))]
    pub device_id: Option<String>,
    /// At most so many. Left out: 100.
    #[serde(default, deserialize_with = "crate::configuration::whole_number")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u64>,
    /// `next_cursor` of the answer before.
    #[schemars(length(min = 1, max = 512))]
    pub cursor: Option<String>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WantedState {
    /// Something is the matter.
    Fired,
    /// Nothing is.
    Resolved,
}

/// So many, where nobody says.
const USUAL: usize = 100;

impl Wanted {
    /// At most so many.
    pub fn most(&self) -> usize {
        self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL)
    }

    /// # Errors
    /// `invalid-arguments` for a limit that no list has.
    pub fn check(&self) -> Result<(), Fault> {
        match self.limit {
            Some(limit) if !(1..=500).contains(&limit) => {
                Err(Fault::invalid("/limit", format!("It is 1 to 500; {limit} is not.")))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is one of those. One of which nobody says whether it is fired may be.
    pub fn holds(&self, alert: &Alert) -> bool {
        let state = match self.state {
            None => true,
            Some(_) if alert.state == State::Unknown => true,
            Some(WantedState::Fired) => alert.state == State::Fired,
            Some(WantedState::Resolved) => alert.state == State::Resolved,
        };
        let device = self.device_id.as_deref();
        state && device.is_none_or(|device| alert.device_id.as_deref().is_none_or(|of| of == device))
    }
}

impl WantedState {
    /// As callers write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Resolved => "resolved",
        }
    }
}

fn text(object: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match object.get(*key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

impl Trigger {
    /// `{"sensor": …, "op": …, "value": …}`, by these names or their like. None: nothing of the kind.
    pub fn read(from: &Value) -> Option<Self> {
        let trigger = Self {
            sensor: text(from, &["sensor", "sensor_key", "metric", "key"]),
            op: text(from, &["op", "operator", "comparison"]),
            value: ["value", "threshold"].iter().find_map(|key| Scalar::read(from.get(*key)?)),
        };
        (trigger.sensor.is_some()).then_some(trigger)
    }

    /// Whether a value meets it. None: that cannot be told.
    pub fn is_met(&self, value: &Scalar) -> Option<bool> {
        let (wanted, op) = (self.value.as_ref()?, self.op.as_deref()?);
        let equal = || value == wanted || value.number().is_some_and(|is| wanted.number() == Some(is));
        if let "==" | "eq" | "=" = op {
            return Some(equal());
        }
        if let "!=" | "ne" = op {
            return Some(!equal());
        }
        let (value, wanted) = (value.number()?, wanted.number()?);
        Some(match op {
            ">" | "gt" | "above" => value > wanted,
            ">=" | "gte" | "ge" => value >= wanted,
            "<" | "lt" | "below" => value < wanted,
            "<=" | "lte" | "le" => value <= wanted,
            _ => return None,
        })
    }
}

impl Alert {
    /// An entry of the API's list. None: without an id.
    pub fn read(entry: &Value) -> Option<Self> {
        let trigger = ["trigger", "condition", "when"]
            .iter()
            .find_map(|key| Trigger::read(entry.get(*key)?))
            .or_else(|| Trigger::read(entry));
        let last_fired = ["last_fired_at", "fired_at", "last_triggered_at", "triggered_at"];
        let flag = |keys: &[&str]| keys.iter().find_map(|key| entry.get(*key)?.as_bool());
        let over = entry.get("resolved_at").map(|at| !at.is_null());
        let has_fired = last_fired.iter().any(|key| entry.get(*key).is_some_and(|at| !at.is_null()));
        let state = match text(entry, &["state", "status"]) {
            Some(word) => State::read(&word).unwrap_or(State::Unknown),
            None => match (flag(&["fired", "firing", "active"]), flag(&["resolved"]).or(over)) {
                (Some(true), _) => State::Fired,
                (Some(false), _) | (None, Some(true)) => State::Resolved,
                (None, Some(false)) if has_fired => State::Fired,
                (None, _) => State::Unknown,
            },
        };
        Some(Self {
            id: text(entry, &["id", "alert_id", "rule_id"])?,
            name: text(entry, &["name", "message", "title", "rule_name"]),
            device_id: text(entry, &["device_id", "device"])
                .or_else(|| text(entry.get("device")?, &["id", "device_id"])),
            trigger,
            channels: channels(entry),
            severity: text(entry, &["severity", "level"]).map(|word| word.to_lowercase()),
            state,
            last_fired_at: last_fired
                .iter()
                .find_map(|key| time::read(entry.get(*key)?))
                .map(|at| at.to_string()),
        })
    }

    /// The alert that a rule of a device's script makes. None: it makes none. Nothing says whether it is fired.
    pub fn of_rule(device: &str, rule: &Value) -> Option<Self> {
        let action = alert_of(rule)?;
        let id = shown(&text(rule, &["id", "rule_id"])?);
        Some(Self {
            id: format!("{device}/{id}"),
            name: text(action, &["message"]).map(|said| shown(&said)).or(Some(id)),
            device_id: Some(device.to_owned()),
            trigger: rule.get("when").and_then(Trigger::read),
            channels: Vec::new(),
            severity: text(action, &["severity"]).map(|said| shown(&said)),
            state: State::Unknown,
            last_fired_at: None,
        })
    }
}

/// The part of a rule's `then` that makes an alert.
pub fn alert_of(rule: &Value) -> Option<&Value> {
    let then = rule.get("then")?;
    let all = then.as_array().map_or(std::slice::from_ref(then), Vec::as_slice);
    all.iter().find_map(|action| {
        if ["type", "action"].iter().any(|key| action.get(*key).and_then(Value::as_str) == Some("alert")) {
            let inner = action.get("params").filter(|params| params.get("message").is_some());
            return Some(inner.unwrap_or(action));
        }
        action.get("alert").filter(|alert| alert.is_object())
    })
}

/// Words, or objects with a kind and perhaps a target.
fn channels(entry: &Value) -> Vec<String> {
    let list =
        ["channels", "notification_channels", "notify"].iter().find_map(|key| entry.get(*key)?.as_array());
    let one = |channel: &Value| match channel {
        Value::String(text) => Some(shown(text)),
        other => text(other, &["name", "type", "kind", "id"]).map(|text| shown(&text)),
    };
    list.into_iter().flatten().filter_map(one).collect()
}

/// The rules of a device's configuration, as the API gives it: `rules`, or below `config` or `data`.
pub fn rules(answer: &Value) -> Vec<Value> {
    let within = |whole: &Value| whole.get("rules").and_then(Value::as_array).cloned();
    within(answer)
        .or_else(|| {
            ["config", "data", "script"]
                .iter()
                .find_map(|key| answer.get(*key).map(rules).filter(|r| !r.is_empty()))
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_in_the_shape_of_the_page_and_in_others() {
        let full = json!({
            "id": "al_1", "name": "Too hot", "device_id": "dev_1",
            "trigger": { "sensor": "air.temperature", "op": ">", "value": 30 },
            "channels": ["email", { "type": "webhook", "url": "https://example.com" }],
            "severity": "warning", "state": "fired", "last_fired_at": "2026-05-20T10:01:22Z"
        });
        let alert = Alert::read(&full).expect("an alert");
        let expected = json!({
            "id": "al_1", "name": "Too hot", "device_id": "dev_1",
            "trigger": { "sensor": "air.temperature", "op": ">", "value": 30 },
            "channels": ["email", "webhook"],
            "severity": "warning", "state": "fired", "last_fired_at": "2026-05-20T10:01:22Z"
        });
        assert_eq!(json!(alert), expected);
        let flat = json!({ "rule_id": 7, "metric": "t", "operator": "<", "threshold": "5", "status": "ok", "fired_at": 1_710_763_200 });
        let alert = Alert::read(&flat).expect("an alert");
        assert_eq!((alert.id.as_str(), alert.state), ("7", State::Resolved));
        assert_eq!(json!(alert.trigger), json!({ "sensor": "t", "op": "<", "value": 5 }));
        assert_eq!(alert.last_fired_at.as_deref(), Some("2024-03-18T12:00:00Z"));
        assert_eq!(Alert::read(&json!({ "name": "nameless" })), None);
    }

    #[test]
    fn whether_it_is_fired_is_read_from_a_word_a_flag_or_its_times_and_not_guessed() {
        for (said, state) in [
            (json!({ "status": "FIRING" }), State::Fired),
            (json!({ "state": "ok" }), State::Resolved),
            (json!({ "state": "odd" }), State::Unknown),
            (json!({ "fired": true }), State::Fired),
            (json!({ "active": false }), State::Resolved),
            (json!({ "resolved": true }), State::Resolved),
            (json!({ "fired_at": 1_710_763_200, "resolved_at": null }), State::Fired),
            (json!({ "fired_at": 1_710_763_200, "resolved_at": 1_710_763_300 }), State::Resolved),
            (json!({ "last_fired_at": 1_710_763_200 }), State::Unknown),
            (json!({}), State::Unknown),
        ] {
            let mut entry = said.clone();
            entry["id"] = json!("al_1");
            assert_eq!(Alert::read(&entry).map(|alert| alert.state), Some(state), "{said}");
        }
    }

    #[test]
    fn a_rule_that_makes_an_alert_is_one_and_others_are_none() {
        let rule = json!({
            "id": "r1", "when": { "type": "threshold", "sensor": "soil.moisture", "op": "<", "value": 20 },
            "then": [{ "type": "switch_on", "target": "valve" }, { "type": "alert", "message": "Dry", "severity": "info" }]
        });
        let alert = Alert::of_rule("dev_1", &rule).expect("it makes one");
        assert_eq!(
            (alert.id.as_str(), alert.name.as_deref(), alert.state),
            ("dev_1/r1", Some("Dry"), State::Unknown)
        );
        assert_eq!(alert.trigger.and_then(|trigger| trigger.sensor).as_deref(), Some("soil.moisture"));
        assert_eq!(Alert::of_rule("dev_1", &json!({ "id": "r2", "then": [{ "type": "report" }] })), None);
    }

    #[test]
    fn a_trigger_says_whether_a_value_meets_it() {
        let met = |op: &str, value: Value| {
            let trigger = Trigger::read(&json!({ "sensor": "t", "op": op, "value": 30 })).expect("a trigger");
            trigger.is_met(&Scalar::read(&value).expect("a scalar"))
        };
        assert_eq!(met(">", json!(31)), Some(true));
        assert_eq!(met(">", json!(30)), Some(false));
        assert_eq!(met("<=", json!("30")), Some(true));
        assert_eq!(met("==", json!(30.0)), Some(true));
        assert_eq!((met("!=", json!("idle")), met("!=", json!(30))), (Some(true), Some(false)));
        assert_eq!(met("~", json!(30)), None);
        assert_eq!(met(">", json!("hot")), None);
    }
}
