//! Settings: `[config.<key>]` in the manifest, and values of their kinds in `fleetgate.toml`.

use indexmap::IndexMap;
use serde_json::Value;

use super::about::required_line;
use super::variables::{self, environment};
use super::{ConfigKey, ConfigKind, ConfigValue, grammar};
use crate::diagnostic::{TableReader, quoted};

pub(super) const KINDS: [(&str, ConfigKind); 7] = [
    ("string", ConfigKind::String),
    ("bool", ConfigKind::Bool),
    ("integer", ConfigKind::Integer),
    ("number", ConfigKind::Number),
    ("duration", ConfigKind::Duration),
    ("size", ConfigKind::Size),
    ("strings", ConfigKind::Strings),
];

/// Reads `[config]`.
pub(super) fn config(root: &mut TableReader<'_>) -> IndexMap<String, ConfigKey> {
    let mut keys = IndexMap::new();
    for (name, mut table) in root.tables("config") {
        if !grammar::is_key(name.get_ref()) {
            let message = format!("{} is not a name for a setting", quoted(name.get_ref()));
            table.error_at(&name, message, grammar::KEY);
        }
        let kind = table.present("type").and_then(|()| table.enumeration("type", &KINDS));
        let default = match kind {
            Some(kind) => value(&mut table, "default", kind),
            // Taken, so that a wrong type is not followed by an unknown key.
            None => {
                table.value("default");
                None
            }
        };
        let description = required_line(&mut table, "description", 512);
        let required = table.bool("required").unwrap_or_default();
        if required && table.has("default") {
            let help = "a setting with a default is always set: remove one of the two";
            table.error_at("required", "required and default contradict each other", help);
        }
        let env = environment(&mut table, "env");
        // What has another type cannot hold one.
        let text = matches!(kind, Some(ConfigKind::String | ConfigKind::Strings));
        for variable in env.iter().filter(|variable| text && variables::is_named_like_a_credential(variable))
        {
            let message = format!("{variable} is named like a credential, and the plugin sees its settings");
            let help = "let it fill a credential of a capability: env = { bearer = … }";
            table.error_at("env", message, help);
        }
        table.finish();
        if let (Some(kind), Some(description)) = (kind, description) {
            keys.insert(name.into_inner(), ConfigKey { kind, default, description, required, env });
        }
    }
    keys
}

/// Takes a setting's value.
pub(crate) fn value(table: &mut TableReader<'_>, key: &str, kind: ConfigKind) -> Option<ConfigValue> {
    let value = match kind {
        ConfigKind::String => {
            let text = table.string(key)?;
            ConfigValue { json: text.clone().into(), text }
        }
        ConfigKind::Bool => {
            let is = table.bool(key)?;
            ConfigValue { json: is.into(), text: is.to_string() }
        }
        ConfigKind::Integer => {
            let number = table.integer(key)?;
            ConfigValue { json: number.into(), text: number.to_string() }
        }
        ConfigKind::Number => {
            let number = table.number(key)?;
            ConfigValue { json: number.into(), text: number.to_string() }
        }
        ConfigKind::Duration => {
            table.duration(key)?;
            as_written(table.string(key)?)
        }
        ConfigKind::Size => {
            table.size(key)?;
            as_written(table.string(key)?)
        }
        ConfigKind::Strings => {
            let json = Value::from(table.strings(key)?);
            ConfigValue { text: json.to_string(), json }
        }
    };
    Some(value)
}

/// Durations and sizes were checked, and reach the guest as they were written.
fn as_written(text: String) -> ConfigValue {
    ConfigValue { json: text.clone().into(), text }
}

impl ConfigKind {
    /// The word in the manifest.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Reads a value that was not written in TOML: an environment variable's. A list is separated by commas.
    pub fn parse(self, text: &str) -> Result<ConfigValue, ConfigSpelling> {
        let wrong = |help: String| ConfigSpelling { kind: self.word(), help };
        let plain = |json: Value| ConfigValue { json, text: text.to_owned() };
        match self {
            Self::String => Ok(plain(text.into())),
            Self::Bool => match text {
                "true" | "1" => Ok(ConfigValue { json: true.into(), text: "true".into() }),
                "false" | "0" => Ok(ConfigValue { json: false.into(), text: "false".into() }),
                _ => Err(wrong("write true or false".into())),
            },
            Self::Integer => match text.parse::<i64>() {
                Ok(number) => Ok(ConfigValue { json: number.into(), text: number.to_string() }),
                Err(_) => Err(wrong("write a whole number".into())),
            },
            Self::Number => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    Ok(ConfigValue { json: number.into(), text: number.to_string() })
                }
                _ => Err(wrong("write a number".into())),
            },
            Self::Duration => match crate::units::parse_duration(text) {
                Ok(_) => Ok(plain(text.into())),
                Err(unit) => Err(wrong(unit.help())),
            },
            Self::Size => match crate::units::parse_size(text) {
                Ok(_) => Ok(plain(text.into())),
                Err(unit) => Err(wrong(unit.help())),
            },
            Self::Strings => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let json = Value::from(items.map(str::to_owned).collect::<Vec<_>>());
                Ok(ConfigValue { text: json.to_string(), json })
            }
        }
    }
}

/// A text that is no value of its kind. Never shows the text: it may have come from the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a value of type {kind}: {help}")]
pub struct ConfigSpelling {
    /// The kind's word.
    pub kind: &'static str,
    /// What to write.
    pub help: String,
}
