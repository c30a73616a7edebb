//! What a device can be configured with, and what comes of it.
//!
//! There are two kinds. A **script** (`rules`, `heartbeats`) replaces the whole script of the device. Everything else are
//! **wishes** in its shadow, which it takes one by one. How often it reports is part of its script, and is told to it as
//! the one or as the other, by the way that is taken.

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use crate::reading::shown;

/// A device takes no more than these.
const MOST_RULES: usize = 16;
const MOST_HEARTBEATS: usize = 8;
/// Seconds between two reports.
const INTERVAL: std::ops::RangeInclusive<u64> = 10..=3600;
/// A whole configuration, in bytes of JSON.
const LARGEST: usize = 4096;
/// The parts of a script.
const SCRIPT: [&str; 3] = ["version", "rules", "heartbeats"];
/// How often a device reports.
pub const INTERVAL_KEY: &str = "telemetry_interval_s";

/// The argument.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// Seconds between two reports of the device.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole_number")]
    #[schemars(range(min = 10, max = 3600))]
    pub telemetry_interval_s: Option<u64>,
    /// Thresholds by sensor, as the device knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Map<String, Value>>,
    /// Its tags, instead of those that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 64)))]
    pub tags: Option<Vec<String>>,
    /// Anything else that the device knows. `rules` and `heartbeats` replace ALL of those that it has.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// JSON has one kind of number: `60.0` is the integer 60 to its schema, and to some clients the same text.
pub fn whole_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    whole(&number)
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("{number} is not a whole number")))
}

fn whole(number: &serde_json::Number) -> Option<u64> {
    // Checked to be whole and in the range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let of_float =
        |float: f64| (float.fract() == 0.0 && (0.0..=1e15).contains(&float)).then_some(float as u64);
    number.as_u64().or_else(|| of_float(number.as_f64()?))
}

/// A checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// All of it, as it was asked for.
    pub whole: Map<String, Value>,
    /// A script that replaces the device's.
    pub script: Option<Map<String, Value>>,
    /// Seconds between two reports.
    pub interval: Option<u64>,
    /// Wishes for the shadow, without the interval.
    pub wishes: Map<String, Value>,
}

impl Configuration {
    /// # Errors
    /// `invalid-arguments` with the argument's name.
    pub fn check(self) -> Result<Checked, Fault> {
        let interval = self.telemetry_interval_s;
        if let Some(seconds) = interval {
            in_range("/config/telemetry_interval_s", seconds)?;
        }
        for (at, tag) in self.tags.iter().flatten().enumerate() {
            if tag.trim().is_empty() || tag.chars().any(char::is_control) {
                let message = "A tag is not blank and has no control characters.";
                return Err(Fault::invalid(format!("/config/tags/{at}"), message));
            }
        }
        let whole = match serde_json::to_value(&self) {
            Ok(Value::Object(whole)) => whole,
            _ => return Err(Fault::internal("The configuration is not an object.")),
        };
        if whole.is_empty() {
            return Err(Fault::invalid("/config", "There is nothing to configure: it is empty."));
        }
        let size = Value::Object(whole.clone()).to_string().len();
        if size > LARGEST {
            let message = format!("It is {size} bytes; a device takes {LARGEST} at most.");
            return Err(Fault::invalid("/config", message));
        }
        if let Some(key) = whole.keys().find(|key| key.trim().is_empty() || key.chars().any(char::is_control))
        {
            let message = format!("`{}` is no name of a setting.", shown(key));
            return Err(Fault::invalid("/config", message));
        }
        let (script, mut wishes): (Map<_, _>, Map<_, _>) =
            whole.clone().into_iter().partition(|(key, _)| SCRIPT.contains(&&**key));
        wishes.shift_remove(INTERVAL_KEY);
        let script = if script.is_empty() { None } else { Some(check_script(script)?) };
        if script.is_some() && interval.is_some() {
            return Err(Fault::invalid(
                "/config/telemetry_interval_s",
                "How often the device reports is part of `heartbeats`: say it there, as `every`.",
            ));
        }
        Ok(Checked { whole, script, interval, wishes })
    }
}

fn in_range(field: &str, seconds: u64) -> Result<(), Fault> {
    if INTERVAL.contains(&seconds) {
        return Ok(());
    }
    Err(Fault::invalid(field, format!("It is 10 to 3600 seconds; {seconds} is not.")))
}

/// The platform's own rules: version 1, at most 16 rules and 8 heartbeats, 10 to 3600 seconds. `version` is added where
/// it is missing, since a device insists on it.
fn check_script(mut script: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    if script.get("version").is_some_and(|version| version.as_number().and_then(whole) != Some(1)) {
        return Err(Fault::invalid("/config/version", "Devices know version 1."));
    }
    for (key, most) in [("rules", MOST_RULES), ("heartbeats", MOST_HEARTBEATS)] {
        let field = format!("/config/{key}");
        let Some(list) = script.get_mut(key) else { continue };
        let Some(list) = list.as_array_mut() else {
            return Err(Fault::invalid(field, format!("`{key}` is a list.")));
        };
        if list.len() > most {
            return Err(Fault::invalid(
                field,
                format!("A device takes {most} {key} at most; these are {}.", list.len()),
            ));
        }
        for (at, entry) in list.iter_mut().enumerate() {
            let field = format!("{field}/{at}");
            if !entry.is_object() {
                return Err(Fault::invalid(field, format!("Each of `{key}` is an object.")));
            }
            if key == "heartbeats" {
                let field = format!("{field}/every");
                match entry.get("every").and_then(Value::as_number).and_then(whole) {
                    Some(seconds) => {
                        in_range(&field, seconds)?;
                        // Devices read integers.
                        entry["every"] = json!(seconds);
                    }
                    None => return Err(Fault::invalid(field, "Say how often: `every`, 10 to 3600 seconds.")),
                }
            }
        }
    }
    if !script.contains_key("rules") && !script.contains_key("heartbeats") {
        return Err(Fault::invalid("/config", "A script has `rules` or `heartbeats`."));
    }
    let mut whole = Map::from_iter([("version".to_owned(), json!(1))]);
    for key in ["rules", "heartbeats"] {
        whole.insert(key.to_owned(), script.shift_remove(key).unwrap_or_else(|| json!([])));
    }
    Ok(whole)
}

/// What became of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was taken, and the device will follow.
    Accepted,
    /// The device follows it.
    Applied,
    /// It was sent, and the device has not answered yet.
    Pending,
    /// The device does not take it. Nothing was changed by it.
    Rejected,
}

impl Status {
    /// What servers and devices write.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "accepted" | "ok" | "acked" | "config_accepted" => Self::Accepted,
            "applied" => Self::Applied,
            "pending" | "queued" | "sent" => Self::Pending,
            "rejected" | "error" | "failed" | "config_rejected" => Self::Rejected,
            _ => return None,
        })
    }
}

/// Something that the device does not like.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Objection {
    /// In which rule, if it says so.
    pub rule: Option<String>,
    /// What it is.
    pub error: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Configured {
    /// The device.
    pub device_id: String,
    /// What became of it.
    pub status: Status,
    /// What was asked for.
    pub config: Map<String, Value>,
    /// What the device does not like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Objection>,
    /// What else should be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The schema of [`Configured`].
pub fn schema() -> Value {
    <Configured as fleetgate_sdk::IntoOutcome>::output_schema().unwrap_or_default()
}

impl Configured {
    /// As a result; a rejection is an error.
    pub fn into_result(self) -> Result<ToolResult, Fault> {
        let result = ToolResult::structured(&self)?;
        if self.status != Status::Rejected {
            return Ok(result);
        }
        let mut text = format!("Device {} rejected the configuration.", shown(&self.device_id));
        for Objection { rule, error } in &self.errors {
            match rule {
                Some(rule) => text.push_str(&format!(" Rule {rule}: {error}.")),
                None => text.push_str(&format!(" {error}.")),
            }
        }
        if let Some(note) = &self.note {
            text.push_str(&format!(" {note}"));
        }
        Ok(ToolResult { is_error: true, ..result.and_text(text) })
    }
}

/// `[{"rule": "r1", "error": "…"}]`, a list of texts, or one text, under `errors` or `error`.
pub fn objections(said: &Value) -> Vec<Objection> {
    let one = |said: &Value| {
        let text = |key: &str| said.get(key).and_then(Value::as_str).map(shown);
        let error = said.as_str().map(shown).or_else(|| text("error")).or_else(|| text("message"));
        let rule = text("rule").or_else(|| text("rule_id"));
        Objection { rule, error: error.unwrap_or_else(|| shown(&said.to_string())) }
    };
    match said.get("errors").or_else(|| said.get("error")) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().take(MOST_RULES + MOST_HEARTBEATS).map(one).collect(),
        Some(said) => vec![one(said)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(config: Value) -> Result<Checked, Fault> {
        serde_json::from_value::<Configuration>(config).expect("it fits the schema").check()
    }

    #[test]
    fn a_script_gets_its_version_and_replaces_rules_and_heartbeats() {
        let checked = checked(json!({ "heartbeats": [{ "id": "h1", "every": 60, "metrics": [] }] }))
            .expect("it is fine");
        assert_eq!(
            checked.script.map(Value::Object),
            Some(
                json!({ "version": 1, "rules": [], "heartbeats": [{ "id": "h1", "every": 60, "metrics": [] }] })
            )
        );
        assert!(checked.wishes.is_empty());
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let read = checked(json!({ "telemetry_interval_s": 60.0 })).expect("it is fine");
        assert_eq!((read.interval, read.whole["telemetry_interval_s"].clone()), (Some(60), json!(60)));
        let script = json!({ "version": 1.0, "heartbeats": [{ "id": "h1", "every": 60.0 }] });
        let script = checked(script).expect("it is fine").script.expect("a script");
        assert_eq!(
            Value::Object(script).to_string(),
            r#"{"version":1,"rules":[],"heartbeats":[{"id":"h1","every":60}]}"#
        );
        for wrong in [json!(60.5), json!(-60.0), json!(1e300), json!("60")] {
            let config = serde_json::from_value::<Configuration>(json!({ "telemetry_interval_s": wrong }));
            assert!(config.is_err(), "{wrong}");
        }
    }

    #[test]
    fn wishes_are_everything_but_script_and_interval() {
        let checked = checked(json!({ "telemetry_interval_s": 60, "tags": ["a"], "dimmer.level": 40 }))
            .expect("it is fine");
        assert_eq!((checked.interval, checked.script), (Some(60), None));
        assert_eq!(Value::Object(checked.wishes), json!({ "tags": ["a"], "dimmer.level": 40 }));
    }

    #[test]
    fn what_no_device_takes_is_refused_by_name() {
        let rules: Vec<_> = (0..17).map(|n| json!({ "id": format!("r{n}") })).collect();
        for (config, field) in [
            (json!({}), "/config"),
            (json!({ "telemetry_interval_s": 9 }), "/config/telemetry_interval_s"),
            (json!({ "telemetry_interval_s": 3601 }), "/config/telemetry_interval_s"),
            (json!({ "telemetry_interval_s": 60, "rules": [] }), "/config/telemetry_interval_s"),
            (json!({ "tags": ["ok", " "] }), "/config/tags/1"),
            (json!({ "rules": rules }), "/config/rules"),
            (json!({ "rules": [1] }), "/config/rules/0"),
            (json!({ "rules": {} }), "/config/rules"),
            (json!({ "heartbeats": [{ "id": "h1" }] }), "/config/heartbeats/0/every"),
            (json!({ "heartbeats": [{ "id": "h1", "every": 5 }] }), "/config/heartbeats/0/every"),
            (json!({ "version": 2, "rules": [] }), "/config/version"),
            (json!({ "version": 1 }), "/config"),
            (json!({ "note": "x".repeat(5000) }), "/config"),
            (json!({ "a\nb": 1 }), "/config"),
        ] {
            let fault = checked(config.clone()).expect_err("it is refused");
            assert_eq!(
                (fault.code.as_str(), fault.field.as_deref()),
                ("invalid-arguments", Some(field)),
                "{config}"
            );
        }
    }

    #[test]
    fn objections_are_read_in_every_shape() {
        let said = objections(
            &json!({ "errors": [{ "rule": "r1", "error": "Unknown sensor" }, { "error": "x" }, "y"] }),
        );
        let said: Vec<_> = said.iter().map(|said| (said.rule.as_deref(), said.error.as_str())).collect();
        assert_eq!(said, [(Some("r1"), "Unknown sensor"), (None, "x"), (None, "y")]);
        assert_eq!(objections(&json!({ "error": "no" }))[0].error, "no");
        assert!(objections(&json!({ "errors": null })).is_empty());
    }
}
