//! Everything the platform knows, and how it moves on: commands and configurations reach their devices as time
//! passes. Nothing runs in the background: whoever looks first lets the world catch up with its clock.

use std::collections::HashMap;

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::firmware::{Complaint, Dialect, Unit};
use super::auth::Scope;
use super::clock::{Clock, signed};
use super::seed::Seed;

/// What the platform says of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was heard of lately.
    Online,
    /// It was not.
    Offline,
    /// It has never been there.
    Provisioning,
}

impl Status {
    /// As the API says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Provisioning => "provisioning",
        }
    }
}

/// What a device does with a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Manner {
    /// What its firmware does.
    #[default]
    Obeys,
    /// Nothing: the command stays `sent`.
    Silent,
    /// It fails, with this reason.
    Fails(String),
}

/// Readings at a time that a test has recorded.
pub type Reported = (Timestamp, Map<String, Value>);

/// A device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id; any text.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What runs on it; none while it is provisioned.
    pub unit: Option<Unit>,
    /// Its first report.
    pub since: Timestamp,
    /// Since when it is away.
    pub gone: Option<Timestamp>,
    /// How much its clock is ahead.
    pub ahead: SignedDuration,
    /// What it does with commands.
    pub manner: Manner,
    /// What is desired and not yet done.
    pub desired: Map<String, Value>,
    /// Why it refused the last configuration.
    pub complaints: Vec<Complaint>,
    /// Telemetry besides that of its heartbeats.
    pub recorded: Vec<Reported>,
}

impl Device {
    /// The last time that it reported, by its own clock.
    pub fn last_seen(&self, now: Timestamp) -> Option<Timestamp> {
        let unit = self.unit.as_ref()?;
        let until = self.gone.unwrap_or(now) + self.ahead;
        let every = i64::from(unit.heartbeat().max(1));
        let at = until.as_second().div_euclid(every) * every;
        let recorded = self.recorded.iter().map(|(at, _)| *at).filter(|at| *at <= until).max();
        Timestamp::from_second(at).ok().max(recorded)
    }

    /// Whether it is there.
    pub fn status(&self, _now: Timestamp) -> Status {
        match (&self.unit, self.gone) {
            (None, _) => Status::Provisioning,
            (Some(_), None) => Status::Online,
            (Some(_), Some(_)) => Status::Offline,
        }
    }

    /// The first heartbeat at this time or later.
    pub(crate) fn heartbeat_after(&self, time: Timestamp) -> Timestamp {
        let every = self.unit.as_ref().map_or(60, |unit| i64::from(unit.heartbeat().max(1)));
        let at = (time.as_second() + i64::from(time.subsec_nanosecond() > 0)).div_euclid(every) * every;
        let at = if at < time.as_second() { at + every } else { at };
        Timestamp::from_second(at).unwrap_or(time)
    }

    fn reachable(&self) -> bool {
        self.unit.is_some() && self.gone.is_none()
    }
}

/// A command.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its id.
    pub id: String,
    /// The device's id.
    pub device: String,
    /// What to do.
    pub name: String,
    /// And how.
    pub parameters: Value,
    /// `pending`, `sent`, `acked`, `failed`, `rejected`.
    pub status: &'static str,
    /// What the device said.
    pub result: Option<Value>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When the device had it.
    pub sent: Option<Timestamp>,
    /// When the device had answered.
    pub completed: Option<Timestamp>,
}

/// An alert rule, and whether it fires.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The device's id.
    pub device: String,
    /// The metric that triggers it.
    pub sensor: String,
    /// How it is compared.
    pub op: String,
    /// With what.
    pub value: f64,
    /// Who is told.
    pub channels: Vec<String>,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// It fires, or has been resolved.
    pub fired: bool,
    /// When it last fired.
    pub last_fired: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    seed: Seed,
    pub(crate) devices: IndexMap<String, Device>,
    /// Oldest first.
    pub(crate) commands: IndexMap<String, Command>,
    /// On their way to a device.
    configs: Vec<(Timestamp, String, Vec<u8>)>,
    pub(crate) alerts: Vec<Alert>,
    /// By token.
    pub(crate) tokens: HashMap<String, Vec<Scope>>,
}

impl World {
    pub(crate) fn new(seed: &Seed, clock: Clock, devices: Vec<Device>, alerts: Vec<Alert>) -> Self {
        let devices = devices.into_iter().map(|device| (device.id.clone(), device)).collect();
        Self {
            clock,
            seed: seed.clone(),
            devices,
            commands: IndexMap::new(),
            configs: Vec::new(),
            alerts,
            tokens: HashMap::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets everything happen that should have happened by now.
    pub(crate) fn catch_up(&mut self) {
        let now = self.now();
        let (sending, answering) = (signed(self.seed.sending), signed(self.seed.answering));
        for command in self.commands.values_mut() {
            let Some(device) = self.devices.get_mut(&command.device) else { continue };
            if command.status == "pending" && device.reachable() && command.created + sending <= now {
                command.status = "sent";
                command.sent = Some(command.created + sending);
            }
            if let Some(due) = command.sent.map(|sent| sent + answering).filter(|due| *due <= now)
                && command.status == "sent"
            {
                carry_out(device, command, due);
            }
        }
        let due = |(created, id, _): &(Timestamp, String, Vec<u8>), devices: &IndexMap<String, Device>| {
            *created + sending <= now && devices.get(id).is_some_and(Device::reachable)
        };
        let (arrived, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.configs).into_iter().partition(|config| due(config, &self.devices));
        self.configs = waiting;
        for (_, id, config) in arrived {
            let Some(device) = self.devices.get_mut(&id) else { continue };
            if let Some(unit) = &mut device.unit {
                device.complaints = unit.configure(&config).err().unwrap_or_default();
            }
        }
        for device in self.devices.values_mut().filter(|device| device.reachable()) {
            if let Some(unit) = &mut device.unit {
                let done = unit.desire(&device.desired, now);
                device.desired.retain(|key, _| !done.contains(key));
            }
        }
    }

    /// A new command on its way.
    pub(crate) fn command(&mut self, device: &str, name: String, parameters: Value) -> String {
        let id = Uuid::new_v4().to_string();
        let command = Command {
            id: id.clone(),
            device: device.to_owned(),
            name,
            parameters,
            status: "pending",
            result: None,
            created: self.now(),
            sent: None,
            completed: None,
        };
        self.commands.insert(id.clone(), command);
        id
    }

    /// A new configuration on its way; it takes the place of one that has not arrived.
    pub(crate) fn configure(&mut self, device: &str, config: &Value) {
        self.configs.retain(|(_, id, _)| id != device);
        self.configs.push((self.now(), device.to_owned(), config.to_string().into_bytes()));
    }

    /// Whether a configuration is on its way to this device.
    pub(crate) fn configuring(&self, device: &str) -> bool {
        self.configs.iter().any(|(_, id, _)| id == device)
    }
}

fn carry_out(device: &mut Device, command: &mut Command, at: Timestamp) {
    let (status, result) = match (&device.manner, &mut device.unit) {
        (Manner::Silent, _) | (_, None) => return,
        (Manner::Fails(reason), _) => ("failed", serde_json::json!({ "error": reason })),
        (Manner::Obeys, Some(unit)) => {
            // The platform speaks to each device as the device understands it.
            let sent = serde_json::json!({
                "id": command.id, "action": command.name, "params": command.parameters,
            });
            let answer = unit.obey(&sent, Dialect::Action, at);
            (answer.status, Value::Object(answer.result))
        }
    };
    command.status = status;
    command.result = Some(result);
    command.completed = Some(at);
}
