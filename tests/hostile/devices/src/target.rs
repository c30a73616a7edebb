//! Which device, and what came of it.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::ssh::{Connection, SshError};
use serde_json::{Value, json};

fn devices() -> String {
    "ssh.devices".into()
}

/// A device, to the letter.
#[derive(Deserialize, JsonSchema)]
pub struct Target {
    /// The capability.
    #[serde(default = "devices")]
    pub capability: String,
    /// A name or an address, or anything.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Target {
    pub fn connect(&self) -> Result<Connection, SshError> {
        Connection::connect(&self.capability, &self.host, self.port)
    }
}

/// Everything that a guest learns of a failure.
pub fn failure(error: &SshError) -> Value {
    let SshError { code, message, retryable, sent, details } = error;
    json!({"code": code, "message": message, "retryable": retryable, "sent": sent, "details": details})
}
