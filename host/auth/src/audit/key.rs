//! The key of the arguments' hash: 32 random bytes in `<state>/audit.key`, made once.
//!
//! It stands beside the log's directory and not in it, so that the log can be copied or shipped elsewhere without
//! the means to try guesses against its hashes.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::AuditError;
use super::segment::check_private;

const LENGTH: usize = 32;

/// Hashes arguments so that equal calls can be found without keeping what they said.
pub(super) struct HashKey(Hmac<Sha256>);

impl HashKey {
    /// Reads the key; makes it where there is none.
    pub(super) fn open(path: &Path) -> Result<Self, AuditError> {
        if let Some(key) = Self::read(path)? {
            return Ok(key);
        }
        Self::make(path)?;
        let made = Self::read(path)?;
        made.ok_or_else(|| AuditError::io("read", path)(ErrorKind::NotFound.into()))
    }

    fn read(path: &Path) -> Result<Option<Self>, AuditError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(AuditError::io("read", path)(error)),
        };
        check_private(&file, path, 0o077, 0o600)?;
        let mut bytes = Vec::with_capacity(LENGTH + 1);
        // One byte more than a key has is enough to see that it is none.
        file.take(LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(AuditError::io("read", path))?;
        if bytes.len() != LENGTH {
            return Err(AuditError::Key { path: path.to_owned() });
        }
        Ok(Some(Self(Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length"))))
    }

    /// Two hosts may start at once on one state directory: the file appears whole or not at all, and the first one
    /// stays.
    fn make(path: &Path) -> Result<(), AuditError> {
        let failed = || AuditError::io("create", path);
        let mut key = [0; LENGTH];
        getrandom::fill(&mut key).map_err(|error| failed()(io::Error::other(error.to_string())))?;
        let directory = path.parent().unwrap_or_else(|| Path::new("."));
        // tempfile creates with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed())?;
        file.write_all(&key).and_then(|()| file.as_file().sync_all()).map_err(failed())?;
        match file.persist_noclobber(path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(failed()(error.error)),
        }
        fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed())
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
