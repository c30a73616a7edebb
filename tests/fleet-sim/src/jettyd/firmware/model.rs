//! The device types that the firmware comes with (`devices/*/device.yaml`), and what their drivers can do.

/// A device type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Soil and air, and a valve that closes itself after half an hour.
    SoilMoisture,
    /// Air and ground: two temperatures.
    EnvMonitor,
    /// Four relays.
    RelayController,
    /// A lamp that can be dimmed, and its current.
    Dimmer,
}

/// A driver of a device, named by its instance.
#[derive(Debug, PartialEq, Eq)]
pub struct Driver {
    /// As commands and metrics name it: `air` in `air.temperature`.
    pub instance: &'static str,
    /// What it reads, switches and sets.
    pub capabilities: &'static [Capability],
}

/// One thing that a driver can do.
#[derive(Debug, PartialEq, Eq)]
pub struct Capability {
    /// `temperature` in `air.temperature`.
    pub name: &'static str,
    /// What can be done with it.
    pub kind: Kind,
}

/// What can be done with a capability.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is read: its middle, and how far it swings in a day, in tenths.
    Readable(i32, i32),
    /// It is on or off; switched on it goes off by itself after so many seconds at most (0: never).
    Switchable(u32),
    /// It is set to a number.
    Writable,
}

const fn readable(name: &'static str, middle: i32, swing: i32) -> Capability {
    Capability { name, kind: Kind::Readable(middle, swing) }
}

const AIR: Driver = Driver {
    instance: "air",
    capabilities: &[readable("temperature", 221, 60), readable("humidity", 550, 150)],
};
const GROUND: Driver = Driver { instance: "ground", capabilities: &[readable("temperature", 143, 12)] };
const SOIL: Driver = Driver { instance: "soil", capabilities: &[readable("moisture", 420, 80)] };
const VALVE: Driver = relay("valve", 1_800);
const LAMP: Driver =
    Driver { instance: "dimmer", capabilities: &[Capability { name: "level", kind: Kind::Writable }] };
const POWER: Driver = Driver {
    instance: "power",
    capabilities: &[readable("voltage", 121, 2), readable("current", 3_400, 900)],
};

const fn relay(instance: &'static str, longest: u32) -> Driver {
    // One per length that occurs: a slice in a constant function must be one itself.
    let capabilities = match longest {
        1_800 => &[Capability { name: "state", kind: Kind::Switchable(1_800) }],
        _ => &[Capability { name: "state", kind: Kind::Switchable(3_600) }],
    };
    Driver { instance, capabilities }
}

const SOIL_MOISTURE: &[Driver] = &[SOIL, AIR, VALVE];
const ENV_MONITOR: &[Driver] = &[AIR, GROUND, SOIL];
const RELAYS: &[Driver] =
    &[relay("ch1", 3_600), relay("ch2", 3_600), relay("ch3", 3_600), relay("ch4", 3_600)];
const DIMMER: &[Driver] = &[LAMP, POWER];

impl Model {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SoilMoisture, Self::EnvMonitor, Self::RelayController, Self::Dimmer];

    /// As the platform names the device type.
    pub fn name(self) -> &'static str {
        match self {
            Self::SoilMoisture => "soil-moisture-v1",
            Self::EnvMonitor => "env-monitor-v1",
            Self::RelayController => "relay-controller-v1",
            Self::Dimmer => "dimmer-v1",
        }
    }

    /// Its drivers, in the order in which they are read.
    pub fn drivers(self) -> &'static [Driver] {
        match self {
            Self::SoilMoisture => SOIL_MOISTURE,
            Self::EnvMonitor => ENV_MONITOR,
            Self::RelayController => RELAYS,
            Self::Dimmer => DIMMER,
        }
    }

    /// Seconds between two heartbeats, until a configuration says otherwise.
    pub fn heartbeat(self) -> u32 {
        match self {
            Self::SoilMoisture | Self::Dimmer => 60,
            Self::EnvMonitor => 300,
            Self::RelayController => 30,
        }
    }

    pub(super) fn driver(self, instance: &str) -> Option<&'static Driver> {
        self.drivers().iter().find(|driver| driver.instance == instance)
    }

    /// `instance.capability`, if the device has it.
    pub(super) fn capability(self, dotted: &str) -> Option<(&'static Driver, &'static Capability)> {
        let (instance, name) = dotted.split_once('.')?;
        let driver = self.driver(instance)?;
        let capability = driver.capabilities.iter().find(|capability| capability.name == name)?;
        Some((driver, capability))
    }
}

impl Driver {
    /// The capability that `on` and `off` switch.
    pub(super) fn switch(&self) -> Option<(&'static str, u32)> {
        self.capabilities.iter().find_map(|capability| match capability.kind {
            Kind::Switchable(longest) => Some((capability.name, longest)),
            Kind::Readable(..) | Kind::Writable => None,
        })
    }
}
