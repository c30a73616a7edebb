//! What a device does when it is told to (`command_handler` in `jettyd.c`).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::unit::Unit;

/// Which keys a command's name and parameters stand under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// `action` and `params`, and nothing else.
    #[default]
    Action,
    /// `command_type` and `payload`; the others count where these are missing.
    CommandType,
}

/// What a device says to a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The command's id, or `unknown` for one without.
    pub id: String,
    /// `acked` or `rejected`.
    pub status: &'static str,
    /// What came of it, or `error`; a driver that fails says nothing.
    pub result: Map<String, Value>,
    /// It restarts once it has said so.
    pub reboots: bool,
}

impl Answer {
    /// As it is published.
    pub fn to_json(&self) -> Value {
        json!({"id": self.id, "status": self.status, "result": self.result})
    }
}

/// What came of a command, before it has a status.
type Outcome = Result<Map<String, Value>, Option<&'static str>>;

impl Dialect {
    /// A command's name and its parameters, as a device of this dialect reads them.
    pub fn read(self, command: &Value) -> (String, Value) {
        let named = |key: &str| command[key].as_str().map(str::to_owned);
        let (name, parameters) = match self {
            Self::Action => (named("action"), &command["params"]),
            Self::CommandType => {
                let parameters = &command["payload"];
                let parameters = if parameters.is_null() { &command["params"] } else { parameters };
                (named("command_type").or_else(|| named("action")), parameters)
            }
        };
        (name.unwrap_or_default(), parameters.clone())
    }
}

impl Unit {
    /// Does what a command says, and answers.
    pub fn obey(&mut self, command: &Value, dialect: Dialect, at: Timestamp) -> Answer {
        let (action, parameters) = dialect.read(command);
        let (status, result) = match self.act(&action, &parameters, at) {
            Ok(result) => ("acked", result),
            Err(error) => {
                ("rejected", error.map(|error| ("error".into(), json!(error))).into_iter().collect())
            }
        };
        let id = command["id"].as_str().unwrap_or("unknown").to_owned();
        Answer { id, status, result, reboots: action == "reboot" }
    }

    fn act(&mut self, action: &str, parameters: &Value, at: Timestamp) -> Outcome {
        let one = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
        let Some((instance, verb)) = action.split_once('.') else {
            return match action {
                "reboot" => Ok(one("message", json!("Rebooting..."))),
                "ping" => Ok(one("message", json!("pong"))),
                _ => Err(Some("Unknown system command")),
            };
        };
        let driver = self.model.driver(instance).ok_or(Some("Unknown device instance"))?;
        let broken = self.broken.contains(instance);
        match verb {
            "on" => {
                let (name, longest) = driver.switch().ok_or(Some("Not switchable"))?;
                if broken {
                    return Err(None);
                }
                let asked = parameters["duration"].as_i64().unwrap_or(0).clamp(0, i64::from(u32::MAX));
                let longest = i64::from(longest);
                let on_for = if asked > 0 { asked.min(longest) } else { longest };
                let off = (on_for > 0).then(|| at + SignedDuration::from_secs(on_for));
                self.switch_on(driver.instance, at, off);
                let mut result = one(&format!("{instance}.{name}"), json!(true));
                if asked > 0 {
                    result.insert("will_auto_off_at".into(), json!(at.as_second() + asked));
                }
                Ok(result)
            }
            "off" => {
                let (name, _) = driver.switch().ok_or(Some("Not switchable"))?;
                if broken {
                    return Err(None);
                }
                self.switch_off(driver.instance, at);
                Ok(one(&format!("{instance}.{name}"), json!(false)))
            }
            "read" => {
                let names = driver.capabilities.iter().map(|one| format!("{instance}.{}", one.name));
                Ok(names.filter_map(|name| Some((name.clone(), self.reading(&name, at)?))).collect())
            }
            _ => Err(Some("Unknown action")),
        }
    }
}
