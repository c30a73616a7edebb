//! Which way to the devices was granted.

use fleetgate_sdk::prelude::*;

use crate::api;

/// How devices are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Through jettyd's API (`http.api`).
    Api,
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
        let binding = binding();
        Err(Fault::denied(format!(
            "No way to any device was granted to this plugin. The operator grants jettyd's API \
             ([plugins.{binding}.grant.http.api] with `url` and `credential`)."
        )))
    }
}

/// The binding's name, for sentences to the operator.
#[must_use]
pub fn binding() -> String {
    let binding = call::binding();
    if binding.is_empty() { "jettyd".to_owned() } else { binding }
}
