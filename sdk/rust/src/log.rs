//! The plugin's log in the host, which also goes to clients that asked for logs.
//!
//! Bounded by rate and size; what is over the limit is counted and dropped. Never log secrets.
//!
//! ```
//! # use fleetgate_sdk::prelude::*;
//! log::info("rebooting");
//! log::with(json!({ "identifier": "sensor-1" })).warning("the device does not answer");
//! ```

use serde_json::Value;

use crate::host;

/// For whoever looks for a mistake.
pub fn debug(message: impl AsRef<str>) {
    host::log("debug", message.as_ref(), None);
}

/// What happens normally.
pub fn info(message: impl AsRef<str>) {
    host::log("info", message.as_ref(), None);
}

/// Normal, but worth a look.
pub fn notice(message: impl AsRef<str>) {
    host::log("notice", message.as_ref(), None);
}

/// Something that may become a failure.
pub fn warning(message: impl AsRef<str>) {
    host::log("warning", message.as_ref(), None);
}

/// Something failed.
pub fn error(message: impl AsRef<str>) {
    host::log("error", message.as_ref(), None);
}

/// Data that goes along with a message.
pub fn with(data: Value) -> Record {
    Record { data }
}

/// A message's data.
#[derive(Debug, Clone)]
#[must_use = "nothing is logged until it has a message: `.info(\"…\")`"]
pub struct Record {
    data: Value,
}

impl Record {
    /// See [`debug()`].
    pub fn debug(self, message: impl AsRef<str>) {
        host::log("debug", message.as_ref(), Some(&self.data));
    }

    /// See [`info()`].
    pub fn info(self, message: impl AsRef<str>) {
        host::log("info", message.as_ref(), Some(&self.data));
    }

    /// See [`notice()`].
    pub fn notice(self, message: impl AsRef<str>) {
        host::log("notice", message.as_ref(), Some(&self.data));
    }

    /// See [`warning()`].
    pub fn warning(self, message: impl AsRef<str>) {
        host::log("warning", message.as_ref(), Some(&self.data));
    }

    /// See [`error()`].
    pub fn error(self, message: impl AsRef<str>) {
        host::log("error", message.as_ref(), Some(&self.data));
    }
}
