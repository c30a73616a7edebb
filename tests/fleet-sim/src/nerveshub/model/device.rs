//! Devices with their latest connection and health report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{FirmwareMetadata, Id};

/// Where a device's socket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Joined.
    Connected,
    /// Socket open, not joined.
    Connecting,
    /// Gone.
    Disconnected,
}

impl ConnectionStatus {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Connecting => "connecting",
            Self::Disconnected => "disconnected",
        }
    }
}

/// The latest connection of a device.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its state.
    pub status: ConnectionStatus,
    /// When it began.
    pub established_at: Timestamp,
    /// The last sign of life.
    pub last_seen_at: Timestamp,
    /// `wifi`, `ethernet`, `cellular`, `unknown`, or not reported.
    pub interface: Option<String>,
}

/// The latest health report of a device. No REST route shows it; filters look at it.
#[derive(Debug, Clone)]
pub struct Health {
    /// `healthy`, `warning`, `unhealthy`, `unknown`.
    pub status: String,
    /// Alarm name to description.
    pub alarms: BTreeMap<String, String>,
    /// Latest value per metric key.
    pub metrics: BTreeMap<String, f64>,
    /// When it came.
    pub reported_at: Timestamp,
}

/// A device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Row number.
    pub id: Id,
    /// Its org.
    pub org: Id,
    /// Its product.
    pub product: Id,
    /// Unique in the org; the address in paths.
    pub identifier: String,
    /// Free text.
    pub description: Option<String>,
    /// Tags; none ever set is not the same as an empty list.
    pub tags: Option<Vec<String>>,
    /// `registered` until its first connection, then `provisioned`.
    pub status: String,
    /// Last reported firmware.
    pub firmware: Option<FirmwareMetadata>,
    /// Its deployment group.
    pub deployment: Option<Id>,
    /// Takes automatic updates.
    pub updates_enabled: bool,
    /// When updates were tried.
    pub update_attempts: Vec<Timestamp>,
    /// In the penalty box until then.
    pub updates_blocked_until: Option<Timestamp>,
    /// Soft-deleted.
    pub deleted_at: Option<Timestamp>,
    /// First connection.
    pub first_seen_at: Option<Timestamp>,
    /// Registered.
    pub inserted_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
    /// Fields the API accepts in an update and never shows.
    pub hidden: BTreeMap<String, Value>,
    /// Its latest connection; none if it was never seen.
    pub connection: Option<Connection>,
    /// Its latest health report.
    pub health: Option<Health>,
    /// Whether it answers scripts while it is connected. A hung device is connected and says nothing.
    pub answers: bool,
}

impl Device {
    /// `connected`, `connecting`, `disconnected` or `not_seen`.
    pub fn connection_status(&self) -> &'static str {
        self.connection.as_ref().map_or("not_seen", |connection| connection.status.as_str())
    }

    /// The tags as the hub's database joins them for substring filters.
    pub(crate) fn joined_tags(&self) -> Option<String> {
        self.tags.as_ref().map(|tags| tags.join(" "))
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.status == ConnectionStatus::Connected)
    }
}
