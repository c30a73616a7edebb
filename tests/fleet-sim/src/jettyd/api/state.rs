//! The platform's devices, commands and keys as a test sees and changes them, behind one lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::super::firmware::{Model, Unit};
use super::super::known;
use super::auth::Scope;
use super::clock::Clock;
use super::seed::Seed;
use super::world::{Alert, Command, Device, Manner, World};

/// A handle to everything the platform knows. Clones share it.
#[derive(Debug, Clone)]
pub struct State {
    world: Arc<Mutex<World>>,
    pub(crate) seed: Arc<Seed>,
}

impl State {
    pub(crate) fn new(seed: Seed) -> Self {
        let clock = Clock::new(seed.now);
        let now = clock.now();
        let world = World::new(&seed, clock, devices(&seed, now), alerts(now));
        Self { world: Arc::new(Mutex::new(world)), seed: Arc::new(seed) }
    }

    /// The world, up to date.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.catch_up();
        world
    }

    /// Lets time pass at once: devices report, commands arrive and are answered.
    pub fn pass(&self, time: Duration) {
        self.lock().clock.pass(time);
        drop(self.lock());
    }

    /// The time it is for the platform.
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// All devices, in the order in which they are listed.
    pub fn devices(&self) -> Vec<Device> {
        self.lock().devices.values().cloned().collect()
    }

    /// One device.
    pub fn device(&self, id: &str) -> Option<Device> {
        self.lock().devices.get(id).cloned()
    }

    /// Changes one device. False if there is none.
    pub fn change_device(&self, id: &str, change: impl FnOnce(&mut Device)) -> bool {
        self.lock().devices.get_mut(id).map(change).is_some()
    }

    /// Takes a device away, or lets it come back. False if there is none.
    pub fn set_online(&self, id: &str, online: bool) -> bool {
        let now = self.now();
        self.change_device(id, |device| device.gone = (!online).then_some(now))
    }

    /// Telemetry of a device besides that of its heartbeats. False if there is none.
    pub fn record(&self, id: &str, at: Timestamp, readings: Map<String, Value>) -> bool {
        self.change_device(id, |device| device.recorded.push((at, readings)))
    }

    /// All commands, oldest first.
    pub fn commands(&self) -> Vec<Command> {
        self.lock().commands.values().cloned().collect()
    }

    /// The alerts.
    pub fn set_alerts(&self, alerts: Vec<Alert>) {
        self.lock().alerts = alerts;
    }

    /// Another token that counts.
    pub fn add_token(&self, token: &str, scopes: &[Scope]) {
        self.lock().tokens.insert(token.to_owned(), scopes.to_vec());
    }

    /// A token that does not count any more.
    pub fn revoke(&self, token: &str) {
        self.lock().tokens.remove(token);
    }

    pub(crate) fn scopes(&self, token: &str) -> Option<Vec<Scope>> {
        self.lock().tokens.get(token).cloned()
    }

    /// The tokens of [`known`]'s handles.
    pub(crate) fn tokens(&self) -> BTreeMap<String, String> {
        use Scope::{CommandsWrite, DevicesRead, RulesRead, TelemetryRead};
        let without_commands: Vec<_> =
            Scope::ALL.into_iter().filter(|scope| *scope != CommandsWrite).collect();
        let rows: [(&str, Option<&[Scope]>); 7] = [
            (known::ALL, Some(&Scope::ALL)),
            (known::READER, Some(&[DevicesRead, TelemetryRead, RulesRead])),
            (known::DEVICES, Some(&[DevicesRead])),
            (known::TELEMETRY, Some(&[TelemetryRead])),
            (known::NO_COMMANDS, Some(&without_commands)),
            (known::EXPIRED, None),
            (known::REVOKED, None),
        ];
        let mut world = self.lock();
        let token = |handle: &str| format!("tk_simulated_{}", handle.replace('-', "_"));
        for (handle, scopes) in rows {
            world.tokens.extend(scopes.map(|scopes| (token(handle), scopes.to_vec())));
        }
        rows.iter().map(|(handle, _)| ((*handle).to_owned(), token(handle))).collect()
    }
}

/// How long devices have been reporting.
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

fn devices(seed: &Seed, now: Timestamp) -> Vec<Device> {
    let soil = Model::SoilMoisture;
    let mut number = 0;
    let mut new = |id: &str, name: &str, model: Model, tags: &[&str]| {
        number += 1;
        let unit = Unit::new(model, number, now - MONTH);
        Device {
            id: id.to_owned(),
            name: name.to_owned(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            unit: Some(unit),
            since: now - MONTH,
            gone: None,
            ahead: SignedDuration::ZERO,
            manner: Manner::Obeys,
            desired: Map::new(),
            complaints: Vec::new(),
            recorded: Vec::new(),
        }
    };
    let mut devices = vec![
        new(known::GREENHOUSE, known::GREENHOUSE_NAME, soil, &["greenhouse"]),
        new(known::TWO_TEMPERATURES, "weather-roof", Model::EnvMonitor, &["outside"]),
        new(known::RELAYS, "irrigation", Model::RelayController, &["greenhouse", "water"]),
        new(known::NEWER, "workshop-lamp", Model::Dimmer, &[]),
        new(known::ODD_ID, "pump-7", soil, &["water"]),
        Device { manner: Manner::Silent, ..new(known::SILENT, "cellar-valve", soil, &[]) },
        Device { ahead: SignedDuration::from_hours(1), ..new(known::AHEAD, "barn-north", soil, &[]) },
        Device {
            gone: Some(now - SignedDuration::from_hours(5)),
            ..new(known::OFFLINE, "field-east", soil, &["outside"])
        },
        Device { unit: None, ..new(known::PROVISIONING, "new-arrival", soil, &[]) },
        new(known::BROKEN, "orchard-valve", soil, &["outside", "water"]),
    ];
    if let Some(unit) = devices.last_mut().and_then(|device| device.unit.as_mut()) {
        unit.broken.insert("valve".into());
    }
    for index in 0..seed.devices {
        let model = Model::ALL[index % Model::ALL.len()];
        let mut device =
            new(&format!("dev_{index:06}"), &format!("{}-{index:03}", model.name()), model, &["field"]);
        if index % 9 == 8 {
            device.gone = Some(now - SignedDuration::from_hours(2));
        }
        devices.push(device);
    }
    devices
}

fn alerts(now: Timestamp) -> Vec<Alert> {
    let alert = |id: &str, name: &str, device: &str, sensor: &str, fired: bool| Alert {
        id: id.to_owned(),
        name: name.to_owned(),
        device: device.to_owned(),
        sensor: sensor.to_owned(),
        op: ">".into(),
        value: 30.0,
        channels: vec!["email".into(), "webhook".into()],
        severity: if fired { "critical" } else { "warning" }.into(),
        fired,
        last_fired: Some(now - SignedDuration::from_mins(12)),
    };
    vec![
        alert("rule_1", "greenhouse too hot", known::GREENHOUSE, "air.temperature", true),
        alert("rule_2", "greenhouse too wet", known::GREENHOUSE, "soil.moisture", true),
        alert("rule_3", "roof too hot", known::TWO_TEMPERATURES, "air.temperature", false),
        alert("rule_4", "barn too hot", known::AHEAD, "air.temperature", true),
    ]
}
