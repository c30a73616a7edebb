//! Values of sensors: what they are, what they are called, and in what unit they are.
//!
//! A device's metrics are mostly `instance.capability` (`air.temperature`); people ask for `temperature`. So a key is
//! looked for as it is, and then as the end of exactly one.

use std::collections::BTreeMap;

use fleetgate_sdk::prelude::*;
use jiff::Timestamp;
use serde_json::Map;

/// Keys that are listed in a refusal.
const LISTED: usize = 100;
/// Nested objects deeper than this are no readings.
const DEEPEST: usize = 4;

/// What a sensor measured: a number, true or false, or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A number.
    Number(serde_json::Number),
    /// On or off.
    Flag(bool),
    /// A word.
    Text(String),
}

impl Scalar {
    /// None: null, a list or an object. A text that is a number is one, since some servers keep decimals so; but only if
    /// nothing of it is lost: `1.10` may be a version, and twenty digits a card's.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Number(number) => Self::Number(number.clone()),
            Value::Bool(flag) => Self::Flag(*flag),
            Value::String(text) => match serde_json::from_str::<serde_json::Number>(text.trim()) {
                Ok(number) if number.to_string() == *text => Self::Number(number),
                _ => Self::Text(text.clone()),
            },
            _ => return None,
        })
    }

    /// Whether both say the same, also where one was written as `21` and the other as `21.0`.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one == two || one.as_f64() == two.as_f64(),
            _ => self == other,
        }
    }

    /// As a number to calculate with; on is 1 and off is 0.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            Self::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Self::Text(text) => {
                serde_json::from_str::<f64>(text.trim()).ok().filter(|number| number.is_finite())
            }
        }
    }
}

/// The last known value of a sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it measured.
    pub value: Scalar,
    /// In what, if the device said so.
    pub unit: Option<String>,
    /// When, if that is known.
    pub at: Option<Timestamp>,
}

/// The last known values of a device, by key.
pub type Readings = BTreeMap<String, Reading>;

/// Whether a key is nobody's business: internals, and what names the hardware.
#[must_use]
pub fn is_hidden(key: &str) -> bool {
    key.split('.').any(|part| part.starts_with('_') || part == "mac_address")
}

/// Readings out of a map of reported values. A value is a scalar, an object with a `value`, or an object of values,
/// whose keys are then joined with dots. `at`: when, unless the value itself says so.
#[must_use]
pub fn read_map(map: &Map<String, Value>, at: Option<Timestamp>) -> Readings {
    let mut readings = Readings::new();
    collect(map, "", at, DEEPEST, &mut readings);
    readings
}

fn collect(map: &Map<String, Value>, before: &str, at: Option<Timestamp>, depth: usize, into: &mut Readings) {
    for (key, value) in map {
        let key = format!("{before}{key}");
        if is_hidden(&key) {
            continue;
        }
        match value {
            Value::Object(inner) => match inner.get("value").and_then(Scalar::read) {
                Some(value) => {
                    let unit = inner.get("unit").and_then(Value::as_str).map(str::to_owned);
                    let own = ["ts", "timestamp", "updated_at"]
                        .iter()
                        .find_map(|key| crate::time::read(inner.get(*key)?));
                    into.insert(key, Reading { value, unit, at: own.or(at) });
                }
                None if depth > 0 => collect(inner, &format!("{key}."), at, depth - 1, into),
                None => {}
            },
            scalar => {
                if let Some(value) = Scalar::read(scalar) {
                    into.insert(key, Reading { value, unit: None, at });
                }
            }
        }
    }
}

/// The unit of a metric, by the last part of its name. The protocol carries none.
#[must_use]
pub fn unit(key: &str) -> Option<&'static str> {
    Some(match key.rsplit('.').next().unwrap_or(key) {
        "temperature" | "chip_temp" => "C",
        "humidity" | "moisture" => "%",
        "pressure" => "hPa",
        "voltage" | "battery" => "V",
        "current" => "mA",
        "power" => "mW",
        "distance_cm" => "cm",
        "rssi" => "dBm",
        "uptime" => "s",
        "heap_free" => "B",
        _ => return None,
    })
}

/// Which of these keys is meant: the one itself, or the only one that ends with it.
///
/// # Errors
/// [`Missing`], when it is none or several.
pub fn find<'a>(wanted: &str, keys: impl IntoIterator<Item = &'a str>) -> Result<&'a str, Missing> {
    let keys: Vec<_> = keys.into_iter().filter(|key| !is_hidden(key)).collect();
    if let Some(exact) = keys.iter().find(|key| **key == wanted) {
        return Ok(exact);
    }
    let ending = |key: &&&str| key.strip_suffix(wanted).is_some_and(|before| before.ends_with('.'));
    let mut ends: Vec<_> = keys.iter().filter(ending).copied().collect();
    ends.sort_unstable();
    ends.dedup();
    match ends[..] {
        [one] => Ok(one),
        [] => Err(Missing::None(sorted(keys))),
        _ => Err(Missing::Several(ends.into_iter().map(str::to_owned).collect())),
    }
}

fn sorted(mut keys: Vec<&str>) -> Vec<String> {
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().map(str::to_owned).collect()
}

/// Why no key is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// None is; these exist.
    None(Vec<String>),
    /// All of these could be.
    Several(Vec<String>),
}

impl Missing {
    /// For who asked for `wanted` of `device`.
    pub fn fault(self, device: &str, wanted: &str) -> Fault {
        let wanted = shown(wanted);
        match self {
            Self::None(keys) if keys.is_empty() => Fault::unknown(format!(
                "Device {} has no sensor `{wanted}`: nothing is known of it yet.",
                shown(device)
            ))
            .detail("sensor_keys", json!([])),
            Self::None(keys) => {
                let known = list(&keys);
                Fault::unknown(format!("Device {} has no sensor `{wanted}`. It has {known}.", shown(device)))
                    .detail("sensor_keys", json!(&keys[..keys.len().min(LISTED)]))
            }
            Self::Several(keys) => Fault::invalid(
                "/sensor_key",
                format!(
                    "`{wanted}` may be any of {} of device {}: give the whole key.",
                    list(&keys),
                    shown(device)
                ),
            )
            .detail("candidates", json!(&keys[..keys.len().min(LISTED)])),
        }
        .field("/sensor_key")
    }
}

fn list(keys: &[String]) -> String {
    let mut text = keys.iter().take(LISTED).map(|key| shown(key)).collect::<Vec<_>>().join(", ");
    if keys.len() > LISTED {
        text.push_str(&format!(" and {} more", keys.len() - LISTED));
    }
    text
}

/// Somebody else's text within a sentence.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_itself_or_by_the_only_end_that_fits() {
        let keys = ["air.temperature", "soil.temperature", "soil.moisture", "moisture_raw", "voltage"];
        assert_eq!(find("voltage", keys), Ok("voltage"));
        assert_eq!(find("moisture", keys), Ok("soil.moisture"));
        assert_eq!(find("air.temperature", keys), Ok("air.temperature"));
        let both = ["air.temperature".to_owned(), "soil.temperature".to_owned()];
        assert_eq!(find("temperature", keys), Err(Missing::Several(both.to_vec())));
        assert!(matches!(find("ture", keys), Err(Missing::None(known)) if known.len() == 5));
        assert_eq!(find("temperature", ["temperature", "air.temperature"]), Ok("temperature"));
    }

    #[test]
    fn hidden_keys_are_not_found_and_not_listed() {
        let keys = ["_vm.state", "system._x", "system.mac_address", "mac_address", "air.humidity"];
        assert_eq!(find("mac_address", keys), Err(Missing::None(vec!["air.humidity".to_owned()])));
        assert_eq!(find("_vm.state", keys), Err(Missing::None(vec!["air.humidity".to_owned()])));
    }

    #[test]
    fn units_go_by_the_end_of_a_name() {
        for (key, expected) in [
            ("air.temperature", Some("C")),
            ("system.chip_temp", Some("C")),
            ("humidity", Some("%")),
            ("soil.moisture", Some("%")),
            ("air.pressure", Some("hPa")),
            ("battery", Some("V")),
            ("pump.current", Some("mA")),
            ("pump.power", Some("mW")),
            ("tank.distance_cm", Some("cm")),
            ("system.rssi", Some("dBm")),
            ("system.uptime", Some("s")),
            ("system.heap_free", Some("B")),
            ("valve.state", None),
            ("temperature.raw", None),
        ] {
            assert_eq!(unit(key), expected, "{key}");
        }
    }

    #[test]
    fn values_are_scalars_and_numbers_in_texts_are_numbers() {
        assert_eq!(Scalar::read(&json!("23.5")).and_then(|value| value.number()), Some(23.5));
        for kept in ["007", "1.10", "89490200001014518473", "1e3", " 5"] {
            assert_eq!(Scalar::read(&json!(kept)), Some(Scalar::Text(kept.into())), "{kept}");
        }
        assert_eq!(Scalar::read(&json!("23.50")).and_then(|value| value.number()), Some(23.5));
        assert_eq!(Scalar::read(&json!("nan")).and_then(|value| value.number()), None);
        assert_eq!(Scalar::read(&json!(true)).and_then(|value| value.number()), Some(1.0));
        for none in [json!(null), json!([1]), json!({})] {
            assert_eq!(Scalar::read(&none), None);
        }
    }

    #[test]
    fn reported_values_may_be_nested_or_carry_their_own_unit_and_time() {
        let map = json!({
            "air": { "temperature": 23.1, "_raw": 7 },
            "soil.moisture": { "value": 40, "unit": "vol%", "ts": 1_710_763_200 },
            "list": [1]
        });
        let readings = read_map(map.as_object().expect("an object"), None);
        assert_eq!(readings.keys().collect::<Vec<_>>(), ["air.temperature", "soil.moisture"]);
        let moisture = &readings["soil.moisture"];
        assert_eq!(moisture.unit.as_deref(), Some("vol%"));
        assert_eq!(moisture.at.map(|at| at.to_string()).as_deref(), Some("2024-03-18T12:00:00Z"));
    }
}
