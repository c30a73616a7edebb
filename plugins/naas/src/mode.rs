//! Which way to the devices was granted.

use fleetgate_sdk::prelude::*;

use crate::api;

/// The manifest's request for devices.
const DEVICES: &str = "ssh.devices";

/// How devices are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A NAAS server does it (`http.api`).
    Api,
    /// The plugin does it (`ssh.devices`).
    Direct,
}

impl Mode {
    /// The API comes first: what the operator put between callers and devices is not gone around.
    ///
    /// # Errors
    /// `denied` when neither was granted, with a sentence for the operator.
    pub fn granted() -> Result<Self, Fault> {
        if granted(api::CAPABILITY) {
            return Ok(Self::Api);
        }
        if granted(DEVICES) {
            return Ok(Self::Direct);
        }
        let binding = binding();
        Err(Fault::denied(format!(
            "No way to any device was granted to this plugin. The operator grants a NAAS server \
             ([plugins.{binding}.grant.http.api] with `url` and `credential`), or the devices themselves \
             ([plugins.{binding}.grant.ssh.devices] with `targets`, `known_hosts` and `credential`)."
        )))
    }
}

/// The binding's name, for sentences to the operator.
#[must_use]
pub fn binding() -> String {
    let binding = call::binding();
    if binding.is_empty() { "naas".to_owned() } else { binding }
}
