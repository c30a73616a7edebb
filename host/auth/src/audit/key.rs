//! The key of the arguments' hash: 32 random bytes in `<state>/audit.key`, made once.
//!
//! It stands beside the log's directory and not in it, so that the log can be copied or shipped elsewhere without
//! the means to try guesses against its hashes.

use std::path::Path;

use fleetgate_core::key_file::key_file;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::AuditError;

/// Hashes arguments so that equal calls can be found without keeping what they said.
pub(super) struct HashKey(Hmac<Sha256>);

impl HashKey {
    /// Reads the key; makes it where there is none.
    pub(super) fn open(path: &Path) -> Result<Self, AuditError> {
        let key = key_file(path)?;
        Ok(Self(Hmac::new_from_slice(&key).expect("HMAC takes keys of any length")))
    }

    /// `hmac-sha256:<hex>`. The order of keys and the white space of a JSON text do not count.
    pub(super) fn hash(&self, arguments: &str) -> String {
        use std::fmt::Write as _;
        let mut mac = self.0.clone();
        match serde_json::from_str::<Value>(arguments) {
            Ok(mut value) => {
                value.sort_all_objects();
                mac.update(value.to_string().as_bytes());
            }
            Err(_) => mac.update(arguments.as_bytes()),
        }
        let mut text = String::from("hmac-sha256:");
        for byte in mac.finalize().into_bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
