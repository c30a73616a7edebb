//! What was done: audit rows and messages to devices.

use jiff::Timestamp;

/// A row of the audit log. No REST route shows it.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Address of the user who did it.
    pub user: String,
    /// Name of the device's org.
    pub org: String,
    /// Identifier of the device.
    pub device: String,
    /// The sentence.
    pub description: String,
}

/// A message on a device's topic, sent whether or not the device is there to hear it.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Name of the device's org.
    pub org: String,
    /// Identifier of the device.
    pub device: String,
    /// What.
    pub kind: EventKind,
}

/// What a device is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Reboot.
    Reboot,
    /// The socket is closed so that the device connects again.
    Disconnect,
    /// The device's record changed.
    Updated,
    /// Install this firmware.
    Update {
        /// Its uuid.
        firmware_uuid: String,
    },
    /// Run a script.
    RunScript {
        /// Its name.
        script: String,
    },
    /// Elixir typed at the console.
    Console {
        /// The text.
        code: String,
    },
}
