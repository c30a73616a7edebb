//! What devices say, read strictly: what is no message of its channel is a fault that no repeat makes right, with a code
//! of its own (`malformed-telemetry`). Nothing of it is kept.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use serde_json::Map;

use super::not_a_number::without_nan;
use super::topic::Channel;
use crate::configuration::objections;
use crate::device::Shadow;
use crate::reading::{Scalar, is_hidden, shown};

/// A message that is longer is none of a device's: those have 512 bytes.
const LARGEST: usize = 64 * 1024;
/// Readings of one message.
const MOST_READINGS: usize = 256;
/// Bytes of a sensor's key, and of a value that is a text.
const LONGEST_KEY: usize = 128;
const LONGEST_TEXT: usize = 256;

/// A message that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// What its sensors measure.
    Telemetry { ts: Option<Value>, readings: BTreeMap<String, Scalar>, left_out: usize },
    /// How it is.
    Status { ts: Option<Value>, word: String, version: Option<String> },
    /// All of its values.
    Report(Shadow),
    /// Something is the matter, or is so no longer.
    Alert(AlertSaid),
    /// It takes a configuration, of which it counts rules and heartbeats.
    ConfigAccepted { rules: Option<u64>, heartbeats: Option<u64> },
    /// It does not.
    ConfigRejected,
    /// Somebody configures it.
    Config(Map<String, Value>),
    /// Nothing to remember.
    Nothing,
}

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSaid {
    pub ts: Option<Value>,
    /// What names it among the alerts of the device.
    pub name: String,
    pub message: String,
    pub severity: Option<String>,
    /// It is over.
    pub resolved: bool,
}

fn malformed(channel: &str, why: impl std::fmt::Display) -> Fault {
    Fault::custom(format!("malformed-{channel}"), format!("This is no {channel} of a device: {why}."))
}

/// Reads a message of a channel.
pub fn read(channel: Channel, data: &[u8]) -> Result<Said, Fault> {
    let name = match channel {
        Channel::Telemetry => "telemetry",
        Channel::Status => "status",
        Channel::Report => "shadow",
        Channel::Alert => "alert",
        Channel::Response | Channel::ConfigAck => "answer",
        Channel::Config => "config",
        Channel::Command | Channel::Desired => return Ok(Said::Nothing),
    };
    if data.len() > LARGEST {
        return Err(malformed(name, format!("it has {} bytes", data.len())));
    }
    // An empty payload takes back what the broker kept.
    if data.is_empty() && matches!(channel, Channel::Config | Channel::Status) {
        return Ok(Said::Nothing);
    }
    let whole = match json(data) {
        Ok(whole) => whole,
        Err(_) if channel == Channel::Status && data.iter().all(u8::is_ascii_alphabetic) => {
            Value::String(String::from_utf8_lossy(data).into_owned())
        }
        Err(error) => return Err(malformed(name, error)),
    };
    match channel {
        Channel::Telemetry => telemetry(&whole),
        Channel::Status => status(&whole),
        Channel::Report => {
            Shadow::read(&whole).map(Said::Report).ok_or_else(|| malformed("shadow", "it is no object"))
        }
        Channel::Alert => alert(&whole),
        Channel::Response => Ok(answer(&whole, false)),
        Channel::ConfigAck => Ok(answer(&whole, true)),
        Channel::Config => match whole {
            Value::Object(config) => Ok(Said::Config(config)),
            _ => Err(malformed("config", "it is no object")),
        },
        Channel::Command | Channel::Desired => Ok(Said::Nothing),
    }
}

/// JSON; where a sensor is broken, firmware writes `nan` and `inf`, which JSON does not have. These become null, so that
/// the other sensors count.
pub fn json(data: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(data).or_else(|error| match without_nan(data) {
        Some(fixed) => serde_json::from_slice(&fixed).map_err(|_| error),
        None => Err(error),
    })
}

/// Whether this is a sensor's key, and a value that one has.
pub fn fits(key: &str, value: &Scalar) -> bool {
    let text = matches!(value, Scalar::Text(text) if text.len() > LONGEST_TEXT);
    !text && !key.trim().is_empty() && key.len() <= LONGEST_KEY && !key.chars().any(char::is_control)
}

fn telemetry(whole: &Value) -> Result<Said, Fault> {
    let wrong = |why: &str| Err(malformed("telemetry", why));
    let Some(readings) = whole.get("readings").and_then(Value::as_object) else {
        return wrong("it has no object `readings`");
    };
    if readings.len() > MOST_READINGS {
        return wrong("it has too many readings");
    }
    let mut read = BTreeMap::new();
    let mut left_out = 0;
    for (key, value) in readings {
        if is_hidden(key) {
            continue;
        }
        match Scalar::read(value) {
            Some(value) if fits(key, &value) => drop(read.insert(key.clone(), value)),
            _ => left_out += 1,
        }
    }
    if read.is_empty() && left_out > 0 {
        return wrong("none of its readings is a number, a text, true or false");
    }
    Ok(Said::Telemetry {
        ts: whole.get("ts").or_else(|| whole.get("timestamp")).cloned(),
        readings: read,
        left_out,
    })
}

fn status(whole: &Value) -> Result<Said, Fault> {
    let word = whole.as_str().or_else(|| whole.get("status").and_then(Value::as_str));
    let word = word.map(|word| word.trim().to_ascii_lowercase());
    let Some(word) = word.filter(|word| {
        (1..=32).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    }) else {
        return Err(malformed("status", "it has no word `status`"));
    };
    let version = ["version", "firmware_version"].iter().find_map(|key| whole.get(*key)?.as_str()).map(shown);
    Ok(Said::Status { ts: whole.get("ts").cloned(), word, version })
}

fn alert(whole: &Value) -> Result<Said, Fault> {
    let text = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| whole.get(*key)?.as_str());
        found.map(shown).filter(|text| !text.trim().is_empty())
    };
    if !whole.is_object() {
        return Err(malformed("alert", "it is no object"));
    }
    let kind = text(&["type"]).unwrap_or_default();
    match kind.as_str() {
        "config_rejected" => return Ok(Said::ConfigRejected),
        "config_accepted" => return Ok(answer(whole, true)),
        _ => {}
    }
    let said = text(&["message", "reason"]);
    let Some(message) = said.or_else(|| (!kind.is_empty()).then(|| kind.clone())) else {
        return Err(malformed("alert", "it has no text `message`"));
    };
    let failsafe = kind == "failsafe";
    let over = ["resolved", "cleared", "ok", "normal"];
    let resolved = text(&["state", "status"]).is_some_and(|word| over.contains(&&*word.to_ascii_lowercase()))
        || whole.get("resolved") == Some(&Value::Bool(true))
        || ["resolved", "alert_resolved", "alert_cleared"].contains(&&*kind);
    Ok(Said::Alert(AlertSaid {
        ts: whole.get("ts").cloned(),
        name: text(&["rule", "rule_id", "id", "alert_id"]).unwrap_or_else(|| message.clone()),
        message: if failsafe { format!("failsafe: {message}") } else { message },
        severity: text(&["severity", "level"]).or_else(|| failsafe.then(|| "critical".to_owned())),
        resolved,
    }))
}

/// An answer about a configuration has no id: `{"type": "config_accepted", "rules": 2, "heartbeats": 1}`. On a channel of
/// its own its shape is not laid down; what names no error is taken as acceptance there.
pub fn answer(whole: &Value, of_config: bool) -> Said {
    let word = ["type", "status"].iter().find_map(|key| whole.get(*key)?.as_str()).unwrap_or_default();
    let rejected =
        matches!(word, "config_rejected" | "rejected" | "error" | "failed") || !objections(whole).is_empty();
    match (of_config || word.starts_with("config_"), rejected) {
        (false, _) => Said::Nothing,
        (true, true) => Said::ConfigRejected,
        (true, false) => {
            let count = |key: &str| whole.get(key).and_then(Value::as_u64);
            Said::ConfigAccepted { rules: count("rules"), heartbeats: count("heartbeats") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(channel: Channel, data: &str) -> String {
        read(channel, data.as_bytes()).expect_err("it is malformed").code
    }

    #[test]
    fn what_is_no_telemetry_is_malformed_for_good() {
        for data in [
            "",
            "no json",
            "[]",
            "7",
            "{}",
            r#"{"readings":[]}"#,
            r#"{"readings":{"t":[1]}}"#,
            r#"{"readings":{"t":null}}"#,
            "\u{0}",
        ] {
            let fault = read(Channel::Telemetry, data.as_bytes()).expect_err("it is malformed");
            assert_eq!((fault.code.as_str(), fault.retryable), ("malformed-telemetry", false), "{data}");
        }
        let many: Map<String, Value> = (0..257).map(|n| (n.to_string(), json!(n))).collect();
        assert_eq!(code(Channel::Telemetry, &json!({ "readings": many }).to_string()), "malformed-telemetry");
        assert_eq!(code(Channel::Telemetry, &" ".repeat(70_000)), "malformed-telemetry");
        assert_eq!(code(Channel::Telemetry, "\u{feff}{}"), "malformed-telemetry");
        assert!(read(Channel::Telemetry, &[0xff, 0xfe]).is_err());
    }

    #[test]
    fn a_broken_sensor_costs_its_own_reading() {
        let data = r#"{"ts":1,"readings":{"a":nan,"b":-inf,"c":1.5,"nan":"nan \" nan","list":[1],"_x":1}}"#;
        let Ok(Said::Telemetry { readings, left_out, .. }) = read(Channel::Telemetry, data.as_bytes()) else {
            panic!()
        };
        assert_eq!(readings.keys().collect::<Vec<_>>(), ["c", "nan"]);
        assert_eq!(readings["nan"], Scalar::Text("nan \" nan".into()));
        assert_eq!(left_out, 3);
    }

    #[test]
    fn a_status_is_a_word_alone_or_in_an_object() {
        for data in ["online", r#""online""#, r#"{"status":"Online"}"#] {
            assert!(
                matches!(read(Channel::Status, data.as_bytes()), Ok(Said::Status { word, .. }) if word == "online"),
                "{data}"
            );
        }
        for data in ["{}", "7", r#"{"status":""}"#, r#"{"status":"<b>"}"#, "not a word"] {
            assert_eq!(code(Channel::Status, data), "malformed-status", "{data}");
        }
    }

    #[test]
    fn an_alert_is_fired_or_resolved_or_about_a_configuration() {
        let said = |data: Value| read(Channel::Alert, data.to_string().as_bytes());
        let Ok(Said::Alert(fired)) = said(json!({ "ts": 1, "message": "Dry", "severity": "warning" })) else {
            panic!()
        };
        assert_eq!((fired.name.as_str(), fired.resolved), ("Dry", false));
        for over in
            [json!({ "message": "Dry", "state": "resolved" }), json!({ "message": "Dry", "resolved": true })]
        {
            assert!(matches!(said(over), Ok(Said::Alert(alert)) if alert.resolved && alert.name == "Dry"));
        }
        let Ok(Said::Alert(failsafe)) = said(json!({ "type": "failsafe", "reason": "wifi" })) else {
            panic!()
        };
        assert_eq!(
            (failsafe.message.as_str(), failsafe.severity.as_deref()),
            ("failsafe: wifi", Some("critical"))
        );
        assert_eq!(
            said(json!({ "type": "config_rejected", "errors": [{ "error": "x" }] })),
            Ok(Said::ConfigRejected)
        );
        assert_eq!(code(Channel::Alert, "{}"), "malformed-alert");
    }

    #[test]
    fn answers_to_commands_are_nothing_to_remember_and_those_to_configurations_are() {
        let said = |channel, data: Value| read(channel, data.to_string().as_bytes()).expect("an answer");
        assert_eq!(said(Channel::Response, json!({ "id": "c1", "status": "rejected" })), Said::Nothing);
        let accepted = Said::ConfigAccepted { rules: Some(2), heartbeats: Some(1) };
        assert_eq!(
            said(Channel::Response, json!({ "type": "config_accepted", "rules": 2, "heartbeats": 1 })),
            accepted
        );
        assert_eq!(
            said(Channel::ConfigAck, json!({})),
            Said::ConfigAccepted { rules: None, heartbeats: None }
        );
        assert_eq!(said(Channel::ConfigAck, json!({ "status": "error" })), Said::ConfigRejected);
    }
}
