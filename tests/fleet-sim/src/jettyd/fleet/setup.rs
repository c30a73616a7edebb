//! Which devices a fleet has.

use std::time::Duration;

use super::super::firmware::{Dialect, Model};
use super::super::known;
use super::manner::{Acks, Clock, Manner};

/// What a test may choose about a fleet.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The second level of every topic.
    pub tenant: String,
    /// The devices.
    pub profiles: Vec<Profile>,
    /// How often each reports by itself; never if absent.
    pub every: Option<Duration>,
}

/// A device of a fleet.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its id: its user at the broker, and a level of its topics.
    pub id: String,
    /// Its key: its password at the broker.
    pub key: String,
    /// Its type.
    pub model: Model,
    /// Which keys it reads a command from.
    pub dialect: Dialect,
    /// How it answers commands.
    pub manner: Manner,
    /// Where it acknowledges configurations.
    pub acks: Acks,
    /// Its clock.
    pub clock: Clock,
    /// Drivers that fail.
    pub broken: Vec<String>,
    /// A sensor of it reads no number, so that its telemetry is no JSON.
    pub nan: bool,
    /// It connects when the fleet starts.
    pub online: bool,
}

impl Profile {
    /// A device that does all as it should.
    pub fn new(id: &str, model: Model) -> Self {
        Self {
            id: id.to_owned(),
            key: format!("dk_simulated_key_of_{id}"),
            model,
            dialect: Dialect::Action,
            manner: Manner::Obeys,
            acks: Acks::CommandResponse,
            clock: Clock::Right,
            broken: Vec::new(),
            nan: false,
            online: true,
        }
    }
}

impl Setup {
    /// The known devices.
    pub fn known() -> Self {
        let soil = |id: &str| Profile::new(id, Model::SoilMoisture);
        let of = |id: &str, manner: Manner| Profile { manner, ..soil(id) };
        let profiles = vec![
            soil(known::GREENHOUSE),
            Profile::new(known::TWO_TEMPERATURES, Model::EnvMonitor),
            Profile::new(known::RELAYS, Model::RelayController),
            Profile { dialect: Dialect::CommandType, ..Profile::new(known::NEWER, Model::Dimmer) },
            Profile { online: false, ..soil(known::OFFLINE) },
            of(known::SILENT, Manner::Silent),
            of(known::BUSY, Manner::busy()),
            of(known::FAILING, Manner::failed("Valve stuck")),
            of(known::LATE, Manner::Late(Duration::from_secs(5))),
            of(known::OTHER_FIRST, Manner::OtherFirst),
            of(known::GARBLED, Manner::GarbledFirst),
            of(known::ALIASES, Manner::Aliases),
            Profile { broken: vec!["valve".into()], ..soil(known::BROKEN) },
            Profile { acks: Acks::ConfigAck, ..soil(known::CONFIG_ACK) },
            Profile { nan: true, ..soil(known::NAN) },
            Profile { clock: Clock::Absent, ..soil(known::NO_CLOCK) },
            Profile { clock: Clock::Unset, ..soil(known::UNSET_CLOCK) },
            Profile { clock: Clock::Ahead(Duration::from_secs(3_600)), ..soil(known::AHEAD) },
        ];
        Self { tenant: "acme".into(), profiles, every: None }
    }

    /// So many devices that do all as they should.
    pub fn plain(devices: usize) -> Self {
        let profile =
            |number: usize| Profile::new(&format!("dev_{number:06}"), Model::ALL[number % Model::ALL.len()]);
        Self { tenant: "acme".into(), profiles: (0..devices).map(profile).collect(), every: None }
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.profiles.extend(other.profiles);
        self
    }
}
