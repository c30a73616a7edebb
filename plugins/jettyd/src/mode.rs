//! Which way to the devices was granted.

use fleetgate_sdk::prelude::*;

use crate::{api, direct};

/// How devices are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Through jettyd's API (`http.api`).
    Api,
    /// Straight through a broker (`mqtt.broker`).
    Direct,
}

impl Mode {
    /// The API comes first: what the platform keeps between callers and devices is not gone around.
    ///
    /// # Errors
    /// `denied` when nothing was granted, with a sentence for the operator.
    pub fn granted() -> Result<Self, Fault> {
        if granted(api::CAPABILITY) {
            return Ok(Self::Api);
        }
        if granted(direct::BROKER) {
            return Ok(Self::Direct);
        }
        let binding = binding();
        Err(Fault::denied(format!(
            "No way to any device was granted to this plugin. The operator grants jettyd's API \
             ([plugins.{binding}.grant.http.api] with `url` and `credential`), or a broker \
             ([plugins.{binding}.grant.mqtt.broker] with `url`, `credential`, `publish` and `subscribe`, beside \
             [plugins.{binding}.grant.events.telemetry] and [plugins.{binding}.grant.keyvalue.history])."
        )))
    }
}

/// The binding's name, for sentences to the operator.
#[must_use]
pub fn binding() -> String {
    let binding = call::binding();
    if binding.is_empty() { "jettyd".to_owned() } else { binding }
}
